/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/deploy.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/file.h"
#include "serve/check.h"

#include <pthread.h>

/* A deployment that could not be brought back at start. */
typedef struct down {
    struct down *next;
    char *model, *reason;
} down;

struct sw_deployer {
    sw_registry *registry;
    sw_load_parts parts;
    pthread_mutex_t lock; /* one change at a time */
    pthread_mutex_t down_lock;
    down *downs;
};

/* ---- What is down ---- */

static void free_down(down *one) {
    sw_mem_free(one->model);
    sw_mem_free(one->reason);
    sw_mem_free(one);
}

static void clear_down(sw_deployer *d, sw_str model) {
    pthread_mutex_lock(&d->down_lock);
    down **at = &d->downs;
    while (*at && !sw_str_is(model, (*at)->model))
        at = &(*at)->next;
    down *found = *at;
    if (found)
        *at = found->next;
    pthread_mutex_unlock(&d->down_lock);
    if (found)
        free_down(found);
}

/* Where memory is out the reason is lost, but not the event. */
static void set_down(sw_deployer *d, sw_str model, const char *reason) {
    clear_down(d, model);
    down *one = sw_mem_zalloc(1, sizeof *one);
    if (!one)
        return;
    one->model = sw_mem_copy(model.at, model.len);
    one->reason = sw_mem_copy(reason, strlen(reason));
    if (!one->model || !one->reason) {
        free_down(one);
        return;
    }
    pthread_mutex_lock(&d->down_lock);
    one->next = d->downs;
    d->downs = one;
    pthread_mutex_unlock(&d->down_lock);
}

sw_str sw_deployer_down_reason(sw_deployer *d, sw_str model, sw_arena *arena) {
    sw_str reason = {0};
    pthread_mutex_lock(&d->down_lock);
    for (const down *one = d->downs; one; one = one->next)
        if (sw_str_is(model, one->model))
            reason = sw_arena_copy(arena, sw_str_of(one->reason));
    pthread_mutex_unlock(&d->down_lock);
    return reason;
}

/* ---- Bringing a revision to life ---- */

static const char *engine_of(sw_str engine) {
    return sw_str_is(engine, "native")        ? "native"
           : sw_str_is(engine, "onnxruntime") ? "onnxruntime"
                                              : "auto";
}

static sw_status load_and_check(sw_served **served, sw_deployed *out, sw_deployer *d,
                                const sw_version *version, bool replay, sw_error *error) {
    SW_TRY(sw_load(served, &d->parts, version, engine_of(out->revision.engine),
                   out->revision.number, error));
    if (!version->has_check || !replay)
        return SW_OK;
    char path[SW_PATH_BYTES];
    sw_blob_path(path, sizeof path, d->parts.blobs, &version->check);
    sw_status status = sw_check_rows(&out->checked_rows, *served, path, error);
    if (sw_failed(status))
        sw_served_free(*served);
    return status;
}

static sw_status set_aliases(sw_deployer *d, const sw_model_row *row, sw_arena *arena,
                             sw_error *error) {
    sw_live_alias *aliases = sw_arena_zalloc(arena, row->alias_count + 1, sizeof *aliases);
    if (!aliases)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the aliases");
    for (size_t i = 0; i < row->alias_count; i++)
        aliases[i] = (sw_live_alias){row->aliases[i].name, row->aliases[i].version};
    return sw_live_set_aliases(d->parts.live, row->name, aliases, row->alias_count, error);
}

sw_status sw_deployer_refresh_aliases(sw_deployer *d, sw_str model, sw_error *error) {
    sw_arena arena = {0};
    sw_model_row row;
    sw_status status = sw_registry_get_model(&row, d->registry, model, &arena, error);
    if (!sw_failed(status))
        status = set_aliases(d, &row, &arena, error);
    sw_arena_free(&arena);
    return status;
}

static void describe(sw_deployed *out, const sw_served *served, sw_arena *arena) {
    out->revision.served_by = sw_str_of(served->info->engine);
    out->revision.served_why = sw_arena_copy(arena, sw_str_of(served->info->engine_why));
}

/* The revision failed: what was live stays. Its row says why; the caller is told the same. */
static sw_status mark_failed(sw_deployed *out, sw_deployer *d, sw_str model, sw_status why,
                             sw_arena *arena, sw_error *error) {
    sw_error ignored;
    out->revision.state = SW_REVISION_FAILED;
    out->revision.error = sw_arena_copy(arena, sw_str_of(error->text));
    sw_status marked = sw_registry_end_revision(d->registry, model, &out->revision, &ignored);
    (void)marked; /* a start after a crash marks it failed too */
    return why;
}

