/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the rules' YAML: texts, durations, quantities, secrets. */
#include "alert/rules_private.h"
#include "base/duration.h"
#include "base/num.h"
#include "io/file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 60, SECRET_BYTES_MAX = 8192, LIST_MAX = 1000 };

sw_status sw_yaml_fail(sw_yaml *y, const yaml_node_t *node, const char *format, ...) {
    char text[SW_ERROR_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!node)
        return sw_fail(y->error, SW_CODE_INVALID, "%s", text);
    return sw_fail(y->error, SW_CODE_INVALID, "line %zu, column %zu: %s", node->start_mark.line + 1,
                   node->start_mark.column + 1, text);
}

sw_status sw_yaml_no_memory(sw_yaml *y) {
    return sw_fail(y->error, SW_CODE_NO_MEMORY, "out of memory while reading the rules");
}

static int shown(sw_str s) {
    return (int)(s.len < SHOWN ? s.len : SHOWN);
}

/* ---- Mappings ---- */

static const sw_yaml_field *find_field(const sw_yaml_field *fields, sw_str key) {
    for (; fields->name; fields++)
        if (sw_str_is(key, fields->name))
            return fields;
    return NULL;
}

static sw_status fail_key(sw_yaml *y, const yaml_node_t *key, const sw_yaml_field *fields,
                          const char *what) {
    sw_buf names = {0};
    for (; fields->name; fields++)
        sw_buf_printf(&names, "%s%s", names.len ? ", " : "", fields->name);
    sw_str text = sw_yaml_scalar(key);
    sw_status status = sw_yaml_fail(y, key, "'%.*s' is no field of %s: it has %.*s", shown(text),
                                    text.at, what, (int)names.len, names.at ? names.at : "");
    sw_buf_free(&names);
    return status;
}

yaml_node_t *sw_yaml_get(sw_yaml *y, const yaml_node_t *node, const char *key) {
    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        yaml_node_t *name = sw_yaml_node(y, p->key);
        if (name->type == YAML_SCALAR_NODE && sw_str_is(sw_yaml_scalar(name), key))
            return sw_yaml_node(y, p->value);
    }
    return NULL;
}

sw_status sw_yaml_map(sw_yaml *y, yaml_node_t *node, const sw_yaml_field *fields, void *into,
                      const char *what) {
    uint64_t seen = 0;
    if (node->type != YAML_MAPPING_NODE)
        return sw_yaml_fail(y, node, "%s is a mapping of fields (name: value)", what);
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = sw_yaml_node(y, p->key);
        if (key->type != YAML_SCALAR_NODE)
            return sw_yaml_fail(y, key, "a field's name is a plain text");
        const sw_yaml_field *field = find_field(fields, sw_yaml_scalar(key));
        if (!field)
            return fail_key(y, key, fields, what);
        uint64_t bit = UINT64_C(1) << (field - fields);
        if (seen & bit)
            return sw_yaml_fail(y, key, "%s: is there twice", field->name);
        seen |= bit;
        yaml_node_t *value = sw_yaml_node(y, p->value);
        sw_status status = field->read(y, value, (char *)into + field->offset);
        if (sw_failed(status))
            return status;
    }
    return SW_OK;
}

/* ---- Values ---- */

sw_status sw_yaml_str(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str *out = into;
    if (node->type != YAML_SCALAR_NODE)
        return sw_yaml_fail(y, node, "a plain text belongs here");
    sw_str text = sw_yaml_scalar(node);
    if (text.len > SW_PATH_BYTES)
        return sw_yaml_fail(y, node, "this text is too long");
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return sw_yaml_fail(y, node, "this text holds a control character");
    *out = sw_arena_copy(y->arena, text);
    return out->at ? SW_OK : sw_yaml_no_memory(y);
}

sw_status sw_yaml_bool(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str text = node->type == YAML_SCALAR_NODE ? sw_yaml_scalar(node) : SW_STR("");
    bool yes = sw_str_is(text, "true") || sw_str_is(text, "yes") || sw_str_is(text, "on");
    bool no = sw_str_is(text, "false") || sw_str_is(text, "no") || sw_str_is(text, "off");
    *(bool *)into = yes;
    return yes || no ? SW_OK : sw_yaml_fail(y, node, "write true or false here");
}

typedef struct suffix {
    const char *name;
    double times;
} suffix;

static const suffix shares[] = {{"%", 0.01}, {"", 1}, {0}};
static const suffix rates[] = {{"/s", 1}, {"/min", 1.0 / 60}, {"/h", 1.0 / 3600}, {"", 1}, {0}};
static const suffix sizes[] = {
    {"B", 1},      {"KB", 1e3},      {"MB", 1e6},           {"GB", 1e9}, {"TB", 1e12},
    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0}, {"", 1},     {0}};
