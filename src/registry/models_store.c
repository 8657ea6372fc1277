/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/clock.h"

#include <stdio.h>

/* ---- What there is, and the words for what there is not ---- */

/* True with the next name; false at the end. */
static sw_status next_name(bool *row, sw_str *name, sw_stmt *stmt, sw_arena *arena,
                           sw_error *error) {
    SW_TRY(sw_stmt_step(row, stmt, error));
    *name = *row ? sw_stmt_str(stmt, 0, arena) : (sw_str){0};
    return SW_OK;
}

static sw_status offer_names(sw_nearest *nearest, size_t *count, sw_stmt *stmt, sw_error *error) {
    sw_arena arena;
    sw_arena_init(&arena, 4096);
    sw_status status;
    bool row = false;
    do {
        sw_str name = {0};
        status = next_name(&row, &name, stmt, &arena, error);
        if (row && name.at) {
            (*count)++;
            sw_nearest_offer(nearest, name);
        }
        sw_arena_reset(&arena);
    } while (row && !sw_failed(status));
    sw_arena_free(&arena);
    sw_stmt_end(stmt);
    return status;
}

static sw_status no_such_model(sw_conn *conn, sw_str model, sw_error *error) {
    if (!sw_registry_name_ok(model))
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "there is no model of that name. See: slipway models");
    sw_nearest nearest;
    size_t count = 0;
    sw_stmt *stmt;
    sw_nearest_begin(&nearest, model);
    SW_TRY(sw_stmt_begin(&stmt, conn, "SELECT name FROM models WHERE namespace = ?1 ORDER BY name",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    SW_TRY(offer_names(&nearest, &count, stmt, error));
    if (count == 0)
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "%.*s does not exist: there are no models yet. Next: slipway push %.*s FILE.onnx",
            SW_STR_ARG(model), SW_STR_ARG(model));
    if (nearest.best[0])
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s does not exist: did you mean %s? See: slipway models",
                       SW_STR_ARG(model), nearest.best);
    return sw_fail(error, SW_CODE_NOT_FOUND, "%.*s does not exist. See: slipway models",
                   SW_STR_ARG(model));
}

sw_status sw_models_require(uint32_t *newest_version, sw_conn *conn, sw_str model,
                            sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT newest_version FROM models WHERE namespace = ?1 AND name = ?2",
                            model, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *newest_version = row ? (uint32_t)sw_stmt_i64(stmt, 0) : 0;
    sw_stmt_end(stmt);
    return row ? SW_OK : no_such_model(conn, model, error);
}

static sw_status no_such_version(sw_str model, sw_str spec, uint32_t newest, sw_error *error) {
    return sw_fail(
        error, SW_CODE_NOT_FOUND,
        "%.*s@%.*s does not exist: the newest version is %.*s@%u. See: slipway versions %.*s",
        SW_STR_ARG(model), SW_STR_ARG(spec), SW_STR_ARG(model), newest, SW_STR_ARG(model));
}

/* Versions are never removed one by one, so the newest number says which there are. */
static sw_status require_number(sw_conn *conn, sw_str model, uint64_t number, uint32_t newest,
                                sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT number FROM versions"
                            " WHERE namespace = ?1 AND model = ?2 AND number = ?3",
                            model, error));
    sw_stmt_bind_i64(stmt, 3, (int64_t)number);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    sw_stmt_end(stmt);
    char text[24];
    int used = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return row ? SW_OK : no_such_version(model, (sw_str){text, (size_t)used}, newest, error);
}

sw_status sw_versions_require(sw_conn *conn, sw_str model, uint32_t number, sw_error *error) {
    uint32_t newest;
    SW_TRY(sw_models_require(&newest, conn, model, error));
    return require_number(conn, model, number, newest, error);
}

/* ---- Push ---- */

typedef struct push {
    sw_registry *registry;
    sw_version *version;
    sw_arena arena;
} push;

