/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one command line, for the files of this folder.
 *
 * Memory:  the sw_cli lives in sw_cli_main and owns the client.
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_CLI_PRIVATE_H
#define SW_CLI_CLI_PRIVATE_H

#include "cli/cli.h"
#include "cli/client_private.h"
#include "cli/text_private.h"

#include <jansson.h>
#include <stdio.h>

enum { SW_CLI_ARGUMENTS_MAX = 64, SW_CLI_OPTIONS_MAX = 64 };

typedef struct sw_cli_given {
    const sw_cli_option *option;
    const char *value; /* "" for a flag */
} sw_cli_given;

struct sw_cli {
    const sw_cli_command *command;
    const sw_cli_command *parent; /* of an action: the command it belongs to */
    const char *arguments[SW_CLI_ARGUMENTS_MAX];
    unsigned argument_count;
    sw_cli_given given[SW_CLI_OPTIONS_MAX];
    unsigned given_count;
    const char *program; /* argv[0] */
    sw_client *client;   /* NULL until the first request */
    sw_error error;
};

/* The options that every command knows. */
extern const sw_cli_option sw_cli_common_options[];

/* Reads argv behind the command's name. USAGE says what was wrong and what is near. */
SW_MUST_USE sw_status sw_cli_parse(sw_cli *cli, int argc, char **argv);
/* The row that `name` means by its name or another; NULL where there is none. */
const sw_cli_command *sw_cli_find(const sw_cli_command *table, const char *name);
/* Makes `name` the best guess at what was typed, where it is nearer than `distance`. */
void sw_cli_consider(const char **best, size_t *distance, const char *typed, const char *name);

/* Whole pages of help on `out`. */
void sw_cli_help_all(FILE *out, const sw_cli_command *const *commands);
void sw_cli_help_one(FILE *out, const sw_cli_command *command, const sw_cli_command *parent);

/* NAME, NAME@VERSION or NAME@ALIAS; `version` is "" where none is said. */
typedef struct sw_cli_spec {
    char name[256];
    char version[256];
} sw_cli_spec;
SW_MUST_USE sw_status sw_cli_spec_parse(sw_cli_spec *out, const char *text, sw_error *error);

/* The client of --server and SLIPWAY_URL, made on first use. */
SW_MUST_USE sw_status sw_cli_client(sw_client **out, sw_cli *cli);
/* One more to the same server, which is yours. */
SW_MUST_USE sw_status sw_cli_another_client(sw_client **out, sw_cli *cli);

/*
 * One request to the API; `out` is yours (json_decref). An answer of 400 and above becomes the
 * status of its kind, with the server's words as the reason. `waiting` is what a progress line
 * says past half a second, NULL for none. `body` NULL sends none; it stays yours.
 */
SW_MUST_USE sw_status sw_cli_ask(json_t **out, sw_cli *cli, const char *waiting, const char *method,
                                 const json_t *body, const char *path_format, ...)
    __attribute__((format(printf, 6, 7)));
/* What the last request was answered with, byte for byte (for --json). */
void sw_cli_print_answer(const sw_cli *cli);
/* The status of a reply, with its reason. */
SW_MUST_USE sw_status sw_cli_judge(sw_cli *cli, const sw_reply *reply);

/* Reads a member wherever it may be missing or null: "", 0, false. */
const char *sw_js_text(const json_t *object, const char *key);
double sw_js_number(const json_t *object, const char *key);
int64_t sw_js_integer(const json_t *object, const char *key);
bool sw_js_bool(const json_t *object, const char *key);
bool sw_js_is_number(const json_t *object, const char *key);

/* --json for what this side put together: one line, doubles as short as they read back. */
void sw_cli_print_json(json_t *value);

extern const sw_cli_command sw_cli_push, sw_cli_models, sw_cli_versions, sw_cli_deploy,
    sw_cli_rollback, sw_cli_undeploy, sw_cli_alias, sw_cli_predict, sw_cli_watch, sw_cli_monitor,
    sw_cli_alerts, sw_cli_explain, sw_cli_silence, sw_cli_rules, sw_cli_events, sw_cli_status,
    sw_cli_token, sw_cli_demo, sw_cli_labels, sw_cli_quality, sw_cli_predictions, sw_cli_evaluate,
    sw_cli_drift, sw_cli_profile;

/* The lines that deploy and rollback print for a revision. */
void sw_cli_print_revision(const json_t *revision);

#endif /* SW_CLI_CLI_PRIVATE_H */
