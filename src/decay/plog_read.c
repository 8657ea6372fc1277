/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out of segments: by time, by id, the last ones. */
#include "base/mem.h"
#include "decay/plog_private.h"

#include <math.h>
#include <stdlib.h>

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while reading the prediction log");
}

/* ---- One group's columns ---- */

static void read_number(double *to, sw_str raw, sw_plog_type type, uint32_t rows) {
    for (uint32_t i = 0; i < rows; i++) {
        float f;
        int64_t whole;
        switch (type) {
        case SW_PLOG_F32:
            memcpy(&f, raw.at + (size_t)i * 4, 4);
            to[i] = (double)f;
            break;
        case SW_PLOG_F64: memcpy(&to[i], raw.at + (size_t)i * 8, 8); break;
        case SW_PLOG_I64:
            memcpy(&whole, raw.at + (size_t)i * 8, 8);
            to[i] = (double)whole;
            break;
        default: to[i] = raw.at[i]; break;
        }
    }
}

/* False where the lengths do not add up to the chunk. */
static bool read_texts(sw_str *to, sw_str raw, uint32_t rows, sw_arena *arena) {
    sw_str copy = sw_arena_copy(arena, raw);
    uint32_t len;
    if (!copy.at)
        return false;
    for (uint32_t i = 0; i < rows; i++) {
        if (copy.len < 4)
            return false;
        memcpy(&len, copy.at, 4);
        if (len > copy.len - 4)
            return false;
        to[i] = (sw_str){copy.at + 4, len};
        copy = (sw_str){copy.at + 4 + len, copy.len - 4 - len};
    }
    return true;
}

static bool read_hashes(sw_str *to, sw_str raw, uint32_t rows, sw_arena *arena) {
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t hash;
        memcpy(&hash, raw.at + (size_t)i * 8, 8);
        to[i] =
            hash ? sw_arena_printf(arena, "%016llx", (unsigned long long)hash) : (sw_str){"", 0};
        if (!to[i].at)
            return false;
    }
    return true;
}

typedef struct reader {
    const plog_schema *schema;
    const plog_group *group;
    sw_buf chunk;
    sw_arena *arena;
} reader;

static sw_status read_chunk(sw_str *raw, reader *r, uint32_t at, sw_plog_type type,
                            sw_error *error) {
    SW_TRY(sw_plog_get_chunk(&r->chunk, r->group, at, type, error));
    *raw = sw_buf_str(&r->chunk);
    return SW_OK;
}

static sw_status read_column(sw_plog_rows *out, reader *r, uint32_t column, sw_error *error) {
    sw_plog_type type = r->schema->columns[column].type;
    uint32_t rows = r->group->rows;
    sw_str raw;
    SW_TRY(read_chunk(&raw, r, PLOG_FIRST + column, type, error));
    if (type != SW_PLOG_TEXT && type != SW_PLOG_HASHED) {
        out->numbers[column] = sw_arena_alloc(r->arena, rows * sizeof(double));
        if (!out->numbers[column])
            return no_memory(error);
        read_number(out->numbers[column], raw, type, rows);
        return SW_OK;
    }
    sw_str *texts = sw_arena_alloc(r->arena, rows * sizeof *texts);
    if (!texts)
        return no_memory(error);
    out->texts[column] = texts;
    bool whole = type == SW_PLOG_TEXT ? read_texts(texts, raw, rows, r->arena)
                                      : read_hashes(texts, raw, rows, r->arena);
    return whole ? SW_OK
                 : sw_fail(error, SW_CODE_INVALID, "a group of the prediction log is damaged");
}

