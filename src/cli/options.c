/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"
#include "cli/cli_private.h"

#include <math.h>
#include <stdlib.h>

const sw_cli_option sw_cli_common_options[] = {
    {"server", 's', "URL", "the server: http://host:port, https://…, unix:/path (or SLIPWAY_URL)"},
    {"token-file", 0, "FILE", "a file with the access token (or SLIPWAY_TOKEN)"},
    {"json", 'j', NULL, "machine-readable output, stable"},
    {"quiet", 'q', NULL, "only what was asked for, no progress"},
    {"help", 'h', NULL, "this page"},
    {"version", 0, NULL, "the version of this program"},
    {0},
};

static const sw_cli_option *find_named(const sw_cli_option *table, const char *name, size_t len) {
    for (; table && table->name; table++)
        if (strlen(table->name) == len && strncmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

static const sw_cli_option *find_letter(const sw_cli_option *table, char letter) {
    for (; table && table->name; table++)
        if (table->letter && table->letter == letter)
            return table;
    return NULL;
}

static void nearest(const char **best, size_t *distance, const char *name,
                    const sw_cli_option *table) {
    for (; table && table->name; table++)
        sw_cli_consider(best, distance, name, table->name);
}

/* "push", or "token create". */
static const char *full_name(char *to, size_t size, const sw_cli *cli) {
    if (cli->parent)
        snprintf(to, size, "%s %s", cli->parent->name, cli->command->name);
    else
        snprintf(to, size, "%s", cli->command ? cli->command->name : "");
    return to;
}

static sw_status fail_unknown(sw_cli *cli, const char *typed, size_t len) {
    char word[64], command[64];
    snprintf(word, sizeof word, "%.*s", (int)(len < 60 ? len : 60), typed);
    const char *best = NULL;
    size_t distance = strlen(word) > 5 ? 4 : 3;
    nearest(&best, &distance, word, cli->command ? cli->command->options : NULL);
    nearest(&best, &distance, word, sw_cli_common_options);
    full_name(command, sizeof command, cli);
    const char *gap = *command ? " " : "";
    if (best)
        return sw_fail(&cli->error, SW_CODE_USAGE, "slipway%s%s --%s: did you mean --%s?", gap,
                       command, word, best);
    return sw_fail(&cli->error, SW_CODE_USAGE,
                   "slipway%s%s has no option --%s. See: slipway%s%s --help", gap, command, word,
                   gap, command);
}

static sw_status add_given(sw_cli *cli, const sw_cli_option *option, const char *value) {
    if (cli->given_count == SW_CLI_OPTIONS_MAX)
        return sw_fail(&cli->error, SW_CODE_USAGE, "more than %d options", SW_CLI_OPTIONS_MAX);
    cli->given[cli->given_count++] = (sw_cli_given){option, value};
    return SW_OK;
}

/* `inline_value` is what stood behind "=" or the letter; NULL where nothing did. */
static sw_status take_option(sw_cli *cli, const sw_cli_option *option, const char *inline_value,
                             char **argv, int argc, int *at) {
    if (!option->value) {
        if (inline_value)
            return sw_fail(&cli->error, SW_CODE_USAGE, "--%s takes no value", option->name);
        return add_given(cli, option, "");
    }
    if (inline_value)
        return add_given(cli, option, inline_value);
    if (*at + 1 >= argc)
        return sw_fail(&cli->error, SW_CODE_USAGE, "--%s needs a value: --%s %s", option->name,
                       option->name, option->value);
    return add_given(cli, option, argv[++*at]);
}

static const sw_cli_option *lookup_long(const sw_cli *cli, const char *name, size_t len) {
    const sw_cli_option *own = cli->command ? find_named(cli->command->options, name, len) : NULL;
    return own ? own : find_named(sw_cli_common_options, name, len);
}

static const sw_cli_option *lookup_letter(const sw_cli *cli, char letter) {
    const sw_cli_option *own = cli->command ? find_letter(cli->command->options, letter) : NULL;
    return own ? own : find_letter(sw_cli_common_options, letter);
}

static sw_status parse_long(sw_cli *cli, char **argv, int argc, int *at) {
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    if (len == 5 && strncmp(name, "token", 5) == 0 && !lookup_long(cli, name, len))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "a token in the arguments can be read by everybody on this machine: "
                       "put it into SLIPWAY_TOKEN or --token-file FILE");
    const sw_cli_option *option = lookup_long(cli, name, len);
    if (!option)
        return fail_unknown(cli, name, len);
    return take_option(cli, option, equals ? equals + 1 : NULL, argv, argc, at);
}

/* -q, -qj, -s URL, -sURL. */
static sw_status parse_letters(sw_cli *cli, char **argv, int argc, int *at) {
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        const sw_cli_option *option = lookup_letter(cli, *letter);
        if (!option) {
            char command[64];
            full_name(command, sizeof command, cli);
            return sw_fail(&cli->error, SW_CODE_USAGE,
                           "there is no option -%c. See: slipway%s%s --help", *letter,
                           *command ? " " : "", command);
        }
        if (option->value)
            return take_option(cli, option, letter[1] ? letter + 1 : NULL, argv, argc, at);
        SW_TRY(add_given(cli, option, ""));
    }
    return SW_OK;
}

