/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/live.h"

#include "base/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct entry {
    sw_str name; /* the served version's own bytes */
    sw_served *served;
    sw_live_alias *aliases;
    size_t alias_count;
} entry;

/* Sorted by name; never changed once it is published. Its arena holds it. */
typedef struct snapshot {
    sw_arena arena;
    entry *entries;
    size_t count;
} snapshot;

typedef struct loop_view {
    _Alignas(64) snapshot *now;
    sw_task switch_task;
    sw_live *live;
    sw_loop *loop;
} loop_view;

struct sw_live {
    sw_loops *loops;
    uint32_t loop_count;
    bool running; /* loops have been seen to run: switch through them */

    pthread_mutex_t publish_lock; /* one publisher at a time; held from prepare to commit */
    snapshot *newest;
    snapshot *prepared;
    sw_served *prepared_leaving;

    /* A switch that is under way. */
    pthread_mutex_t lock;
    pthread_cond_t switched;
    snapshot *coming;
    sw_served *leaving;
    uint32_t loops_to_switch;

    pthread_t janitor;
    pthread_cond_t work;
    sw_served *dead;
    bool stopping;

    loop_view views[];
};

/* ---- The janitor ---- */

static void close_served(sw_served *served) {
    sw_plog_remove(served->log);
    sw_monitor_remove(served->monitored);
    if (served->watched)
        sw_watch_remove(served->watched);
    for (uint32_t i = 0; i < served->local_count; i++) {
        if (served->local[i].shard)
            sw_shard_free(served->local[i].shard);
        sw_mem_free(served->local[i].stats);
    }
    if (served->model)
        sw_model_close(served->model);
    if (served->observer)
        sw_observer_free(served->observer);
    sw_arena_free(&served->arena);
    sw_mem_free(served);
}

