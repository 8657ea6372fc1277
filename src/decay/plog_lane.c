/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a loop to the log's thread: which rows the sample takes, and how they get across.
 *
 * A row is taken where the hash of its id is not above a threshold, so the choice is uniform, the
 * same wherever it is made, and costs a comparison. The log's thread sets the threshold each second
 * from the traffic of the last; a loop halves the share by itself whenever it took a whole second's
 * worth, so that a burst fills no queue. A row's weight is one over the share it was taken with.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "decay/plog_private.h"
#include "store/sha256.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

/* In front of a row in a ring; a row never wraps. `bytes` counts the head, and is a multiple of 8. */
typedef struct record {
    uint32_t bytes;
    uint16_t id_bytes;
    uint16_t skip; /* 1: no row, only the ring's end */
    int64_t at_ms;
    double weight;
} record;

uint64_t sw_plog_threshold(double share) {
    return share >= 1 ? UINT64_MAX : share <= 0 ? 0 : (uint64_t)(share * 0x1p64);
}

/* ---- On the loop ---- */

static char *put_text(char *to, sw_str text) {
    uint32_t len = (uint32_t)text.len;
    memcpy(to, &len, sizeof len);
    if (len)
        memcpy(to + sizeof len, text.at, len);
    return to + sizeof len + len;
}

static sw_str cut(sw_str text) {
    if (text.len > SW_PLOG_TEXT_BYTES_MAX)
        text.len = SW_PLOG_TEXT_BYTES_MAX;
    return text;
}

static size_t text_bytes(const sw_plog_writer *w, const sw_tensor *const sides[2], size_t row) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < w->piece_count; i++) {
        const plog_piece *piece = &w->pieces[i];
        if (piece->bytes)
            continue;
        const sw_str *texts = sides[piece->output][piece->tensor].data;
        for (uint32_t k = 0; k < piece->elements; k++)
            bytes += 4 + cut(texts[row * piece->elements + k]).len;
    }
    return bytes;
}

static void put_values(char *to, const sw_plog_writer *w, const sw_tensor *const sides[2],
                       size_t row) {
    for (uint32_t i = 0; i < w->piece_count; i++) {
        const plog_piece *piece = &w->pieces[i];
        const sw_tensor *t = &sides[piece->output][piece->tensor];
        if (piece->bytes == 4) { /* columns of their own, most of the time */
            memcpy(to, (const char *)t->data + row * 4, 4);
            to += 4;
        } else if (piece->bytes) {
            memcpy(to, (const char *)t->data + row * piece->bytes, piece->bytes);
            to += piece->bytes;
        } else {
            const sw_str *texts = t->data;
            for (uint32_t k = 0; k < piece->elements; k++)
                to = put_text(to, cut(texts[row * piece->elements + k]));
        }
    }
}

/* Room for `bytes` in one piece, or NULL where the queue is full. */
static char *make_room(sw_plog_writer *w, plog_lane *lane, uint32_t bytes) {
    uint64_t written = atomic_load_explicit(&lane->written, memory_order_relaxed);
    uint32_t at = (uint32_t)written & (w->ring_bytes - 1), to_end = w->ring_bytes - at;
    uint32_t wanted = bytes > to_end ? to_end + bytes : bytes;
    if (written + wanted - lane->read_seen > w->ring_bytes) {
        lane->read_seen = atomic_load_explicit(&lane->read, memory_order_acquire);
        if (written + wanted - lane->read_seen > w->ring_bytes)
            return NULL;
    }
    if (bytes <= to_end)
        return lane->ring + at;
    if (to_end >= sizeof(record))
        memcpy(lane->ring + at, &(record){.bytes = to_end, .skip = 1}, sizeof(record));
    atomic_store_explicit(&lane->written, written + to_end, memory_order_release);
    return lane->ring;
}

static void count_dropped(plog_lane *lane, uint64_t rows) {
    uint64_t now = atomic_load_explicit(&lane->rows_dropped, memory_order_relaxed);
    atomic_store_explicit(&lane->rows_dropped, now + rows, memory_order_relaxed);
}

