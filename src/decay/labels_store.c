/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "decay/decay_private.h"

static const sw_str namespace = SW_STR("default");

/* ---- Writing ---- */

typedef struct writing {
    sw_label_counts counts;
    decay_model *model;
    sw_str name;
    const sw_label *labels;
    size_t count;
    int64_t now_ms;
    sw_arena arena;
} writing;

static sw_status write_class(sw_conn *conn, const writing *w, uint32_t code, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO label_classes (namespace, model, code, name)"
                         " VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT (namespace, model, code) DO NOTHING",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, w->name);
    sw_stmt_bind_i64(stmt, 3, code);
    sw_stmt_bind_str(stmt, 4, sw_label_class(w->model, code));
    return sw_stmt_run(stmt, error);
}

static sw_status find_label(bool *found, sw_str *label, sw_conn *conn, writing *w, sw_str id,
                            sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT label FROM labels WHERE namespace = ?1 AND model = ?2 AND id = ?3",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, w->name);
    sw_stmt_bind_str(stmt, 3, id);
    sw_status status = sw_stmt_step(found, stmt, error);
    if (!sw_failed(status) && *found)
        *label = sw_stmt_str(stmt, 0, &w->arena);
    sw_stmt_end(stmt);
    return status;
}

static sw_status write_label(sw_conn *conn, writing *w, const sw_label *label, int64_t seq,
                             sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO labels (namespace, model, id, label, at_ms, seq)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                         " ON CONFLICT (namespace, model, id) DO UPDATE SET"
                         " label = excluded.label, at_ms = excluded.at_ms, seq = excluded.seq",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, w->name);
    sw_stmt_bind_str(stmt, 3, label->id);
    sw_stmt_bind_str(stmt, 4, label->label);
    sw_stmt_bind_i64(stmt, 5, label->at_ms ? label->at_ms : w->now_ms);
    sw_stmt_bind_i64(stmt, 6, seq);
    return sw_stmt_run(stmt, error);
}

static bool is_stored(decay_model *model, uint32_t code) {
    pthread_mutex_lock(&model->lock);
    bool stored = model->classes[code].stored;
    pthread_mutex_unlock(&model->lock);
    return stored;
}

static sw_status write_all(sw_conn *conn, void *context, sw_error *error) {
    writing *w = context;
    decay_model *model = w->model;
    w->counts = (sw_label_counts){0};
    pthread_mutex_lock(&model->lock);
    uint32_t classes = model->class_count;
    int64_t seq = model->newest_seq;
    pthread_mutex_unlock(&model->lock);
    for (uint32_t i = 0; i < classes; i++)
        if (!is_stored(model, i))
            SW_TRY(write_class(conn, w, i, error));
    seq = seq < sw_label_seq(w->now_ms) ? sw_label_seq(w->now_ms) : seq;
    for (size_t i = 0; i < w->count; i++) {
        sw_str before = {0};
        bool found = false;
        sw_arena_reset(&w->arena);
        SW_TRY(find_label(&found, &before, conn, w, w->labels[i].id, error));
        w->counts.accepted++;
        if (found && sw_label_same(before, w->labels[i].label)) {
            w->counts.duplicates++;
            continue;
        }
        w->counts.changed += found;
        SW_TRY(write_label(conn, w, &w->labels[i], ++seq, error));
    }
    pthread_mutex_lock(&model->lock);
    model->newest_seq = seq;
    pthread_mutex_unlock(&model->lock);
    return SW_OK;
}

sw_status sw_labels_write(sw_label_counts *counts, sw_db *db, decay_model *model,
                          const sw_label *labels, size_t count, int64_t now_ms, sw_error *error) {
    writing w = {.model = model,
                 .name = sw_str_of(model->name),
                 .labels = labels,
                 .count = count,
                 .now_ms = now_ms};
    pthread_mutex_lock(&model->lock);
    uint32_t classes = model->class_count;
    pthread_mutex_unlock(&model->lock);
    sw_status status = sw_db_write(db, write_all, &w, error);
    sw_arena_free(&w.arena);
    if (sw_failed(status))
        return status;
    pthread_mutex_lock(&model->lock);
    for (uint32_t i = 0; i < classes; i++)
        model->classes[i].stored = true;
    model->has_labels = true;
    pthread_mutex_unlock(&model->lock);
    counts->accepted += w.counts.accepted;
    counts->duplicates += w.counts.duplicates;
    counts->changed += w.counts.changed;
    return SW_OK;
}

/* ---- Reading ---- */

typedef struct reading {
    sw_str model;
    int64_t after;
    uint32_t limit;
    const sw_str *ids;
    size_t count;
    stored_label_fn *fn;
    void *context;
    sw_arena arena;
} reading;

