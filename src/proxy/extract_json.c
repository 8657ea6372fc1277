/* SPDX-License-Identifier: Apache-2.0 */
/* Plain JSON, as application servers take and give it. */
#include "proxy/extract_private.h"

#include <jansson.h>
#include <stdlib.h>

enum { DEPTH_MAX = 32, SEGMENT_BYTES = 256 };

/* ---- Pointers ---- */

/* One segment, with ~1 as '/' and ~0 as '~'. False where it is too long. */
static bool take_segment(char segment[SEGMENT_BYTES], const char **pointer) {
    const char *at = *pointer + 1;
    size_t len = 0;
    for (; *at && *at != '/'; at++) {
        char c = *at;
        if (c == '~' && (at[1] == '0' || at[1] == '1'))
            c = *++at == '0' ? '~' : '/';
        if (len == SEGMENT_BYTES - 1)
            return false;
        segment[len++] = c;
    }
    segment[len] = '\0';
    *pointer = at;
    return true;
}

static json_t *follow(json_t *value, const char *pointer, int depth);

static json_t *follow_each(json_t *list, const char *pointer, int depth) {
    json_t *all = json_array();
    size_t i;
    json_t *one;
    if (!json_is_array(list)) {
        json_decref(all);
        return NULL;
    }
    json_array_foreach(list, i, one) {
        json_t *found = follow(one, pointer, depth);
        json_array_append_new(all, found ? found : json_null());
    }
    return all;
}

/* NULL where there is nothing; else yours. */
static json_t *follow(json_t *value, const char *pointer, int depth) {
    char segment[SEGMENT_BYTES];
    uint64_t index;
    while (value && *pointer) {
        if (depth++ > DEPTH_MAX || !take_segment(segment, &pointer))
            return NULL;
        if (strcmp(segment, "*") == 0)
            return follow_each(value, pointer, depth);
        if (json_is_object(value))
            value = json_object_get(value, segment);
        else if (json_is_array(value) && sw_str_to_u64(&index, sw_str_of(segment), SIZE_MAX / 2))
            value = json_array_get(value, (size_t)index);
        else
            value = NULL;
    }
    return json_incref(value);
}

/* ---- Where things usually are ---- */

static json_t *first_of(const json_t *object, const char *const *names) {
    for (; *names; names++) {
        json_t *value = json_object_get(object, *names);
        if (value)
            return value;
    }
    return NULL;
}

static bool has_feature(const json_t *object, const sw_signature *s) {
    for (uint32_t i = 0; i < s->feature_count; i++)
        if (json_object_getn(object, s->features[i].name.at, s->features[i].name.len))
            return true;
    return false;
}

static json_t *find_rows(json_t *body, const sw_extract_rules *rules) {
    static const char *const names[] = {"instances", "records",           "inputs", "features",
                                        "rows",      "dataframe_records", "data",   NULL};
    if (rules->features)
        return follow(body, rules->features, 0);
    if (!json_is_object(body) || has_feature(body, rules->signature))
        return json_incref(body);
    return json_incref(first_of(body, names));
}

static bool has_output(const json_t *object, const sw_signature *s) {
    for (uint32_t i = 0; i < s->output_count; i++)
        if (json_object_getn(object, s->outputs[i].name.at, s->outputs[i].name.len))
            return true;
    return false;
}

static json_t *find_predictions(json_t *body, const sw_extract_rules *rules) {
    static const char *const names[] = {"predictions", "prediction", "outputs", "output",
                                        "results",     "result",     NULL};
    if (rules->prediction)
        return follow(body, rules->prediction, 0);
    if (!json_is_object(body) || has_output(body, rules->signature))
        return json_incref(body);
    return json_incref(first_of(body, names));
}

/* ---- Writing ---- */

static bool write_any(sw_json *w, const json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    if (text)
        sw_json_raw(w, sw_str_of(text));
    free(text);
    return text != NULL;
}

/* By name, or by their order where the row is a list. False where it fits neither. */
static bool write_features(sw_json *w, const json_t *row, const sw_signature *s) {
    size_t found = 0;
    if (json_is_array(row) && json_array_size(row) != s->feature_count)
        return false;
    for (uint32_t i = 0; i < s->feature_count; i++) {
        sw_str name = s->features[i].name;
        const json_t *value = json_is_array(row)      ? json_array_get(row, i)
                              : json_is_object(row)   ? json_object_getn(row, name.at, name.len)
                              : s->feature_count == 1 ? row
                                                      : NULL;
        if (!value)
            continue;
        found++;
        sw_json_key_of(w, name);
        if (!write_any(w, value))
            return false;
    }
    return found > 0;
}

