/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of one version's log: its segments, from the first row to the last deletion. */
#include "base/mem.h"
#include "decay/plog_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction log");
}

void sw_plog_store_path(char path[SW_PATH_BYTES], const plog_store *store, uint64_t number,
                        const char *kind) {
    snprintf(path, SW_PATH_BYTES, "%s/%" PRIu64 ".%s", store->folder, number, kind);
}

/* ---- Ids of the open segment ---- */

static void put_id(plog_pair *slots, uint32_t slot_count, plog_pair pair) {
    uint32_t at = (uint32_t)pair.hash & (slot_count - 1);
    while (slots[at].row && slots[at].hash != pair.hash)
        at = (at + 1) & (slot_count - 1);
    slots[at] = pair; /* the newest wins */
}

static bool grow_ids(plog_store *store) {
    uint32_t more = store->id_slots ? store->id_slots * 2 : 1024;
    plog_pair *slots = sw_mem_zalloc(more, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < store->id_slots; i++)
        if (store->ids[i].row)
            put_id(slots, more, store->ids[i]);
    sw_mem_free(store->ids);
    store->ids = slots;
    store->id_slots = more;
    return true;
}

static void forget_ids(plog_store *store) {
    sw_mem_free(store->ids);
    store->ids = NULL;
    store->id_slots = store->id_count = 0;
}

static sw_str next_text(sw_str *rest) {
    uint32_t len;
    if (rest->len < 4)
        return (sw_str){0};
    memcpy(&len, rest->at, 4);
    len = len < rest->len - 4 ? len : (uint32_t)(rest->len - 4);
    sw_str text = {rest->at + 4, len};
    *rest = (sw_str){text.at + len, rest->len - 4 - len};
    return text;
}

static bool add_ids(plog_store *store, const plog_block *block, uint32_t first_row) {
    sw_str rest = sw_buf_str(&block->chunks[PLOG_ID]);
    for (uint32_t i = 0; i < block->rows; i++) {
        if (2 * (store->id_count + 1) > store->id_slots && !grow_ids(store))
            return false;
        put_id(store->ids, store->id_slots,
               (plog_pair){sw_plog_hash(next_text(&rest), 0), first_row + i + 1});
        store->id_count++;
    }
    return true;
}

/* ---- The list ---- */

static sw_status add_segment(plog_store *store, plog_segment segment, sw_error *error) {
    if (store->segment_count == store->segment_cap) {
        size_t cap = store->segment_cap ? store->segment_cap * 2 : 16;
        plog_segment *more = sw_mem_realloc(store->segments, cap * sizeof *more);
        if (!more)
            return no_memory(error);
        store->segments = more;
        store->segment_cap = cap;
    }
    store->segments[store->segment_count++] = segment;
    if (segment.number >= store->next_number)
        store->next_number = segment.number + 1;
    return SW_OK;
}

sw_status sw_plog_store_list(plog_segment **out, size_t *count, plog_store *store, sw_arena *arena,
                             sw_error *error) {
    pthread_mutex_lock(&store->lock);
    *count = store->segment_count;
    *out = sw_arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out && *count)
        memcpy(*out, store->segments, *count * sizeof **out);
    pthread_mutex_unlock(&store->lock);
    return *out ? SW_OK : no_memory(error);
}

/* ---- What has changed ---- */

/* Whether the spans tell of this segment. */
static bool has_spans(const plog_store *store, size_t segment) {
    return store->span_count && segment + 1 == store->segment_count &&
           !store->segments[segment].sealed;
}

/* Rows of a block, from `first_row` on, were appended. */
static void note_rows(plog_store *store, const plog_block *block, uint32_t first_row) {
    plog_span *last = store->span_count ? &store->spans[store->span_count - 1] : NULL;
    bool same = last && last->first_ms / PLOG_SPAN_MS == block->first_ms / PLOG_SPAN_MS &&
                last->first_ms / PLOG_SPAN_MS == block->last_ms / PLOG_SPAN_MS &&
                last->last_ms / PLOG_SPAN_MS == block->last_ms / PLOG_SPAN_MS;
    if (!same && store->span_count < PLOG_SPANS_MAX) {
        store->spans[store->span_count++] =
            (plog_span){block->first_ms, block->last_ms, first_row, 1};
        return;
    }
    last->first_ms = block->first_ms < last->first_ms ? block->first_ms : last->first_ms;
    last->last_ms = block->last_ms > last->last_ms ? block->last_ms : last->last_ms;
    last->generation++;
}