static sw_status read_row(sw_stmt *stmt, reading *r, sw_error *error) {
    stored_label label;
    sw_arena_reset(&r->arena);
    label.id = sw_stmt_str(stmt, 0, &r->arena);
    label.label = sw_stmt_str(stmt, 1, &r->arena);
    label.at_ms = sw_stmt_i64(stmt, 2);
    label.seq = sw_stmt_i64(stmt, 3);
    return r->fn(&label, r->context, error);
}

static sw_status read_rows(sw_stmt *stmt, reading *r, sw_error *error) {
    bool more;
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        status = read_row(stmt, r, error);
        if (!sw_failed(status))
            status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

static sw_status read_after(sw_conn *conn, void *context, sw_error *error) {
    reading *r = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT id, label, at_ms, seq FROM labels"
                         " WHERE namespace = ?1 AND model = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, r->model);
    sw_stmt_bind_i64(stmt, 3, r->after);
    sw_stmt_bind_i64(stmt, 4, r->limit);
    return read_rows(stmt, r, error);
}

sw_status sw_labels_read_after(sw_db *db, sw_str model, int64_t after, uint32_t limit,
                               stored_label_fn *fn, void *context, sw_error *error) {
    reading r = {.model = model, .after = after, .limit = limit, .fn = fn, .context = context};
    sw_status status = sw_db_read(db, read_after, &r, error);
    sw_arena_free(&r.arena);
    return status;
}

static sw_status read_ids(sw_conn *conn, void *context, sw_error *error) {
    reading *r = context;
    for (size_t i = 0; i < r->count; i++) {
        sw_stmt *stmt;
        SW_TRY(sw_stmt_begin(&stmt, conn,
                             "SELECT id, label, at_ms, seq FROM labels"
                             " WHERE namespace = ?1 AND model = ?2 AND id = ?3",
                             error));
        sw_stmt_bind_str(stmt, 1, namespace);
        sw_stmt_bind_str(stmt, 2, r->model);
        sw_stmt_bind_str(stmt, 3, r->ids[i]);
        SW_TRY(read_rows(stmt, r, error));
    }
    return SW_OK;
}

sw_status sw_labels_read_ids(sw_db *db, sw_str model, const sw_str *ids, size_t count,
                             stored_label_fn *fn, void *context, sw_error *error) {
    reading r = {.model = model, .ids = ids, .count = count, .fn = fn, .context = context};
    sw_status status = sw_db_read(db, read_ids, &r, error);
    sw_arena_free(&r.arena);
    return status;
}

/* ---- One model ---- */

static sw_status load_classes(sw_conn *conn, decay_model *model, sw_error *error) {
    sw_stmt *stmt;
    sw_arena arena = {0};
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT code, name FROM label_classes WHERE namespace = ?1 AND model = ?2"
                         " ORDER BY code",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, sw_str_of(model->name));
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more && model->class_count < SW_CLASSES_MAX) {
        sw_str name = sw_stmt_str(stmt, 1, &arena);
        label_class *one = &model->classes[model->class_count];
        *one = (label_class){sw_mem_copy(name.at, name.len), true};
        if (one->name)
            model->class_count++;
        status = one->name ? sw_stmt_step(&more, stmt, error)
                           : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the labels");
    }
    sw_stmt_end(stmt);
    sw_arena_free(&arena);
    return status;
}

static sw_status read_number(int64_t *out, sw_conn *conn, const char *sql, sw_str model,
                             sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, model);
    sw_status status = sw_stmt_step(&row, stmt, error);
    *out = !sw_failed(status) && row && !sw_stmt_is_null(stmt, 0) ? sw_stmt_i64(stmt, 0) : 0;
    sw_stmt_end(stmt);
    return status;
}

static sw_status load_model(sw_conn *conn, void *context, sw_error *error) {
    decay_model *model = context;
    sw_str name = sw_str_of(model->name);
    SW_TRY(read_number(&model->newest_seq, conn,
                       "SELECT MAX(seq) FROM labels WHERE namespace = ?1 AND model = ?2", name,
                       error));
    SW_TRY(read_number(&model->joined_seq, conn,
                       "SELECT joined_seq FROM label_joins WHERE namespace = ?1 AND model = ?2",
                       name, error));
    model->saved_seq = model->joined_seq;
    model->has_labels = model->newest_seq > 0;
    model->replay = model->newest_seq > model->joined_seq;
    return load_classes(conn, model, error);
}

sw_status sw_labels_load_model(sw_db *db, decay_model *model, sw_error *error) {
    return sw_db_read(db, load_model, model, error);
}

