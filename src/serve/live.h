/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live: what answers under which name, now.
 *
 * An immutable snapshot maps names to loaded versions. Each loop reads its own pointer to the
 * newest one and counts its pins in plain integers of its own, so that a request takes no lock and
 * touches no shared counter. To publish, a new snapshot is built and each loop is told; once all
 * have switched, the old one is freed. A version that is in no snapshot any more is closed by the
 * janitor thread as soon as the last loop has let go of it, and the heap is trimmed.
 *
 * Memory:  sw_live_commit takes the sw_served over; the janitor frees it.
 * Threads: sw_live_pin, _unpin and _merge_local on a loop; what changes the table, _hold and
 *          _let_go on any other thread.
 * Layer:   serve.
 */
#ifndef SW_SERVE_LIVE_H
#define SW_SERVE_LIVE_H

#include "decay/prediction_log.h"
#include "io/loop.h"
#include "model/model.h"
#include "model/signature.h"
#include "serve/records.h"
#include "serve/stats.h"
#include "watch/monitor.h"
#include "watch/settings.h"
#include "watch/watch.h"

typedef struct sw_live sw_live;
typedef struct sw_served sw_served;
typedef struct sw_predict sw_predict;

/* What one loop keeps of a version; touched on that loop alone. */
typedef struct sw_served_local {
    _Alignas(64) uint32_t pins;
    bool retired;    /* in no snapshot any more: let go at the last unpin */
    bool left;       /* this loop has let go */
    sw_shard *shard; /* counts of features and outputs */
    sw_stats_shard *stats;
    sw_predict *waiting; /* requests of this turn, to run as one batch, newest first */
    uint32_t waiting_rows;
    sw_served *next_waiting; /* the loop's list of versions with something waiting */
} sw_served_local;

/* A version that was loaded, warmed up and checked: all that a prediction needs. Immutable but for
 * `local`. */
struct sw_served {
    sw_str model_name;
    uint32_t version;
    sw_str version_text; /* "2" */
    uint32_t revision;
    sw_model *model;
    const sw_model_info *info;
    sw_signature signature;
    const sw_profile *profile;    /* NULL: none was pushed */
    sw_monitor_settings settings; /* how the model is watched */
    sw_observer *observer;
    sw_watched *watched;
    sw_monitored *monitored; /* NULL: by nobody */
    sw_plog_writer *log;     /* of predictions; NULL: none are logged */
    sw_version_stats *stats;
    const sw_records_plan *records; /* NULL: it has no named features */
    bool batchable;                 /* rows are independent: proven at load time */
    bool shares_dims;               /* a symbolic dimension occurs more than once */
    double run_ns;                  /* measured: cost of a call with one row */
    double row_ns;                  /* measured: cost of a row more, within a batch */
    double load_ms;
    sw_arena arena; /* holds all of the above, and this */
    sw_live *live;
    uint32_t local_count;
    _Atomic uint32_t holders_left; /* loops, and those of sw_live_hold */
    sw_served *next_dead;
    sw_served_local local[];
};

/* A number that an alias stands for, for paths such as /models/fraud/versions/champion/predict. */
typedef struct sw_live_alias {
    sw_str name;
    uint32_t version;
} sw_live_alias;

SW_MUST_USE sw_status sw_live_make(sw_live **out, sw_loops *loops, sw_error *error);
/* Told before the loops run, and after they have stopped: a publisher then need not go through
 * them. */
void sw_live_loops_run(sw_live *live, bool running);
/* Retires everything, waits for the janitor, frees. After the loops have stopped. */
void sw_live_free(sw_live *live);

/* A zeroed sw_served with room for every loop's part. */
sw_served *sw_served_make(sw_live *live);
/* Closes and frees one that was never published. */
void sw_served_free(sw_served *served);

/*
 * Makes `served` what its name stands for, in two parts, so that what can fail comes before the
 * caller's point of no return: prepare takes all the memory and holds off other publishers; then
 * either commit, which cannot fail and returns once every loop has switched, or abandon.
 */
SW_MUST_USE sw_status sw_live_prepare(sw_live *live, sw_served *served, sw_error *error);
void sw_live_commit(sw_live *live);
void sw_live_abandon(sw_live *live);
/* Takes a name out; nothing happens where it is not there. */
SW_MUST_USE sw_status sw_live_retract(sw_live *live, sw_str model, sw_error *error);
/* Replaces the aliases of a model, for look-ups by path. */
SW_MUST_USE sw_status sw_live_set_aliases(sw_live *live, sw_str model, const sw_live_alias *aliases,
                                          size_t count, sw_error *error);

/*
 * The version that answers, pinned until sw_live_unpin. `version` empty: the deployment's choice;
 * a number or an alias: that version, if it is the one deployed. NOT_FOUND with words for the user.
 */
SW_MUST_USE sw_status sw_live_pin(sw_served **out, sw_live *live, sw_loop *loop, sw_str model,
                                  sw_str version, sw_error *error);
void sw_live_unpin(sw_served *served, sw_loop *loop);
/* The same off the loops, for longer work: held until sw_live_let_go. */
SW_MUST_USE sw_status sw_live_hold(sw_served **out, sw_live *live, sw_str model, sw_str version,
                                   sw_error *error);
void sw_live_let_go(sw_served *served);

static inline sw_served_local *sw_served_here(sw_served *served, const sw_loop *loop) {
    return &served->local[sw_loop_index(loop)];
}

/* Merges this loop's counts of every version into the shared ones. On the loop. */
void sw_live_merge_local(sw_live *live, sw_loop *loop);
/* Calls `visit` for each live version: a consistent view, under the publisher's lock. Not on a
 * loop. */
void sw_live_each(sw_live *live, void (*visit)(const sw_served *served, void *context),
                  void *context);
/* The same for longer work: each is held while it is visited, and no publisher waits. None is
 * visited where memory is out. */
void sw_live_each_held(sw_live *live, void (*visit)(const sw_served *served, void *context),
                       void *context);

#endif /* SW_SERVE_LIVE_H */
