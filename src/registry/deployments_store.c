/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/clock.h"

#include <stdio.h>

enum { LIST_MAX = 100 };

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while reading a deployment");
}

/* ---- Reading ---- */

#define REVISION_COLUMNS                                                                           \
    "SELECT number, version, state, kind, rolled_back_from, equals, engine, error, who,"           \
    " created_ms, live_ms, served_by, served_why FROM revisions WHERE namespace = ?1 AND model = " \
    "?2"

static void read_revision(sw_revision *out, sw_stmt *stmt, sw_arena *arena) {
    *out = (sw_revision){
        .number = (uint32_t)sw_stmt_i64(stmt, 0),
        .version = (uint32_t)sw_stmt_i64(stmt, 1),
        .state = (sw_revision_state)sw_stmt_i64(stmt, 2),
        .kind = sw_stmt_str(stmt, 3, arena),
        .rolled_back_from = (uint32_t)sw_stmt_i64(stmt, 4),
        .equals = (uint32_t)sw_stmt_i64(stmt, 5),
        .engine = sw_stmt_str(stmt, 6, arena),
        .error = sw_stmt_str(stmt, 7, arena),
        .who = sw_stmt_str(stmt, 8, arena),
        .created_ms = sw_stmt_i64(stmt, 9),
        .live_ms = sw_stmt_i64(stmt, 10),
        .served_by = sw_stmt_str(stmt, 11, arena),
        .served_why = sw_stmt_str(stmt, 12, arena),
    };
}

static sw_status get_revision(sw_revision *out, sw_conn *conn, sw_str model, uint32_t number,
                              sw_arena *arena, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn, REVISION_COLUMNS " AND number = ?3", model, error));
    sw_stmt_bind_i64(stmt, 3, number);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (!row)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s has no revision %u. See: slipway events %.*s", SW_STR_ARG(model),
                       number, SW_STR_ARG(model));
    read_revision(out, stmt, arena);
    sw_stmt_end(stmt);
    return SW_OK;
}

/* The newest revision that took effect, but for `except`; `out->number` is 0 where there is none.
 */
static sw_status newest_in_effect(sw_revision *out, sw_conn *conn, sw_str model, uint32_t except,
                                  sw_arena *arena, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    *out = (sw_revision){0};
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            REVISION_COLUMNS " AND state IN (?3, ?4) AND number <> ?5"
                                             " ORDER BY number DESC LIMIT 1",
                            model, error));
    sw_stmt_bind_i64(stmt, 3, SW_REVISION_LIVE);
    sw_stmt_bind_i64(stmt, 4, SW_REVISION_UNDEPLOYED);
    sw_stmt_bind_i64(stmt, 5, except);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (row)
        read_revision(out, stmt, arena);
    sw_stmt_end(stmt);
    return SW_OK;
}

/* `newest_revision` bounds how many there are: numbers begin at 1. */
static sw_status load_newest(sw_model_row *row, sw_conn *conn, sw_arena *arena, sw_error *error) {
    sw_stmt *stmt;
    size_t cap = row->newest_revision < LIST_MAX ? row->newest_revision : LIST_MAX;
    row->revisions = sw_arena_zalloc(arena, cap + 1, sizeof *row->revisions);
    if (!row->revisions)
        return no_memory(error);
    SW_TRY(sw_registry_stmt(&stmt, conn, REVISION_COLUMNS " ORDER BY number DESC LIMIT ?3",
                            row->name, error));
    sw_stmt_bind_i64(stmt, 3, (int64_t)cap);
    for (;;) {
        bool more;
        SW_TRY(sw_stmt_step(&more, stmt, error));
        if (!more || row->revision_count == cap)
            break;
        read_revision(&row->revisions[row->revision_count++], stmt, arena);
    }
    sw_stmt_end(stmt);
    return SW_OK;
}