typedef struct listing {
    void (*visit)(sw_str model, void *context);
    void *context;
} listing;

static sw_status list_models(sw_conn *conn, void *context, sw_error *error) {
    const listing *l = context;
    sw_stmt *stmt;
    sw_arena arena = {0};
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn, "SELECT DISTINCT model FROM labels WHERE namespace = ?1",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        l->visit(sw_stmt_str(stmt, 0, &arena), l->context);
        status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    sw_arena_free(&arena);
    return status;
}

sw_status sw_labels_each_model(sw_db *db, void (*visit)(sw_str model, void *context), void *context,
                               sw_error *error) {
    return sw_db_read(db, list_models, &(listing){visit, context}, error);
}

typedef struct saving {
    sw_str model;
    int64_t seq;
} saving;

static sw_status save_joined(sw_conn *conn, void *context, sw_error *error) {
    const saving *s = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO label_joins (namespace, model, joined_seq)"
                         " VALUES (?1, ?2, ?3) ON CONFLICT (namespace, model)"
                         " DO UPDATE SET joined_seq = excluded.joined_seq",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, s->model);
    sw_stmt_bind_i64(stmt, 3, s->seq);
    return sw_stmt_run(stmt, error);
}

sw_status sw_labels_save_joined(sw_db *db, sw_str model, int64_t seq, sw_error *error) {
    return sw_db_write(db, save_joined, &(saving){model, seq}, error);
}

typedef struct expiring {
    sw_str model;
    int64_t seq, removed;
    uint32_t limit;
} expiring;

static sw_status expire(sw_conn *conn, void *context, sw_error *error) {
    expiring *e = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "DELETE FROM labels WHERE namespace = ?1 AND model = ?2 AND id IN"
                         " (SELECT id FROM labels WHERE namespace = ?1 AND model = ?2 AND seq < ?3"
                         " ORDER BY seq LIMIT ?4)",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, e->model);
    sw_stmt_bind_i64(stmt, 3, e->seq);
    sw_stmt_bind_i64(stmt, 4, e->limit);
    sw_status status = sw_stmt_run(stmt, error);
    e->removed = sw_conn_changes(conn);
    return status;
}

sw_status sw_labels_expire(int64_t *removed, sw_db *db, sw_str model, int64_t seq, uint32_t limit,
                           sw_error *error) {
    expiring e = {.model = model, .seq = seq, .limit = limit};
    sw_status status = sw_db_write(db, expire, &e, error);
    *removed = e.removed;
    return status;
}

/* ---- Baselines ---- */

typedef struct baseline {
    sw_str model, setup, bytes;
    uint32_t version;
    int64_t now_ms;
    sw_arena *arena;
} baseline;

static sw_status read_baseline(sw_conn *conn, void *context, sw_error *error) {
    baseline *b = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT baseline FROM quality_baselines WHERE namespace = ?1"
                         " AND model = ?2 AND version = ?3 AND setup = ?4",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, b->model);
    sw_stmt_bind_i64(stmt, 3, b->version);
    sw_stmt_bind_str(stmt, 4, b->setup);
    sw_status status = sw_stmt_step(&row, stmt, error);
    if (!sw_failed(status) && row)
        b->bytes = sw_stmt_str(stmt, 0, b->arena);
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_baseline_read(sw_str *out, sw_db *db, sw_str model, uint32_t version, sw_str setup,
                           sw_arena *arena, sw_error *error) {
    baseline b = {.model = model, .setup = setup, .version = version, .arena = arena};
    sw_status status = sw_db_read(db, read_baseline, &b, error);
    *out = b.bytes;
    return status;
}

static sw_status write_baseline(sw_conn *conn, void *context, sw_error *error) {
    const baseline *b = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO quality_baselines"
                         " (namespace, model, version, setup, baseline, made_ms)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                         " ON CONFLICT (namespace, model, version, setup) DO UPDATE"
                         " SET baseline = excluded.baseline, made_ms = excluded.made_ms"
                         " WHERE length(baseline) <> length(excluded.baseline)",
                         error)); /* but for one that another build laid out */
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, b->model);
    sw_stmt_bind_i64(stmt, 3, b->version);
    sw_stmt_bind_str(stmt, 4, b->setup);
    sw_stmt_bind_blob(stmt, 5, b->bytes);
    sw_stmt_bind_i64(stmt, 6, b->now_ms);
    return sw_stmt_run(stmt, error);
}

sw_status sw_baseline_write(sw_db *db, sw_str model, uint32_t version, sw_str setup, sw_str bytes,
                            int64_t now_ms, sw_error *error) {
    baseline b = {model, setup, bytes, version, now_ms, NULL};
    return sw_db_write(db, write_baseline, &b, error);
}
