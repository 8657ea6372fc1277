/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/multivariate.h"

#include "base/clock.h"
#include "base/num.h"
#include "stats/domain_classifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 10 * 60000, FEW = 500, SLICES = 16, SEED = 42 };
static const uint64_t budget_ns = 2 * SW_NS_PER_S;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for rows to learn from");
}

/* ---- Rows of both sides, in columns: the reference's first ---- */

typedef struct table {
    const sw_plog_rows *newest;
    uint32_t *from; /* each column's place in the log's */
    uint32_t column_count;
    double **numbers; /* [column][row]; NULL for texts, until they are coded */
    sw_str **texts;
    size_t rows, room;
    int64_t oldest_ms; /* of the log */
    sw_arena *arena;
} table;

static sw_status make_table(table *t, const sw_plog_rows *newest, size_t room, sw_arena *arena,
                            sw_error *error) {
    uint32_t all = newest->column_count;
    *t = (table){.newest = newest, .room = room, .arena = arena};
    t->from = sw_arena_zalloc(arena, all + 1, sizeof *t->from);
    t->numbers = sw_arena_zalloc(arena, all + 1, sizeof *t->numbers);
    t->texts = sw_arena_zalloc(arena, all + 1, sizeof(sw_str *));
    if (!t->from || !t->numbers || !t->texts)
        return no_memory(error);
    for (uint32_t c = 0; c < all; c++) {
        if (newest->columns[c].output)
            continue;
        uint32_t to = t->column_count++;
        t->from[to] = c;
        t->numbers[to] = sw_arena_zalloc(arena, room, sizeof **t->numbers);
        if (newest->texts[c])
            t->texts[to] = sw_arena_zalloc(arena, room, sizeof **t->texts);
        if (!t->numbers[to] || (newest->texts[c] && !t->texts[to]))
            return no_memory(error);
    }
    return SW_OK;
}

/* `places`: of the table's columns in `rows`. */
static bool add_row(table *t, const sw_plog_rows *rows, size_t row, const uint32_t *places) {
    for (uint32_t c = 0; c < t->column_count; c++) {
        uint32_t from = places[c];
        if (!t->texts[c]) {
            t->numbers[c][t->rows] = rows->numbers[from][row];
            continue;
        }
        t->texts[c][t->rows] = sw_arena_copy(t->arena, rows->texts[from][row]);
        if (!t->texts[c][t->rows].at)
            return false;
    }
    t->rows++;
    return true;
}

/* ---- The reference's rows ---- */

/* False where a column is not logged there, or otherwise: its values would only look like drift. */
static bool find_places(uint32_t *places, const table *t, const sw_plog_rows *rows) {
    for (uint32_t c = 0; c < t->column_count; c++) {
        const sw_plog_column *wanted = &t->newest->columns[t->from[c]];
        uint32_t at = 0;
        while (at < rows->column_count &&
               (rows->columns[at].output || rows->columns[at].type != wanted->type ||
                !sw_str_eq(rows->columns[at].name, wanted->name)))
            at++;
        if (at == rows->column_count)
            return false;
        places[c] = at;
    }
    return true;
}

typedef struct taking {
    table *into;
    uint32_t *places;
    size_t until; /* rows that the table then has */
    bool enough;
} taking;

static sw_status enough(taking *t, sw_error *error) {
    t->enough = true;
    return sw_fail(error, SW_CODE_UNAVAILABLE, "there are rows enough"); /* ends the scan */
}

static sw_status take(const sw_plog_rows *rows, void *context, sw_error *error) {
    taking *t = context;
    if (!find_places(t->places, t->into, rows))
        return SW_OK;
    for (size_t i = 0; i < rows->count && t->into->rows < t->until; i++)
        if (!add_row(t->into, rows, i, t->places))
            return no_memory(error);
    return t->into->rows < t->until ? SW_OK : enough(t, error);
}

static sw_status see_oldest(const sw_plog_rows *rows, void *context, sw_error *error) {
    taking *t = context;
    t->into->oldest_ms = rows->at_ms[0];
    return enough(t, error);
}

typedef struct source {
    sw_plog *log;
    sw_str model;
    uint32_t version;
    const sw_monitor_settings *settings;
} source;

static sw_status scan(const source *s, taking *t, int64_t from_ms, int64_t to_ms,
                      sw_plog_visit *visit, sw_error *error) {
    sw_status status = sw_plog_scan(s->log, s->model, s->version, from_ms, to_ms, visit, t, error);
    return t->enough ? SW_OK : status;
}

