/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/clock.h"

typedef struct monitor_change {
    sw_registry *registry;
    sw_str model, settings_json, who;
    sw_arena arena;
} monitor_change;

static sw_status do_set(sw_conn *conn, void *context, sw_error *error) {
    monitor_change *c = context;
    uint32_t newest;
    sw_stmt *stmt;
    SW_TRY(sw_models_require(&newest, conn, c->model, error));
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "INSERT INTO monitors (namespace, model, settings_json, who,"
                            " changed_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
                            " ON CONFLICT (namespace, model) DO UPDATE SET"
                            " settings_json = excluded.settings_json, who = excluded.who,"
                            " changed_ms = excluded.changed_ms",
                            c->model, error));
    sw_stmt_bind_str(stmt, 3, c->settings_json);
    sw_stmt_bind_str(stmt, 4, sw_text(c->who));
    sw_stmt_bind_i64(stmt, 5, sw_clock_wall_ms());
    SW_TRY(sw_stmt_run(stmt, error));
    sw_event *event = sw_event_make(&c->arena, "monitor.changed", c->model, c->who);
    if (event) {
        event->text =
            sw_arena_printf(&c->arena, "how %.*s is watched was changed", SW_STR_ARG(c->model));
        event->data_json = c->settings_json;
    }
    return sw_events_record(conn, c->registry, event, &c->arena, error);
}

sw_status sw_registry_set_monitor(sw_registry *registry, sw_str model, sw_str settings_json,
                                  sw_str who, sw_error *error) {
    monitor_change c = {
        .registry = registry, .model = model, .settings_json = settings_json, .who = who};
    sw_status status = sw_db_write(registry->db, do_set, &c, error);
    sw_arena_free(&c.arena);
    return status;
}

typedef struct monitor_read {
    sw_str model, settings_json;
    sw_arena *arena;
} monitor_read;

static sw_status do_get(sw_conn *conn, void *context, sw_error *error) {
    monitor_read *r = context;
    uint32_t newest;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_models_require(&newest, conn, r->model, error));
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT settings_json FROM monitors"
                            " WHERE namespace = ?1 AND model = ?2",
                            r->model, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    r->settings_json = row ? sw_stmt_str(stmt, 0, r->arena) : SW_STR("");
    sw_stmt_end(stmt);
    return SW_OK;
}

sw_status sw_registry_get_monitor(sw_str *settings_json, sw_registry *registry, sw_str model,
                                  sw_arena *arena, sw_error *error) {
    monitor_read r = {.model = model, .arena = arena};
    SW_TRY(sw_db_read(registry->db, do_get, &r, error));
    *settings_json = r.settings_json;
    return SW_OK;
}
