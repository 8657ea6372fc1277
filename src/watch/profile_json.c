/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"

#include "base/json.h"
#include "watch/profile_outputs_private.h"

#include <jansson.h>
#include <math.h>

/*
 * {"format": 1, "rows": 569, "columns": [
 *   {"name": "radius", "kind": "numeric", "rows", "missing", "distinct"?, "min", "max", "mean",
 *    "stddev", "median"?, "whole"?, "cuts": […], "levels": […]?, "counts": […]},
 *   {"name": "country", "kind": "category", "rows", "missing", "distinct"?, "values": […],
 *    "counts": […]}]}
 * A number that is not finite is null. Counts are in the order of the bins (profile.h).
 */
enum { FORMAT = 1, COLUMNS_MAX = 1 << 20 };

/* ---- Writing ---- */

static void put_numbers(sw_json *w, const char *key, const double *x, uint32_t count) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < count; i++)
        sw_json_f64(w, x[i]);
    sw_json_end_array(w);
}

static void put_numeric(sw_json *w, const sw_profile_column *c) {
    sw_json_add_f64(w, "min", c->min);
    sw_json_add_f64(w, "max", c->max);
    sw_json_add_f64(w, "mean", c->mean);
    sw_json_add_f64(w, "stddev", c->stddev);
    sw_json_add_f64(w, "median", c->median);
    sw_json_add_bool(w, "whole", c->whole);
    put_numbers(w, "cuts", c->cuts, c->cut_count);
    if (c->levels)
        put_numbers(w, "levels", c->levels, c->cut_count + 1);
}

static void put_category(sw_json *w, const sw_profile_column *c) {
    sw_json_key(w, "values");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < c->value_count; i++)
        sw_json_str(w, c->values[i]);
    sw_json_end_array(w);
}

static void put_column(sw_json *w, const sw_profile_column *c) {
    bool category = c->kind == SW_FEATURE_CATEGORY;
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", c->name);
    sw_json_add_text(w, "kind", category ? "category" : "numeric");
    sw_json_add_u64(w, "rows", c->rows);
    sw_json_add_u64(w, "missing", c->missing);
    sw_json_add_u64(w, "distinct", c->distinct);
    category ? put_category(w, c) : put_numeric(w, c);
    sw_json_key(w, "counts");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < c->bin_count; i++)
        sw_json_u64(w, c->counts[i]);
    sw_json_end_array(w);
    sw_json_end_object(w);
}

void sw_profile_to_json(sw_buf *out, const sw_profile *profile) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "format", FORMAT);
    sw_json_add_u64(&w, "rows", profile->rows);
    sw_json_key(&w, "columns");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < profile->column_count; i++)
        put_column(&w, &profile->columns[i]);
    sw_json_end_array(&w);
    sw_profile_outputs_write(&w, profile);
    sw_json_end_object(&w);
}

/* ---- Reading ---- */

typedef struct reader {
    sw_arena *arena;
    sw_error *error;
    size_t column;
    const char *name; /* of the column, where it is known */
} reader;

static sw_status wrong(const reader *r, const char *what) {
    return sw_fail(r->error, SW_CODE_INVALID, "profile: column %zu%s%s: %s", r->column + 1,
                   r->name ? " " : "", r->name ? r->name : "", what);
}

static sw_status no_memory(const reader *r) {
    return sw_fail(r->error, SW_CODE_NO_MEMORY, "not enough memory to read a profile");
}

static bool get_count(uint64_t *out, const json_t *value) {
    json_int_t x = json_is_integer(value) ? json_integer_value(value) : -1;
    *out = (uint64_t)x;
    return x >= 0 && x <= INT64_C(1) << 53;
}

/* null: NaN. */
static bool get_number(double *out, const json_t *value) {
    *out = json_is_number(value) ? json_number_value(value) : NAN;
    return json_is_number(value) || json_is_null(value);
}

static sw_status get_numbers(double **out, reader *r, const json_t *list, size_t count,
                             const char *what) {
    double *x = sw_arena_zalloc(r->arena, count + 1, sizeof *x);
    if (!x)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(list, i);
        if (!json_is_number(item) || !isfinite(x[i] = json_number_value(item)) ||
            (i && !(x[i - 1] < x[i])))
            return wrong(r, what);
    }
    *out = x;
    return SW_OK;
}

static sw_status numeric(sw_profile_column *c, reader *r, const json_t *from) {
    json_t *cuts = json_object_get(from, "cuts"), *levels = json_object_get(from, "levels");
    size_t count = json_array_size(cuts);
    if (!get_number(&c->min, json_object_get(from, "min")) ||
        !get_number(&c->max, json_object_get(from, "max")) ||
        !get_number(&c->mean, json_object_get(from, "mean")) ||
        !get_number(&c->stddev, json_object_get(from, "stddev")))
        return wrong(r, "min, max, mean and stddev must be numbers or null");
    get_number(&c->median, json_object_get(from, "median"));
    c->whole = json_is_true(json_object_get(from, "whole"));
    if (!json_is_array(cuts) || count >= SW_PROFILE_BINS)
        return wrong(r, "\"cuts\" must be a list of at most 63 numbers");
    SW_TRY(get_numbers(&c->cuts, r, cuts, count, "\"cuts\" must grow"));
    c->cut_count = (uint32_t)count;
    bool ranged = !isnan(c->min) && c->min <= c->max;
    if (ranged ? count && !(c->min < c->cuts[0] && c->cuts[count - 1] <= c->max)
               : count || !isnan(c->min) || !isnan(c->max))
        return wrong(r, "\"cuts\" must lie between \"min\" and \"max\"");
    if (levels && json_array_size(levels) != count + 1)
        return wrong(r, "\"levels\" must hold one number more than \"cuts\"");
    if (levels)
        SW_TRY(get_numbers(&c->levels, r, levels, count + 1, "\"levels\" must grow"));
    c->bin_count = c->cut_count + 4;
    return SW_OK;
}

