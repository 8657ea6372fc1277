/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

#include <string.h>

/* ---- Settings by their path ---- */

/* What was typed, as JSON where it is JSON, else as a string; lists may be typed a,b. */
static json_t *value_of(const char *key, const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (strcmp(key, "segments") != 0 || json_is_array(value))
        return value ? value : json_string(text);
    json_decref(value);
    json_t *list = json_array();
    while (*text) {
        size_t len = strcspn(text, ",");
        if (len)
            json_array_append_new(list, json_stringn(text, len));
        text += len + (text[len] == ',');
    }
    return list;
}

/* "log.days=30" into the settings; objects on the way are made. A column's name may hold points: it
 * ends at the last one. */
static sw_status set_one(json_t *settings, const char *typed, sw_error *error) {
    const char *equals = strchr(typed, '=');
    char path[512];
    if (!equals || equals == typed || (size_t)(equals - typed) >= sizeof path)
        return sw_fail(error, SW_CODE_USAGE, "--set takes FIELD=VALUE, such as log.days=30, not %s",
                       typed);
    memcpy(path, typed, (size_t)(equals - typed));
    path[equals - typed] = '\0';
    json_t *at = settings;
    char *key = path, *point = strchr(path, '.');
    if (point && strncmp(path, "columns.", 8) == 0 && strrchr(path, '.') > point) {
        *point = '\0';
        at = json_object_get(settings, "columns");
        key = point + 1;
        point = strrchr(key, '.');
    }
    if (point) {
        *point = '\0';
        json_t *inner = json_object_get(at, key);
        if (!json_is_object(inner)) {
            inner = json_object();
            json_object_set_new(at, key, inner);
        }
        at = inner;
        key = point + 1;
    }
    if (json_object_set_new(at, key, value_of(key, equals + 1)) < 0)
        return sw_fail(error, SW_CODE_USAGE, "--set %s: it is no UTF-8", typed);
    return SW_OK;
}

static sw_status read_file(json_t **out, const char *path, sw_error *error) {
    json_error_t why;
    *out = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &why)
                                  : json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!*out)
        return sw_fail(error, SW_CODE_INVALID, "%s, line %d: %s", path, why.line, why.text);
    return SW_OK;
}

/* ---- Showing ---- */

static void print_value(const char *name, const json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (text)
        printf("  %-24s %s\n", name, text);
    free(text);
}

static void print_settings(const char *model, json_t *settings) {
    const char *key, *inner_key;
    json_t *value, *inner;
    char name[128];
    printf("%s   is watched so:\n", model);
    json_object_foreach(settings, key, value) {
        if (!json_is_object(value) || json_object_size(value) == 0) {
            print_value(key, value);
            continue;
        }
        json_object_foreach(value, inner_key, inner) {
            snprintf(name, sizeof name, "%s.%s", key, inner_key);
            print_value(name, inner);
        }
    }
}

static sw_status changed_settings(json_t **out, sw_cli *cli, const json_t *answer) {
    const char *file = sw_cli_value(cli, "file"), *set = NULL;
    json_t *settings = NULL;
    if (file)
        SW_TRY(read_file(&settings, file, &cli->error));
    else
        settings = sw_cli_flag(cli, "reset") ? json_object()
                                             : json_deep_copy(json_object_get(answer, "settings"));
    sw_status status = SW_OK;
    for (unsigned i = 0; !sw_failed(status) && (set = sw_cli_value_at(cli, "set", i)) != NULL; i++)
        status = set_one(settings, set, &cli->error);
    if (sw_failed(status))
        json_decref(settings);
    else
        *out = settings;
    return status;
}

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    json_t *answer = NULL, *settings = NULL;
    bool change =
        sw_cli_value(cli, "file") || sw_cli_value_at(cli, "set", 0) || sw_cli_flag(cli, "reset");
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models/%s/monitor",
                      sw_client_segment(spec.name).at));
    if (change) {
        sw_status status = changed_settings(&settings, cli, answer);
        json_decref(answer);
        answer = NULL;
        SW_TRY(status);
        status = sw_cli_ask(&answer, cli, "loading it anew", "PUT", settings,
                            "/api/v1/models/%s/monitor", sw_client_segment(spec.name).at);
        json_decref(settings);
        SW_TRY(status);
    }
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        print_settings(spec.name, json_object_get(answer, "settings"));
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_option options[] = {
    {"set", 's', "FIELD=VALUE", "changes one setting; may be given several times"},
    {"file", 'f', "FILE.json", "takes all settings from a file (- reads them from stdin)"},
    {"reset", 0, NULL, "goes back to the defaults, before what --set says"},
    {0},
};

const sw_cli_command sw_cli_monitor = {
    .name = "monitor",
    .other_names = "settings",
    .arguments = "NAME",
    .summary = "shows or changes how a model is watched",
    .details =
        "What is compared with what, how many false alarms a month are allowed, which features\n"
        "split the monitor, what may be stored of a column, and how much is logged.\n"
        "A change loads the live version anew; no request is dropped.",
    .examples = "slipway monitor fraud\n"
                "slipway monitor fraud --set false_alarms_per_month=0.5 --set segments=country\n"
                "slipway monitor fraud --set columns.iban.privacy=drop --set log.days=30\n"
                "slipway monitor fraud --set reference.kind=trailing --set reference.minutes=10080",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