static void note_labels(plog_store *store, uint32_t first, uint32_t last) {
    for (uint32_t i = store->span_count; i-- > 0;) {
        plog_span *span = &store->spans[i];
        if (span->first_row <= last)
            span->generation++;
        if (span->first_row <= first)
            return;
    }
}

void sw_plog_store_touch(plog_store *store, uint64_t number, uint32_t first, uint32_t last) {
    pthread_mutex_lock(&store->lock);
    for (size_t i = store->segment_count; i-- > 0;)
        if (store->segments[i].number == number) {
            store->segments[i].generation++;
            if (has_spans(store, i))
                note_labels(store, first, last);
            break;
        }
    pthread_mutex_unlock(&store->lock);
}

static uint64_t add_to_stamp(uint64_t stamp, uint64_t number, uint64_t span, uint64_t generation) {
    uint64_t all[3] = {number, span, generation};
    return sw_plog_hash((sw_str){(const char *)all, sizeof all}, stamp);
}

uint64_t sw_plog_store_stamp(plog_store *store, int64_t from_ms, int64_t to_ms) {
    uint64_t stamp = 1;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->segment_count; i++) {
        const plog_segment *s = &store->segments[i];
        if (s->rows == 0 || s->last_ms < from_ms || s->first_ms >= to_ms)
            continue;
        if (!has_spans(store, i)) {
            stamp = add_to_stamp(stamp, s->number, UINT64_MAX, s->generation);
            continue;
        }
        for (uint32_t k = 0; k < store->span_count; k++)
            if (store->spans[k].last_ms >= from_ms && store->spans[k].first_ms < to_ms)
                stamp = add_to_stamp(stamp, s->number, k, store->spans[k].generation);
    }
    pthread_mutex_unlock(&store->lock);
    return stamp;
}

uint64_t sw_plog_store_bytes(plog_store *store) {
    uint64_t bytes = 0;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->segment_count; i++)
        bytes += store->segments[i].bytes;
    pthread_mutex_unlock(&store->lock);
    return bytes;
}

sw_status sw_plog_store_map(sw_str *out, const plog_store *store, const plog_segment *segment,
                            sw_error *error) {
    char path[SW_PATH_BYTES];
    /* It may have been sealed, or have expired, since it was listed. */
    for (int i = 0; i < 2; i++) {
        sw_plog_store_path(path, store, segment->number,
                           segment->sealed == (i == 0) ? "plog" : "open");
        sw_status status = sw_file_map(out, path, error);
        if (status.code != SW_CODE_NOT_FOUND)
            return status;
    }
    *out = (sw_str){0};
    return SW_OK;
}

/* ---- Sealing ---- */

typedef struct sealing {
    plog_block block;
    sw_buf out, chunk;
    plog_pair *pairs;
    uint32_t rows;
    int64_t first_ms, last_ms;
} sealing;

static sw_status put_gathered(sealing *s, sw_error *error) {
    if (s->block.rows == 0)
        return SW_OK;
    if (sw_plog_block_failed(&s->block))
        return no_memory(error);
    SW_TRY(sw_plog_put_group(&s->out, &s->block, error));
    sw_plog_block_clear(&s->block);
    return SW_OK;
}

static sw_status take_pairs(sealing *s, sw_str ids, uint32_t rows, sw_error *error) {
    plog_pair *more = sw_mem_realloc(s->pairs, (s->rows + rows) * sizeof *more);
    if (!more)
        return no_memory(error);
    s->pairs = more;
    for (uint32_t i = 0; i < rows; i++)
        s->pairs[s->rows + i] = (plog_pair){sw_plog_hash(next_text(&ids), 0), s->rows + i};
    return SW_OK;
}

