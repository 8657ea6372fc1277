/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_file: a file of rows as the CSV that a server takes.
 *
 * Threads: the command's.
 * Layer:   cli.
 */
#ifndef SW_CLI_TABLE_FILE_H
#define SW_CLI_TABLE_FILE_H

#include "base/status.h"

#include <stdio.h>

/*
 * Where `*file`, which is open for reading `path`, holds JSON Lines or Parquet (told apart by its
 * first bytes, see data/frame.h), it is replaced by a file without a name that has the same rows as
 * CSV. On failure it stays as it is.
 */
SW_MUST_USE sw_status sw_table_file_as_csv(FILE **file, const char *path, sw_error *error);

#endif /* SW_CLI_TABLE_FILE_H */