sw_status sw_revisions_load(sw_model_row *row, sw_conn *conn, sw_arena *arena, sw_error *error) {
    if (row->newest_revision == 0)
        return SW_OK;
    SW_TRY(load_newest(row, conn, arena, error));
    for (size_t i = 0; i < row->revision_count; i++) {
        const sw_revision *revision = &row->revisions[i];
        if (revision->state == SW_REVISION_LIVE)
            row->live = revision;
        if (revision->state == SW_REVISION_LIVE || revision->state == SW_REVISION_UNDEPLOYED)
            return SW_OK;
    }
    if (row->revision_count < LIST_MAX)
        return SW_OK;
    /* Hundreds of failed attempts later: what answers takes the place of the oldest of them. */
    sw_revision current;
    SW_TRY(newest_in_effect(&current, conn, row->name, 0, arena, error));
    if (current.number != 0 && current.state == SW_REVISION_LIVE) {
        row->revisions[LIST_MAX - 1] = current;
        row->live = &row->revisions[LIST_MAX - 1];
    }
    return SW_OK;
}

/* ---- A new revision ---- */

typedef struct begin_revision {
    sw_registry *registry;
    sw_revision *revision;
    sw_str model;
    sw_arena arena;
} begin_revision;

/* Checks what is asked for against what is, and fills in what follows from it. */
static sw_status complete(begin_revision *b, sw_conn *conn, sw_error *error) {
    sw_revision *revision = b->revision, current;
    uint32_t newest;
    SW_TRY(sw_models_require(&newest, conn, b->model, error));
    SW_TRY(newest_in_effect(&current, conn, b->model, 0, &b->arena, error));
    if (revision->state == SW_REVISION_UNDEPLOYED) {
        if (current.number == 0 || current.state != SW_REVISION_LIVE)
            return sw_fail(
                error, SW_CODE_NOT_FOUND,
                "%.*s is not deployed: there is nothing to take down. See: slipway models",
                SW_STR_ARG(b->model));
        revision->version = current.version;
    } else {
        revision->state = SW_REVISION_LOADING;
        SW_TRY(sw_versions_require(conn, b->model, revision->version, error));
    }
    bool undeploy = revision->state == SW_REVISION_UNDEPLOYED;
    if (revision->kind.len == 0)
        revision->kind = undeploy ? SW_STR("undeploy") : SW_STR("deploy");
    if (revision->engine.len == 0)
        revision->engine = SW_STR("auto");
    if (sw_str_is(revision->kind, "rollback") && revision->rolled_back_from == 0)
        revision->rolled_back_from = current.number;
    revision->created_ms = sw_clock_wall_ms();
    revision->live_ms = 0;
    return SW_OK;
}

static sw_status take_number(begin_revision *b, sw_conn *conn, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "UPDATE models SET newest_revision = newest_revision + 1"
                            " WHERE namespace = ?1 AND name = ?2 RETURNING newest_revision",
                            b->model, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    b->revision->number = (uint32_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status insert(const begin_revision *b, sw_conn *conn, sw_error *error) {
    const sw_revision *revision = b->revision;
    sw_stmt *stmt;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "INSERT INTO revisions (namespace, model, number, version, state, kind,"
                            " rolled_back_from, equals, engine, error, who, created_ms, live_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)",
                            b->model, error));
    sw_stmt_bind_i64(stmt, 3, revision->number);
    sw_stmt_bind_i64(stmt, 4, revision->version);
    sw_stmt_bind_i64(stmt, 5, revision->state);
    sw_stmt_bind_str(stmt, 6, revision->kind);
    sw_stmt_bind_i64(stmt, 7, revision->rolled_back_from);
    sw_stmt_bind_i64(stmt, 8, revision->equals);
    sw_stmt_bind_str(stmt, 9, revision->engine);
    sw_stmt_bind_str(stmt, 10, sw_text(revision->error));
    sw_stmt_bind_str(stmt, 11, sw_text(revision->who));
    sw_stmt_bind_i64(stmt, 12, revision->created_ms);
    return sw_stmt_run(stmt, error);
}