/* INVALID: the group is damaged. */
static sw_status take_group(sealing *s, const plog_group *group, sw_error *error) {
    plog_block *block = &s->block;
    if (block->rows + group->rows > PLOG_GROUP_ROWS || block->bytes > PLOG_GROUP_BYTES)
        SW_TRY(put_gathered(s, error));
    size_t before = block->bytes;
    for (uint32_t i = 0; i < group->count; i++) {
        sw_status status = sw_plog_get_chunk(&s->chunk, group, i, block->types[i], error);
        if (sw_failed(status)) { /* what went into earlier columns goes with it */
            sw_plog_block_clear(block);
            return status;
        }
        sw_buf_add_str(&block->chunks[i], sw_buf_str(&s->chunk));
        before += s->chunk.len;
        if (i == PLOG_ID)
            SW_TRY(take_pairs(s, sw_buf_str(&s->chunk), group->rows, error));
    }
    block->first_ms = block->rows ? block->first_ms : group->first_ms;
    if (group->first_ms < block->first_ms)
        block->first_ms = group->first_ms;
    if (block->rows == 0 || group->last_ms > block->last_ms)
        block->last_ms = group->last_ms;
    s->first_ms = s->rows && s->first_ms < group->first_ms ? s->first_ms : group->first_ms;
    s->last_ms = s->rows && s->last_ms > group->last_ms ? s->last_ms : group->last_ms;
    block->rows += group->rows;
    block->bytes = before;
    s->rows += group->rows;
    return SW_OK;
}

/* Whether all of the group's chunks are what was written. */
static bool is_whole(sealing *s, const plog_group *group) {
    for (uint32_t i = 0; i < group->count; i++)
        if (sw_failed(sw_plog_get_chunk(&s->chunk, group, i, s->block.types[i], NULL)))
            return false;
    return true;
}

static sw_status seal_bytes(sealing *s, sw_str bytes, sw_arena *arena, sw_error *error) {
    plog_schema schema;
    plog_group group;
    sw_str json;
    size_t at;
    if (!sw_plog_get_header(&json, &at, bytes))
        return SW_OK; /* torn before its first row */
    SW_TRY(sw_plog_schema_parse(&schema, json, arena, error));
    SW_TRY(sw_plog_block_make(&s->block, &schema, error));
    sw_plog_put_header(&s->out, json);
    while (sw_plog_get_group(&group, &at, bytes, s->block.count) && is_whole(s, &group))
        SW_TRY(take_group(s, &group, error));
    SW_TRY(put_gathered(s, error));
    sw_plog_put_index(&s->out, s->pairs, s->rows, s->first_ms, s->last_ms);
    return s->out.failed ? no_memory(error) : SW_OK;
}

/* The segment's rows as a sealed file; `segment` then says so. Rows 0: nothing was whole. */
static sw_status seal(plog_store *store, plog_segment *segment, const char *kind, sw_error *error) {
    char from[SW_PATH_BYTES], to[SW_PATH_BYTES];
    sealing s = {0};
    sw_arena arena = {0};
    sw_str bytes = {0};
    sw_plog_store_path(from, store, segment->number, kind);
    sw_plog_store_path(to, store, segment->number, "plog");
    sw_status status = sw_file_map(&bytes, from, error);
    if (status.code == SW_CODE_INVALID)
        status = SW_OK; /* empty */
    if (!sw_failed(status))
        status = seal_bytes(&s, bytes, &arena, error);
    if (!sw_failed(status) && s.rows)
        status = sw_file_write_whole(to, sw_buf_str(&s.out), error);
    if (!sw_failed(status)) {
        segment->rows = s.rows;
        segment->bytes = s.out.len;
        segment->first_ms = s.first_ms;
        segment->last_ms = s.last_ms;
        segment->sealed = true;
        if (strcmp(kind, "open") == 0 || s.rows == 0)
            status = sw_file_remove(from, error);
    }
    sw_file_unmap(bytes);
    sw_plog_block_free(&s.block);
    sw_buf_free(&s.out);
    sw_buf_free(&s.chunk);
    sw_mem_free(s.pairs);
    sw_arena_free(&arena);
    return status;
}

static void close_segment(plog_store *store) {
    sw_file_close(&store->fd);
    pthread_mutex_lock(&store->lock);
    forget_ids(store);
    pthread_mutex_unlock(&store->lock);
}

static bool is_due(const plog_store *store, const plog_segment *open, int64_t now_ms) {
    return open->rows + PLOG_GROUP_ROWS > PLOG_SEGMENT_ROWS || open->bytes >= PLOG_SEGMENT_BYTES ||
           now_ms - store->opened_ms >= PLOG_SEGMENT_MS || now_ms < store->opened_ms - 60000;
}

sw_status sw_plog_store_seal(plog_store *store, int64_t now_ms, bool all, sw_error *error) {
    for (size_t i = 0; i < store->segment_count; i++) {
        plog_segment segment = store->segments[i];
        bool growing = store->fd >= 0 && i + 1 == store->segment_count;
        if (segment.sealed || (growing && !all && !is_due(store, &segment, now_ms)))
            continue;
        SW_TRY(seal(store, &segment, "open", error));
        pthread_mutex_lock(&store->lock);
        segment.generation = store->segments[i].generation; /* labels came meanwhile */
        store->segments[i] = segment;
        pthread_mutex_unlock(&store->lock);
        if (growing)
            close_segment(store);
    }
    return SW_OK;
}

