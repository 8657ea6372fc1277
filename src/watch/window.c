/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history_private.h"

#include "base/mem.h"

/* A record's window as bytes: taken under its lock, added up without. */
typedef struct window_copy {
    sw_buf bytes; /* each finished minute: its length as size_t, then its compact form */
    bool fresh;   /* `bytes` were copied */
    sw_counts now;
    uint64_t changes, ring_changes;
} window_copy;

static void free_copy(window_copy *copy) {
    sw_buf_free(&copy->bytes);
    sw_counts_free(&copy->now);
}

/* Leaves out the finished minutes where they are still those of `known_ring_changes`. */
static sw_status copy_window(window_copy *out, sw_record *record, int64_t from_minute,
                             int64_t to_minute, uint64_t known_ring_changes, sw_error *error) {
    *out = (window_copy){0};
    SW_TRY(sw_counts_make_like(&out->now, &record->now, error));
    pthread_mutex_lock(&record->lock);
    out->changes = record->changes;
    out->ring_changes = record->ring_changes;
    out->fresh = record->ring_changes != known_ring_changes;
    for (size_t i = 0; out->fresh && i < record->ring_count; i++) {
        const sw_minute *m = &record->ring[i];
        if (m->minute < from_minute || m->minute >= to_minute)
            continue;
        sw_buf_add(&out->bytes, &m->len, sizeof m->len);
        sw_buf_add(&out->bytes, m->bytes, m->len);
    }
    if (record->minute >= from_minute && record->minute < to_minute)
        sw_counts_add(&out->now, &record->now);
    pthread_mutex_unlock(&record->lock);
    if (!out->bytes.failed)
        return SW_OK;
    free_copy(out);
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to add up a window's counts");
}

static sw_status add_minutes(sw_counts *into, const window_copy *from, sw_error *error) {
    for (size_t at = 0; at < from->bytes.len;) {
        size_t len;
        memcpy(&len, from->bytes.at + at, sizeof len);
        SW_TRY(sw_counts_add_encoded(into, (sw_str){from->bytes.at + at + sizeof len, len}, error));
        at += sizeof len + len;
    }
    return SW_OK;
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
    sw_status status = fits ? copy_window(&copy, record, from_minute, to_minute, UINT64_MAX, error)
                            : sw_fail(error, SW_CODE_NOT_FOUND, "%.*s@%u is not served now",
                                      SW_STR_ARG(key->model), key->version);
    pthread_mutex_unlock(&watch->listing);
    if (sw_failed(status))
        return status;
    status = add_minutes(into, &copy, error);
    sw_counts_add(into, &copy.now);
    free_copy(&copy);
    return status;
}

/* ---- Summary ---- */

static void judge_all(sw_watch_summary *out, const sw_watched *watched, const sw_counts *counts) {
    sw_watch_state worst = SW_WATCH_UNWATCHED;
    *out = (sw_watch_summary){.rows = counts->rows, .features = watched->observer->feature_count};
    for (uint32_t i = 0; i < watched->observer->column_count; i++) {
        sw_watch_pair pair;
        sw_watch_pair_of(&pair, watched->observer, watched->profile, i, &watched->reference,
                         counts);
        if (!pair.watched)
            continue;
        sw_verdict v = sw_watch_judge(&pair.reference, pair.live, counts->rows);
        out->drifted += v.state == SW_WATCH_DRIFTED;
        out->moved += v.state == SW_WATCH_MOVED;
        out->too_few += v.state == SW_WATCH_TOO_FEW;
        worst = v.state > worst ? v.state : worst;
    }
    out->state =
        sw_watch_state_text(sw_watch_overall(watched->reference.rows > 0, counts->rows, worst));
}

/* A profile is read once; a reference of own traffic now and then. */
static sw_status read_reference(sw_watched *watched, int64_t minute, sw_error *error) {
    const sw_record *record = watched->record;
    const sw_watch_subject subject = {.model = record->model,
                                      .version = record->version,
                                      .profile = watched->profile,
                                      .profile_hash = record->hash,
                                      .settings = watched->settings};
    bool own = watched->settings && watched->settings->reference != SW_REFERENCE_PROFILE;
    int64_t age = minute - watched->reference_minute;
    if (watched->reference.bins && (!own || (age >= 0 && age < SW_WATCH_REFERENCE_MINUTES)))
        return SW_OK;
    if (!watched->reference.bins)
        SW_TRY(sw_counts_make_for(&watched->reference, watched->observer, false, error));
    sw_counts_clear(&watched->reference);
    watched->reference_minute = minute;
    return sw_watch_reference(&watched->reference, watched->watch, &subject, watched->observer,
                              SW_STR(""), (minute - SW_WATCH_SUMMARY_MINUTES + 1) * 60000, error);
}

/* What is cached still holds where nothing was counted and no minute has gone by since. */
static bool is_current(const sw_watched *watched, int64_t minute) {
    sw_record *record = watched->record;
    pthread_mutex_lock(&record->lock);
    bool same =
        record->changes == watched->summed_changes && record->ring_changes == watched->base_changes;
    pthread_mutex_unlock(&record->lock);
    return watched->summed && same && minute == watched->base_minute;
}

/*
 * The finished minutes are added up once a minute and kept; with each merge since, only the running
 * one is added to them.
 */
static sw_status sum_up(sw_watched *watched, int64_t minute, sw_error *error) {
    window_copy copy;
    if (is_current(watched, minute))
        return SW_OK;
    SW_TRY(read_reference(watched, minute, error));
    uint64_t known =
        watched->summed && minute == watched->base_minute ? watched->base_changes : UINT64_MAX;
    SW_TRY(copy_window(&copy, watched->record, minute - SW_WATCH_SUMMARY_MINUTES + 1, INT64_MAX,
                       known, error));
    sw_status status = SW_OK;
    watched->summed = false;
    if (!watched->base.bins)
        status = sw_counts_make_like(&watched->base, &copy.now, error);
    if (copy.fresh && !sw_failed(status)) {
        sw_counts_clear(&watched->base);
        status = add_minutes(&watched->base, &copy, error);
    }
    if (!sw_failed(status)) {
        sw_counts_add(&copy.now, &watched->base);
        judge_all(&watched->summary, watched, &copy.now);
        watched->base_minute = minute;
        watched->base_changes = copy.ring_changes;
        watched->summed_changes = copy.changes;
        watched->summed = true;
    }
    free_copy(&copy);
    return status;
}

sw_status sw_watch_summarise(sw_watch_summary *out, sw_watched *watched, sw_error *error) {
    pthread_mutex_lock(&watched->summing);
    sw_status status = sum_up(watched, sw_watch_minute(watched->watch), error);
    *out = watched->summary;
    pthread_mutex_unlock(&watched->summing);
    return status;
}
