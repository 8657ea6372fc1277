/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/clock.h"

enum { LIST_MAX = 1000 };

/* ---- Recording ---- */

/* An event on its way to the listener. */
typedef struct pending {
    sw_task task;
    sw_registry *registry;
    const sw_event *event;
} pending;

static void publish(sw_task *task) {
    pending *p = SW_CONTAINER(task, pending, task);
    pthread_mutex_lock(&p->registry->mutex);
    if (p->registry->listener)
        p->registry->listener(p->event, p->registry->listener_context);
    pthread_mutex_unlock(&p->registry->mutex);
}

void sw_registry_on_event(sw_registry *registry,
                          void (*listener)(const sw_event *event, void *context), void *context) {
    pthread_mutex_lock(&registry->mutex);
    registry->listener = listener;
    registry->listener_context = context;
    pthread_mutex_unlock(&registry->mutex);
}

/* A counter in a row of its own: ids grow even where old events are cleared away. */
static sw_status next_id(int64_t *id, sw_conn *conn, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO counters (namespace, name, value) VALUES (?1, 'events', 1)"
                         " ON CONFLICT (namespace, name) DO UPDATE SET value = counters.value + 1"
                         " RETURNING value",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *id = sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status insert(sw_conn *conn, const sw_event *event, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO events (namespace, id, at_ms, kind, model, who, message,"
                         " data_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, 2, event->id);
    sw_stmt_bind_i64(stmt, 3, event->at_ms);
    sw_stmt_bind_str(stmt, 4, sw_text(event->kind));
    sw_stmt_bind_str(stmt, 5, sw_text(event->model));
    sw_stmt_bind_str(stmt, 6, sw_text(event->who));
    sw_stmt_bind_str(stmt, 7, sw_text(event->text));
    sw_stmt_bind_str(stmt, 8, event->data_json.len ? event->data_json : SW_STR("{}"));
    return sw_stmt_run(stmt, error);
}

sw_event *sw_event_make(sw_arena *arena, const char *kind, sw_str model, sw_str who) {
    sw_event *event = sw_arena_zalloc(arena, 1, sizeof *event);
    if (event)
        *event = (sw_event){.kind = sw_str_of(kind), .model = model, .who = who};
    return event;
}

sw_status sw_events_record(sw_conn *conn, sw_registry *registry, sw_event *event, sw_arena *arena,
                           sw_error *error) {
    pending *p = sw_arena_alloc(arena, sizeof *p);
    if (!event || !p || !event->text.at || !event->data_json.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while noting an event");
    *p = (pending){{publish, NULL}, registry, event};
    SW_TRY(next_id(&event->id, conn, error));
    event->at_ms = sw_clock_wall_ms();
    SW_TRY(insert(conn, event, error));
    sw_conn_after_commit(conn, &p->task);
    return SW_OK;
}

/* ---- From outside ---- */

typedef struct add_event {
    sw_registry *registry;
    sw_event *event;
    sw_arena arena;
} add_event;

static sw_status do_add(sw_conn *conn, void *context, sw_error *error) {
    add_event *a = context;
    return sw_events_record(conn, a->registry, a->event, &a->arena, error);
}

sw_status sw_registry_add_event(sw_event *event, sw_registry *registry, sw_error *error) {
    add_event a = {.registry = registry, .event = event};
    sw_str text = sw_text(event->text);
    event->data_json = event->data_json.len ? event->data_json : SW_STR("{}");
    sw_arena_init(&a.arena, 512);
    event->text = sw_text_clean(&a.arena, text); /* NULL fails the recording */
    sw_status status = sw_db_write(registry->db, do_add, &a, error);
    event->text = text;
    sw_arena_free(&a.arena);
    return status;
}

/* ---- Listing ---- */

typedef struct list_events {
    sw_event *out;
    size_t count;
    sw_str model;
    int64_t before_id;
    uint32_t limit;
    sw_arena *arena;
} list_events;

static void read_event(sw_event *out, sw_stmt *stmt, sw_arena *arena) {
    *out = (sw_event){
        .id = sw_stmt_i64(stmt, 0),
        .at_ms = sw_stmt_i64(stmt, 1),
        .kind = sw_stmt_str(stmt, 2, arena),
        .model = sw_stmt_str(stmt, 3, arena),
        .who = sw_stmt_str(stmt, 4, arena),
        .text = sw_stmt_str(stmt, 5, arena),
        .data_json = sw_stmt_str(stmt, 6, arena),
    };
}

#define EVENT_COLUMNS "SELECT id, at_ms, kind, model, who, message, data_json FROM events"

static sw_status do_list(sw_conn *conn, void *context, sw_error *error) {
    list_events *l = context;
    const char *of_model = EVENT_COLUMNS " WHERE namespace = ?1 AND model = ?2 AND id < ?3"
                                         " ORDER BY id DESC LIMIT ?4";
    const char *of_all =
        EVENT_COLUMNS " WHERE namespace = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn, l->model.len ? of_model : of_all, error));
    int at = 1;
    sw_stmt_bind_str(stmt, at++, SW_NAMESPACE);
    if (l->model.len)
        sw_stmt_bind_str(stmt, at++, l->model);
    sw_stmt_bind_i64(stmt, at++, l->before_id > 0 ? l->before_id : INT64_MAX);
    sw_stmt_bind_i64(stmt, at, l->limit);
    for (;;) {
        bool row;
        SW_TRY(sw_stmt_step(&row, stmt, error));
        if (!row || l->count == l->limit)
            return SW_OK;
        read_event(&l->out[l->count++], stmt, l->arena);
    }
}

sw_status sw_registry_list_events(sw_event **out, size_t *count, sw_registry *registry,
                                  sw_str model, int64_t before_id, uint32_t limit, sw_arena *arena,
                                  sw_error *error) {
    limit = limit == 0 ? 1 : limit > LIST_MAX ? LIST_MAX : limit;
    list_events l = {.model = model, .before_id = before_id, .limit = limit, .arena = arena};
    l.out = sw_arena_zalloc(arena, limit, sizeof *l.out);
    if (!l.out)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while listing events");
    SW_TRY(sw_db_read(registry->db, do_list, &l, error));
    *out = l.out;
    *count = l.count;
    return SW_OK;
}