static sw_status do_begin(sw_conn *conn, void *context, sw_error *error) {
    begin_revision *b = context;
    SW_TRY(complete(b, conn, error));
    SW_TRY(take_number(b, conn, error));
    SW_TRY(insert(b, conn, error));
    const sw_revision *revision = b->revision;
    bool undeploy = revision->state == SW_REVISION_UNDEPLOYED;
    sw_event *event =
        sw_event_make(&b->arena, undeploy ? "deployment.undeployed" : "deployment.loading",
                      b->model, revision->who);
    if (event) {
        event->text = sw_arena_printf(
            &b->arena, "%.*s@%u %s %u", SW_STR_ARG(b->model), revision->version,
            undeploy ? "taken down by revision" : "loading as revision", revision->number);
        event->data_json = sw_arena_printf(&b->arena, "{\"version\":%u,\"revision\":%u}",
                                           revision->version, revision->number);
    }
    return sw_events_record(conn, b->registry, event, &b->arena, error);
}

sw_status sw_registry_begin_revision(sw_revision *revision, sw_registry *registry, sw_str model,
                                     sw_error *error) {
    begin_revision b = {.registry = registry, .revision = revision, .model = model};
    sw_arena_init(&b.arena, 1024);
    sw_status status = sw_db_write(registry->db, do_begin, &b, error);
    sw_arena_free(&b.arena);
    return status;
}

/* ---- How it ended ---- */

typedef struct end_revision {
    sw_registry *registry;
    sw_str model;
    const sw_revision *ended;
    bool live;
    sw_str reason;
    sw_arena arena;
} end_revision;

static sw_status set_state(const end_revision *e, sw_conn *conn, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "UPDATE revisions SET state = ?4, error = ?5, live_ms = ?6,"
                            " served_by = ?7, served_why = ?8"
                            " WHERE namespace = ?1 AND model = ?2 AND number = ?3 AND state = ?9",
                            e->model, error));
    sw_stmt_bind_i64(stmt, 3, e->ended->number);
    sw_stmt_bind_i64(stmt, 4, e->live ? SW_REVISION_LIVE : SW_REVISION_FAILED);
    sw_stmt_bind_str(stmt, 5, e->live ? SW_STR("") : e->reason);
    sw_stmt_bind_i64(stmt, 6, e->live ? sw_clock_wall_ms() : 0);
    sw_stmt_bind_str(stmt, 7, e->live ? sw_text(e->ended->served_by) : SW_STR(""));
    sw_stmt_bind_str(stmt, 8, e->live ? sw_text(e->ended->served_why) : SW_STR(""));
    sw_stmt_bind_i64(stmt, 9, SW_REVISION_LOADING);
    SW_TRY(sw_stmt_run(stmt, error));
    if (sw_conn_changes(conn) == 1)
        return SW_OK;
    return sw_fail(error, SW_CODE_CONFLICT, "revision %u of %.*s is not loading", e->ended->number,
                   SW_STR_ARG(e->model));
}

static void describe_live(sw_event *event, const end_revision *e, const sw_revision *revision,
                          const sw_revision *before, sw_arena *arena) {
    char after[SW_NAME_BYTES + 64] = "";
    bool again = sw_str_is(revision->kind, "rollback");
    if (before->number != 0 && before->state == SW_REVISION_LIVE)
        (void)snprintf(after, sizeof after, ", after %.*s@%u", SW_STR_ARG(e->model),
                       before->version);
    event->text =
        sw_arena_printf(arena, "%.*s@%u %s as revision %u%s", SW_STR_ARG(e->model),
                        revision->version, again ? "live again" : "live", revision->number, after);
}

static sw_status do_end(sw_conn *conn, void *context, sw_error *error) {
    end_revision *e = context;
    sw_revision revision = {0}, before = {0};
    SW_TRY(set_state(e, conn, error));
    SW_TRY(get_revision(&revision, conn, e->model, e->ended->number, &e->arena, error));
    SW_TRY(newest_in_effect(&before, conn, e->model, e->ended->number, &e->arena, error));
    bool live = e->live;
    sw_event *event = sw_event_make(&e->arena, live ? "deployment.live" : "deployment.failed",
                                    e->model, revision.who);
    if (event && live)
        describe_live(event, e, &revision, &before, &e->arena);
    else if (event)
        event->text = sw_arena_printf(&e->arena, "%.*s@%u did not go live as revision %u: %.*s",
                                      SW_STR_ARG(e->model), revision.version, revision.number,
                                      SW_STR_ARG(e->reason));
    if (event)
        event->data_json =
            sw_arena_printf(&e->arena, "{\"version\":%u,\"revision\":%u,\"kind\":\"%.*s\"}",
                            revision.version, revision.number, SW_STR_ARG(revision.kind));
    return sw_events_record(conn, e->registry, event, &e->arena, error);
}

