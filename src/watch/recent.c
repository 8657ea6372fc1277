/* SPDX-License-Identifier: Apache-2.0 */
/* The last quarter of an hour of a served version, judged: what the fleet page says of it. */
#include "watch/history_private.h"

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
static bool is_current(const sw_watched *watched, int64_t from_minute) {
    sw_record *record = watched->record;
    pthread_mutex_lock(&record->lock);
    bool same =
        record->changes == watched->summed_changes && record->numbered == watched->window.numbered;
    pthread_mutex_unlock(&record->lock);
    return watched->summed && same && from_minute == watched->window.from_minute;
}

/* With each merge the running minute is counted anew; the finished ones slide once a minute. */
static sw_status sum_up(sw_watched *watched, int64_t minute, sw_error *error) {
    int64_t from_minute = minute - SW_WATCH_SUMMARY_MINUTES + 1;
    sw_counts counts;
    if (is_current(watched, from_minute))
        return SW_OK;
    SW_TRY(read_reference(watched, minute, error));
    watched->summed = false;
    SW_TRY(sw_watch_slide(&watched->window, &counts, &watched->summed_changes, watched->record,
                          from_minute, error));
    sw_counts_add(&counts, &watched->window.sum);
    judge_all(&watched->summary, watched, &counts);
    watched->summed = true;
    sw_counts_free(&counts);
    return SW_OK;
}

sw_status sw_watch_summarise(sw_watch_summary *out, sw_watched *watched, sw_error *error) {
    pthread_mutex_lock(&watched->summing);
    sw_status status = sum_up(watched, sw_watch_minute(watched->watch), error);
    *out = watched->summary;
    pthread_mutex_unlock(&watched->summing);
    return status;
}