static sw_status read_heads(sw_plog_rows *out, reader *r, bool without_ids, sw_error *error) {
    uint32_t rows = r->group->rows;
    sw_str raw;
    out->at_ms = sw_arena_alloc(r->arena, rows * sizeof *out->at_ms);
    out->ids = sw_arena_alloc(r->arena, rows * sizeof *out->ids);
    out->weights = sw_arena_alloc(r->arena, rows * sizeof *out->weights);
    if (!out->at_ms || !out->ids || !out->weights)
        return no_memory(error);
    SW_TRY(read_chunk(&raw, r, PLOG_TIME, SW_PLOG_I64, error));
    memcpy(out->at_ms, raw.at, rows * sizeof *out->at_ms);
    SW_TRY(read_chunk(&raw, r, PLOG_WEIGHT, SW_PLOG_F32, error));
    read_number(out->weights, raw, SW_PLOG_F32, rows);
    if (without_ids)
        return SW_OK;
    SW_TRY(read_chunk(&raw, r, PLOG_ID, SW_PLOG_TEXT, error));
    return read_texts(out->ids, raw, rows, r->arena)
               ? SW_OK
               : sw_fail(error, SW_CODE_INVALID, "a group of the prediction log is damaged");
}

static sw_status read_group(sw_plog_rows *out, reader *r, const plog_scan *scan, sw_error *error) {
    uint32_t columns = r->schema->count;
    *out = (sw_plog_rows){
        .columns = r->schema->columns, .column_count = columns, .count = r->group->rows};
    out->numbers = sw_arena_zalloc(r->arena, columns + 1, sizeof *out->numbers);
    out->texts = sw_arena_zalloc(r->arena, columns + 1, sizeof(sw_str *));
    if (!out->numbers || !out->texts)
        return no_memory(error);
    SW_TRY(read_heads(out, r, scan->without_ids, error));
    for (uint32_t i = 0; i < columns; i++)
        if (!scan->want || scan->want(&r->schema->columns[i], scan->context))
            SW_TRY(read_column(out, r, i, error));
    return SW_OK;
}

/* ---- Segments ---- */

/* As many as the segment has rows, zeroed where none was written. */
static sw_status read_labels(sw_plog_label **out, const plog_store *store,
                             const plog_segment *segment, sw_arena *arena, sw_error *error) {
    char path[SW_PATH_BYTES];
    int fd;
    size_t got = 0, bytes = (size_t)segment->rows * sizeof **out;
    *out = sw_arena_zalloc(arena, (size_t)segment->rows + 1, sizeof **out);
    if (!*out)
        return no_memory(error);
    sw_plog_store_path(path, store, segment->number, "labels");
    sw_status status = sw_file_open_read(&fd, path, error);
    if (status.code == SW_CODE_NOT_FOUND)
        return SW_OK;
    if (!sw_failed(status))
        status = sw_file_read(&got, fd, *out, bytes, path, error);
    sw_file_close(&fd);
    return status;
}

/* The part of a segment's bytes that holds whole groups. */
static sw_str good_part(const plog_segment *segment, sw_str bytes) {
    plog_foot foot;
    if (sw_plog_get_foot(&foot, bytes))
        return (sw_str){bytes.at, foot.groups_end};
    return (sw_str){bytes.at, segment->bytes < bytes.len ? segment->bytes : bytes.len};
}

static sw_status scan_bytes(const plog_store *store, const plog_segment *segment, sw_str bytes,
                            const plog_scan *scan, sw_arena *arena, sw_error *error) {
    sw_arena rows = {0};
    plog_schema schema;
    plog_group group;
    sw_plog_label *labels = NULL;
    sw_str json;
    size_t at;
    uint32_t first = 0;
    reader r = {.schema = &schema, .group = &group, .arena = &rows};
    if (!sw_plog_get_header(&json, &at, bytes))
        return sw_fail(error, SW_CODE_INVALID, "a segment of the prediction log is damaged");
    SW_TRY(sw_plog_schema_parse(&schema, json, arena, error));
    if (scan->with_labels)
        SW_TRY(read_labels(&labels, store, segment, arena, error));
    bytes = good_part(segment, bytes);
    sw_status status = SW_OK;
    while (!sw_failed(status) && first < segment->rows && !(scan->until && *scan->until) &&
           sw_plog_get_group(&group, &at, bytes, PLOG_FIRST + schema.count)) {
        bool touches = group.last_ms >= scan->from_ms && group.first_ms < scan->to_ms;
        plog_view view = {.segment = segment->number, .first_row = first};
        first += group.rows;
        if (!touches || first > segment->rows)
            continue;
        sw_arena_reset(&rows);
        status = read_group(&view.rows, &r, scan, error);
        view.labels = labels ? labels + view.first_row : NULL;
        if (!sw_failed(status))
            status = scan->visit(&view, scan->context, error);
    }
    sw_buf_free(&r.chunk);
    sw_arena_free(&rows);
    return status;
}

