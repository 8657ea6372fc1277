/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plog_private: how rows lie in a segment file, and what the files of the prediction log share.
 *
 * A segment file:
 *     "SWPLOG1\n", u32 length and u32 check of the schema, the schema (JSON), padded to 8 bytes;
 *     groups of rows: a head, a descriptor for each chunk, the chunks; padded to 8 bytes;
 *     once sealed: the ids' hashes in order with their rows, and a foot.
 * A chunk is one column of a group: raw, or split into byte planes and compressed (zstd). The first
 * three columns are time, id and weight. Head, chunks, index and schema are checksummed each. All
 * numbers are little-endian.
 *
 * "N.open" grows by a small group a second; "N.plog" is the same rows in large groups, written
 * whole. What a crash tore off an open segment's end is left out when it is sealed at the next
 * start. "N.labels" beside it has 16 bytes a row: sw_plog_label.
 *
 * Layer: decay.
 */
#ifndef SW_DECAY_PLOG_PRIVATE_H
#define SW_DECAY_PLOG_PRIVATE_H

#include "decay/prediction_log.h"
#include "io/file.h"

#include <pthread.h>

enum {
    PLOG_TIME,
    PLOG_ID,
    PLOG_WEIGHT,
    PLOG_FIRST, /* index of the first column of the schema among a group's chunks */
    PLOG_GROUP_ROWS = 8192,
    PLOG_GROUP_BYTES = 4 << 20, /* of raw columns, about */
    PLOG_SEGMENT_ROWS = 1 << 17,
    PLOG_SEGMENT_BYTES = 16 << 20, /* of an open one */
    PLOG_SEGMENT_MS = 6 * 3600 * 1000,
    PLOG_SPAN_MS = 5 * 60 * 1000,
    PLOG_SPANS_MAX = 128,
    PLOG_COLUMNS_MAX = 1 << 17,
};

/* ---- Schema ---- */

typedef struct plog_schema {
    sw_plog_column *columns;
    uint32_t count;
    sw_str json;
} plog_schema;

/* Where a column's values come from. */
typedef struct plog_source {
    uint32_t tensor; /* of the inputs or outputs */
    uint32_t element;
    sw_dtype dtype;
} plog_source;

/* The columns that a version's settings leave, with `*sources` beside them. */
SW_MUST_USE sw_status sw_plog_schema_make(plog_schema *out, plog_source **sources,
                                          const sw_signature *signature,
                                          const sw_monitor_settings *settings, sw_arena *arena,
                                          sw_error *error);
SW_MUST_USE sw_status sw_plog_schema_parse(plog_schema *out, sw_str json, sw_arena *arena,
                                           sw_error *error);

/* ---- Blocks: columns in memory ---- */

/* TEXT values are a u32 length and their bytes, the others numbers of their width. */
typedef struct plog_block {
    sw_plog_type *types; /* time, id and weight first */
    sw_buf *chunks;
    uint32_t count;
    uint32_t rows;
    size_t bytes;
    int64_t first_ms, last_ms;
} plog_block;

SW_MUST_USE sw_status sw_plog_block_make(plog_block *out, const plog_schema *schema,
                                         sw_error *error);
void sw_plog_block_clear(plog_block *block);
void sw_plog_block_free(plog_block *block);
/* Room for one of its chunks failed at some time. */
bool sw_plog_block_failed(const plog_block *block);

/* ---- Files ---- */

typedef struct plog_chunk {
    uint32_t raw_bytes, stored_bytes, codec, check;
} plog_chunk;

typedef struct plog_group {
    uint32_t rows, count;
    int64_t first_ms, last_ms;
    const plog_chunk *chunks;
    const char *data;
} plog_group;

typedef struct plog_index {
    const char *hashes; /* `rows` u64, ascending; may lie unaligned */
    const char *at;     /* `rows` u32: the row of each */
    uint32_t rows;
} plog_index;

uint64_t sw_plog_hash(sw_str bytes, uint64_t seed);

void sw_plog_put_header(sw_buf *out, sw_str schema_json);
/* False where `bytes` begins with none. `*used`: where the groups begin. */
bool sw_plog_get_header(sw_str *schema_json, size_t *used, sw_str bytes);
SW_MUST_USE sw_status sw_plog_put_group(sw_buf *out, const plog_block *block, sw_error *error);
/* The group at `*at`, which moves behind it. False at the end, or where what stands there is torn
 * or no group of `count` chunks. */
bool sw_plog_get_group(plog_group *out, size_t *at, sw_str bytes, uint32_t count);
/* A chunk's raw bytes, into `out` (cleared before). INVALID where its checksum is wrong. */
SW_MUST_USE sw_status sw_plog_get_chunk(sw_buf *out, const plog_group *group, uint32_t chunk,
                                        sw_plog_type type, sw_error *error);