/* The point of no return is the registry's commit: all that can fail comes before it. */
static sw_status switch_to(sw_deployer *d, sw_str model, const sw_revision *live, sw_served *served,
                           sw_error *error) {
    SW_TRY(sw_live_prepare(d->parts.live, served, error));
    sw_status status = sw_registry_end_revision(d->registry, model, live, error);
    if (sw_failed(status))
        sw_live_abandon(d->parts.live);
    else
        sw_live_commit(d->parts.live);
    return status;
}

/* Loads the version of out->revision, commits it as live, and switches. */
static sw_status go_live(sw_deployed *out, sw_deployer *d, sw_str model, bool replay,
                         sw_arena *arena, sw_error *error) {
    sw_version version;
    sw_served *served;
    sw_revision *revision = &out->revision;
    SW_TRY(sw_registry_get_version(&version, d->registry, model, revision->version, arena, error));
    SW_TRY(sw_registry_begin_revision(revision, d->registry, model, error));
    sw_status status = load_and_check(&served, out, d, &version, replay, error);
    if (sw_failed(status))
        return mark_failed(out, d, model, status, arena, error);
    describe(out, served, arena);
    revision->state = SW_REVISION_LIVE;
    status = switch_to(d, model, revision, served, error);
    if (sw_failed(status)) {
        sw_served_free(served);
        return mark_failed(out, d, model, status, arena, error);
    }
    revision->live_ms = sw_clock_wall_ms();
    clear_down(d, model);
    return sw_deployer_refresh_aliases(d, model, error);
}

static double since_ms(uint64_t start_ns) {
    return (double)(sw_clock_ns() - start_ns) / 1e6;
}

static bool engine_known(sw_str engine) {
    return engine.len == 0 || sw_str_is(engine, "auto") || sw_str_is(engine, "native") ||
           sw_str_is(engine, "onnxruntime");
}

sw_status sw_deployer_deploy(sw_deployed *out, sw_deployer *d, sw_str model, sw_str spec,
                             sw_str engine, sw_str who, sw_arena *arena, sw_error *error) {
    uint64_t start_ns = sw_clock_ns();
    *out = (sw_deployed){0};
    if (!engine_known(engine))
        return sw_fail(error, SW_CODE_INVALID,
                       "there is no engine '%.*s': say auto, native or onnxruntime",
                       SW_STR_ARG(engine));
    out->revision =
        (sw_revision){.kind = SW_STR("deploy"), .engine = sw_str_of(engine_of(engine)), .who = who};
    pthread_mutex_lock(&d->lock);
    sw_status status = sw_registry_resolve(&out->revision.version, d->registry, model, spec, error);
    if (!sw_failed(status))
        status = go_live(out, d, model, true, arena, error);
    pthread_mutex_unlock(&d->lock);
    out->took_ms = since_ms(start_ns);
    return status;
}

static uint32_t current_revision(const sw_model_row *row) {
    return row->live ? row->live->number : 0;
}

sw_status sw_deployer_rollback(sw_deployed *out, sw_deployer *d, sw_str model, uint32_t to,
                               sw_str who, sw_arena *arena, sw_error *error) {
    uint64_t start_ns = sw_clock_ns();
    sw_model_row row;
    sw_revision target;
    *out = (sw_deployed){0};
    pthread_mutex_lock(&d->lock);
    sw_status status = sw_registry_get_model(&row, d->registry, model, arena, error);
    if (!sw_failed(status))
        status = sw_registry_rollback_target(&target, d->registry, model, to, arena, error);
    if (!sw_failed(status)) {
        out->revision = (sw_revision){.version = target.version,
                                      .kind = SW_STR("rollback"),
                                      .rolled_back_from = current_revision(&row),
                                      .equals = target.number,
                                      .engine = target.engine,
                                      .who = who};
        /* It was checked when it first went live, and a rollback must not dawdle. */
        status = go_live(out, d, model, false, arena, error);
    }
    pthread_mutex_unlock(&d->lock);
    out->took_ms = since_ms(start_ns);
    return status;
}

static sw_status take_down(sw_deployed *out, sw_deployer *d, sw_str model, sw_arena *arena,
                           sw_error *error) {
    sw_model_row row;
    SW_TRY(sw_registry_get_model(&row, d->registry, model, arena, error));
    if (!row.live)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s is not deployed, so there is nothing to take down", SW_STR_ARG(model));
    out->revision.version = row.live->version;
    SW_TRY(sw_registry_begin_revision(&out->revision, d->registry, model, error));
    clear_down(d, model);
    return sw_live_retract(d->parts.live, model, error);
}

