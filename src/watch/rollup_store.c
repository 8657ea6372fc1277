/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/counts_private.h"
#include "watch/windows_private.h"

enum { GROUPS_A_PASS = 64, LAYOUTS_MAX = 4 };

static const sw_str namespace = SW_STR("default");

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

/* Rows that become one: all of a version, segment and replica within an hour or a day. */
typedef struct group {
    sw_str model;
    uint32_t version;
    sw_str hash, segment, replica;
    uint32_t step, longer;
    int64_t start; /* of the longer row */
} group;

/* ---- Which ---- */

typedef struct finding {
    const sw_roll_up *what;
    uint32_t longer;
    group groups[GROUPS_A_PASS];
    size_t count;
    sw_arena arena;
} finding;

static void read_group(group *out, sw_stmt *stmt, finding *f) {
    *out = (group){.model = sw_stmt_str(stmt, 0, &f->arena),
                   .version = (uint32_t)sw_stmt_i64(stmt, 1),
                   .hash = sw_stmt_str(stmt, 2, &f->arena),
                   .segment = sw_stmt_str(stmt, 3, &f->arena),
                   .replica = sw_stmt_str(stmt, 4, &f->arena),
                   .step = f->what->step,
                   .longer = f->longer,
                   .start = sw_stmt_i64(stmt, 5) * f->longer};
}

static sw_status find_groups(sw_conn *conn, void *context, sw_error *error) {
    finding *f = context;
    sw_stmt *stmt;
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT DISTINCT model, version, profile_hash, segment, replica,"
                         " start_minute / ?2 FROM watch_windows WHERE namespace = ?1"
                         " AND step = ?3 AND start_minute < ?4 AND start_minute >= 0"
                         " AND (?5 = '' OR (model = ?5 AND version = ?6 AND profile_hash = ?7))"
                         " LIMIT ?8",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_i64(stmt, 2, f->longer);
    sw_stmt_bind_i64(stmt, 3, f->what->step);
    sw_stmt_bind_i64(stmt, 4, f->what->before_minute);
    sw_stmt_bind_str(stmt, 5, text(f->what->model));
    sw_stmt_bind_i64(stmt, 6, f->what->version);
    sw_stmt_bind_str(stmt, 7, text(f->what->profile_hash));
    sw_stmt_bind_i64(stmt, 8, GROUPS_A_PASS);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more && f->count < GROUPS_A_PASS) {
        read_group(&f->groups[f->count++], stmt, f);
        status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

/* ---- Moving ---- */

/* Sums of each layout that occurs: one, unless a program that counts otherwise was there too. */
typedef struct moving {
    const group *group;
    sw_counts sums[LAYOUTS_MAX];
    size_t count;
    sw_arena arena;
} moving;

/* What cannot be read is in no sum today either, and goes. */
static sw_status add_up(moving *m, sw_str bytes, sw_error *error) {
    for (size_t i = 0; i < m->count; i++)
        if (!sw_failed(sw_counts_add_encoded(&m->sums[i], bytes, NULL)))
            return SW_OK;
    if (m->count == LAYOUTS_MAX)
        return SW_OK;
    sw_status status = sw_counts_decode(&m->sums[m->count], bytes, error);
    m->count += !sw_failed(status);
    return status.code == SW_CODE_NO_MEMORY ? status : SW_OK;
}

/* Parameters 1 to 6: whose counts they are. */
static void bind_series(sw_stmt *stmt, const group *g) {
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, text(g->model));
    sw_stmt_bind_i64(stmt, 3, g->version);
    sw_stmt_bind_str(stmt, 4, text(g->hash));
    sw_stmt_bind_str(stmt, 5, text(g->segment));
    sw_stmt_bind_str(stmt, 6, text(g->replica));
}

/* Parameters 1 to 10 of what speaks of a group's rows, short and long. */
static void bind_group(sw_stmt *stmt, const group *g) {
    bind_series(stmt, g);
    sw_stmt_bind_i64(stmt, 7, g->step);
    sw_stmt_bind_i64(stmt, 8, g->longer);
    sw_stmt_bind_i64(stmt, 9, g->start);
    sw_stmt_bind_i64(stmt, 10, g->start + g->longer);
}