static bool write_prediction(sw_json *w, const json_t *value, const sw_signature *s) {
    if (!value)
        return true;
    sw_json_key(w, "prediction");
    if (!json_is_object(value))
        return write_any(w, value);
    if (!has_output(value, s))
        return false;
    sw_json_begin_object(w);
    for (uint32_t i = 0; i < s->output_count; i++) {
        sw_str name = s->outputs[i].name;
        const json_t *one = json_object_getn(value, name.at, name.len);
        if (!one)
            continue;
        sw_json_key_of(w, name);
        if (!write_any(w, one))
            return false;
    }
    sw_json_end_object(w);
    return true;
}

/* ---- Rows ---- */

/* A list of plain values is one row, unless the model has one feature. */
static bool is_many(const json_t *rows, const sw_signature *s) {
    const json_t *first = json_array_get(rows, 0);
    return json_is_array(rows) &&
           (json_is_object(first) || json_is_array(first) || s->feature_count == 1);
}

static sw_status write_rows(sw_buf *lines, size_t *count, json_t *rows, json_t *predictions,
                            const sw_capture *capture, const sw_signature *s, sw_error *error) {
    bool many = is_many(rows, s);
    size_t n = many ? json_array_size(rows) : 1;
    bool listed = json_is_array(predictions) && json_array_size(predictions) == n;
    if (many && n != 1 && predictions && !listed)
        return sw_fail(error, SW_CODE_INVALID,
                       "the request has %zu rows, and the predictions are no list of as many: say "
                       "where they are by --prediction",
                       n);
    for (size_t i = 0; i < n; i++) {
        sw_json w;
        const json_t *row = many ? json_array_get(rows, i) : rows;
        const json_t *said = listed ? json_array_get(predictions, i) : predictions;
        sw_extract_begin_line(&w, lines);
        if (!write_features(&w, row, s))
            return sw_fail(error, SW_CODE_INVALID,
                           "row %zu has none of the model's features ('%.*s' is the first): say "
                           "where the rows are by --features",
                           i, SW_STR_ARG(s->features[0].name));
        sw_json_end_object(&w);
        if (!write_prediction(&w, said, s))
            return sw_fail(error, SW_CODE_INVALID,
                           "the prediction of row %zu is an object without '%.*s': say where it is "
                           "by --prediction",
                           i, SW_STR_ARG(s->outputs[0].name));
        sw_extract_end_line(&w, capture, i, n);
    }
    *count = n;
    return SW_OK;
}

static json_t *parse(const sw_buf *body, const char *what, sw_status *status, sw_error *error) {
    json_error_t why;
    json_t *json = json_loadb(body->at ? body->at : "", body->len, JSON_DECODE_ANY, &why);
    if (!json && !sw_failed(*status))
        *status = sw_fail(error, SW_CODE_INVALID, "the %s is no JSON: %s", what, why.text);
    return json;
}

sw_status sw_extract_json(sw_buf *lines, size_t *count, const sw_capture *capture,
                          const sw_extract_rules *rules, sw_error *error) {
    const sw_signature *s = rules->signature;
    sw_status status = SW_OK;
    json_t *rows = NULL, *predictions = NULL;
    json_t *request = parse(&capture->request, "request", &status, error);
    json_t *reply = parse(&capture->reply, "reply", &status, error);
    if (request && reply) {
        rows = find_rows(request, rules);
        predictions = s->output_count ? find_predictions(reply, rules) : NULL;
        if (!rows || json_is_null(rows))
            status = sw_fail(error, SW_CODE_INVALID,
                             "the request has no rows at the usual places: say where they are by "
                             "--features");
        else if (!predictions && s->output_count)
            status = sw_fail(error, SW_CODE_INVALID,
                             "the reply has no prediction at the usual places: say where it is by "
                             "--prediction");
        else
            status = write_rows(lines, count, rows, predictions, capture, s, error);
    }
    json_decref(rows);
    json_decref(predictions);
    json_decref(request);
    json_decref(reply);
    return status;
}