static sw_status scan_segment(plog_store *store, const plog_segment *segment, const plog_scan *scan,
                              sw_error *error) {
    sw_arena arena = {0};
    sw_str bytes;
    SW_TRY(sw_plog_store_map(&bytes, store, segment, error));
    sw_status status = bytes.at ? scan_bytes(store, segment, bytes, scan, &arena, error) : SW_OK;
    sw_file_unmap(bytes);
    sw_arena_free(&arena);
    return status;
}

sw_status sw_plog_scan_store(plog_store *store, const plog_scan *scan, sw_error *error) {
    sw_arena arena = {0};
    plog_segment *segments;
    size_t count;
    sw_status status = sw_plog_store_list(&segments, &count, store, &arena, error);
    for (size_t i = 0; !sw_failed(status) && i < count && !(scan->until && *scan->until); i++)
        if (segments[i].rows && segments[i].last_ms >= scan->from_ms &&
            segments[i].first_ms < scan->to_ms)
            status = scan_segment(store, &segments[i], scan, error);
    sw_arena_free(&arena);
    return status;
}

/* ---- Rows within a time ---- */

static void move_row(sw_plog_rows *rows, size_t to, size_t from) {
    rows->at_ms[to] = rows->at_ms[from];
    rows->ids[to] = rows->ids[from];
    rows->weights[to] = rows->weights[from];
    if (rows->labels)
        rows->labels[to] = rows->labels[from];
    for (uint32_t c = 0; c < rows->column_count; c++) {
        if (rows->numbers[c])
            rows->numbers[c][to] = rows->numbers[c][from];
        if (rows->texts[c])
            rows->texts[c][to] = rows->texts[c][from];
    }
}

void sw_plog_keep_within(sw_plog_rows *rows, int64_t from_ms, int64_t to_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at_ms[i] >= from_ms && rows->at_ms[i] < to_ms)
            move_row(rows, kept++, i);
    rows->count = kept;
}

typedef struct within {
    int64_t from_ms, to_ms;
    sw_plog_visit *visit;
    void *context;
} within;

static sw_status visit_within(const plog_view *view, void *context, sw_error *error) {
    const within *w = context;
    sw_plog_rows rows = view->rows;
    sw_plog_keep_within(&rows, w->from_ms, w->to_ms);
    return rows.count ? w->visit(&rows, w->context, error) : SW_OK;
}

sw_status sw_plog_scan(sw_plog *log, sw_str model, uint32_t version, int64_t from_ms, int64_t to_ms,
                       sw_plog_visit *visit, void *context, sw_error *error) {
    plog_store *store = sw_plog_store_of(log, model, version);
    within w = {from_ms, to_ms, visit, context};
    plog_scan scan = {.from_ms = from_ms, .to_ms = to_ms, .visit = visit_within, .context = &w};
    return store ? sw_plog_scan_store(store, &scan, error) : SW_OK;
}

/* ---- The last rows, and one row ---- */

typedef struct gathering {
    sw_plog_rows *out;
    sw_arena *arena;
    size_t skip, take; /* rows of the segments that are visited */
} gathering;