static sw_status take_number(sw_conn *conn, sw_version *version, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "INSERT INTO models (namespace, name, newest_version, newest_revision,"
                            " created_ms) VALUES (?1, ?2, 1, 0, ?3)"
                            " ON CONFLICT (namespace, name)"
                            " DO UPDATE SET newest_version = models.newest_version + 1"
                            " RETURNING newest_version",
                            version->model, error));
    sw_stmt_bind_i64(stmt, 3, version->created_ms);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    version->number = (uint32_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status insert_version(sw_conn *conn, const sw_version *version, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(
        sw_registry_stmt(&stmt, conn,
                         "INSERT INTO versions (namespace, model, number, artifact, artifact_bytes,"
                         " check_rows, note, who, created_ms, profile_hash, profile_rows,"
                         " signature_json, profile_json)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                         version->model, error));
    sw_stmt_bind_i64(stmt, 3, version->number);
    sw_stmt_bind_str(stmt, 4, sw_str_of(version->artifact.hex));
    sw_stmt_bind_i64(stmt, 5, (int64_t)version->artifact_bytes);
    sw_stmt_bind_str(stmt, 6, version->has_check ? sw_str_of(version->check.hex) : (sw_str){0});
    sw_stmt_bind_str(stmt, 7, sw_text(version->note));
    sw_stmt_bind_str(stmt, 8, sw_text(version->who));
    sw_stmt_bind_i64(stmt, 9, version->created_ms);
    sw_stmt_bind_str(stmt, 10, sw_text(version->profile_hash));
    sw_stmt_bind_i64(stmt, 11, (int64_t)version->profile_rows);
    sw_stmt_bind_str(stmt, 12, sw_text(version->signature_json));
    sw_stmt_bind_str(stmt, 13, sw_text(version->profile_json));
    return sw_stmt_run(stmt, error);
}

static sw_status do_push(sw_conn *conn, void *context, sw_error *error) {
    push *p = context;
    sw_version *version = p->version;
    version->created_ms = sw_clock_wall_ms();
    SW_TRY(take_number(conn, version, error));
    SW_TRY(insert_version(conn, version, error));
    sw_event *event = sw_event_make(&p->arena, "version.pushed", version->model, version->who);
    if (event) {
        event->text = sw_arena_printf(&p->arena, "%.*s@%u pushed", SW_STR_ARG(version->model),
                                      version->number);
        event->data_json = sw_arena_printf(&p->arena, "{\"version\":%u}", version->number);
    }
    return sw_events_record(conn, p->registry, event, &p->arena, error);
}

sw_status sw_registry_add_version(sw_version *version, sw_registry *registry, sw_error *error) {
    SW_TRY(sw_registry_check_name(version->model, "a model", error));
    if (!sw_str_is_utf8(version->note))
        return sw_fail(error, SW_CODE_INVALID, "the note is not UTF-8 text");
    push p = {.registry = registry, .version = version};
    sw_arena_init(&p.arena, 512);
    sw_status status = sw_db_write(registry->db, do_push, &p, error);
    sw_arena_free(&p.arena);
    return status;
}

/* ---- Reading versions ---- */

#define VERSION_COLUMNS                                                           \
    "SELECT number, artifact, artifact_bytes, check_rows, note, who, created_ms," \
    " profile_hash, profile_rows, signature_json"

static sw_status read_version(sw_version *out, sw_stmt *stmt, sw_str model, sw_arena *arena,
                              sw_error *error) {
    sw_str artifact = sw_stmt_str(stmt, 1, arena), check = sw_stmt_str(stmt, 3, arena);
    *out = (sw_version){
        .model = model,
        .number = (uint32_t)sw_stmt_i64(stmt, 0),
        .external = artifact.at && artifact.len == 0,
        .artifact_bytes = (uint64_t)sw_stmt_i64(stmt, 2),
        .has_check = !sw_stmt_is_null(stmt, 3),
        .note = sw_stmt_str(stmt, 4, arena),
        .who = sw_stmt_str(stmt, 5, arena),
        .created_ms = sw_stmt_i64(stmt, 6),
        .profile_hash = sw_stmt_str(stmt, 7, arena),
        .profile_rows = (uint64_t)sw_stmt_i64(stmt, 8),
        .signature_json = sw_stmt_str(stmt, 9, arena),
        .profile_json = SW_STR(""),
    };
    if ((artifact.len && !sw_blob_id_parse(&out->artifact, artifact)) ||
        (check.at && !sw_blob_id_parse(&out->check, check)))
        return sw_fail(error, SW_CODE_INTERNAL, "%.*s@%u is kept with an impossible hash",
                       SW_STR_ARG(model), out->number);
    return SW_OK;
}

typedef struct get_version {
    sw_version *out;
    sw_str model;
    uint32_t number;
    sw_arena *arena;
} get_version;

static sw_status do_get_version(sw_conn *conn, void *context, sw_error *error) {
    get_version *g = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            VERSION_COLUMNS ", profile_json FROM versions"
                                            " WHERE namespace = ?1 AND model = ?2 AND number = ?3",
                            g->model, error));
    sw_stmt_bind_i64(stmt, 3, g->number);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (!row)
        return sw_versions_require(conn, g->model, g->number, error);
    SW_TRY(read_version(g->out, stmt, sw_arena_copy(g->arena, g->model), g->arena, error));
    g->out->profile_json = sw_stmt_str(stmt, 10, g->arena);
    return g->out->model.at
               ? SW_OK
               : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while reading a version");
}

sw_status sw_registry_get_version(sw_version *out, sw_registry *registry, sw_str model,
                                  uint32_t number, sw_arena *arena, sw_error *error) {
    get_version g = {out, model, number, arena};
    return sw_db_read(registry->db, do_get_version, &g, error);
}

/* ---- Lists ---- */

static sw_status count_rows(size_t *count, sw_conn *conn, const char *sql, sw_str model,
                            sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    if (model.at)
        sw_stmt_bind_str(stmt, 2, model);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *count = (size_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return SW_OK;
}

/* Room for a list: at least one piece, so that NULL always means that memory is out. */
static sw_status make_room(void *out, size_t count, size_t size_bytes, sw_arena *arena,
                           sw_error *error) {
    void *room = sw_arena_zalloc(arena, count ? count : 1, size_bytes);
    if (!room)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while reading the registry");
    memcpy(out, &room, sizeof room);
    return SW_OK;
}

typedef struct list_versions {
    sw_version *out;
    size_t count;
    sw_str model;
    sw_arena *arena;
} list_versions;

static sw_status do_list_versions(sw_conn *conn, void *context, sw_error *error) {
    list_versions *l = context;
    uint32_t newest;
    size_t total;
    sw_stmt *stmt;
    SW_TRY(sw_models_require(&newest, conn, l->model, error));
    SW_TRY(count_rows(&total, conn,
                      "SELECT COUNT(*) FROM versions WHERE namespace = ?1 AND model = ?2", l->model,
                      error));
    SW_TRY(make_room(&l->out, total, sizeof *l->out, l->arena, error));
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            VERSION_COLUMNS " FROM versions WHERE namespace = ?1 AND model = ?2"
                                            " ORDER BY number DESC",
                            l->model, error));
    for (;;) {
        bool row;
        SW_TRY(sw_stmt_step(&row, stmt, error));
        if (!row || l->count == total)
            return SW_OK;
        SW_TRY(read_version(&l->out[l->count++], stmt, l->model, l->arena, error));
    }
}

