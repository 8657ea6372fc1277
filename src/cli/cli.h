/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: the commands a person types, from one table.
 *
 * A command is a row: its name, arguments, options, examples and the function that runs it. The
 * row drives parsing, `--help` and the errors, so that no two of them can disagree. Some look at
 * files alone (`profile`, `drift`, `evaluate`); `demo` starts a server; all others are clients of
 * the HTTP API and know nothing else of the server.
 *
 * `serve` and `proxy` live above this layer; main hands their rows to sw_cli_main, and they read
 * their options through the same functions as the others.
 *
 * Memory:  texts that the functions below return are borrowed and live as long as the command.
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_CLI_H
#define SW_CLI_CLI_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sw_cli sw_cli;

/* One option of a command. A table of them ends with a row without a name. */
typedef struct sw_cli_option {
    const char *name;  /* "listen", typed --listen */
    char letter;       /* 'l', typed -l; 0 where it has none */
    const char *value; /* what help calls its value; NULL: a flag, which takes none */
    const char *help;
} sw_cli_option;

/* One command. A table of them ends with a row without a name. */
typedef struct sw_cli_command {
    const char *name;
    const char *other_names; /* words parted by spaces that mean it too, or NULL */
    const char *arguments;   /* as help shows them: "NAME FILE.onnx" */
    const char *summary;     /* one line */
    const char *details;     /* further lines of its help, or NULL */
    const char *examples;    /* lines of commands, or NULL */
    const sw_cli_option *options;
    const struct sw_cli_command *actions; /* of a command of several, such as token create */
    sw_status (*run)(sw_cli *cli);        /* NULL where it has actions */
    unsigned arguments_min, arguments_max;
} sw_cli_command;

/* Runs the command line and returns the exit status: 0 done, 1 failed, 2 wrong usage,
 * 3 not found, 4 refused, 5 server unreachable. `more` are further commands, of which the first
 * stands first in the help, up to a NULL. */
int sw_cli_main(int argc, char **argv, const sw_cli_command *const *more);

/* The `index`-th argument that is no option; NULL where there are fewer. */
const char *sw_cli_argument(const sw_cli *cli, unsigned index);
/* The value of --`name`: the last one given, or NULL. */
const char *sw_cli_value(const sw_cli *cli, const char *name);
/* The `index`-th value of an option that may be repeated; NULL where there are fewer. */
const char *sw_cli_value_at(const sw_cli *cli, const char *name, unsigned index);
bool sw_cli_flag(const sw_cli *cli, const char *name);
/* --`name` as a whole number in min..max; `fallback` where it was not given. */
SW_MUST_USE sw_status sw_cli_number(uint64_t *out, sw_cli *cli, const char *name, uint64_t fallback,
                                    uint64_t min, uint64_t max);
/* --`name` as a duration (base/duration.h) above zero; in ms, or in seconds, rounded up. */
SW_MUST_USE sw_status sw_cli_duration(uint64_t *ms, sw_cli *cli, const char *name,
                                      uint64_t fallback_ms);
SW_MUST_USE sw_status sw_cli_seconds(uint64_t *out, sw_cli *cli, const char *name,
                                     uint64_t fallback);

/* --json and --quiet, which every command knows. */
bool sw_cli_json(const sw_cli *cli);
bool sw_cli_quiet(const sw_cli *cli);
/* Where a failing command writes its reason; sw_cli_main prints it. */
sw_error *sw_cli_error(sw_cli *cli);

#endif /* SW_CLI_CLI_H */
