/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch_private.h"

#include "base/mem.h"

/* Minutes of a ring are copied under the record's lock, each as its length and its compact form,
 * and added up without. */

static void copy_minute(sw_buf *out, const sw_minute *m) {
    sw_buf_add(out, &m->len, sizeof m->len);
    sw_buf_add(out, m->bytes, m->len);
}

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to add up a window's counts");
}

static sw_status add_minutes(sw_counts *into, const sw_buf *from, sw_error *error) {
    for (size_t at = 0; at < from->len;) {
        size_t len;
        memcpy(&len, from->at + at, sizeof len);
        SW_TRY(sw_counts_add_encoded(into, (sw_str){from->at + at + sizeof len, len}, error));
        at += sizeof len + len;
    }
    return SW_OK;
}

/* ---- Any window, summed anew ---- */

typedef struct window_copy {
    sw_buf minutes;
    sw_counts now;
} window_copy;

static void free_copy(window_copy *copy) {
    sw_buf_free(&copy->minutes);
    sw_counts_free(&copy->now);
}

static sw_status copy_window(window_copy *out, sw_record *record, int64_t from_minute,
                             int64_t to_minute, sw_error *error) {
    *out = (window_copy){0};
    SW_TRY(sw_counts_make_like(&out->now, &record->now, error));
    pthread_mutex_lock(&record->lock);
    for (size_t i = 0; i < record->ring_count; i++) {
        const sw_minute *m = &record->ring[i];
        if (m->minute >= from_minute && m->minute < to_minute)
            copy_minute(&out->minutes, m);
    }
    if (record->minute >= from_minute && record->minute < to_minute)
        sw_counts_add(&out->now, &record->now);
    pthread_mutex_unlock(&record->lock);
    if (!out->minutes.failed)
        return SW_OK;
    free_copy(out);
    return no_memory(error);
}

static bool is_record(const sw_record *record, const sw_record_key *key) {
    return record->version == key->version && sw_str_eq(record->model, key->model) &&
           sw_str_eq(record->hash, key->hash) && sw_str_eq(record->segment, key->segment);
}

sw_record *sw_watch_find(const sw_watch *watch, const sw_record_key *key) {
    sw_record *record = watch->records;
    while (record && !is_record(record, key))
        record = record->next;
    return record;
}

sw_status sw_watch_sum(sw_counts *into, sw_watch *watch, const sw_record_key *key,
                       int64_t from_minute, int64_t to_minute, sw_error *error) {
    window_copy copy;
    pthread_mutex_lock(&watch->listing);
    sw_record *record = sw_watch_find(watch, key);
    bool fits = record && record->now.bin_count == into->bin_count;
    sw_status status = fits ? copy_window(&copy, record, from_minute, to_minute, error)
                            : sw_fail(error, SW_CODE_NOT_FOUND, "%.*s@%u is not served now",
                                      SW_STR_ARG(key->model), key->version);
    pthread_mutex_unlock(&watch->listing);
    if (sw_failed(status))
        return status;
    status = add_minutes(into, &copy.minutes, error);
    sw_counts_add(into, &copy.now);
    free_copy(&copy);
    return status;
}

/* ---- A window that slides ---- */

static void empty(sw_sliding_window *window) {
    sw_counts_clear(&window->sum);
    window->minutes = 0;
    window->numbered = 0;
}

static bool holds(const sw_sliding_window *window, const sw_minute *m) {
    return m->number <= window->numbered && m->minute >= window->from_minute;
}

/* Not where a minute that it holds was changed, or is gone from the ring; nor where labels were let
 * go that would have to be known now. */
static bool can_slide(const sw_sliding_window *window, const sw_record *record,
                      int64_t from_minute) {
    size_t held = 0, leaving = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        bool is_held = holds(window, &record->ring[i]);
        held += is_held;
        leaving += is_held && record->ring[i].minute < from_minute;
    }
    return held == window->minutes && (leaving == 0 || sw_counts_exact(&window->sum));
}

typedef struct slide {
    sw_buf leaving, coming;
} slide;

/* Says where the window will be, before it is there. The record's lock is held. */
static void copy_slide(slide *out, sw_sliding_window *window, const sw_record *record,
                       int64_t from_minute) {
    if (!can_slide(window, record, from_minute))
        empty(window);
    window->minutes = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        const sw_minute *m = &record->ring[i];
        bool held = holds(window, m), wanted = m->minute >= from_minute;
        window->minutes += wanted;
        if (held != wanted)
            copy_minute(held ? &out->leaving : &out->coming, m);
    }
    window->from_minute = from_minute;
    window->numbered = record->numbered;
}

static sw_status take_off(sw_counts *from, const sw_buf *minutes, sw_error *error) {
    sw_counts gone;
    if (minutes->len == 0)
        return SW_OK;
    SW_TRY(sw_counts_make(&gone, from->bin_count, from->label_count, error));
    sw_status status = add_minutes(&gone, minutes, error);
    if (!sw_failed(status))
        sw_counts_subtract(from, &gone);
    sw_counts_free(&gone);
    return status;
}

static sw_status apply(sw_counts *sum, const slide *s, sw_error *error) {
    if (s->leaving.failed || s->coming.failed)
        return no_memory(error);
    SW_TRY(take_off(sum, &s->leaving, error));
    return add_minutes(sum, &s->coming, error);
}

sw_status sw_watch_slide(sw_sliding_window *window, sw_counts *now, uint64_t *changes,
                         sw_record *record, int64_t from_minute, sw_error *error) {
    uint32_t bins = record->now.bin_count, labels = record->now.label_count;
    slide s = {0};
    if (!window->sum.bins)
        SW_TRY(sw_counts_make(&window->sum, bins, labels, error));
    SW_TRY(sw_counts_make(now, bins, labels, error));
    pthread_mutex_lock(&record->lock);
    copy_slide(&s, window, record, from_minute);
    if (record->minute >= from_minute)
        sw_counts_add(now, &record->now);
    *changes = record->changes;
    pthread_mutex_unlock(&record->lock);
    sw_status status = apply(&window->sum, &s, error);
    if (sw_failed(status)) {
        empty(window);
        sw_counts_free(now);
    }
    sw_buf_free(&s.leaving);
    sw_buf_free(&s.coming);
    return status;
}
