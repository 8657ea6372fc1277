/* SPDX-License-Identifier: Apache-2.0 */
#include "api/model_json.h"

#include "base/clock.h"

/* ---- What serves now ---- */

static void look(const sw_served *served, void *context) {
    sw_live_rows *rows = context;
    if (rows->count == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 16;
        sw_live_row *grown = sw_arena_alloc(rows->arena, cap * sizeof *grown);
        if (!grown)
            return;
        if (rows->count)
            memcpy(grown, rows->rows, rows->count * sizeof *grown);
        rows->rows = grown;
        rows->cap = cap;
    }
    sw_error ignored;
    sw_live_row *row = &rows->rows[rows->count];
    *row = (sw_live_row){
        .model = sw_arena_copy(rows->arena, served->model_name),
        .version = served->version,
        .revision = served->revision,
        .engine = sw_str_of(served->info->engine),
        .engine_why = sw_arena_copy(rows->arena, sw_str_of(served->info->engine_why)),
    };
    if (!row->model.at)
        return;
    if (sw_failed(sw_watch_summarise(&row->watch, served->watched, &ignored)))
        row->watch = (sw_watch_summary){.state = "unwatched"};
    rows->count++;
}

void sw_live_rows_read(sw_live_rows *out, sw_app *app, sw_arena *arena) {
    *out = (sw_live_rows){.arena = arena};
    sw_live_each(app->parts.live, look, out);
}

const sw_live_row *sw_live_rows_find(const sw_live_rows *rows, sw_str model) {
    for (size_t i = 0; i < rows->count; i++)
        if (sw_str_eq(rows->rows[i].model, model))
            return &rows->rows[i];
    return NULL;
}

/* ---- The nouns ---- */

static const char *state_words(sw_revision_state state) {
    static const char *const words[] = {"loading", "live", "failed", "undeployed"};
    return words[state];
}

void sw_json_begin_revision(sw_json *w, sw_str model, const sw_revision *r, bool current,
                            const sw_live_row *live) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "model", model);
    sw_json_add_u64(w, "revision", r->number);
    sw_json_add_u64(w, "version", r->version);
    sw_json_add_text(w, "state", state_words(r->state));
    sw_json_add_bool(w, "current", current);
    sw_json_add_str(w, "kind", r->kind);
    sw_json_add_u64(w, "equals", r->equals);
    sw_json_add_u64(w, "rolled_back_from", r->rolled_back_from);
    bool serves = current && live; /* after a start it may be by another one */
    sw_json_add_str(w, "engine",
                    serves             ? live->engine
                    : r->served_by.len ? r->served_by
                                       : r->engine);
    sw_json_add_str(w, "engine_why", serves ? live->engine_why : r->served_why);
    sw_json_add_str(w, "error", r->error);
    sw_json_add_str(w, "who", r->who);
    sw_json_add_i64(w, "created_ms", r->created_ms);
    sw_json_add_i64(w, "live_ms", r->live_ms);
}

static void write_deployment(sw_json *w, sw_app *app, const sw_model_row *model,
                             const sw_live_row *live, sw_arena *arena) {
    sw_json_key(w, "deployment");
    if (!model->live) {
        sw_json_null(w);
        return;
    }
    sw_json_begin_object(w);
    sw_json_add_u64(w, "revision", model->live->number);
    sw_json_add_u64(w, "version", model->live->version);
    sw_json_add_str(w, "kind", model->live->kind);
    sw_json_add_str(w, "who", model->live->who);
    sw_json_add_i64(w, "live_ms", model->live->live_ms);
    sw_json_add_str(w, "engine", live ? live->engine : SW_STR(""));
    sw_json_add_str(w, "engine_why", live ? live->engine_why : SW_STR(""));
    sw_json_add_text(w, "state", live ? "live" : "down");
    sw_json_add_str(w, "error", sw_deployer_down_reason(app->deployer, model->name, arena));
    sw_json_end_object(w);
}