sw_status sw_registry_list_versions(sw_version **out, size_t *count, sw_registry *registry,
                                    sw_str model, sw_arena *arena, sw_error *error) {
    list_versions l = {.arena = arena, .model = sw_arena_copy(arena, model)};
    if (!l.model.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while listing versions");
    SW_TRY(sw_db_read(registry->db, do_list_versions, &l, error));
    *out = l.out;
    *count = l.count;
    return SW_OK;
}

static sw_status load_aliases(sw_model_row *row, sw_conn *conn, sw_arena *arena, sw_error *error) {
    size_t total;
    sw_stmt *stmt;
    SW_TRY(count_rows(&total, conn,
                      "SELECT COUNT(*) FROM aliases WHERE namespace = ?1 AND model = ?2", row->name,
                      error));
    SW_TRY(make_room(&row->aliases, total, sizeof *row->aliases, arena, error));
    if (total == 0)
        return SW_OK;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT name, version FROM aliases"
                            " WHERE namespace = ?1 AND model = ?2 ORDER BY name",
                            row->name, error));
    bool more;
    for (;;) {
        SW_TRY(sw_stmt_step(&more, stmt, error));
        if (!more || row->alias_count == total)
            break;
        row->aliases[row->alias_count++] =
            (sw_alias){sw_stmt_str(stmt, 0, arena), (uint32_t)sw_stmt_i64(stmt, 1)};
    }
    sw_stmt_end(stmt);
    return SW_OK;
}

