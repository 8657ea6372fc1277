/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

#include "base/nearest.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#ifndef SW_VERSION
#define SW_VERSION "0.1.0"
#endif

enum { COMMANDS_MAX = 48, NAME_SLIPS_MAX = 3 };

/* Every command in the order of help: the first of `more`, ours, the rest of `more`. */
static void list_commands(const sw_cli_command **list, const sw_cli_command *const *more) {
    const sw_cli_command *const ours[] = {
        &sw_cli_push,     &sw_cli_models,  &sw_cli_versions,    &sw_cli_deploy, &sw_cli_rollback,
        &sw_cli_undeploy, &sw_cli_alias,   &sw_cli_predict,     &sw_cli_watch,  &sw_cli_monitor,
        &sw_cli_labels,   &sw_cli_quality, &sw_cli_predictions, &sw_cli_alerts, &sw_cli_explain,
        &sw_cli_silence,  &sw_cli_rules,   &sw_cli_events,      &sw_cli_status, &sw_cli_token,
        &sw_cli_demo,     &sw_cli_profile, &sw_cli_evaluate,    &sw_cli_drift,
    };
    size_t count = 0;
    if (*more)
        list[count++] = *more++;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        list[count++] = ours[i];
    while (*more)
        list[count++] = *more++;
    list[count] = NULL;
}

static const sw_cli_command *find(const sw_cli_command *const *list, const char *name) {
    for (; *list; list++) {
        const sw_cli_command one[2] = {**list, {0}};
        if (sw_cli_find(one, name))
            return *list;
    }
    return NULL;
}

void sw_cli_consider(const char **best, size_t *distance, const char *typed, const char *name) {
    size_t d = sw_nearest_distance(sw_str_of(typed), sw_str_of(name));
    bool begins = strlen(typed) >= 2 && strncmp(typed, name, strlen(typed)) == 0;
    if (begins)
        d = 1;
    if (d < *distance && d < strlen(name)) {
        *distance = d;
        *best = name;
    }
}

static sw_status fail_unknown(sw_cli *cli, const sw_cli_command *const *list, const char *typed) {
    const char *best = NULL;
    size_t distance = NAME_SLIPS_MAX;
    for (; *list; list++)
        sw_cli_consider(&best, &distance, typed, (*list)->name);
    if (best)
        return sw_fail(&cli->error, SW_CODE_USAGE, "slipway %.60s: did you mean %s?", typed, best);
    return sw_fail(&cli->error, SW_CODE_USAGE,
                   "slipway %.60s: there is no such command. See: slipway --help", typed);
}

static sw_status fail_action(sw_cli *cli, const char *typed) {
    const sw_cli_command *command = cli->command;
    char names[128] = "";
    const char *best = NULL;
    size_t distance = NAME_SLIPS_MAX;
    for (const sw_cli_command *action = command->actions; action->name; action++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", action->name);
        if (typed)
            sw_cli_consider(&best, &distance, typed, action->name);
    }
    if (!typed)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway %s: say which of %s. See: slipway %s --help", command->name, names,
                       command->name);
    if (best)
        return sw_fail(&cli->error, SW_CODE_USAGE, "slipway %s %.60s: did you mean %s?",
                       command->name, typed, best);
    return sw_fail(&cli->error, SW_CODE_USAGE, "slipway %s %.60s: it is one of %s", command->name,
                   typed, names);
}

static sw_status check_arguments(sw_cli *cli) {
    const sw_cli_command *command = cli->command;
    const char *parent = cli->parent ? cli->parent->name : "", *gap = cli->parent ? " " : "";
    const char *before = *command->arguments ? " " : "";
    if (cli->argument_count < command->arguments_min)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway %s%s%s: something is missing. Usage: slipway %s%s%s%s%s", parent,
                       gap, command->name, parent, gap, command->name, before, command->arguments);
    if (cli->argument_count > command->arguments_max)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway %s%s%s: '%.100s' is one too many. Usage: slipway %s%s%s%s%s",
                       parent, gap, command->name, cli->arguments[command->arguments_max], parent,
                       gap, command->name, before, command->arguments);
    return SW_OK;
}