static void *run_janitor(void *argument) {
    sw_live *live = argument;
    pthread_mutex_lock(&live->lock);
    while (!live->stopping || live->dead) {
        if (!live->dead) {
            pthread_cond_wait(&live->work, &live->lock);
            continue;
        }
        sw_served *served = live->dead;
        live->dead = served->next_dead;
        pthread_mutex_unlock(&live->lock);
        close_served(served);
        malloc_trim(0);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}

static void bury(sw_live *live, sw_served *served) {
    pthread_mutex_lock(&live->lock);
    served->next_dead = live->dead;
    live->dead = served;
    pthread_cond_signal(&live->work);
    pthread_mutex_unlock(&live->lock);
}

/* ---- A version's life on one loop ---- */

static void merge_local(sw_served *served, sw_served_local *local) {
    if (served->stats && local->stats)
        sw_stats_merge(served->stats, local->stats);
    if (served->watched && local->shard)
        sw_watch_merge(served->watched, local->shard);
}

static void leave(sw_served *served, sw_served_local *local) {
    merge_local(served, local);
    local->left = true;
    sw_live_let_go(served);
}

static void retire_here(sw_served *served, uint32_t loop_index) {
    sw_served_local *local = &served->local[loop_index];
    local->retired = true;
    if (local->pins == 0)
        leave(served, local);
}

/* ---- Snapshots ---- */

static entry *find(const snapshot *snap, sw_str name) {
    size_t low = 0, high = snap ? snap->count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const entry *e = &snap->entries[middle];
        size_t shorter = e->name.len < name.len ? e->name.len : name.len;
        int order = shorter ? memcmp(e->name.at, name.at, shorter) : 0; /* a name may be missing */
        if (order == 0 && e->name.len == name.len)
            return &snap->entries[middle];
        if (order < 0 || (order == 0 && e->name.len < name.len))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int by_name(const void *left, const void *right) {
    const entry *a = left, *b = right;
    size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = memcmp(a->name.at, b->name.at, shorter);
    return order ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

static bool copy_aliases(entry *into, sw_arena *arena, const sw_live_alias *aliases, size_t count) {
    into->aliases = sw_arena_zalloc(arena, count, sizeof *aliases);
    into->alias_count = count;
    for (size_t i = 0; into->aliases && i < count; i++) {
        into->aliases[i] =
            (sw_live_alias){sw_arena_copy(arena, aliases[i].name), aliases[i].version};
        if (!into->aliases[i].name.at)
            return false;
    }
    return into->aliases != NULL;
}

/* A copy of `old` without `without`, with room for one entry more. */
static snapshot *copy_snapshot(const snapshot *old, sw_str without) {
    snapshot *made = sw_mem_zalloc(1, sizeof *made);
    size_t count = old ? old->count : 0;
    if (made)
        made->entries = sw_arena_zalloc(&made->arena, count + 1, sizeof *made->entries);
    bool whole = made && made->entries;
    for (size_t i = 0; whole && i < count; i++) {
        const entry *e = &old->entries[i];
        if (sw_str_eq(e->name, without))
            continue;
        entry *into = &made->entries[made->count++];
        *into = *e;
        whole = copy_aliases(into, &made->arena, e->aliases, e->alias_count);
    }
    if (!whole && made) {
        sw_arena_free(&made->arena);
        sw_mem_free(made);
        return NULL;
    }
    return made;
}

static void free_snapshot(snapshot *snap) {
    if (!snap)
        return;
    sw_arena_free(&snap->arena);
    sw_mem_free(snap);
}

/* On a loop: from here on it sees the coming snapshot. */
static void switch_view(sw_task *task) {
    loop_view *view = SW_CONTAINER(task, loop_view, switch_task);
    sw_live *live = view->live;
    view->now = live->coming;
    if (live->leaving)
        retire_here(live->leaving, sw_loop_index(view->loop));
    pthread_mutex_lock(&live->lock);
    if (--live->loops_to_switch == 0)
        pthread_cond_broadcast(&live->switched);
    pthread_mutex_unlock(&live->lock);
}

/* Makes `coming` the newest, waits until no loop reads the one before, and frees that. */
static void swap_in(sw_live *live, snapshot *coming, sw_served *leaving) {
    snapshot *old = live->newest;
    pthread_mutex_lock(&live->lock);
    live->coming = coming;
    live->leaving = leaving;
    live->loops_to_switch = live->loop_count;
    bool running = live->running;
    pthread_mutex_unlock(&live->lock);
    for (uint32_t i = 0; i < live->loop_count; i++) {
        if (running) {
            sw_loop_post(live->views[i].loop, &live->views[i].switch_task);
        } else {
            live->views[i].now = coming;
            if (leaving)
                retire_here(leaving, i);
        }
    }
    pthread_mutex_lock(&live->lock);
    while (running && live->loops_to_switch > 0)
        pthread_cond_wait(&live->switched, &live->lock);
    live->newest = coming;
    pthread_mutex_unlock(&live->lock);
    free_snapshot(old);
}

static sw_status out_of_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while switching versions");
}

sw_status sw_live_prepare(sw_live *live, sw_served *served, sw_error *error) {
    pthread_mutex_lock(&live->publish_lock);
    const entry *old = live->newest ? find(live->newest, served->model_name) : NULL;
    snapshot *coming = copy_snapshot(live->newest, served->model_name);
    bool whole = coming != NULL;
    if (whole) {
        entry *into = &coming->entries[coming->count++];
        *into = (entry){.name = served->model_name, .served = served};
        whole = copy_aliases(into, &coming->arena, old ? old->aliases : NULL,
                             old ? old->alias_count : 0);
        qsort(coming->entries, coming->count, sizeof *coming->entries, by_name);
    }
    if (whole) {
        live->prepared = coming;
        live->prepared_leaving = old ? old->served : NULL;
        return SW_OK;
    }
    free_snapshot(coming);
    pthread_mutex_unlock(&live->publish_lock);
    return out_of_memory(error);
}

void sw_live_commit(sw_live *live) {
    swap_in(live, live->prepared, live->prepared_leaving);
    live->prepared = NULL;
    pthread_mutex_unlock(&live->publish_lock);
}

void sw_live_abandon(sw_live *live) {
    free_snapshot(live->prepared);
    live->prepared = NULL;
    pthread_mutex_unlock(&live->publish_lock);
}

sw_status sw_live_retract(sw_live *live, sw_str model, sw_error *error) {
    pthread_mutex_lock(&live->publish_lock);
    const entry *old = live->newest ? find(live->newest, model) : NULL;
    snapshot *coming = old ? copy_snapshot(live->newest, model) : NULL;
    if (coming)
        swap_in(live, coming, old->served);
    pthread_mutex_unlock(&live->publish_lock);
    return old && !coming ? out_of_memory(error) : SW_OK;
}

sw_status sw_live_set_aliases(sw_live *live, sw_str model, const sw_live_alias *aliases,
                              size_t count, sw_error *error) {
    pthread_mutex_lock(&live->publish_lock);
    bool whole = true;
    if (live->newest && find(live->newest, model)) {
        snapshot *coming = copy_snapshot(live->newest, (sw_str){0});
        whole = coming && copy_aliases(find(coming, model), &coming->arena, aliases, count);
        if (whole)
            swap_in(live, coming, NULL);
        else
            free_snapshot(coming);
    }
    pthread_mutex_unlock(&live->publish_lock);
    return whole ? SW_OK : out_of_memory(error);
}

/* ---- Reading, on a loop ---- */

static bool is_wanted(const entry *e, sw_str version) {
    uint64_t number;
    if (version.len == 0)
        return true;
    if (sw_str_to_u64(&number, version, UINT32_MAX))
        return number == e->served->version;
    for (size_t i = 0; i < e->alias_count; i++)
        if (sw_str_eq(e->aliases[i].name, version))
            return e->aliases[i].version == e->served->version;
    return false;
}

static sw_status choose(sw_served **out, const snapshot *snap, sw_str model, sw_str version,
                        sw_error *error) {
    const entry *e = find(snap, model);
    if (!e)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "Request for unknown model: '%.*s' is not found: nothing is deployed under "
                       "that name. See: slipway models",
                       SW_STR_ARG(model));
    if (!is_wanted(e, version))
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "Request for unknown model: '%.*s' version '%.*s' is not found: what is live is "
            "version %u. See: slipway versions %.*s",
            SW_STR_ARG(model), SW_STR_ARG(version), e->served->version, SW_STR_ARG(model));
    *out = e->served;
    return SW_OK;
}

