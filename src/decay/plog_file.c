/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/plog_private.h"

#include "base/mem.h"

#include <stdlib.h>
#include <zstd.h>

static const char magic[8] = "SWPLOG1\n";

enum {
    GROUP_MAGIC = 0x50475753,
    FOOT_MAGIC = 0x46475753,
    GROUP_ROWS_MAX = 1 << 16,
    CHUNK_BYTES_MAX = 256 << 20,
    COMPRESS_FROM = 256, /* bytes: shorter chunks stay as they are */
    LEVEL = 3,
};
enum { CODEC_RAW, CODEC_ZSTD };

typedef struct group_head {
    uint32_t magic, bytes, rows, chunks;
    int64_t first_ms, last_ms;
    uint64_t check;
} group_head;

typedef struct file_foot {
    uint64_t index_at;
    int64_t first_ms, last_ms;
    uint32_t rows, magic;
    uint64_t index_check;
    uint64_t check; /* of what stands above */
} file_foot;

/* Stored in files: it must never change. By 128-bit products, as wyhash (Wang Yi). */
static uint64_t mix(uint64_t a, uint64_t b) {
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD1B54A32D192ED03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t sw_plog_hash(sw_str s, uint64_t seed) {
    uint64_t hash = seed ^ s.len, word = 0;
    for (; s.len >= 8; s = (sw_str){s.at + 8, s.len - 8}) {
        memcpy(&word, s.at, 8);
        hash = mix(hash, word);
    }
    word = 0;
    if (s.len)
        memcpy(&word, s.at, s.len);
    return mix(mix(hash, word), seed);
}

static uint32_t check_of(const void *bytes, size_t len) {
    return (uint32_t)sw_plog_hash((sw_str){bytes, len}, 1);
}

static void pad(sw_buf *out, size_t from) {
    static const char zeros[8] = {0};
    sw_buf_add(out, zeros, (8 - (out->len - from) % 8) % 8);
}

/* ---- The header ---- */

void sw_plog_put_header(sw_buf *out, sw_str schema_json) {
    size_t start = out->len;
    uint32_t numbers[2] = {(uint32_t)schema_json.len, check_of(schema_json.at, schema_json.len)};
    sw_buf_add(out, magic, sizeof magic);
    sw_buf_add(out, numbers, sizeof numbers);
    sw_buf_add_str(out, schema_json);
    pad(out, start);
}

bool sw_plog_get_header(sw_str *schema_json, size_t *used, sw_str bytes) {
    uint32_t numbers[2];
    if (bytes.len < 16 || memcmp(bytes.at, magic, sizeof magic) != 0)
        return false;
    memcpy(numbers, bytes.at + 8, sizeof numbers);
    if (numbers[0] > bytes.len - 16)
        return false;
    *schema_json = (sw_str){bytes.at + 16, numbers[0]};
    *used = (16 + (size_t)numbers[0] + 7) & ~(size_t)7;
    return check_of(schema_json->at, schema_json->len) == numbers[1] && *used <= bytes.len;
}

/* ---- Groups ---- */

/* 0: TEXT. */
static size_t width_of(sw_plog_type type) {
    static const uint8_t widths[SW_PLOG_TYPE_COUNT] = {
        [SW_PLOG_F32] = 4,  [SW_PLOG_F64] = 8,    [SW_PLOG_I64] = 8,
        [SW_PLOG_TEXT] = 0, [SW_PLOG_HASHED] = 8, [SW_PLOG_MASKED] = 1};
    return widths[type];
}

/* Byte k of every value together: bytes that mean the same compress better beside each other. */
static void split_planes(char *to, const char *from, size_t len, size_t width) {
    size_t count = len / width;
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < count; i++)
            to[k * count + i] = from[i * width + k];
}

static void join_planes(char *to, const char *from, size_t len, size_t width) {
    size_t count = len / width;
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < count; i++)
            to[i * width + k] = from[k * count + i];
}

/* Whole numbers (times, most of all) go as differences. */
static void to_differences(char *bytes, size_t len, bool back) {
    uint64_t before = 0, value;
    for (size_t i = 0; i + 8 <= len; i += 8) {
        memcpy(&value, bytes + i, 8);
        uint64_t put = back ? value + before : value - before;
        before = back ? put : value;
        memcpy(bytes + i, &put, 8);
    }
}