sw_status sw_registry_end_revision(sw_registry *registry, sw_str model, const sw_revision *ended,
                                   sw_error *error) {
    end_revision e = {.registry = registry,
                      .model = model,
                      .ended = ended,
                      .live = ended->state == SW_REVISION_LIVE};
    sw_arena_init(&e.arena, 2048);
    e.reason = sw_text_clean(&e.arena, sw_text(ended->error));
    sw_status status =
        e.reason.at ? sw_db_write(registry->db, do_end, &e, error) : no_memory(error);
    sw_arena_free(&e.arena);
    return status;
}

/* ---- After a crash ---- */

typedef struct unfinished {
    sw_registry *registry;
    sw_arena arena;
} unfinished;

static sw_status first_unfinished(bool *found, sw_str *model, uint32_t *number, sw_conn *conn,
                                  sw_arena *arena, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT model, number FROM revisions WHERE namespace = ?1 AND state = ?2"
                         " ORDER BY model, number LIMIT 1",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, 2, SW_REVISION_LOADING);
    SW_TRY(sw_stmt_step(found, stmt, error));
    if (*found) {
        *model = sw_stmt_str(stmt, 0, arena);
        *number = (uint32_t)sw_stmt_i64(stmt, 1);
    }
    sw_stmt_end(stmt);
    return *found && !model->at ? no_memory(error) : SW_OK;
}

/* All in one write, whose arena keeps the events until they are told. */
static sw_status do_fail_unfinished(sw_conn *conn, void *context, sw_error *error) {
    unfinished *u = context;
    for (;;) {
        bool found;
        sw_revision ended = {.state = SW_REVISION_FAILED};
        end_revision e = {.registry = u->registry,
                          .ended = &ended,
                          .reason = SW_STR("the server stopped while it was loading"),
                          .arena = u->arena};
        sw_status status = first_unfinished(&found, &e.model, &ended.number, conn, &e.arena, error);
        if (!sw_failed(status) && found)
            status = do_end(conn, &e, error);
        u->arena = e.arena;
        if (sw_failed(status) || !found)
            return status;
    }
}

static sw_status do_any_unfinished(sw_conn *conn, void *context, sw_error *error) {
    sw_str model;
    uint32_t number;
    sw_arena arena;
    sw_arena_init(&arena, 256);
    sw_status status = first_unfinished(context, &model, &number, conn, &arena, error);
    sw_arena_free(&arena);
    return status;
}

/* A start after a clean end writes nothing. */
sw_status sw_registry_fail_unfinished(sw_registry *registry, sw_error *error) {
    bool any;
    SW_TRY(sw_db_read(registry->db, do_any_unfinished, &any, error));
    if (!any)
        return SW_OK;
    unfinished u = {.registry = registry};
    sw_arena_init(&u.arena, 4096);
    sw_status status = sw_db_write(registry->db, do_fail_unfinished, &u, error);
    sw_arena_free(&u.arena);
    return status;
}

/* ---- Where a rollback goes ---- */

typedef struct rollback {
    sw_revision *out;
    sw_str model;
    uint32_t to;
    sw_arena *arena; /* the caller's */
    sw_arena work;
} rollback;