/* `suffix`: ".7" of a row of many, or empty. */
static void put_row(sw_plog_writer *w, plog_lane *lane, sw_str id, sw_str suffix,
                    const sw_tensor *const sides[2], size_t row, int64_t at_ms) {
    size_t id_bytes = id.len + suffix.len;
    size_t bytes = sizeof(record) + id_bytes + w->fixed_bytes + text_bytes(w, sides, row);
    bytes = (bytes + 7) & ~(size_t)7;
    char *to = id_bytes <= SW_PLOG_ID_BYTES_MAX && bytes <= w->ring_bytes / 2
                   ? make_room(w, lane, (uint32_t)bytes)
                   : NULL;
    if (!to) {
        count_dropped(lane, 1);
        return;
    }
    record head = {(uint32_t)bytes, (uint16_t)id_bytes, 0, at_ms,
                   lane->threshold == UINT64_MAX ? 1 : 0x1p64 / (double)lane->threshold};
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, id.at, id.len);
    if (suffix.len)
        memcpy(to + sizeof head + id.len, suffix.at, suffix.len);
    put_values(to + sizeof head + id_bytes, w, sides, row);
    uint64_t written = atomic_load_explicit(&lane->written, memory_order_relaxed);
    atomic_store_explicit(&lane->written, written + bytes, memory_order_release);
    if (++lane->taken % w->burst_rows == 0)
        lane->threshold /= 2;
}

/* Rows are where the plan expects them: a model's outputs may have any shape. */
static bool fits(const sw_plog_writer *w, const sw_tensor *const sides[2], size_t rows) {
    for (uint32_t i = 0; i < w->piece_count; i++) {
        const plog_piece *piece = &w->pieces[i];
        if (sides[piece->output][piece->tensor].count != rows * piece->elements)
            return false;
    }
    return true;
}

static void put_rows(sw_plog_writer *w, plog_lane *lane, int64_t at_ms, sw_str id,
                     const sw_str *row_ids, const sw_tensor *const sides[2], size_t rows) {
    char text[24];
    uint64_t whole = sw_plog_hash(id, 0), request_threshold = lane->threshold;
    bool checked = false;
    for (size_t row = 0; row < rows; row++) {
        bool own = row_ids && row_ids[row].len;
        uint64_t hash = own         ? sw_plog_hash(row_ids[row], 0)
                        : rows == 1 ? whole
                                    : sw_plog_hash((sw_str){(char *)&row, sizeof row}, whole);
        if (w->whole_requests ? whole > request_threshold : hash > lane->threshold)
            continue;
        if (!checked && !fits(w, sides, rows))
            return;
        checked = true;
        at_ms = at_ms ? at_ms : sw_clock_wall_ms();
        sw_str suffix = {0};
        if (!own && rows > 1)
            suffix = (sw_str){text, (size_t)snprintf(text, sizeof text, ".%zu", row)};
        put_row(w, lane, own ? row_ids[row] : id, suffix, sides, row, at_ms);
    }
}

static void put_at(sw_plog_writer *w, plog_lane *lane, int64_t at_ms, sw_str id,
                   const sw_str *row_ids, const sw_tensor *const sides[2], size_t rows) {
    uint32_t tick = atomic_load_explicit(&w->tick, memory_order_relaxed);
    uint64_t seen = atomic_load_explicit(&lane->rows_seen, memory_order_relaxed);
    atomic_store_explicit(&lane->rows_seen, seen + rows, memory_order_relaxed);
    if (tick != lane->tick) {
        lane->tick = tick;
        lane->taken = 0;
        lane->threshold = atomic_load_explicit(&w->threshold, memory_order_relaxed);
    }
    put_rows(w, lane, at_ms, id, row_ids, sides, rows);
}

void sw_plog_put(sw_plog_writer *w, uint32_t loop, sw_str id, const sw_str *row_ids,
                 const sw_tensor *inputs, const sw_tensor *outputs, size_t rows) {
    put_at(w, &w->lanes[loop], 0, id, row_ids, (const sw_tensor *const[2]){inputs, outputs}, rows);
}

void sw_plog_put_shared(sw_plog_writer *w, int64_t at_ms, sw_str id, const sw_str *row_ids,
                        const sw_tensor *inputs, const sw_tensor *outputs, size_t rows) {
    pthread_mutex_lock(&w->sharing);
    put_at(w, &w->lanes[w->lane_count - 1], at_ms, id, row_ids,
           (const sw_tensor *const[2]){inputs, outputs}, rows);
    pthread_mutex_unlock(&w->sharing);
}

/* ---- On the log's thread ---- */

/* HMAC-SHA-256 (RFC 2104), its first 64 bits; 0 stands for a missing value and is never given. */
static uint64_t keyed_hash(const uint8_t key[32], sw_str value) {
    char inner[64 + SW_PLOG_TEXT_BYTES_MAX], outer[64 + SW_SHA256_BYTES];
    uint8_t digest[SW_SHA256_BYTES];
    uint64_t hash;
    value = cut(value);
    for (size_t i = 0; i < 64; i++) {
        uint8_t k = i < 32 ? key[i] : 0;
        inner[i] = (char)(k ^ 0x36);
        outer[i] = (char)(k ^ 0x5c);
    }
    memcpy(inner + 64, value.at, value.len);
    sw_sha256_of((uint8_t *)outer + 64, (sw_str){inner, 64 + value.len});
    sw_sha256_of(digest, (sw_str){outer, sizeof outer});
    memcpy(&hash, digest, sizeof hash);
    return hash ? hash : 1;
}