static sw_status compress(sw_buf *out, plog_chunk *chunk, sw_str raw, sw_plog_type type,
                          sw_error *error) {
    size_t width = width_of(type), bound = ZSTD_compressBound(raw.len);
    char *copy = sw_mem_alloc(2 * raw.len), *planes = copy ? copy + raw.len : NULL;
    if (!copy || !sw_buf_reserve(out, bound)) {
        sw_mem_free(copy);
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a group of the prediction log");
    }
    memcpy(copy, raw.at, raw.len);
    if (type == SW_PLOG_I64)
        to_differences(copy, raw.len, false);
    if (width > 1)
        split_planes(planes, copy, raw.len, width);
    size_t done =
        ZSTD_compress(out->at + out->len, bound, width > 1 ? planes : copy, raw.len, LEVEL);
    sw_mem_free(copy);
    chunk->codec = CODEC_ZSTD;
    if (ZSTD_isError(done) || done >= raw.len) {
        memcpy(out->at + out->len, raw.at, raw.len);
        chunk->codec = CODEC_RAW;
        done = raw.len;
    }
    chunk->stored_bytes = (uint32_t)done;
    chunk->check = check_of(out->at + out->len, done);
    out->len += done;
    return SW_OK;
}

static sw_status put_chunk(sw_buf *out, size_t chunk_at, sw_str raw, sw_plog_type type,
                           sw_error *error) {
    plog_chunk chunk = {.raw_bytes = (uint32_t)raw.len, .stored_bytes = (uint32_t)raw.len};
    if (raw.len >= COMPRESS_FROM) {
        SW_TRY(compress(out, &chunk, raw, type, error));
    } else {
        chunk.check = check_of(raw.at, raw.len);
        sw_buf_add_str(out, raw);
    }
    if (!out->failed)
        memcpy(out->at + chunk_at, &chunk, sizeof chunk);
    return SW_OK;
}

static uint64_t head_check(const char *at, uint32_t chunks) {
    return sw_plog_hash((sw_str){at + sizeof(group_head), chunks * sizeof(plog_chunk)},
                        sw_plog_hash((sw_str){at, offsetof(group_head, check)}, 2));
}

sw_status sw_plog_put_group(sw_buf *out, const plog_block *block, sw_error *error) {
    size_t start = out->len, head_bytes = sizeof(group_head) + block->count * sizeof(plog_chunk);
    if (!sw_buf_reserve(out, head_bytes))
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a group of the prediction log");
    out->len += head_bytes;
    for (uint32_t i = 0; i < block->count; i++)
        SW_TRY(put_chunk(out, start + sizeof(group_head) + i * sizeof(plog_chunk),
                         sw_buf_str(&block->chunks[i]), block->types[i], error));
    pad(out, start);
    if (out->failed)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a group of the prediction log");
    group_head head = {.magic = GROUP_MAGIC,
                       .bytes = (uint32_t)(out->len - start),
                       .rows = block->rows,
                       .chunks = block->count,
                       .first_ms = block->first_ms,
                       .last_ms = block->last_ms};
    memcpy(out->at + start, &head, sizeof head);
    head.check = head_check(out->at + start, block->count);
    memcpy(out->at + start, &head, sizeof head);
    return SW_OK;
}

static bool chunks_fit(const plog_chunk *chunks, uint32_t count, size_t room) {
    for (uint32_t i = 0; i < count; i++) {
        if (chunks[i].stored_bytes > room || chunks[i].raw_bytes > CHUNK_BYTES_MAX ||
            chunks[i].codec > CODEC_ZSTD)
            return false;
        room -= chunks[i].stored_bytes;
    }
    return true;
}

bool sw_plog_get_group(plog_group *out, size_t *at, sw_str bytes, uint32_t count) {
    group_head head;
    size_t head_bytes = sizeof head + (size_t)count * sizeof(plog_chunk);
    if (*at > bytes.len || bytes.len - *at < head_bytes || (uintptr_t)(bytes.at + *at) % 8)
        return false;
    const char *start = bytes.at + *at;
    memcpy(&head, start, sizeof head);
    if (head.magic != GROUP_MAGIC || head.chunks != count || head.rows == 0 ||
        head.rows > GROUP_ROWS_MAX || head.bytes < head_bytes || head.bytes % 8 ||
        head.bytes > bytes.len - *at || head.check != head_check(start, count))
        return false;
    *out = (plog_group){.rows = head.rows,
                        .count = count,
                        .first_ms = head.first_ms,
                        .last_ms = head.last_ms,
                        .chunks = (const plog_chunk *)(start + sizeof head),
                        .data = start + head_bytes};
    if (!chunks_fit(out->chunks, count, head.bytes - head_bytes))
        return false;
    *at += head.bytes;
    return true;
}

static sw_status damaged(sw_error *error) {
    return sw_fail(error, SW_CODE_INVALID, "a group of the prediction log is damaged");
}