/* ---- Appending ---- */

static sw_status begin_segment(plog_store *store, int64_t now_ms, sw_error *error) {
    sw_buf header = {0};
    plog_segment segment = {.number = store->next_number, .first_ms = INT64_MAX};
    sw_plog_store_path(store->path, store, segment.number, "open");
    SW_TRY(sw_file_make_folders(NULL, store->folder, error));
    SW_TRY(sw_file_create(&store->fd, store->path, error));
    sw_plog_put_header(&header, sw_str_of(store->schema_json));
    sw_status status = header.failed
                           ? no_memory(error)
                           : sw_file_write(store->fd, sw_buf_str(&header), store->path, error);
    segment.bytes = header.len;
    sw_buf_free(&header);
    pthread_mutex_lock(&store->lock);
    if (!sw_failed(status))
        status = add_segment(store, segment, error);
    store->span_count = 0;
    pthread_mutex_unlock(&store->lock);
    store->opened_ms = now_ms;
    if (sw_failed(status)) {
        sw_file_close(&store->fd);
        (void)sw_failed(sw_file_remove(store->path, NULL));
    }
    return status;
}

static sw_status write_group(plog_store *store, sw_error *error) {
    sw_buf group = {0};
    plog_block *block = &store->block;
    plog_segment *segment = &store->segments[store->segment_count - 1];
    sw_status status = sw_plog_put_group(&group, block, error);
    if (!sw_failed(status))
        status = sw_file_write(store->fd, sw_buf_str(&group), store->path, error);
    pthread_mutex_lock(&store->lock);
    if (!sw_failed(status) && !add_ids(store, block, segment->rows))
        status = no_memory(error);
    if (!sw_failed(status)) {
        note_rows(store, block, segment->rows);
        segment->rows += block->rows;
        segment->bytes += group.len;
        segment->generation++;
        segment->first_ms =
            block->first_ms < segment->first_ms ? block->first_ms : segment->first_ms;
        segment->last_ms = block->last_ms > segment->last_ms ? block->last_ms : segment->last_ms;
    }
    pthread_mutex_unlock(&store->lock);
    sw_buf_free(&group);
    return status;
}

/* What was half written is behind the segment's good bytes: nothing more may follow there. */
static void give_up_segment(plog_store *store) {
    plog_segment *segment = &store->segments[store->segment_count - 1];
    bool empty = segment->rows == 0;
    pthread_mutex_lock(&store->lock);
    if (empty)
        store->segment_count--;
    pthread_mutex_unlock(&store->lock);
    close_segment(store);
    if (empty)
        (void)sw_failed(sw_file_remove(store->path, NULL));
}

sw_status sw_plog_store_append(plog_store *store, int64_t now_ms, sw_error *error) {
    if (store->block.rows == 0)
        return SW_OK;
    if (sw_plog_block_failed(&store->block)) {
        store->rows_dropped += store->block.rows;
        sw_plog_block_clear(&store->block);
        return no_memory(error);
    }
    if (store->fd < 0)
        SW_TRY(begin_segment(store, now_ms, error));
    sw_status status = write_group(store, error);
    if (sw_failed(status)) {
        give_up_segment(store);
        return status;
    }
    store->rows_logged += store->block.rows;
    return SW_OK;
}

sw_status sw_plog_store_use(plog_store *store, const plog_schema *schema, int64_t now_ms,
                            sw_error *error) {
    if (store->schema_json && sw_str_is(schema->json, store->schema_json))
        return SW_OK;
    if (store->has_block) {
        SW_TRY(sw_plog_store_append(store, now_ms, error));
        SW_TRY(sw_plog_store_seal(store, now_ms, true, error));
        sw_plog_block_free(&store->block);
        store->has_block = false;
    }
    sw_mem_free(store->schema_json);
    store->schema_json = sw_mem_copy(schema->json.at, schema->json.len);
    if (!store->schema_json)
        return no_memory(error);
    SW_TRY(sw_plog_block_make(&store->block, schema, error));
    store->has_block = true;
    return SW_OK;
}

/* ---- Deleting ---- */