sw_status sw_deployer_undeploy(sw_deployed *out, sw_deployer *d, sw_str model, sw_str who,
                               sw_arena *arena, sw_error *error) {
    uint64_t start_ns = sw_clock_ns();
    *out = (sw_deployed){.revision = {.kind = SW_STR("undeploy"),
                                      .engine = SW_STR("auto"),
                                      .state = SW_REVISION_UNDEPLOYED,
                                      .who = who}};
    pthread_mutex_lock(&d->lock);
    sw_status status = take_down(out, d, model, arena, error);
    pthread_mutex_unlock(&d->lock);
    out->took_ms = since_ms(start_ns);
    return status;
}

/* ---- At start, and after a change of settings ---- */

/* Loads what is live, with no new revision. */
static sw_status load_live(sw_deployer *d, const sw_model_row *row, sw_arena *arena,
                           sw_error *error) {
    sw_version version;
    sw_served *served;
    SW_TRY(sw_registry_get_version(&version, d->registry, row->name, row->live->version, arena,
                                   error));
    SW_TRY(sw_load(&served, &d->parts, &version, engine_of(row->live->engine), row->live->number,
                   error));
    sw_status status = sw_live_prepare(d->parts.live, served, error);
    if (sw_failed(status)) {
        sw_served_free(served);
        return status;
    }
    sw_live_commit(d->parts.live);
    return set_aliases(d, row, arena, error);
}

/* How long rows are logged for is the model's, served now or not. */
static sw_status retain_log(sw_deployer *d, sw_str model, sw_arena *arena, sw_error *error) {
    sw_str json;
    sw_monitor_settings settings;
    if (!d->parts.log)
        return SW_OK;
    SW_TRY(sw_registry_get_monitor(&json, d->registry, model, arena, error));
    SW_TRY(sw_monitor_settings_from_json(&settings, json, arena, error));
    return sw_plog_retain(d->parts.log, model, settings.log_days, settings.log_bytes_max, error);
}

sw_status sw_deployer_reload(sw_deployer *d, sw_str model, sw_error *error) {
    sw_arena arena = {0};
    sw_model_row row;
    pthread_mutex_lock(&d->lock);
    sw_status status = sw_registry_get_model(&row, d->registry, model, &arena, error);
    if (!sw_failed(status))
        status = retain_log(d, model, &arena, error);
    if (!sw_failed(status) && row.live)
        status = load_live(d, &row, &arena, error);
    pthread_mutex_unlock(&d->lock);
    sw_arena_free(&arena);
    return status;
}

static sw_status tell_down(sw_deployer *d, const sw_model_row *row, sw_arena *arena,
                           const char *reason, sw_error *error) {
    set_down(d, row->name, reason);
    sw_event event = {
        .kind = SW_STR("deployment.down"),
        .model = row->name,
        .who = SW_STR("slipway"),
        .text = sw_arena_printf(arena, "%.*s@%u did not come back at start: %s",
                                SW_STR_ARG(row->name), row->live->version, reason),
        .data_json = sw_arena_printf(arena, "{\"version\":%u,\"revision\":%u}", row->live->version,
                                     row->live->number),
    };
    return sw_registry_add_event(&event, d->registry, error);
}

sw_status sw_deployer_restore(sw_deployer *d, sw_error *error) {
    sw_arena arena = {0};
    sw_model_row *rows;
    size_t count = 0;
    sw_status status = sw_registry_fail_unfinished(d->registry, error);
    if (!sw_failed(status))
        status = sw_registry_list_models(&rows, &count, d->registry, &arena, error);
    for (size_t i = 0; !sw_failed(status) && i < count; i++) {
        sw_error ignored; /* of settings that cannot be read is told where they are needed */
        (void)sw_failed(retain_log(d, rows[i].name, &arena, &ignored));
    }
    for (size_t i = 0; !sw_failed(status) && i < count; i++) {
        sw_error reason;
        if (rows[i].live && sw_failed(load_live(d, &rows[i], &arena, &reason)))
            status = tell_down(d, &rows[i], &arena, reason.text, error);
    }
    sw_arena_free(&arena);
    return status;
}

sw_status sw_deployer_make(sw_deployer **out, sw_registry *registry, const sw_load_parts *parts,
                           sw_error *error) {
    sw_deployer *d = sw_mem_zalloc(1, sizeof *d);
    if (!d)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the deployer");
    d->registry = registry;
    d->parts = *parts;
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->down_lock, NULL);
    *out = d;
    return SW_OK;
}

void sw_deployer_free(sw_deployer *d) {
    if (!d)
        return;
    while (d->downs) {
        down *next = d->downs->next;
        free_down(d->downs);
        d->downs = next;
    }
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->down_lock);
    sw_mem_free(d);
}
