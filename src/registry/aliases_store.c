/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/clock.h"

#include <stdio.h>

typedef struct alias_change {
    sw_registry *registry;
    sw_str model;
    sw_str alias;
    uint32_t version; /* unused by a removal */
    sw_str who;
    sw_arena arena;
} alias_change;

static sw_status check_alias(sw_str alias, sw_error *error) {
    SW_TRY(sw_registry_check_name(alias, "an alias", error));
    for (size_t i = 0; i < alias.len; i++)
        if (alias.at[i] < '0' || alias.at[i] > '9')
            return SW_OK;
    return sw_fail(error, SW_CODE_INVALID,
                   "an alias cannot be a number (%.*s): it would be taken for that version",
                   SW_STR_ARG(alias));
}

/* What the alias says now; 0 where there is none. */
static sw_status current_version(uint32_t *version, sw_conn *conn, const alias_change *c,
                                 sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT version FROM aliases"
                            " WHERE namespace = ?1 AND model = ?2 AND name = ?3",
                            c->model, error));
    sw_stmt_bind_str(stmt, 3, c->alias);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *version = row ? (uint32_t)sw_stmt_i64(stmt, 0) : 0;
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status put(sw_conn *conn, const alias_change *c, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "INSERT INTO aliases (namespace, model, name, version, who, moved_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                            " ON CONFLICT (namespace, model, name) DO UPDATE SET"
                            " version = excluded.version, who = excluded.who,"
                            " moved_ms = excluded.moved_ms",
                            c->model, error));
    sw_stmt_bind_str(stmt, 3, c->alias);
    sw_stmt_bind_i64(stmt, 4, c->version);
    sw_stmt_bind_str(stmt, 5, sw_text(c->who));
    sw_stmt_bind_i64(stmt, 6, sw_clock_wall_ms());
    return sw_stmt_run(stmt, error);
}

static void describe_move(sw_event *event, alias_change *c, uint32_t was) {
    char before[32] = "";
    if (was)
        (void)snprintf(before, sizeof before, ", was version %u", was);
    event->text = sw_arena_printf(&c->arena, "%.*s@%.*s is %.*s@%u now%s", SW_STR_ARG(c->model),
                                  SW_STR_ARG(c->alias), SW_STR_ARG(c->model), c->version, before);
    event->data_json = sw_arena_printf(&c->arena, "{\"alias\":\"%.*s\",\"version\":%u,\"was\":%u}",
                                       SW_STR_ARG(c->alias), c->version, was);
}

/* Setting what is set already changes nothing, so that it makes no event. */
static sw_status do_set(sw_conn *conn, void *context, sw_error *error) {
    alias_change *c = context;
    uint32_t was;
    SW_TRY(sw_versions_require(conn, c->model, c->version, error));
    SW_TRY(current_version(&was, conn, c, error));
    if (was == c->version)
        return SW_OK;
    SW_TRY(put(conn, c, error));
    sw_event *event = sw_event_make(&c->arena, "alias.moved", c->model, c->who);
    if (event)
        describe_move(event, c, was);
    return sw_events_record(conn, c->registry, event, &c->arena, error);
}

static sw_status do_remove(sw_conn *conn, void *context, sw_error *error) {
    alias_change *c = context;
    uint32_t was, newest;
    sw_stmt *stmt;
    SW_TRY(sw_models_require(&newest, conn, c->model, error));
    SW_TRY(current_version(&was, conn, c, error));
    if (was == 0)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s has no alias %.*s. See: slipway versions %.*s", SW_STR_ARG(c->model),
                       SW_STR_ARG(c->alias), SW_STR_ARG(c->model));
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "DELETE FROM aliases WHERE namespace = ?1 AND model = ?2 AND name = ?3",
                            c->model, error));
    sw_stmt_bind_str(stmt, 3, c->alias);
    SW_TRY(sw_stmt_run(stmt, error));
    sw_event *event = sw_event_make(&c->arena, "alias.removed", c->model, c->who);
    if (event) {
        event->text =
            sw_arena_printf(&c->arena, "%.*s@%.*s removed, was %.*s@%u", SW_STR_ARG(c->model),
                            SW_STR_ARG(c->alias), SW_STR_ARG(c->model), was);
        event->data_json = sw_arena_printf(&c->arena, "{\"alias\":\"%.*s\",\"was\":%u}",
                                           SW_STR_ARG(c->alias), was);
    }
    return sw_events_record(conn, c->registry, event, &c->arena, error);
}

static sw_status change(alias_change *c, sw_db_fn *fn, sw_error *error) {
    SW_TRY(check_alias(c->alias, error));
    sw_arena_init(&c->arena, 512);
    sw_status status = sw_db_write(c->registry->db, fn, c, error);
    sw_arena_free(&c->arena);
    return status;
}

sw_status sw_registry_set_alias(sw_registry *registry, sw_str model, sw_str alias, uint32_t version,
                                sw_str who, sw_error *error) {
    alias_change c = {
        .registry = registry, .model = model, .alias = alias, .version = version, .who = who};
    return change(&c, do_set, error);
}

sw_status sw_registry_remove_alias(sw_registry *registry, sw_str model, sw_str alias, sw_str who,
                                   sw_error *error) {
    alias_change c = {.registry = registry, .model = model, .alias = alias, .who = who};
    return change(&c, do_remove, error);
}