static sw_status load_rest(sw_model_row *row, sw_conn *conn, sw_arena *arena, sw_error *error) {
    SW_TRY(load_aliases(row, conn, arena, error));
    return sw_revisions_load(row, conn, arena, error);
}

static void read_model(sw_model_row *out, sw_stmt *stmt, sw_arena *arena) {
    *out = (sw_model_row){
        .name = sw_stmt_str(stmt, 0, arena),
        .created_ms = sw_stmt_i64(stmt, 1),
        .newest_version = (uint32_t)sw_stmt_i64(stmt, 2),
        .newest_revision = (uint32_t)sw_stmt_i64(stmt, 3),
    };
}

typedef struct get_model {
    sw_model_row *out;
    sw_str model;
    sw_arena *arena;
} get_model;

static sw_status do_get_model(sw_conn *conn, void *context, sw_error *error) {
    get_model *g = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT name, created_ms, newest_version, newest_revision FROM models"
                            " WHERE namespace = ?1 AND name = ?2",
                            g->model, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (!row)
        return no_such_model(conn, g->model, error);
    read_model(g->out, stmt, g->arena);
    sw_stmt_end(stmt);
    return load_rest(g->out, conn, g->arena, error);
}

sw_status sw_registry_get_model(sw_model_row *out, sw_registry *registry, sw_str model,
                                sw_arena *arena, sw_error *error) {
    get_model g = {out, model, arena};
    return sw_db_read(registry->db, do_get_model, &g, error);
}

typedef struct list_models {
    sw_model_row *out;
    size_t count;
    sw_arena *arena;
} list_models;

static sw_status do_list_models(sw_conn *conn, void *context, sw_error *error) {
    list_models *l = context;
    size_t total;
    sw_stmt *stmt;
    SW_TRY(count_rows(&total, conn, "SELECT COUNT(*) FROM models WHERE namespace = ?1", (sw_str){0},
                      error));
    SW_TRY(make_room(&l->out, total, sizeof *l->out, l->arena, error));
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT name, created_ms, newest_version, newest_revision FROM models"
                         " WHERE namespace = ?1 ORDER BY name",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    for (;;) {
        bool row;
        SW_TRY(sw_stmt_step(&row, stmt, error));
        if (!row || l->count == total)
            break;
        read_model(&l->out[l->count++], stmt, l->arena);
    }
    sw_stmt_end(stmt);
    for (size_t i = 0; i < l->count; i++)
        SW_TRY(load_rest(&l->out[i], conn, l->arena, error));
    return SW_OK;
}