static const suffix plain[] = {{"", 1}, {0}};

static bool parse(double *out, sw_str text, const suffix *suffixes) {
    const char *at = text.at, *end = text.at + text.len;
    if (text.len == 0 || sw_num_scan_f64(out, &at, end) != SW_NUM_FITS)
        return false;
    sw_str rest = sw_str_trim((sw_str){at, (size_t)(end - at)});
    for (; suffixes->name; suffixes++)
        if (sw_str_is(rest, suffixes->name)) {
            /* 5 % is 5 / 100, the nearest to 0.05; times 0.01 would be next to it. */
            *out = suffixes->times == 0.01 ? *out / 100 : *out * suffixes->times;
            return true;
        }
    return *out == 0 && rest.len == 0;
}

sw_status sw_yaml_duration(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str text = node->type == YAML_SCALAR_NODE ? sw_yaml_scalar(node) : SW_STR("");
    double ms;
    if (!sw_duration_parse(&ms, text) || ms < 0 || ms > 400 * 8.64e7)
        return sw_yaml_fail(y, node, "'%.*s' is no duration: write 500ms, 30s, 5m, 4h or 7d",
                            shown(text), text.at);
    *(int64_t *)into = (int64_t)llround(ms);
    return SW_OK;
}

sw_status sw_yaml_quantity(double *out, sw_yaml *y, const yaml_node_t *node, sw_unit unit,
                           const char *key) {
    static const struct {
        const suffix *suffixes;
        const char *says;
    } units[] = {
        [SW_UNIT_NONE] = {plain, "number: write 0.2"},
        [SW_UNIT_MS] = {NULL, "duration: write 200ms or 1.5s"},
        [SW_UNIT_SHARE] = {shares, "share: write 5% or 0.05"},
        [SW_UNIT_RATE] = {rates, "rate: write 10/s or 2/min"},
        [SW_UNIT_BYTES] = {sizes, "size: write 500MB or 10GB"},
        [SW_UNIT_PSI] = {plain, "number: write 0.2"},
        [SW_UNIT_LOG10] = {plain, "number: write 5 for 10^5"},
    };
    sw_str text = node->type == YAML_SCALAR_NODE ? sw_yaml_scalar(node) : SW_STR("");
    bool read =
        unit == SW_UNIT_MS ? sw_duration_parse(out, text) : parse(out, text, units[unit].suffixes);
    if (!read || !isfinite(*out))
        return sw_yaml_fail(y, node, "%s: '%.*s' is no %s", key, shown(text), text.at,
                            units[unit].says);
    /* A rule that can never hold, or never end, is a mistake: 5 where 5% was meant. */
    if (unit == SW_UNIT_SHARE && !(*out >= 0 && *out <= 1))
        return sw_yaml_fail(y, node, "%s: '%.*s' is %.3g %%, and a share is 0 to 100 %%: write 5%%",
                            key, shown(text), text.at, *out * 100);
    if (unit != SW_UNIT_NONE && *out < 0)
        return sw_yaml_fail(y, node, "%s: '%.*s' is less than nothing", key, shown(text), text.at);
    return SW_OK;
}

sw_status sw_yaml_strs(sw_str **out, size_t *count, sw_yaml *y, yaml_node_t *node) {
    bool one = node->type == YAML_SCALAR_NODE;
    if (!one && node->type != YAML_SEQUENCE_NODE)
        return sw_yaml_fail(y, node, "a list of texts belongs here: [a, b]");
    size_t wanted = one ? 1 : sw_yaml_items(node);
    if (wanted > LIST_MAX)
        return sw_yaml_fail(y, node, "this list has more than %d entries", LIST_MAX);
    *out = sw_arena_zalloc(y->arena, wanted + 1, sizeof **out);
    if (!*out)
        return sw_yaml_no_memory(y);
    for (size_t i = 0; i < wanted; i++)
        SW_TRY(sw_yaml_str(y, one ? node : sw_yaml_node(y, node->data.sequence.items.start[i]),
                           &(*out)[i]));
    *count = wanted;
    return SW_OK;
}

typedef struct labels {
    sw_rule_label *at;
    size_t count;
} labels;