static sw_status decompress(sw_buf *out, const plog_chunk *chunk, sw_str stored, sw_plog_type type,
                            sw_error *error) {
    size_t raw = chunk->raw_bytes, width = width_of(type);
    /* What a frame says of its size comes first: a lying descriptor costs no memory. */
    if (ZSTD_getFrameContentSize(stored.at, stored.len) != raw || (width && raw % width))
        return damaged(error);
    if (!sw_buf_reserve(out, 2 * raw))
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction log");
    char *planes = width > 1 ? out->at + raw : out->at;
    if (ZSTD_decompress(planes, raw, stored.at, stored.len) != raw)
        return damaged(error);
    if (width > 1)
        join_planes(out->at, planes, raw, width);
    if (type == SW_PLOG_I64)
        to_differences(out->at, raw, true);
    out->len = raw;
    return SW_OK;
}

sw_status sw_plog_get_chunk(sw_buf *out, const plog_group *group, uint32_t at, sw_plog_type type,
                            sw_error *error) {
    const plog_chunk *chunk = &group->chunks[at];
    const char *data = group->data;
    size_t width = width_of(type);
    for (uint32_t i = 0; i < at; i++)
        data += group->chunks[i].stored_bytes;
    sw_str stored = {data, chunk->stored_bytes};
    sw_buf_clear(out);
    if (check_of(stored.at, stored.len) != chunk->check ||
        (width && chunk->raw_bytes != group->rows * width))
        return damaged(error);
    if (chunk->codec == CODEC_ZSTD)
        return decompress(out, chunk, stored, type, error);
    sw_buf_add_str(out, stored);
    if (out->failed)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction log");
    return chunk->stored_bytes == chunk->raw_bytes ? SW_OK : damaged(error);
}

/* ---- The index and the foot ---- */

static int by_hash(const void *left, const void *right) {
    const plog_pair *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static uint64_t foot_check(const file_foot *foot) {
    return sw_plog_hash((sw_str){(const char *)foot, offsetof(file_foot, check)}, 4);
}

void sw_plog_put_index(sw_buf *out, plog_pair *pairs, uint32_t rows, int64_t first_ms,
                       int64_t last_ms) {
    file_foot foot = {out->len, first_ms, last_ms, rows, FOOT_MAGIC, 0, 0};
    if (rows)
        qsort(pairs, rows, sizeof *pairs, by_hash);
    for (uint32_t i = 0; i < rows; i++)
        sw_buf_add(out, &pairs[i].hash, sizeof pairs[i].hash);
    for (uint32_t i = 0; i < rows; i++)
        sw_buf_add(out, &pairs[i].row, sizeof pairs[i].row);
    pad(out, (size_t)foot.index_at);
    if (out->failed)
        return;
    sw_str index = {out->at + foot.index_at, out->len - (size_t)foot.index_at};
    foot.index_check = sw_plog_hash(index, 3);
    foot.check = foot_check(&foot);
    sw_buf_add(out, &foot, sizeof foot);
}

bool sw_plog_get_foot(plog_foot *out, sw_str bytes) {
    file_foot foot;
    if (bytes.len < sizeof foot)
        return false;
    size_t end = bytes.len - sizeof foot;
    memcpy(&foot, bytes.at + end, sizeof foot);
    if (foot.magic != FOOT_MAGIC || foot.index_at > end)
        return false;
    sw_str index = {bytes.at + foot.index_at, end - (size_t)foot.index_at};
    size_t wanted = (((size_t)foot.rows * 12) + 7) & ~(size_t)7;
    if (index.len != wanted || foot.check != foot_check(&foot))
        return false;
    *out = (plog_foot){.index = {index.at, index.at + (size_t)foot.rows * 8, foot.rows},
                       .index_check = foot.index_check,
                       .first_ms = foot.first_ms,
                       .last_ms = foot.last_ms,
                       .groups_end = (size_t)foot.index_at};
    return true;
}

bool sw_plog_index_whole(const plog_foot *foot) {
    size_t len = ((size_t)foot->index.rows * 12 + 7) & ~(size_t)7;
    return sw_plog_hash((sw_str){foot->index.hashes, len}, 3) == foot->index_check;
}

static uint64_t hash_at(const plog_index *index, uint32_t i) {
    uint64_t hash;
    memcpy(&hash, index->hashes + (size_t)i * 8, 8);
    return hash;
}

bool sw_plog_index_find(uint32_t *row, const plog_index *index, uint64_t hash) {
    uint32_t low = 0, high = index->rows; /* behind the last that is not above `hash` */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hash_at(index, middle) <= hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || hash_at(index, low - 1) != hash)
        return false;
    memcpy(row, index->at + (size_t)(low - 1) * 4, 4);
    return *row < index->rows;
}