sw_status sw_registry_list_models(sw_model_row **out, size_t *count, sw_registry *registry,
                                  sw_arena *arena, sw_error *error) {
    list_models l = {.arena = arena};
    SW_TRY(sw_db_read(registry->db, do_list_models, &l, error));
    *out = l.out;
    *count = l.count;
    return SW_OK;
}

/* ---- Which version is meant ---- */

typedef struct resolve {
    uint32_t *version;
    sw_str model;
    sw_str spec;
} resolve;

static sw_status no_such_alias(sw_conn *conn, const resolve *r, uint32_t newest, sw_error *error) {
    if (!sw_registry_name_ok(r->spec))
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s has no version or alias of that name: the newest version is %.*s@%u. "
                       "See: slipway versions %.*s",
                       SW_STR_ARG(r->model), SW_STR_ARG(r->model), newest, SW_STR_ARG(r->model));
    sw_nearest nearest;
    size_t count = 0;
    sw_stmt *stmt;
    sw_nearest_begin(&nearest, r->spec);
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT name FROM aliases"
                            " WHERE namespace = ?1 AND model = ?2 ORDER BY name",
                            r->model, error));
    SW_TRY(offer_names(&nearest, &count, stmt, error));
    if (!nearest.best[0])
        return no_such_version(r->model, r->spec, newest, error);
    return sw_fail(error, SW_CODE_NOT_FOUND,
                   "%.*s@%.*s does not exist: did you mean %.*s@%s? See: slipway versions %.*s",
                   SW_STR_ARG(r->model), SW_STR_ARG(r->spec), SW_STR_ARG(r->model), nearest.best,
                   SW_STR_ARG(r->model));
}

static sw_status resolve_alias(sw_conn *conn, const resolve *r, uint32_t newest, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "SELECT version FROM aliases"
                            " WHERE namespace = ?1 AND model = ?2 AND name = ?3",
                            r->model, error));
    sw_stmt_bind_str(stmt, 3, r->spec);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (row)
        *r->version = (uint32_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return row ? SW_OK : no_such_alias(conn, r, newest, error);
}

static bool all_digits(sw_str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return s.len > 0;
}

static sw_status do_resolve(sw_conn *conn, void *context, sw_error *error) {
    const resolve *r = context;
    uint32_t newest;
    uint64_t number;
    SW_TRY(sw_models_require(&newest, conn, r->model, error));
    *r->version = newest;
    if (r->spec.len == 0)
        return SW_OK;
    if (!all_digits(r->spec))
        return resolve_alias(conn, r, newest, error);
    if (!sw_str_to_u64(&number, r->spec, newest))
        return r->spec.len <= SW_NAME_BYTES ? no_such_version(r->model, r->spec, newest, error)
                                            : no_such_alias(conn, r, newest, error);
    *r->version = (uint32_t)number;
    return require_number(conn, r->model, number, newest, error);
}

sw_status sw_registry_resolve(uint32_t *version, sw_registry *registry, sw_str model, sw_str spec,
                              sw_error *error) {
    if (spec.len && spec.at[0] == '@')
        spec = (sw_str){spec.at + 1, spec.len - 1};
    resolve r = {version, model, spec};
    return sw_db_read(registry->db, do_resolve, &r, error);
}

typedef struct uses_blob {
    bool used;
    const sw_blob_id *id;
} uses_blob;

static sw_status do_uses_blob(sw_conn *conn, void *context, sw_error *error) {
    uses_blob *u = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(
        &stmt, conn, "SELECT number FROM versions WHERE artifact = ?1 OR check_rows = ?1 LIMIT 1",
        error));
    sw_stmt_bind_str(stmt, 1, sw_str_of(u->id->hex));
    return sw_stmt_step(&u->used, stmt, error);
}

sw_status sw_registry_uses_blob(bool *used, sw_registry *registry, const sw_blob_id *id,
                                sw_error *error) {
    uses_blob u = {.id = id};
    SW_TRY(sw_db_read(registry->db, do_uses_blob, &u, error));
    *used = u.used;
    return SW_OK;
}