static sw_status count_revisions(size_t *count, sw_conn *conn, sw_str model, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT COUNT(*) FROM revisions WHERE namespace = ?1 AND model = ?2",
                            model, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *count = (size_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status load_past(sw_past *past, size_t *count, size_t cap, rollback *r, sw_conn *conn,
                           sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT number, version, state, equals,"
                            " CASE WHEN kind = 'rollback' THEN 1 ELSE 0 END FROM revisions"
                            " WHERE namespace = ?1 AND model = ?2 ORDER BY number",
                            r->model, error));
    for (*count = 0; *count < cap; (*count)++) {
        bool row;
        SW_TRY(sw_stmt_step(&row, stmt, error));
        if (!row)
            break;
        past[*count] = (sw_past){
            .number = (uint32_t)sw_stmt_i64(stmt, 0),
            .version = (uint32_t)sw_stmt_i64(stmt, 1),
            .state = (sw_revision_state)sw_stmt_i64(stmt, 2),
            .equals = (uint32_t)sw_stmt_i64(stmt, 3),
            .is_rollback = sw_stmt_i64(stmt, 4) != 0,
        };
    }
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status load_history(sw_history *out, rollback *r, sw_conn *conn, sw_error *error) {
    size_t count;
    SW_TRY(count_revisions(&count, conn, r->model, error));
    sw_past *past = sw_arena_zalloc(&r->work, count + 1, sizeof *past);
    uint32_t *stack = sw_arena_zalloc(&r->work, count + 1, sizeof *stack);
    if (!past || !stack)
        return no_memory(error);
    SW_TRY(load_past(past, &count, count, r, conn, error));
    sw_history_replay(out, past, count, stack);
    return SW_OK;
}

/* "1 (fraud@1), 2 (fraud@2)": the newest few that went live and do not answer now. */
static void list_targets(char *text, size_t cap, const sw_history *history, sw_str model) {
    enum { SHOWN = 5 };
    size_t used = 0;
    int shown = 0;
    text[0] = '\0';
    for (size_t i = history->count; i > 0 && shown < SHOWN; i--) {
        const sw_past *past = &history->past[i - 1];
        if (past->state != SW_REVISION_LIVE || sw_history_answers(history, past->number))
            continue;
        int more = snprintf(text + used, cap - used, "%s%u (%.*s@%u)", shown ? ", " : "",
                            past->number, SW_STR_ARG(model), past->version);
        if (more < 0 || (size_t)more >= cap - used)
            break;
        used += (size_t)more;
        shown++;
    }
}

static sw_status no_target(const sw_history *history, const rollback *r, sw_error *error) {
    char targets[768];
    list_targets(targets, sizeof targets, history, r->model);
    if (!history->current)
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "%.*s was never live: there is nothing to roll back to. Next: slipway deploy %.*s",
            SW_STR_ARG(r->model), SW_STR_ARG(r->model));
    if (r->to != 0)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s has no revision %u that went live. It can roll back to: %s",
                       SW_STR_ARG(r->model), r->to, targets[0] ? targets : "none");
    if (targets[0])
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "%.*s has no earlier revision that was not left by a rollback. To choose one: "
            "slipway rollback %.*s --to REVISION, of %s",
            SW_STR_ARG(r->model), SW_STR_ARG(r->model), targets);
    return sw_fail(error, SW_CODE_NOT_FOUND,
                   "%.*s@%u is the first that went live: there is nothing to roll back to. "
                   "See: slipway versions %.*s",
                   SW_STR_ARG(r->model), history->current->version, SW_STR_ARG(r->model));
}

static sw_status do_rollback(sw_conn *conn, void *context, sw_error *error) {
    rollback *r = context;
    uint32_t newest;
    sw_history history = {0};
    SW_TRY(sw_models_require(&newest, conn, r->model, error));
    SW_TRY(load_history(&history, r, conn, error));
    if (r->to != 0 && sw_history_live(&history, r->to) && sw_history_answers(&history, r->to))
        return sw_fail(error, SW_CODE_CONFLICT, "revision %u of %.*s answers already", r->to,
                       SW_STR_ARG(r->model));
    const sw_past *target =
        r->to ? sw_history_live(&history, r->to) : sw_history_last_good(&history);
    if (!target)
        return no_target(&history, r, error);
    return get_revision(r->out, conn, r->model, target->number, r->arena, error);
}

sw_status sw_registry_rollback_target(sw_revision *out, sw_registry *registry, sw_str model,
                                      uint32_t to, sw_arena *arena, sw_error *error) {
    rollback r = {.out = out, .model = model, .to = to, .arena = arena};
    sw_arena_init(&r.work, 2048);
    sw_status status = sw_db_read(registry->db, do_rollback, &r, error);
    sw_arena_free(&r.work);
    return status;
}