static sw_status sum_group(moving *m, sw_conn *conn, sw_error *error) {
    sw_stmt *stmt;
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT counts FROM watch_windows WHERE namespace = ?1 AND model = ?2"
                         " AND version = ?3 AND profile_hash = ?4 AND segment = ?5"
                         " AND replica = ?6 AND step IN (?7, ?8) AND start_minute >= ?9"
                         " AND start_minute < ?10",
                         error));
    bind_group(stmt, m->group);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        sw_arena_reset(&m->arena);
        status = add_up(m, sw_stmt_str(stmt, 0, &m->arena), error);
        if (!sw_failed(status))
            status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

static sw_status remove_group(sw_conn *conn, const group *g, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "DELETE FROM watch_windows WHERE namespace = ?1 AND model = ?2"
                         " AND version = ?3 AND profile_hash = ?4 AND segment = ?5"
                         " AND replica = ?6 AND step IN (?7, ?8) AND start_minute >= ?9"
                         " AND start_minute < ?10",
                         error));
    bind_group(stmt, g);
    return sw_stmt_run(stmt, error);
}

static sw_status insert_sum(sw_conn *conn, const group *g, size_t layout, const sw_counts *sum,
                            sw_error *error) {
    static const sw_str boots[LAYOUTS_MAX] = {SW_STR(""), SW_STR("+1"), SW_STR("+2"), SW_STR("+3")};
    sw_buf bytes = {0};
    sw_stmt *stmt = NULL;
    sw_counts_encode(&bytes, sum);
    sw_status status =
        bytes.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to roll up counts")
                     : sw_stmt_begin(&stmt, conn,
                                     "INSERT INTO watch_windows (namespace, model,"
                                     " version, profile_hash, segment, replica,"
                                     " step, start_minute, boot, rows, counts)"
                                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                                     " ?10, ?11)",
                                     error);
    if (!sw_failed(status)) {
        bind_series(stmt, g);
        sw_stmt_bind_i64(stmt, 7, g->longer);
        sw_stmt_bind_i64(stmt, 8, g->start);
        sw_stmt_bind_str(stmt, 9, boots[layout]);
        sw_stmt_bind_i64(stmt, 10, (int64_t)sum->rows);
        sw_stmt_bind_blob(stmt, 11, sw_buf_str(&bytes));
        status = sw_stmt_run(stmt, error);
    }
    sw_buf_free(&bytes);
    return status;
}

static sw_status move_group(sw_conn *conn, void *context, sw_error *error) {
    moving m = {.group = context};
    sw_arena_init(&m.arena, 4096);
    sw_status status = sum_group(&m, conn, error);
    if (!sw_failed(status))
        status = remove_group(conn, m.group, error);
    for (size_t i = 0; i < m.count && !sw_failed(status); i++)
        status = insert_sum(conn, m.group, i, &m.sums[i], error);
    for (size_t i = 0; i < m.count; i++)
        sw_counts_free(&m.sums[i]);
    sw_arena_free(&m.arena);
    return status;
}

sw_status sw_windows_roll_up(bool *more, sw_db *db, const sw_roll_up *what, sw_error *error) {
    finding f = {.what = what, .longer = what->step == SW_STEP_MINUTE ? SW_STEP_HOUR : SW_STEP_DAY};
    sw_roll_up whole = *what; /* hours and days that have ended */
    whole.before_minute -= what->before_minute % f.longer;
    f.what = &whole;
    sw_arena_init(&f.arena, 4096);
    sw_status status = sw_db_read(db, find_groups, &f, error);
    for (size_t i = 0; i < f.count && !sw_failed(status); i++)
        status = sw_db_write(db, move_group, &f.groups[i], error);
    *more = f.count == GROUPS_A_PASS;
    sw_arena_free(&f.arena);
    return status;
}

static sw_status expire(sw_conn *conn, void *context, sw_error *error) {
    const sw_roll_up *what = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "DELETE FROM watch_windows WHERE namespace = ?1 AND start_minute < ?2"
                         " AND step = 1440"
                         " AND (?3 = '' OR (model = ?3 AND version = ?4 AND profile_hash = ?5))",
                         error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_i64(stmt, 2, what->before_minute);
    sw_stmt_bind_str(stmt, 3, text(what->model));
    sw_stmt_bind_i64(stmt, 4, what->version);
    sw_stmt_bind_str(stmt, 5, text(what->profile_hash));
    return sw_stmt_run(stmt, error);
}

sw_status sw_windows_expire(sw_db *db, const sw_roll_up *what, sw_error *error) {
    return sw_db_write(db, expire, (void *)what, error);
}