/* Which column of `out` has this name and kind; -1 for none. */
static int64_t same_column(const sw_plog_rows *out, const sw_plog_column *column, uint32_t guess) {
    for (uint32_t i = 0; i < out->column_count; i++) {
        uint32_t at = (guess + i) % out->column_count;
        const sw_plog_column *c = &out->columns[at];
        if (c->output == column->output && c->type == column->type &&
            sw_str_eq(c->name, column->name))
            return at;
    }
    return -1;
}

static bool copy_value(sw_plog_rows *out, size_t to, uint32_t column, const sw_plog_rows *rows,
                       size_t row, uint32_t from, sw_arena *arena) {
    if (rows->numbers[from]) {
        out->numbers[column][to] = rows->numbers[from][row];
        return true;
    }
    sw_str text = rows->texts[from][row];
    out->texts[column][to] = text.len ? sw_arena_copy(arena, text) : (sw_str){"", 0};
    return out->texts[column][to].at != NULL;
}

/* `row` as the next of `out`, whose columns are those of the newest segment. */
static bool gather_row(gathering *g, const sw_plog_rows *rows, size_t row) {
    sw_plog_rows *out = g->out;
    size_t to = out->count++;
    out->at_ms[to] = rows->at_ms[row];
    out->ids[to] = sw_arena_copy(g->arena, rows->ids[row]);
    out->weights[to] = rows->weights[row];
    for (uint32_t c = 0; c < out->column_count; c++) {
        if (out->numbers[c])
            out->numbers[c][to] = NAN;
        else
            out->texts[c][to] = (sw_str){"", 0};
    }
    bool whole = out->ids[to].at != NULL;
    for (uint32_t c = 0; whole && c < rows->column_count; c++) {
        int64_t column = out->column_count ? same_column(out, &rows->columns[c], c) : -1;
        if (column >= 0)
            whole = copy_value(out, to, (uint32_t)column, rows, row, c, g->arena);
    }
    return whole;
}

static sw_status visit_gathering(const plog_view *view, void *context, sw_error *error) {
    gathering *g = context;
    for (size_t i = 0; i < view->rows.count; i++) {
        if (g->skip) {
            g->skip--;
            continue;
        }
        if (g->take == 0)
            return SW_OK;
        g->take--;
        if (!gather_row(g, &view->rows, i))
            return no_memory(error);
    }
    return SW_OK;
}

/* Columns as the segment has them, with room for `rows` rows. */
static sw_status make_columns(sw_plog_rows *out, plog_store *store, const plog_segment *segment,
                              size_t rows, sw_arena *arena, sw_error *error) {
    plog_schema schema = {0};
    sw_str bytes, json;
    size_t used;
    SW_TRY(sw_plog_store_map(&bytes, store, segment, error));
    sw_status status = bytes.at && sw_plog_get_header(&json, &used, bytes)
                           ? sw_plog_schema_parse(&schema, json, arena, error)
                           : SW_OK;
    sw_file_unmap(bytes);
    if (sw_failed(status))
        return status;
    *out = (sw_plog_rows){.columns = schema.columns, .column_count = schema.count};
    out->at_ms = sw_arena_zalloc(arena, rows + 1, sizeof *out->at_ms);
    out->ids = sw_arena_zalloc(arena, rows + 1, sizeof *out->ids);
    out->weights = sw_arena_zalloc(arena, rows + 1, sizeof *out->weights);
    out->numbers = sw_arena_zalloc(arena, schema.count + 1, sizeof *out->numbers);
    out->texts = sw_arena_zalloc(arena, schema.count + 1, sizeof(sw_str *));
    if (!out->at_ms || !out->ids || !out->weights || !out->numbers || !out->texts)
        return no_memory(error);
    for (uint32_t c = 0; c < schema.count; c++) {
        sw_plog_type type = schema.columns[c].type;
        bool text = type == SW_PLOG_TEXT || type == SW_PLOG_HASHED;
        void *room = sw_arena_zalloc(arena, rows + 1, text ? sizeof(sw_str) : sizeof(double));
        if (!room)
            return no_memory(error);
        if (text)
            out->texts[c] = room;
        else
            out->numbers[c] = room;
    }
    return SW_OK;
}