/* The first rows of equal slices, so that a long time costs no more than a short one. */
static sw_status take_all_over(const source *s, taking *t, int64_t from_ms, int64_t to_ms,
                               size_t rows, sw_error *error) {
    SW_TRY(scan(s, t, INT64_MIN, INT64_MAX, see_oldest, error));
    from_ms = from_ms > t->into->oldest_ms ? from_ms : t->into->oldest_ms;
    for (int i = 0; i < SLICES && from_ms < to_ms; i++) {
        int64_t length = to_ms - from_ms;
        t->until = rows * (size_t)(i + 1) / SLICES;
        t->enough = false;
        SW_TRY(scan(s, t, from_ms + length * i / SLICES, from_ms + length * (i + 1) / SLICES, take,
                    error));
    }
    return SW_OK;
}

/* All before `before_ms`. */
static sw_status take_reference(table *into, const source *s, int64_t before_ms, size_t rows,
                                sw_error *error) {
    const sw_monitor_settings *set = s->settings;
    taking t = {.into = into, .until = rows};
    t.places = sw_arena_zalloc(into->arena, into->column_count + 1, sizeof *t.places);
    if (!t.places)
        return no_memory(error);
    if (set->reference == SW_REFERENCE_PROFILE)
        return scan(s, &t, INT64_MIN, before_ms, take, error);
    if (set->reference == SW_REFERENCE_TRAILING)
        return take_all_over(s, &t, before_ms - (int64_t)set->reference_minutes * 60000, before_ms,
                             rows, error);
    return take_all_over(s, &t, set->reference_from_ms,
                         set->reference_to_ms < before_ms ? set->reference_to_ms : before_ms, rows,
                         error);
}

static sw_str reference_words(const sw_monitor_settings *settings, size_t rows, sw_arena *arena) {
    sw_grouped count = sw_num_grouped(rows);
    if (settings->reference == SW_REFERENCE_PROFILE)
        return sw_arena_printf(arena, "the first %s logged rows of this version", count.at);
    if (settings->reference == SW_REFERENCE_WINDOW)
        return sw_arena_printf(arena, "%s logged rows of the reference window", count.at);
    return sw_arena_printf(arena, "%s logged rows of the %u minutes before", count.at,
                           settings->reference_minutes);
}

/* ---- Texts as codes ---- */

typedef struct word {
    sw_str text;
    size_t row;
} word;

static int compare_words(const void *left, const void *right) {
    const word *a = left, *b = right;
    if (a->text.len != b->text.len)
        return a->text.len < b->text.len ? -1 : 1;
    return memcmp(a->text.at, b->text.at, a->text.len);
}

static void code_texts(double *codes, const sw_str *texts, word *scratch, size_t rows) {
    double code = -1;
    for (size_t i = 0; i < rows; i++)
        scratch[i] = (word){texts[i], i};
    qsort(scratch, rows, sizeof *scratch, compare_words);
    for (size_t i = 0; i < rows; i++) {
        bool missing = scratch[i].text.len == 0;
        if (!missing && (code < 0 || compare_words(&scratch[i - 1], &scratch[i]) != 0))
            code++;
        codes[scratch[i].row] = missing ? (double)NAN : code;
    }
}

/* ---- The verdict ---- */

/* p of a large z is too small for a double: then erfc(z / √2) / 2 ≈ exp(-z²/2) / (z √(2π)). */
static double log10_of(const sw_domain_result *r) {
    const double tau = 6.28318530717958647693, log10_e = 0.43429448190325182765;
    return r->p > 1e-300 ? log10(r->p) : -r->z * r->z / 2 * log10_e - log10(r->z * sqrt(tau));
}

static void take_top(sw_multivariate *out, const table *t, double *importance) {
    while (out->top_count < SW_MULTIVARIATE_TOP) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < t->column_count; c++)
            best = importance[c] > importance[best] ? c : best;
        if (importance[best] <= 0)
            return;
        out->top[out->top_count].column = t->newest->columns[t->from[best]].name;
        out->top[out->top_count++].share = importance[best];
        importance[best] = 0;
    }
}

static sw_status classify(sw_multivariate *out, const table *t, size_t reference, sw_error *error) {
    sw_domain_result result;
    sw_domain_column *columns = sw_arena_zalloc(t->arena, t->column_count + 1, sizeof *columns);
    double *importance = sw_arena_zalloc(t->arena, t->column_count + 1, sizeof *importance);
    bool *current = sw_arena_zalloc(t->arena, t->rows + 1, sizeof *current);
    word *scratch = sw_arena_zalloc(t->arena, t->rows + 1, sizeof *scratch);
    if (!columns || !importance || !current || !scratch)
        return no_memory(error);
    for (uint32_t c = 0; c < t->column_count; c++) {
        columns[c] = (sw_domain_column){t->numbers[c], t->texts[c] != NULL};
        if (t->texts[c])
            code_texts(t->numbers[c], t->texts[c], scratch, t->rows);
    }
    for (size_t i = reference; i < t->rows; i++)
        current[i] = true;
    SW_TRY(sw_domain_classify(&result, importance, columns, t->column_count, current, t->rows, SEED,
                              error));
    if (!result.defined) {
        out->why = sw_str_of(result.reason);
        return SW_OK;
    }
    out->auc = result.auc;
    out->log10_p = log10_of(&result);
    take_top(out, t, importance);
    return SW_OK;
}