static sw_status category(sw_profile_column *c, reader *r, const json_t *from) {
    json_t *values = json_object_get(from, "values");
    size_t count = json_array_size(values);
    if (!json_is_array(values) || count > SW_PROFILE_CATEGORIES_MAX)
        return wrong(r, "\"values\" must be a list of at most 256 strings");
    c->min = c->max = c->mean = c->stddev = c->median = NAN;
    c->values = sw_arena_zalloc(r->arena, count, sizeof *c->values);
    if (count && !c->values)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(values, i);
        if (!json_is_string(item) || json_string_length(item) == 0)
            return wrong(r, "\"values\" must be strings that are not empty");
        c->values[i] =
            sw_arena_copy(r->arena, (sw_str){json_string_value(item), json_string_length(item)});
        if (!c->values[i].at)
            return no_memory(r);
    }
    c->value_count = (uint32_t)count;
    c->bin_count = c->value_count + SW_BIN_FIRST;
    return SW_OK;
}

static sw_status get_counts(sw_profile_column *c, reader *r, const json_t *list) {
    uint64_t sum = 0;
    if (!json_is_array(list) || json_array_size(list) != c->bin_count)
        return wrong(r, "\"counts\" must hold a number for each bin");
    c->counts = sw_arena_zalloc(r->arena, c->bin_count, sizeof *c->counts);
    if (!c->counts)
        return no_memory(r);
    for (uint32_t i = 0; i < c->bin_count; i++) {
        if (!get_count(&c->counts[i], json_array_get(list, i)))
            return wrong(r, "\"counts\" must be whole numbers, none below 0");
        sum += c->counts[i];
    }
    if (sum != c->rows || c->counts[SW_BIN_MISSING] != c->missing)
        return wrong(r, "\"counts\" must add up to \"rows\", and begin with \"missing\"");
    return SW_OK;
}

static sw_status get_column(sw_profile_column *c, reader *r, const json_t *from) {
    json_t *name = json_object_get(from, "name");
    const char *kind = json_string_value(json_object_get(from, "kind"));
    if (!json_is_string(name) || !kind ||
        (strcmp(kind, "numeric") != 0 && strcmp(kind, "category") != 0))
        return wrong(r, "needs a \"name\", and a \"kind\" of \"numeric\" or \"category\"");
    r->name = json_string_value(name);
    c->name = sw_arena_copy(r->arena, (sw_str){json_string_value(name), json_string_length(name)});
    if (!c->name.at)
        return no_memory(r);
    if (!get_count(&c->rows, json_object_get(from, "rows")) ||
        !get_count(&c->missing, json_object_get(from, "missing")) || c->missing > c->rows)
        return wrong(r, "\"rows\" and \"missing\" must be counts");
    if (!get_count(&c->distinct, json_object_get(from, "distinct")))
        c->distinct = 0;
    c->kind = kind[0] == 'n' ? SW_FEATURE_NUMERIC : SW_FEATURE_CATEGORY;
    SW_TRY(c->kind == SW_FEATURE_NUMERIC ? numeric(c, r, from) : category(c, r, from));
    return get_counts(c, r, json_object_get(from, "counts"));
}

static sw_status get_profile(sw_profile *out, reader *r, const json_t *root) {
    json_t *columns = json_object_get(root, "columns");
    uint64_t format;
    if (!get_count(&format, json_object_get(root, "format")) || format != FORMAT)
        return sw_fail(r->error, SW_CODE_INVALID, "profile: \"format\" must be %d", FORMAT);
    if (!get_count(&out->rows, json_object_get(root, "rows")) || !json_is_array(columns) ||
        json_array_size(columns) > COLUMNS_MAX)
        return sw_fail(r->error, SW_CODE_INVALID,
                       "profile: needs \"rows\" and a list of \"columns\"");
    size_t count = json_array_size(columns);
    out->columns = sw_arena_zalloc(r->arena, count, sizeof *out->columns);
    if (count && !out->columns)
        return no_memory(r);
    out->column_count = (uint32_t)count;
    for (r->column = 0; r->column < count; r->column++) {
        r->name = NULL;
        SW_TRY(get_column(&out->columns[r->column], r, json_array_get(columns, r->column)));
    }
    return sw_profile_outputs_read(out, root, r->arena, r->error);
}

sw_status sw_profile_from_json(sw_profile *out, sw_str json, sw_arena *arena, sw_error *error) {
    json_error_t why;
    reader r = {.arena = arena, .error = error};
    *out = (sw_profile){0};
    json_t *root =
        json_loadb(json.at ? json.at : "", json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!root)
        return sw_fail(error, SW_CODE_INVALID, "profile: line %d, column %d: %s", why.line,
                       why.column, why.text);
    sw_status status = get_profile(out, &r, root);
    json_decref(root);
    return status;
}