static const plog_scan everything = {
    .from_ms = INT64_MIN, .to_ms = INT64_MAX, .visit = visit_gathering};

static sw_status gather(sw_plog_rows *out, plog_store *store, const plog_segment *segments,
                        size_t count, size_t rows_max, sw_arena *arena, sw_error *error) {
    size_t first = count, rows = 0;
    while (first > 0 && rows < rows_max)
        rows += segments[--first].rows;
    gathering g = {out, arena, rows > rows_max ? rows - rows_max : 0,
                   rows < rows_max ? rows : rows_max};
    plog_scan scan = everything;
    scan.context = &g;
    if (count)
        SW_TRY(make_columns(out, store, &segments[count - 1], g.take, arena, error));
    for (size_t i = first; i < count; i++)
        SW_TRY(scan_segment(store, &segments[i], &scan, error));
    return SW_OK;
}

sw_status sw_plog_recent(sw_plog_rows *out, sw_plog *log, sw_str model, uint32_t version,
                         size_t rows_max, sw_arena *arena, sw_error *error) {
    plog_store *store = sw_plog_store_of(log, model, version);
    plog_segment *segments;
    size_t count;
    *out = (sw_plog_rows){0};
    if (!store)
        return SW_OK;
    SW_TRY(sw_plog_store_list(&segments, &count, store, arena, error));
    return gather(out, store, segments, count, rows_max, arena, error);
}

/* ---- By hashes of ids ---- */

static bool find_open(plog_place *out, const plog_store *store, uint64_t number, uint64_t hash) {
    if (store->id_slots == 0)
        return false;
    uint32_t at = (uint32_t)hash & (store->id_slots - 1);
    while (store->ids[at].row && store->ids[at].hash != hash)
        at = (at + 1) & (store->id_slots - 1);
    if (store->ids[at].row == 0)
        return false;
    *out = (plog_place){number, store->ids[at].row - 1, true};
    return true;
}

static sw_status locate_sealed(plog_place *out, plog_store *store, const plog_segment *segment,
                               const uint64_t *hashes, size_t count, sw_error *error) {
    plog_foot foot;
    sw_str bytes;
    SW_TRY(sw_plog_store_map(&bytes, store, segment, error));
    if (bytes.at && sw_plog_get_foot(&foot, bytes))
        for (size_t i = 0; i < count; i++) {
            uint32_t row;
            if (!out[i].found && sw_plog_index_find(&row, &foot.index, hashes[i]))
                out[i] = (plog_place){segment->number, row, true};
        }
    sw_file_unmap(bytes);
    return SW_OK;
}

sw_status sw_plog_locate(plog_place *out, plog_store *store, const uint64_t *hashes, size_t count,
                         sw_error *error) {
    sw_arena arena = {0};
    plog_segment *segments;
    size_t segment_count;
    memset(out, 0, count * sizeof *out);
    pthread_mutex_lock(&store->lock);
    if (store->segment_count)
        for (size_t i = 0; i < count; i++)
            find_open(&out[i], store, store->segments[store->segment_count - 1].number, hashes[i]);
    pthread_mutex_unlock(&store->lock);
    /* Listed after that: what was open then and is sealed now is looked at, too. */
    sw_status status = sw_plog_store_list(&segments, &segment_count, store, &arena, error);
    for (size_t i = segment_count; !sw_failed(status) && i > 0; i--)
        if (segments[i - 1].sealed)
            status = locate_sealed(out, store, &segments[i - 1], hashes, count, error);
    sw_arena_free(&arena);
    return status;
}