/* `pairs` are sorted here. */
typedef struct plog_pair {
    uint64_t hash;
    uint32_t row;
} plog_pair;
void sw_plog_put_index(sw_buf *out, plog_pair *pairs, uint32_t rows, int64_t first_ms,
                       int64_t last_ms);
typedef struct plog_foot {
    plog_index index;
    int64_t first_ms, last_ms;
    size_t groups_end;
    uint64_t index_check;
} plog_foot;
/* False where the file was not sealed, or its end is damaged. */
bool sw_plog_get_foot(plog_foot *out, sw_str bytes);
/* Whether the index is as it was written: for once, when a file is opened. */
bool sw_plog_index_whole(const plog_foot *foot);
/* The newest row with this hash. */
bool sw_plog_index_find(uint32_t *row, const plog_index *index, uint64_t hash);

/* ---- Labels beside a segment ---- */

enum { PLOG_LABEL_NONE, PLOG_LABEL_NUMBER, PLOG_LABEL_CLASS };
typedef struct sw_plog_label {
    double value;  /* the number, or the class's code */
    uint32_t at_s; /* when the truth was known; since 1970 */
    uint32_t kind;
} sw_plog_label;

/* ---- Stores: the folder of one version ---- */

typedef struct plog_segment {
    uint64_t number;
    uint32_t rows;
    uint64_t bytes; /* of an open one: those that are good */
    int64_t first_ms, last_ms;
    bool sealed;
    bool recovered;      /* a crash left it open: its rows may have labels that nobody joined */
    uint64_t generation; /* grows with each row and label */
} plog_segment;

/* Rows of the open segment that follow each other, by time: what is new about which time. */
typedef struct plog_span {
    int64_t first_ms, last_ms;
    uint32_t first_row;
    uint64_t generation; /* grows with each of their rows and labels */
} plog_span;

/* What is kept of a model. */
typedef struct plog_retention {
    struct plog_retention *next;
    char *model;
    _Atomic uint32_t days;      /* 0: for ever */
    _Atomic uint64_t bytes_max; /* of all versions */
} plog_retention;

typedef struct plog_store {
    struct plog_store *next;
    char *folder;
    char *model;
    uint32_t version;
    pthread_mutex_t lock;
    plog_segment *segments; /* oldest first; the last may be open */
    size_t segment_count, segment_cap;
    uint64_t next_number;

    /* What is being gathered; all by the log's thread, the table of ids under the lock. */
    plog_block block;
    bool has_block;
    char *schema_json;
    int fd; /* of the open segment, or -1 */
    char path[SW_PATH_BYTES];
    int64_t opened_ms;
    plog_pair *ids; /* of the open segment: open addressing, row plus one, 0: free */
    uint32_t id_slots, id_count;
    plog_span spans[PLOG_SPANS_MAX]; /* of the open segment, under the lock */
    uint32_t span_count;
    uint32_t writers;
    const plog_retention *retention;
    _Atomic uint64_t rows_logged, rows_dropped; /* since start */
} plog_store;

SW_MUST_USE sw_status sw_plog_store_open(plog_store **out, const char *root, sw_str model,
                                         uint32_t version, sw_error *error);
void sw_plog_store_free(plog_store *store);
/* The block's rows, which it clears, at the end of the open segment. On failure they are kept. */
SW_MUST_USE sw_status sw_plog_store_append(plog_store *store, int64_t now_ms, sw_error *error);
/* Makes ready for rows of this schema; what was gathered by another one is stored before. */
SW_MUST_USE sw_status sw_plog_store_use(plog_store *store, const plog_schema *schema,
                                        int64_t now_ms, sw_error *error);
/* Seals what is full or old, or (all) whatever is open. */
SW_MUST_USE sw_status sw_plog_store_seal(plog_store *store, int64_t now_ms, bool all,
                                         sw_error *error);
/* When the oldest segment ended; false where there is none that may go. */
bool sw_plog_store_oldest(int64_t *last_ms, plog_store *store);
void sw_plog_store_remove_oldest(plog_store *store);
uint64_t sw_plog_store_bytes(plog_store *store);
/* A copy of the list of segments, in the arena. */
SW_MUST_USE sw_status sw_plog_store_list(plog_segment **out, size_t *count, plog_store *store,
                                         sw_arena *arena, sw_error *error);
/* The bytes of a segment, mapped; {NULL, 0} where it has gone. sw_file_unmap it. */
SW_MUST_USE sw_status sw_plog_store_map(sw_str *out, const plog_store *store,
                                        const plog_segment *segment, sw_error *error);
void sw_plog_store_path(char path[SW_PATH_BYTES], const plog_store *store, uint64_t number,
                        const char *kind);