static void write_traffic(sw_json *w, sw_app *app, sw_str model) {
    sw_traffic_now now;
    sw_stats_now(&now, app->parts.stats, model);
    sw_json_key(w, "traffic");
    sw_json_begin_object(w);
    sw_json_add_f64(w, "requests_per_s", now.requests_per_s);
    sw_json_add_f64(w, "p50_ms", now.p50_ms); /* NaN is written as null */
    sw_json_add_f64(w, "p99_ms", now.p99_ms);
    sw_json_add_f64(w, "error_share", now.failure_share);
    sw_json_add_u64(w, "requests", now.requests);
    sw_json_add_u64(w, "failures", now.failures);
    sw_json_end_object(w);
}

static void write_watch(sw_json *w, const sw_live_row *live) {
    sw_watch_summary none = {.state = "unwatched"};
    const sw_watch_summary *watch = live ? &live->watch : &none;
    sw_json_key(w, "watch");
    sw_json_begin_object(w);
    sw_json_add_text(w, "state", watch->state);
    sw_json_add_u64(w, "rows", watch->rows);
    sw_json_add_u64(w, "features", watch->features);
    sw_json_add_u64(w, "drifted", watch->drifted);
    sw_json_add_u64(w, "moved", watch->moved);
    sw_json_add_u64(w, "too_few", watch->too_few);
    sw_json_end_object(w);
}

void sw_json_model(sw_json *w, sw_app *app, const sw_model_row *model, const sw_live_rows *live,
                   sw_arena *arena) {
    const sw_live_row *row = sw_live_rows_find(live, model->name);
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", model->name);
    sw_json_add_i64(w, "created_ms", model->created_ms);
    sw_json_add_u64(w, "newest_version", model->newest_version);
    sw_json_key(w, "aliases");
    sw_json_begin_array(w);
    for (size_t i = 0; i < model->alias_count; i++) {
        sw_json_begin_object(w);
        sw_json_add_str(w, "name", model->aliases[i].name);
        sw_json_add_u64(w, "version", model->aliases[i].version);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
    write_deployment(w, app, model, row, arena);
    write_traffic(w, app, model->name);
    write_watch(w, row);
    sw_json_end_object(w);
}

static void write_profile(sw_json *w, const sw_version *version) {
    sw_json_key(w, "profile");
    if (version->profile_hash.len == 0) {
        sw_json_null(w);
        return;
    }
    sw_json_begin_object(w);
    sw_json_add_str(w, "hash", version->profile_hash);
    sw_json_add_u64(w, "rows", version->profile_rows);
    sw_json_end_object(w);
}

static void write_artifact(sw_json *w, const sw_version *version) {
    sw_json_key(w, "artifact");
    if (version->external) {
        sw_json_null(w);
        return;
    }
    sw_json_begin_object(w);
    sw_json_add_text(w, "sha256", version->artifact.hex);
    sw_json_add_u64(w, "size_bytes", version->artifact_bytes);
    sw_json_end_object(w);
}

void sw_json_begin_version(sw_json *w, const sw_version *version, const sw_model_row *model) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "model", version->model);
    sw_json_add_u64(w, "version", version->number);
    sw_json_add_i64(w, "created_ms", version->created_ms);
    sw_json_add_str(w, "who", version->who);
    sw_json_add_str(w, "note", version->note);
    sw_json_add_bool(w, "external", version->external);
    write_artifact(w, version);
    sw_json_key(w, "signature");
    sw_json_raw(w, version->signature_json);
    write_profile(w, version);
    sw_json_add_bool(w, "check", version->has_check);
    sw_json_key(w, "aliases");
    sw_json_begin_array(w);
    for (size_t i = 0; i < model->alias_count; i++)
        if (model->aliases[i].version == version->number)
            sw_json_str(w, model->aliases[i].name);
    sw_json_end_array(w);
    sw_json_add_bool(w, "live", model->live && model->live->version == version->number);
}

sw_status sw_json_fleet(sw_buf *out, sw_app *app, sw_arena *arena, sw_error *error) {
    sw_model_row *models;
    size_t count;
    sw_live_rows live;
    SW_TRY(sw_registry_list_models(&models, &count, app->registry, arena, error));
    sw_live_rows_read(&live, app, arena);
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_key(&w, "models");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        sw_json_model(&w, app, &models[i], &live, arena);
    sw_json_end_array(&w);
    sw_json_add_i64(&w, "at_ms", sw_clock_wall_ms());
    sw_json_end_object(&w);
    return SW_OK;
}