sw_status sw_live_pin(sw_served **out, sw_live *live, sw_loop *loop, sw_str model, sw_str version,
                      sw_error *error) {
    SW_TRY(choose(out, live->views[sw_loop_index(loop)].now, model, version, error));
    sw_served_here(*out, loop)->pins++;
    return SW_OK;
}

void sw_live_unpin(sw_served *served, sw_loop *loop) {
    sw_served_local *local = sw_served_here(served, loop);
    if (--local->pins == 0 && local->retired && !local->left)
        leave(served, local);
}

/* A holder off the loops counts like one loop more: what is in the newest snapshot has some left. */
sw_status sw_live_hold(sw_served **out, sw_live *live, sw_str model, sw_str version,
                       sw_error *error) {
    pthread_mutex_lock(&live->publish_lock);
    sw_status status = choose(out, live->newest, model, version, error);
    if (!sw_failed(status))
        atomic_fetch_add_explicit(&(*out)->holders_left, 1, memory_order_relaxed);
    pthread_mutex_unlock(&live->publish_lock);
    return status;
}

void sw_live_let_go(sw_served *served) {
    if (atomic_fetch_sub_explicit(&served->holders_left, 1, memory_order_acq_rel) == 1)
        bury(served->live, served);
}

void sw_live_merge_local(sw_live *live, sw_loop *loop) {
    uint32_t index = sw_loop_index(loop);
    const snapshot *snap = live->views[index].now;
    for (size_t i = 0; snap && i < snap->count; i++)
        merge_local(snap->entries[i].served, &snap->entries[i].served->local[index]);
}