void sw_plog_store_remove_oldest(plog_store *store) {
    static const char *const kinds[] = {"plog", "open", "labels"};
    char path[SW_PATH_BYTES];
    pthread_mutex_lock(&store->lock);
    uint64_t number = store->segments[0].number;
    store->segment_count--;
    memmove(store->segments, store->segments + 1, store->segment_count * sizeof *store->segments);
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        sw_plog_store_path(path, store, number, kinds[i]);
        (void)sw_failed(sw_file_remove(path, NULL));
    }
}

bool sw_plog_store_oldest(int64_t *last_ms, plog_store *store) {
    bool growing = store->segment_count == 1 && store->fd >= 0;
    if (store->segment_count == 0 || growing)
        return false;
    *last_ms = store->segments[0].last_ms;
    return true;
}

/* ---- Opened and freed ---- */

static sw_status visit_file(const char *name, void *context, sw_error *error) {
    plog_store *store = context;
    char *end;
    uint64_t number = strtoull(name, &end, 10);
    bool sealed = strcmp(end, ".plog") == 0, open = strcmp(end, ".open") == 0;
    if (end == name || (!sealed && !open))
        return SW_OK;
    for (size_t i = 0; i < store->segment_count; i++)
        if (store->segments[i].number == number) { /* sealed, and not yet removed */
            store->segments[i].sealed = true;
            return SW_OK;
        }
    return add_segment(store, (plog_segment){.number = number, .sealed = sealed}, error);
}

static int by_number(const void *left, const void *right) {
    const plog_segment *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

/* False where the file has no whole foot. */
static bool read_facts(plog_store *store, plog_segment *segment) {
    char path[SW_PATH_BYTES];
    plog_foot foot;
    sw_str bytes;
    sw_plog_store_path(path, store, segment->number, "plog");
    if (sw_failed(sw_file_map(&bytes, path, NULL)))
        return false;
    bool whole = sw_plog_get_foot(&foot, bytes) && sw_plog_index_whole(&foot);
    if (whole)
        *segment = (plog_segment){.number = segment->number,
                                  .rows = foot.index.rows,
                                  .bytes = bytes.len,
                                  .first_ms = foot.first_ms,
                                  .last_ms = foot.last_ms,
                                  .sealed = true};
    sw_file_unmap(bytes);
    return whole;
}

/* An open segment of another life is sealed; what cannot be read or written is left where it is. */
static void recover(plog_store *store) {
    size_t kept = 0;
    for (size_t i = 0; i < store->segment_count; i++) {
        plog_segment segment = store->segments[i];
        char open[SW_PATH_BYTES];
        sw_plog_store_path(open, store, segment.number, "open");
        bool was_open = !segment.sealed;
        bool whole = segment.sealed && read_facts(store, &segment);
        if (whole)
            (void)sw_failed(sw_file_remove(open, NULL));
        else
            whole = !sw_failed(seal(store, &segment, segment.sealed ? "plog" : "open", NULL));
        segment.recovered = was_open;
        if (whole && segment.rows)
            store->segments[kept++] = segment;
    }
    store->segment_count = kept;
}

sw_status sw_plog_store_open(plog_store **out, const char *root, sw_str model, uint32_t version,
                             sw_error *error) {
    char folder[SW_PATH_BYTES];
    plog_store *store = sw_mem_zalloc(1, sizeof *store);
    if (!store)
        return no_memory(error);
    pthread_mutex_init(&store->lock, NULL);
    store->fd = -1;
    store->version = version;
    store->next_number = 1;
    snprintf(folder, sizeof folder, "%s/%.*s/%u", root, SW_STR_ARG(model), version);
    store->folder = sw_mem_copy(folder, strlen(folder));
    store->model = sw_mem_copy(model.at, model.len);
    sw_status status = store->folder && store->model ? SW_OK : no_memory(error);
    if (!sw_failed(status))
        status = sw_file_each(folder, visit_file, store, error);
    if (sw_failed(status)) {
        sw_plog_store_free(store);
        return status;
    }
    if (store->segment_count)
        qsort(store->segments, store->segment_count, sizeof *store->segments, by_number);
    recover(store);
    *out = store;
    return SW_OK;
}

void sw_plog_store_free(plog_store *store) {
    if (!store)
        return;
    sw_file_close(&store->fd);
    sw_plog_block_free(&store->block);
    sw_mem_free(store->ids);
    sw_mem_free(store->segments);
    sw_mem_free(store->schema_json);
    sw_mem_free(store->folder);
    sw_mem_free(store->model);
    pthread_mutex_destroy(&store->lock);
    sw_mem_free(store);
}
