/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch, within: records of what was counted, and the verdicts on them.
 *
 * A record is one (model, version, profile, segment) with its running minute and its last hour of
 * finished minutes in compact form. Handles (sw_watched) use it: two at a time while a version is
 * replaced by itself. It lives on without a user until all of it is in the database.
 *
 * Locks, in this order: `keeping` (the list's writer, held over disk writes), `listing` (the list's
 * readers), a record's `lock` (its counts; memory work only, so that a merge never waits for a
 * disk).
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_WATCH_PRIVATE_H
#define SW_WATCH_WATCH_PRIVATE_H

#include "watch/counts_private.h"
#include "watch/watch.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SW_WATCH_RING = 60,               /* finished minutes kept in memory, */
    SW_WATCH_RING_ROOM = 120,         /* as they ran and what was told of them later */
    SW_WATCH_MINUTES_KEPT = 2 * 1440, /* in the database; then they become hours, */
    SW_WATCH_HOURS_KEPT = 90 * 1440,  /* (in minutes) these become days, */
    SW_WATCH_DAYS_KEPT = 731 * 1440,  /* and these go */
    SW_WATCH_SUMMARY_MINUTES = 15,    /* of the fleet page */
    SW_WATCH_REFERENCE_MINUTES = 10,  /* how old a reference it may use */
};

/*
 * A version whose rows are long (thousands of features, many segments) keeps fewer of them, so that
 * each of the three steps takes about this much at most.
 */
#define SW_WATCH_STEP_BYTES_MAX (UINT64_C(256) << 20)

typedef struct sw_minute {
    int64_t minute;
    uint64_t rows;
    char *bytes; /* sw_counts_encode */
    size_t len;
    uint64_t number; /* grows with each entry, and with each change of one */
    uint32_t step;
    bool written, writing;
} sw_minute;

typedef struct sw_record {
    struct sw_record *next;
    uint32_t users;              /* handles */
    sw_str model, hash, segment; /* its own */
    uint32_t version;
    pthread_mutex_t lock; /* for all that follows */
    sw_counts now;
    uint64_t *mismatches;      /* of each column, since the record was made; of segments NULL */
    int64_t minute;            /* which `now` counts */
    uint32_t step;             /* see sw_watch.step */
    uint64_t changes, written; /* merges so far, and as of the last write of `now` */
    uint64_t writing;          /* `changes` when the write that is under way took its copy */
    int64_t writing_minute;
    sw_minute ring[SW_WATCH_RING_ROOM]; /* oldest first */
    size_t ring_count;
    uint64_t numbered; /* the last number given to a minute of it */
    uint64_t lost;     /* minutes that went before the database took them, since it last did */
} sw_record;

struct sw_watch {
    sw_db *db;
    char boot[48];
    int64_t (*clock_ms)(void);
    pthread_mutex_t keeping, listing;
    sw_record *records;
    sw_watched *handles;
    atomic_uint step; /* grows each time the wall clock steps back: a minute is then counted anew,
                         under another boot */
    int64_t tidied_minute; /* when old rows were last rolled up and removed */
    bool untidy;           /* and there was more to do */
    bool in_trouble;       /* the last write failed, and was told */
    pthread_t keeper;
    pthread_mutex_t stopping;
    pthread_cond_t wake;
    bool stop, started;
};

/*
 * The finished minutes of a record from one on, as a kept sum that slides: what the window leaves
 * behind is taken off. So it holds bins and labels alone, which is what verdicts are made from.
 * All 0: empty.
 */
typedef struct sw_sliding_window {
    sw_counts sum;
    int64_t from_minute;
    uint64_t numbered; /* the record's, when it was last moved */
    size_t minutes;    /* entries of the ring that are in it */
} sw_sliding_window;

struct sw_watched {
    sw_watch *watch;
    sw_record *record;
    sw_record **segments; /* of each of the observer's */
    sw_watched *next;
    const sw_observer *observer;
    const sw_profile *profile;
    const sw_monitor_settings *settings;
    pthread_mutex_t summing; /* for the cache of the summary */
    sw_counts reference;
    int64_t reference_minute; /* when it was read */
    sw_sliding_window window; /* of the summary */
    uint64_t summed_changes;  /* the record's, when the summary was made */
    bool summed;
    sw_watch_summary summary;
};

/* As sw_watch_open, without a thread and with this clock: for tests. */
SW_MUST_USE sw_status sw_watch_open_still(sw_watch **out, sw_db *db, int64_t (*clock_ms)(void),
                                          sw_error *error);
/* What the keeper does each second. False where the database did not take it. */
bool sw_watch_keep(sw_watch *watch);

/* Once an hour: old minutes become hours, old hours days, old days go. With `keeping` held. False
 * where the database did not take it. */
bool sw_watch_tidy(sw_watch *watch, int64_t minute, sw_error *error);

/* Minutes since 1970. */
int64_t sw_watch_minute(const sw_watch *watch);
typedef struct sw_record_key {
    sw_str model;
    uint32_t version;
    sw_str hash, segment;
} sw_record_key;

/* Adds a cell of a shard to `into` and clears it; the record's lock is held, `into` may be its. */
void sw_record_take(sw_record *record, sw_counts *into, sw_shard *shard, uint32_t cell);

/* NULL where there is none; with `keeping` or `listing` held. */
sw_record *sw_watch_find(const sw_watch *watch, const sw_record_key *key);
/* Adds the counts of minutes in [from, to), from memory; NOT_FOUND where no record is kept. */
SW_MUST_USE sw_status sw_watch_sum(sw_counts *into, sw_watch *watch, const sw_record_key *key,
                                   int64_t from_minute, int64_t to_minute, sw_error *error);
/*
 * Lets `window` begin at that minute, and sets `now` to the running one's bins and labels and
 * `changes` to the record's of that time. `now` is made, and the caller's to free. After NO_MEMORY
 * the window is as it was or empty, and `now` is not made.
 */
SW_MUST_USE sw_status sw_watch_slide(sw_sliding_window *window, sw_counts *now, uint64_t *changes,
                                     sw_record *record, int64_t from_minute, sw_error *error);

/* ---- Verdicts ---- */

typedef enum sw_watch_state {
    SW_WATCH_UNWATCHED, /* no reference */
    SW_WATCH_TOO_FEW,
    SW_WATCH_UNDEFINED, /* the reference says nothing to compare with */
    SW_WATCH_SAME,
    SW_WATCH_MOVED,
    SW_WATCH_DRIFTED,
} sw_watch_state;

const char *sw_watch_state_text(sw_watch_state state);

typedef struct sw_verdict {
    sw_watch_state state;
    double psi;       /* NaN where it is not defined */
    double psi_noise; /* what chance alone reaches once in 10,000 */
    double missing, reference_missing;
    double outside; /* out of range, or unseen: of the values that are there; NaN without any */
    char why[200];
} sw_verdict;

/* Of a version whose worst feature is in state `worst`. */
sw_watch_state sw_watch_overall(bool has_profile, uint64_t rows, sw_watch_state worst);

/* `live`: counts of the column's bins, of `rows` rows. */
sw_verdict sw_watch_judge(const sw_profile_column *reference, const uint64_t *live, uint64_t rows);

#endif /* SW_WATCH_WATCH_PRIVATE_H */
