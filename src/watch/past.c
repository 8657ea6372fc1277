/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/past.h"

#include "base/mem.h"
#include "watch/watch_private.h"
#include "watch/windows_private.h"

#include <stdio.h>

enum { MINUTE_MS = 60000, LATE_MS = MINUTE_MS, BOOT_BYTES = 80 };

/* A row of its own, which adds up with what was counted of that minute as it ran. */
static sw_status store(sw_watch *watch, const sw_record *record, int64_t minute, sw_str bytes,
                       uint64_t rows, sw_error *error) {
    static atomic_uint number;
    char boot[BOOT_BYTES];
    snprintf(boot, sizeof boot, "%s.p%u", watch->boot, atomic_fetch_add(&number, 1));
    const sw_window_row row = {.model = record->model,
                               .version = record->version,
                               .profile_hash = record->hash,
                               .segment = record->segment,
                               .minute = minute,
                               .boot = sw_str_of(boot),
                               .rows = rows,
                               .counts = bytes};
    return sw_windows_write(watch->db, &row, 1, error);
}

/* The record's lock is held. */
static void insert(sw_record *record, size_t at, sw_minute minute) {
    memmove(record->ring + at + 1, record->ring + at,
            (record->ring_count - at) * sizeof *record->ring);
    minute.number = ++record->numbered;
    record->ring[at] = minute;
    record->ring_count++;
}

/* The stored entry of that minute, so that many requests for one take no more room than one. */
static sw_minute *find_written(sw_record *record, int64_t minute) {
    for (size_t i = record->ring_count; i > 0 && record->ring[i - 1].minute >= minute; i--)
        if (record->ring[i - 1].minute == minute && record->ring[i - 1].written)
            return &record->ring[i - 1];
    return NULL;
}

/* Adds the entry's counts to `counts`, and puts the sum in its place. */
static void add_to(sw_record *record, sw_minute *entry, sw_counts *counts) {
    sw_buf sum = {0};
    if (sw_failed(sw_counts_add_encoded(counts, (sw_str){entry->bytes, entry->len}, NULL)))
        return;
    sw_counts_encode(&sum, counts);
    if (sum.failed) {
        sw_buf_free(&sum);
        return;
    }
    sw_mem_free(entry->bytes);
    entry->bytes = sum.at;
    entry->len = sum.len;
    entry->rows = counts->rows;
    entry->number = ++record->numbered;
}

/* What is stored is shown too, where it is of the last hour. */
static void show(sw_record *record, int64_t minute, const sw_buf *bytes, sw_counts *counts) {
    pthread_mutex_lock(&record->lock);
    size_t at = record->ring_count;
    while (at > 0 && record->ring[at - 1].minute > minute)
        at--;
    bool recent = minute > record->minute - SW_WATCH_RING;
    sw_minute *entry = recent ? find_written(record, minute) : NULL;
    char *copy = recent && !entry && record->ring_count < SW_WATCH_RING_ROOM
                     ? sw_mem_copy(bytes->at, bytes->len)
                     : NULL;
    if (entry)
        add_to(record, entry, counts);
    else if (copy)
        insert(record, at,
               (sw_minute){.minute = minute,
                           .rows = counts->rows,
                           .bytes = copy,
                           .len = bytes->len,
                           .written = true});
    pthread_mutex_unlock(&record->lock);
}

static sw_status merge_cell(sw_watch *watch, sw_record *record, sw_shard *shard, uint32_t cell,
                            int64_t minute, sw_error *error) {
    sw_counts counts;
    sw_buf bytes = {0};
    if (!sw_shard_has(shard, cell))
        return SW_OK;
    SW_TRY(sw_counts_make_like(&counts, &record->now, error));
    pthread_mutex_lock(&record->lock);
    sw_record_take(record, &counts, shard, cell);
    pthread_mutex_unlock(&record->lock);
    sw_counts_encode(&bytes, &counts);
    sw_status status =
        bytes.failed
            ? sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the counts of a minute")
            : store(watch, record, minute, sw_buf_str(&bytes), counts.rows, error);
    if (!sw_failed(status))
        show(record, minute, &bytes, &counts);
    sw_buf_free(&bytes);
    sw_counts_free(&counts);
    return status;
}

sw_status sw_watch_merge_at(sw_watched *watched, sw_shard *shard, int64_t at_ms, sw_error *error) {
    sw_watch *watch = watched->watch;
    if (at_ms >= watch->clock_ms() - LATE_MS) {
        sw_watch_merge(watched, shard);
        return SW_OK;
    }
    int64_t minute = at_ms / MINUTE_MS;
    SW_TRY(merge_cell(watch, watched->record, shard, 0, minute, error));
    for (uint32_t i = 1; i < shard->cell_count; i++)
        SW_TRY(merge_cell(watch, watched->segments[i - 1], shard, i, minute, error));
    return SW_OK;
}