static bool is_label_name(sw_str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

sw_status sw_yaml_labels(sw_yaml *y, yaml_node_t *node, void *into) {
    labels *out = into;
    if (node->type != YAML_MAPPING_NODE)
        return sw_yaml_fail(y, node, "labels are a mapping: {team: risk}");
    size_t pairs = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (pairs > LIST_MAX)
        return sw_yaml_fail(y, node, "these are more than %d labels", LIST_MAX);
    out->at = sw_arena_zalloc(y->arena, pairs + 1, sizeof *out->at);
    if (!out->at)
        return sw_yaml_no_memory(y);
    for (size_t i = 0; i < pairs; i++) {
        yaml_node_pair_t *p = &node->data.mapping.pairs.start[i];
        yaml_node_t *key = sw_yaml_node(y, p->key);
        SW_TRY(sw_yaml_str(y, key, &out->at[i].name));
        if (!is_label_name(out->at[i].name))
            return sw_yaml_fail(y, key,
                                "a label's name has letters, digits and '_', and begins "
                                "with no digit");
        SW_TRY(sw_yaml_str(y, sw_yaml_node(y, p->value), &out->at[i].value));
    }
    out->count = pairs;
    return SW_OK;
}

/* ---- References ---- */

static sw_status read_secret_file(sw_str *out, sw_yaml *y, const yaml_node_t *node, sw_str path) {
    sw_buf text = {0};
    sw_error why;
    char name[SW_PATH_BYTES];
    if (path.len == 0 || path.len >= sizeof name || path.at[0] != '/')
        return sw_yaml_fail(y, node, "file: needs a whole path: file:/run/secrets/slack");
    memcpy(name, path.at, path.len);
    name[path.len] = 0;
    sw_status status = sw_file_read_whole(&text, name, SECRET_BYTES_MAX, &why);
    if (sw_failed(status)) {
        sw_buf_free(&text);
        return sw_yaml_fail(y, node, "%s", why.text);
    }
    *out = sw_arena_copy(y->arena, sw_str_trim(sw_buf_str(&text)));
    if (text.len)
        explicit_bzero(text.at, text.len);
    sw_buf_free(&text);
    if (!out->at)
        return sw_yaml_no_memory(y);
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->at[i] < 0x20 || out->at[i] == 0x7f)
            return sw_yaml_fail(y, node, "file:%s holds a control character", name);
    return SW_OK;
}

/* One ${NAME} at the front of `rest`; *rest then stands behind it. */
static sw_status replace_name(sw_buf *out, sw_yaml *y, const yaml_node_t *node, sw_str *rest) {
    char name[256];
    const char *end = memchr(rest->at, '}', rest->len);
    size_t len = end ? (size_t)(end - rest->at) - 2 : 0;
    if (!end || len == 0 || len >= sizeof name)
        return sw_yaml_fail(y, node, "a reference is written ${NAME}");
    memcpy(name, rest->at + 2, len);
    name[len] = 0;
    const char *value = getenv(name);
    if (!value)
        return sw_yaml_fail(y, node,
                            "${%s}: the server's environment has no such variable: set it where "
                            "the server is started",
                            name);
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return sw_yaml_fail(y, node, "${%s} holds a control character", name);
    sw_buf_add_str(out, sw_str_of(value));
    *rest = (sw_str){end + 1, rest->len - len - 3};
    return SW_OK;
}

static sw_status replace_names(sw_str *out, sw_yaml *y, const yaml_node_t *node, sw_str text) {
    sw_buf built = {0};
    sw_status status = SW_OK;
    while (text.len && !sw_failed(status)) {
        if (sw_str_starts(text, SW_STR("${"))) {
            status = replace_name(&built, y, node, &text);
        } else {
            sw_buf_add_char(&built, *text.at);
            text = (sw_str){text.at + 1, text.len - 1};
        }
    }
    *out = sw_arena_copy(y->arena, sw_buf_str(&built));
    bool whole = !built.failed && out->at;
    if (built.len)
        explicit_bzero(built.at, built.len);
    sw_buf_free(&built);
    if (sw_failed(status))
        return status;
    return whole ? SW_OK : sw_yaml_no_memory(y);
}

static bool is_reference(sw_str text) {
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.at[i] == '$' && text.at[i + 1] == '{')
            return true;
    return sw_str_starts(text, SW_STR("file:"));
}

sw_status sw_yaml_reference(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str *out = into, text = {0};
    SW_TRY(sw_yaml_str(y, node, &text));
    *out = text;
    if (!is_reference(text))
        return SW_OK;
    if (!y->context->look_up) { /* what it stands for is not known here */
        *out = SW_STR("");
        return SW_OK;
    }
    if (sw_str_starts(text, SW_STR("file:")))
        return read_secret_file(out, y, node, (sw_str){text.at + 5, text.len - 5});
    return replace_names(out, y, node, text);
}

sw_status sw_yaml_secret(sw_yaml *y, yaml_node_t *node, void *into) {
    if (node->type == YAML_SCALAR_NODE && !is_reference(sw_yaml_scalar(node)))
        return sw_yaml_fail(y, node,
                            "a secret does not stand here, for all who read the rules to see: "
                            "write ${NAME} (from the server's environment) or file:/path");
    return sw_yaml_reference(y, node, into);
}