/* How many rows of so many columns a side may have; 0: too many columns. */
static size_t rows_for(uint32_t columns) {
    size_t rows = columns ? SW_MULTIVARIATE_VALUES / columns : SW_MULTIVARIATE_ROWS;
    return rows < SW_DOMAIN_ROWS_MIN     ? 0
           : rows < SW_MULTIVARIATE_ROWS ? rows
                                         : SW_MULTIVARIATE_ROWS;
}

static sw_status compare(sw_multivariate *out, const source *s, const sw_plog_rows *newest,
                         size_t room, sw_arena *arena, sw_error *error) {
    table t;
    size_t current = newest->count / 2 < room ? newest->count / 2 : room,
           first = newest->count - current;
    int64_t before_ms = INT64_MAX;
    SW_TRY(make_table(&t, newest, 2 * room, arena, error));
    for (size_t i = first; i < newest->count; i++)
        before_ms = newest->at_ms[i] < before_ms ? newest->at_ms[i] : before_ms;
    SW_TRY(take_reference(&t, s, before_ms, room, error));
    size_t reference = t.rows;
    for (size_t i = first; i < newest->count; i++)
        if (!add_row(&t, newest, i, t.from))
            return no_memory(error);
    out->rows = current;
    out->reference_rows = reference;
    out->reference = reference_words(s->settings, reference, arena);
    if (current >= SW_DOMAIN_ROWS_MIN && reference >= SW_DOMAIN_ROWS_MIN)
        return classify(out, &t, reference, error);
    out->why = sw_arena_printf(
        arena, "too few logged rows: %s, and %s of the reference (%d of each)",
        sw_num_grouped(current).at, sw_num_grouped(reference).at, SW_DOMAIN_ROWS_MIN);
    return SW_OK;
}

sw_status sw_multivariate_of(sw_multivariate *out, sw_plog *log, sw_str model, uint32_t version,
                             const sw_monitor_settings *settings, sw_arena *arena,
                             sw_error *error) {
    const source s = {log, model, version, settings};
    sw_plog_rows newest;
    *out = (sw_multivariate){.auc = NAN, .at_ms = sw_clock_wall_ms()};
    SW_TRY(sw_plog_recent(&newest, log, model, version, 1, arena, error));
    size_t room = rows_for(newest.column_count);
    if (!room) {
        out->why = SW_STR("there are too many columns to learn from");
        return SW_OK;
    }
    SW_TRY(sw_plog_recent(&newest, log, model, version, 2 * room, arena, error));
    return compare(out, &s, &newest, room, arena, error);
}

/* ---- All live versions ---- */

typedef struct updating {
    const sw_load_parts *parts;
    uint64_t begun_ns;
} updating;

/* Few rows are soon read: they are asked for at each look, until there are more. */
static bool is_due(const updating *u, const sw_served *served, sw_arena *arena) {
    sw_drift drift;
    sw_error ignored;
    return !sw_failed(sw_monitor_read(&drift, u->parts->monitors, served->model_name,
                                      served->version, SW_STR(""), false, arena, &ignored)) &&
           (isnan(drift.multivariate.auc) || drift.multivariate.rows < FEW ||
            sw_clock_wall_ms() - drift.multivariate.at_ms >= EVERY_MS ||
            sw_clock_wall_ms() < drift.multivariate.at_ms);
}

static void update_one(const sw_served *served, void *context) {
    const updating *u = context;
    sw_arena arena = {0};
    sw_multivariate found = {.auc = NAN, .why = SW_STR("predictions are not logged")};
    sw_error error;
    if (sw_clock_ns() - u->begun_ns < budget_ns && is_due(u, served, &arena)) {
        if (u->parts->log && served->log &&
            sw_failed(sw_multivariate_of(&found, u->parts->log, served->model_name, served->version,
                                         &served->settings, &arena, &error)))
            found = (sw_multivariate){.auc = NAN, .why = sw_str_of(error.text)};
        sw_monitor_set_multivariate(u->parts->monitors, served->model_name, served->version,
                                    &found);
    }
    sw_arena_free(&arena);
}

void sw_multivariate_update(const sw_load_parts *parts) {
    updating u = {parts, sw_clock_ns()};
    if (parts->live)
        sw_live_each_held(parts->live, update_one, &u);
}