/* Takes the action's name off the front of the arguments. */
static sw_status enter_action(sw_cli *cli, int *argc, char ***argv) {
    const char *typed = *argc > 0 ? (*argv)[0] : NULL;
    if (typed && (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0))
        return SW_OK; /* of the command as a whole */
    const sw_cli_command *action = typed ? sw_cli_find(cli->command->actions, typed) : NULL;
    if (!action)
        return fail_action(cli, typed);
    cli->parent = cli->command;
    cli->command = action;
    --*argc;
    ++*argv;
    return SW_OK;
}

/* What stands in front of the command's name: options of every command. */
static sw_status skip_common(sw_cli *cli, int *argc, char ***argv) {
    while (*argc > 0 && (*argv)[0][0] == '-' && (*argv)[0][1]) {
        const char *text = (*argv)[0];
        const sw_cli_option *option = NULL;
        for (const sw_cli_option *o = sw_cli_common_options; o->name && !option; o++)
            if ((strncmp(text, "--", 2) == 0 && strcmp(text + 2, o->name) == 0) ||
                (text[1] == o->letter && !text[2]))
                option = o;
        int count = option && option->value && *argc > 1 ? 2 : 1;
        SW_TRY(sw_cli_parse(cli, count, *argv));
        *argc -= count;
        *argv += count;
    }
    return SW_OK;
}

static sw_status help(sw_cli *cli, const sw_cli_command *const *list, const char *name) {
    if (!name) {
        sw_cli_help_all(stdout, list);
        return SW_OK;
    }
    const sw_cli_command *command = find(list, name);
    if (!command)
        return fail_unknown(cli, list, name);
    sw_cli_help_one(stdout, command, NULL);
    return SW_OK;
}

static sw_status dispatch(sw_cli *cli, const sw_cli_command *const *list, int argc, char **argv) {
    SW_TRY(skip_common(cli, &argc, &argv));
    if (sw_cli_flag(cli, "version") || (argc > 0 && strcmp(argv[0], "version") == 0)) {
        printf("slipway %s\n", SW_VERSION);
        return SW_OK;
    }
    if (argc == 0)
        return help(cli, list, NULL);
    if (strcmp(argv[0], "help") == 0)
        return help(cli, list, argc > 1 ? argv[1] : NULL);
    cli->command = find(list, argv[0]);
    if (!cli->command)
        return fail_unknown(cli, list, argv[0]);
    argc--, argv++;
    if (cli->command->actions)
        SW_TRY(enter_action(cli, &argc, &argv));
    SW_TRY(sw_cli_parse(cli, argc, argv));
    if (sw_cli_flag(cli, "version")) {
        printf("slipway %s\n", SW_VERSION);
        return SW_OK;
    }
    if (sw_cli_flag(cli, "help")) {
        sw_cli_help_one(stdout, cli->command, cli->parent);
        return SW_OK;
    }
    SW_TRY(check_arguments(cli));
    return cli->command->run(cli);
}

static void print_error(const sw_cli *cli, sw_status status) {
    fflush(stdout);
    if (cli->given_count && sw_cli_json(cli)) {
        json_t *json =
            json_pack("{s:s, s:i}", "error", cli->error.text, "exit", sw_code_exit(status.code));
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (text)
            fprintf(stderr, "%s\n", text);
        else /* the reason was no UTF-8: it is said all the same */
            fprintf(stderr, "%s\n", cli->error.text);
        free(text);
        json_decref(json);
        return;
    }
    fprintf(stderr, "%s%s%s\n", sw_term_style(stderr, SW_BAD), cli->error.text,
            sw_term_style(stderr, SW_PLAIN));
}

int sw_cli_main(int argc, char **argv, const sw_cli_command *const *more) {
    const sw_cli_command *list[COMMANDS_MAX];
    list_commands(list, more);
    sw_cli cli = {.program = argc > 0 ? argv[0] : "slipway"};
    sw_status status = dispatch(&cli, list, argc > 0 ? argc - 1 : 0, argv + 1);
    if (!sw_failed(status) && (fflush(stdout) != 0 || ferror(stdout)))
        status =
            sw_fail(&cli.error, SW_CODE_IO, "the output could not be written: %s", strerror(errno));
    if (sw_failed(status) && *cli.error.text)
        print_error(&cli, status);
    sw_client_free(cli.client);
    return sw_code_exit(status.code);
}