void sw_live_each(sw_live *live, void (*visit)(const sw_served *served, void *context),
                  void *context) {
    pthread_mutex_lock(&live->publish_lock);
    for (size_t i = 0; live->newest && i < live->newest->count; i++)
        visit(live->newest->entries[i].served, context);
    pthread_mutex_unlock(&live->publish_lock);
}

void sw_live_each_held(sw_live *live, void (*visit)(const sw_served *served, void *context),
                       void *context) {
    pthread_mutex_lock(&live->publish_lock);
    size_t count = live->newest ? live->newest->count : 0;
    sw_served **held = sw_mem_alloc((count + 1) * sizeof(sw_served *));
    for (size_t i = 0; held && i < count; i++) {
        held[i] = live->newest->entries[i].served;
        atomic_fetch_add_explicit(&held[i]->holders_left, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&live->publish_lock);
    for (size_t i = 0; held && i < count; i++) {
        visit(held[i], context);
        sw_live_let_go(held[i]);
    }
    sw_mem_free(held);
}

/* ---- Made and freed ---- */

sw_status sw_live_make(sw_live **out, sw_loops *loops, sw_error *error) {
    uint32_t count = sw_loops_count(loops);
    size_t size = sizeof(sw_live) + count * sizeof(loop_view);
    sw_live *live = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!live)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the table of live versions");
    memset(live, 0, size);
    live->loops = loops;
    live->loop_count = count;
    pthread_mutex_init(&live->publish_lock, NULL);
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->switched, NULL);
    pthread_cond_init(&live->work, NULL);
    for (uint32_t i = 0; i < count; i++)
        live->views[i] = (loop_view){
            .switch_task.run = switch_view, .live = live, .loop = sw_loops_at(loops, i)};
    if (pthread_create(&live->janitor, NULL, run_janitor, live) != 0) {
        free(live);
        return sw_fail(error, SW_CODE_NO_MEMORY,
                       "cannot start the thread that closes old versions");
    }
    (void)pthread_setname_np(live->janitor, "janitor");
    *out = live;
    return SW_OK;
}

void sw_live_loops_run(sw_live *live, bool running) {
    pthread_mutex_lock(&live->lock);
    live->running = running;
    pthread_mutex_unlock(&live->lock);
}

void sw_live_free(sw_live *live) {
    if (!live)
        return;
    for (size_t i = 0; live->newest && i < live->newest->count; i++)
        for (uint32_t k = 0; k < live->loop_count; k++)
            retire_here(live->newest->entries[i].served, k);
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    pthread_cond_signal(&live->work);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->janitor, NULL);
    free_snapshot(live->newest);
    pthread_mutex_destroy(&live->publish_lock);
    pthread_mutex_destroy(&live->lock);
    pthread_cond_destroy(&live->switched);
    pthread_cond_destroy(&live->work);
    free(live);
}

sw_served *sw_served_make(sw_live *live) {
    size_t size = sizeof(sw_served) + live->loop_count * sizeof(sw_served_local);
    sw_served *served = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!served)
        return NULL;
    memset(served, 0, size);
    served->live = live;
    served->local_count = live->loop_count;
    atomic_init(&served->holders_left, live->loop_count);
    for (uint32_t i = 0; i < live->loop_count; i++) {
        served->local[i].stats = sw_mem_zalloc(1, sizeof *served->local[i].stats);
        if (!served->local[i].stats) {
            close_served(served);
            return NULL;
        }
    }
    return served;
}

void sw_served_free(sw_served *served) {
    if (served)
        close_served(served);
}