typedef struct value {
    double number;
    int64_t whole;
    sw_str text;
    bool is_text;
} value;

static bool is_missing(const value *v) {
    return v->is_text ? v->text.len == 0 : isnan(v->number);
}

static void put_value(sw_buf *out, sw_plog_type type, const value *v, const uint8_t key[32]) {
    switch (type) {
    case SW_PLOG_F32: {
        float f = (float)v->number;
        sw_buf_add(out, &f, sizeof f);
        break;
    }
    case SW_PLOG_F64: sw_buf_add(out, &v->number, sizeof v->number); break;
    case SW_PLOG_I64: sw_buf_add(out, &v->whole, sizeof v->whole); break;
    case SW_PLOG_MASKED: sw_buf_add_char(out, is_missing(v) ? 0 : 1); break;
    case SW_PLOG_HASHED: {
        sw_str text = v->is_text ? v->text : (sw_str){(const char *)&v->number, 8};
        uint64_t hash = is_missing(v) ? 0 : keyed_hash(key, text);
        sw_buf_add(out, &hash, sizeof hash);
        break;
    }
    case SW_PLOG_TEXT: {
        uint32_t len = (uint32_t)v->text.len;
        sw_buf_add(out, &len, sizeof len);
        sw_buf_add_str(out, v->text);
        break;
    }
    case SW_PLOG_TYPE_COUNT: break;
    }
}

/* Each value of a record in turn; `at` moves behind it. */
static value take_value(const char **at, sw_dtype dtype) {
    value v = {0};
    if (dtype == SW_BYTES) {
        uint32_t len;
        memcpy(&len, *at, sizeof len);
        v.text = (sw_str){*at + sizeof len, len};
        v.is_text = true;
        *at += sizeof len + len;
        return v;
    }
    uint64_t aligned = 0;
    size_t size = sw_dtype_size(dtype);
    memcpy(&aligned, *at, size);
    *at += size;
    sw_tensor one = {.dtype = dtype, .count = 1, .data = &aligned};
    v.number = sw_tensor_f64(&one, 0);
    v.whole = dtype == SW_INT64 ? (int64_t)aligned : (int64_t)v.number;
    return v;
}

static void take_record(sw_plog_writer *w, const char *at, const uint8_t key[32]) {
    plog_block *block = &w->store->block;
    record head;
    memcpy(&head, at, sizeof head);
    const char *values = at + sizeof head;
    uint32_t id_bytes = head.id_bytes;
    float weight = (float)head.weight;
    sw_buf_add(&block->chunks[PLOG_TIME], &head.at_ms, sizeof head.at_ms);
    sw_buf_add(&block->chunks[PLOG_ID], &id_bytes, sizeof id_bytes);
    sw_buf_add(&block->chunks[PLOG_ID], values, id_bytes);
    sw_buf_add(&block->chunks[PLOG_WEIGHT], &weight, sizeof weight);
    values += id_bytes;
    uint32_t element = 0, taken = 0;
    for (uint32_t i = 0; i < w->piece_count; i++)
        for (uint32_t k = 0; k < w->pieces[i].elements; k++, element++) {
            value v = take_value(&values, w->pieces[i].dtype);
            for (; taken < w->schema.count && w->takes[taken].element == element; taken++) {
                uint32_t to = PLOG_FIRST + w->takes[taken].column;
                put_value(&block->chunks[to], block->types[to], &v, key);
            }
        }
    block->first_ms = block->rows && block->first_ms < head.at_ms ? block->first_ms : head.at_ms;
    block->last_ms = block->rows && block->last_ms > head.at_ms ? block->last_ms : head.at_ms;
    block->rows++;
    block->bytes += head.bytes;
}

void sw_plog_drain(sw_plog_writer *w, plog_lane *lane, const uint8_t key[32]) {
    uint64_t read = atomic_load_explicit(&lane->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&lane->written, memory_order_acquire);
    while (read < written && w->store->block.rows < PLOG_GROUP_ROWS &&
           w->store->block.bytes < PLOG_GROUP_BYTES) {
        uint32_t at = (uint32_t)read & (w->ring_bytes - 1), to_end = w->ring_bytes - at;
        record head = {.bytes = to_end, .skip = 1};
        if (to_end >= sizeof head)
            memcpy(&head, lane->ring + at, sizeof head);
        if (!head.skip)
            take_record(w, lane->ring + at, key);
        read += head.bytes;
        atomic_store_explicit(&lane->read, read, memory_order_release);
    }
}
