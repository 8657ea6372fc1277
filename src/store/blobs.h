/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs: files named by the SHA-256 of what they hold.
 *
 * A blob is written as it comes in, hashed on the way, fsynced, and renamed into place: no second
 * temporary copy, and a name never shows half a file. Equal content is stored once.
 * Layout: DIR/blobs/ab/ab12…  and DIR/blobs/incoming/ for what is still coming.
 *
 * Threads: any but a loop's; one writer object by one thread at a time.
 * Layer:   store.
 */
#ifndef SW_STORE_BLOBS_H
#define SW_STORE_BLOBS_H

#include "base/status.h"
#include "base/str.h"
#include "store/sha256.h"

#include <stdint.h>

typedef struct sw_blobs sw_blobs;
typedef struct sw_blob_writer sw_blob_writer;

typedef struct sw_blob_id {
    char hex[SW_SHA256_HEX + 1];
} sw_blob_id;

/* Opens or creates; sweeps what an earlier crash left in incoming/: hold the folder's lock
 * (sw_db_open takes it). */
SW_MUST_USE sw_status sw_blobs_open(sw_blobs **out, const char *data_dir, sw_error *error);
void sw_blobs_close(sw_blobs *blobs);

SW_MUST_USE sw_status sw_blob_begin(sw_blob_writer **out, sw_blobs *blobs, sw_error *error);
SW_MUST_USE sw_status sw_blob_add(sw_blob_writer *writer, sw_str bytes, sw_error *error);
/* Durable when it returns OK, and its age begins anew. The writer is gone either way. */
SW_MUST_USE sw_status sw_blob_finish(sw_blob_id *id, uint64_t *size_bytes, sw_blob_writer *writer,
                                     sw_error *error);
/* NULL is fine. */
void sw_blob_abort(sw_blob_writer *writer);

/* False where `hex` is no SHA-256 in lower-case hex. */
bool sw_blob_id_parse(sw_blob_id *out, sw_str hex);
/* NOT_FOUND where there is none. */
SW_MUST_USE sw_status sw_blob_size(uint64_t *size_bytes, sw_blobs *blobs, const sw_blob_id *id,
                                   sw_error *error);
/* The file's path, into `path` (at least 4,096 bytes). */
void sw_blob_path(char *path, size_t cap, const sw_blobs *blobs, const sw_blob_id *id);
SW_MUST_USE sw_status sw_blob_remove(sw_blobs *blobs, const sw_blob_id *id, sw_error *error);
/* Removes it unless it came (again) at or after `modified_before_ms`: safe beside uploads. */
SW_MUST_USE sw_status sw_blob_remove_older(bool *removed, sw_blobs *blobs, const sw_blob_id *id,
                                           int64_t modified_before_ms, sw_error *error);

/* Calls `visit` for each blob, with its age by modification time (to find what nothing refers to).
 */
SW_MUST_USE sw_status sw_blobs_each(sw_blobs *blobs,
                                    void (*visit)(const sw_blob_id *id, int64_t modified_ms,
                                                  void *context),
                                    void *context, sw_error *error);

#endif /* SW_STORE_BLOBS_H */