static bool is_letters(const char *text) {
    return text[0] == '-' &&
           ((text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z'));
}

sw_status sw_cli_parse(sw_cli *cli, int argc, char **argv) {
    bool only_arguments = false;
    for (int at = 0; at < argc; at++) {
        const char *text = argv[at];
        if (!only_arguments && strcmp(text, "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strncmp(text, "--", 2) == 0) {
            SW_TRY(parse_long(cli, argv, argc, &at));
        } else if (!only_arguments && is_letters(text)) {
            SW_TRY(parse_letters(cli, argv, argc, &at));
        } else {
            if (cli->argument_count == SW_CLI_ARGUMENTS_MAX)
                return sw_fail(&cli->error, SW_CODE_USAGE, "too many arguments");
            cli->arguments[cli->argument_count++] = text;
        }
    }
    return SW_OK;
}

const sw_cli_command *sw_cli_find(const sw_cli_command *table, const char *name) {
    for (; table && table->name; table++) {
        if (strcmp(table->name, name) == 0)
            return table;
        sw_str others = sw_str_of(table->other_names);
        while (others.len)
            if (sw_str_is(sw_str_split(&others, ' '), name))
                return table;
    }
    return NULL;
}

const char *sw_cli_argument(const sw_cli *cli, unsigned index) {
    return index < cli->argument_count ? cli->arguments[index] : NULL;
}

const char *sw_cli_value(const sw_cli *cli, const char *name) {
    for (unsigned i = cli->given_count; i-- > 0;)
        if (strcmp(cli->given[i].option->name, name) == 0)
            return cli->given[i].value;
    return NULL;
}

const char *sw_cli_value_at(const sw_cli *cli, const char *name, unsigned index) {
    for (unsigned i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].option->name, name) == 0 && index-- == 0)
            return cli->given[i].value;
    return NULL;
}

bool sw_cli_flag(const sw_cli *cli, const char *name) {
    return sw_cli_value(cli, name) != NULL;
}

sw_status sw_cli_number(uint64_t *out, sw_cli *cli, const char *name, uint64_t fallback,
                        uint64_t min, uint64_t max) {
    const char *value = sw_cli_value(cli, name);
    *out = fallback;
    if (!value)
        return SW_OK;
    if (!sw_str_to_u64(out, sw_str_of(value), max) || *out < min)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--%s %s: a whole number from %llu to %llu is needed", name, value,
                       (unsigned long long)min, (unsigned long long)max);
    return SW_OK;
}

sw_status sw_cli_duration(uint64_t *ms, sw_cli *cli, const char *name, uint64_t fallback_ms) {
    static const double max_ms = 1e6 * 7 * 86.4e6; /* a million weeks */
    const char *value = sw_cli_value(cli, name);
    double read_ms;
    *ms = fallback_ms;
    if (!value)
        return SW_OK;
    if (!sw_duration_parse(&read_ms, sw_str_of(value)) || read_ms < 1 || read_ms > max_ms)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--%s %s: a duration is needed, such as 90s, 15m, 12h or 30d", name, value);
    *ms = (uint64_t)llround(read_ms);
    return SW_OK;
}

sw_status sw_cli_seconds(uint64_t *out, sw_cli *cli, const char *name, uint64_t fallback) {
    uint64_t ms;
    SW_TRY(sw_cli_duration(&ms, cli, name, fallback * 1000));
    *out = (ms + 999) / 1000;
    return SW_OK;
}

bool sw_cli_json(const sw_cli *cli) {
    return sw_cli_flag(cli, "json");
}

bool sw_cli_quiet(const sw_cli *cli) {
    return sw_cli_flag(cli, "quiet");
}

sw_error *sw_cli_error(sw_cli *cli) {
    return &cli->error;
}