/* ---- The log as the rest of the folder sees it ---- */

/* NULL where that version never logged anything (or memory is out). Lives as long as the log. */
plog_store *sw_plog_store_of(sw_plog *log, sw_str model, uint32_t version);
/* Called on the log's thread after rows became findable: they may have labels already. */
typedef void sw_plog_on_stored(plog_store *store, const plog_segment *segment, uint32_t first_row,
                               const plog_block *block, void *context);
/* Held by whoever writes to stores: the log's thread in its turn. */
pthread_mutex_t *sw_plog_storing(sw_plog *log);
void sw_plog_listen(sw_plog *log, sw_plog_on_stored *listener, void *context);
/* Calls `visit` for every version's store of a model (all models: empty). */
void sw_plog_each_store(sw_plog *log, sw_str model, void (*visit)(plog_store *, void *),
                        void *context);

/* One run of rows of a segment. */
typedef struct plog_view {
    sw_plog_rows rows; /* columns that were not wanted have neither numbers nor texts */
    uint64_t segment;
    uint32_t first_row;
    const sw_plog_label *labels; /* beside the rows, where asked for */
} plog_view;

typedef struct plog_scan {
    int64_t from_ms, to_ms; /* runs that touch it, whole */
    bool with_labels, without_ids;
    bool (*want)(const sw_plog_column *column, void *context); /* NULL: all */
    sw_status (*visit)(const plog_view *view, void *context, sw_error *error);
    const bool *until; /* ends the scan as soon as it is true; may be NULL */
    void *context;
} plog_scan;
SW_MUST_USE sw_status sw_plog_scan_store(plog_store *store, const plog_scan *scan, sw_error *error);

/* Leaves the rows that were predicted within [from_ms, to_ms). */
void sw_plog_keep_within(sw_plog_rows *rows, int64_t from_ms, int64_t to_ms);

/* Where a row is. */
typedef struct plog_place {
    uint64_t segment;
    uint32_t row;
    bool found;
} plog_place;
/* The labels of rows `first` to `last` of a segment have changed. */
void sw_plog_store_touch(plog_store *store, uint64_t number, uint32_t first, uint32_t last);
/* Changes with every row or label of segments that touch the time; of the open segment, of its
 * spans that do. */
uint64_t sw_plog_store_stamp(plog_store *store, int64_t from_ms, int64_t to_ms);
/* For each hash the newest row that has it. */
SW_MUST_USE sw_status sw_plog_locate(plog_place *out, plog_store *store, const uint64_t *hashes,
                                     size_t count, sw_error *error);

/* ---- The way in ---- */

/* One loop's queue of rows: that loop writes, the log's thread reads. */
typedef struct plog_lane {
    _Alignas(64) _Atomic uint64_t written; /* bytes, ever */
    _Atomic uint64_t rows_seen, rows_dropped;
    uint64_t read_seen; /* `read` as it was last looked at */
    uint64_t threshold; /* ids whose hash is not above it are kept */
    uint32_t tick, taken;
    _Alignas(64) _Atomic uint64_t read;
    uint64_t rows_ticked; /* of rows_seen, at the last tick */
    char *ring;
} plog_lane;

/* A tensor whose rows go into records; `bytes` of a row, 0: strings. */
typedef struct plog_piece {
    uint32_t tensor, elements, bytes;
    bool output;
    sw_dtype dtype;
} plog_piece;

/* Which of a record's elements, counted through all pieces, becomes which column. */
typedef struct plog_take {
    uint32_t element, column;
} plog_take;

struct sw_plog_writer {
    sw_plog_writer *next;
    sw_plog *log;
    plog_store *store;
    sw_arena arena;
    plog_schema schema;
    plog_take *takes; /* one a column, by element */
    plog_piece *pieces;
    uint32_t piece_count, fixed_bytes;
    double rows_per_s;   /* wanted */
    uint32_t burst_rows; /* after as many in a second a loop halves its share */
    uint32_t ring_bytes; /* a power of two */
    bool whole_requests; /* a request's rows are kept together, or not at all */
    _Atomic uint64_t threshold;
    _Atomic uint32_t tick;
    bool arrived; /* the log's thread knows of it */
    _Atomic bool
        leaving; /* nothing is put any more: that thread stores what is left, and frees it */
    uint32_t lane_count; /* one a loop, and one that other threads share */
    plog_lane *lanes;
    pthread_mutex_t sharing;
};

/* Moves what lies in a lane into the store's block; on the log's thread. */
void sw_plog_drain(sw_plog_writer *writer, plog_lane *lane, const uint8_t key[32]);
/* The threshold that keeps a share of all hashes. */
uint64_t sw_plog_threshold(double share);

#endif /* SW_DECAY_PLOG_PRIVATE_H */
