/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture: a data folder with everything that the registry stands on, and the calls that tests make
 * over and over.
 */
#ifndef SW_TESTS_REGISTRY_FIXTURE_H
#define SW_TESTS_REGISTRY_FIXTURE_H

#include "registry/registry.h"
#include "unit/scratch.h"
#include "unit/test.h"

typedef struct fixture {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    sw_blobs *blobs;
    sw_registry *registry;
    sw_arena arena;
    sw_error error;
} fixture;

static inline sw_status fixture_open(fixture *f) {
    f->db = NULL;
    f->blobs = NULL;
    f->registry = NULL;
    SW_TRY(sw_db_open(&f->db, scratch_path(f->dir, "slipway.db"), &f->error));
    SW_TRY(sw_blobs_open(&f->blobs, f->dir, &f->error));
    return sw_registry_open(&f->registry, f->db, &f->error);
}

static inline void fixture_close(fixture *f) {
    sw_registry_close(f->registry);
    sw_blobs_close(f->blobs);
    sw_db_close(f->db);
}

static inline void fixture_make(fixture *f) {
    scratch_make(f->dir);
    sw_arena_init(&f->arena, 4096);
    f->error.text[0] = '\0';
    if (sw_failed(fixture_open(f))) {
        fprintf(stderr, "cannot open %s: %s\n", f->dir, f->error.text);
        exit(1);
    }
}

static inline void fixture_end(fixture *f) {
    fixture_close(f);
    sw_arena_free(&f->arena);
    scratch_remove(f->dir);
}

static inline sw_status fixture_blob(sw_blob_id *id, fixture *f, sw_str bytes) {
    sw_blob_writer *writer;
    uint64_t size_bytes;
    SW_TRY(sw_blob_begin(&writer, f->blobs, &f->error));
    sw_status status = sw_blob_add(writer, bytes, &f->error);
    if (sw_failed(status)) {
        sw_blob_abort(writer);
        return status;
    }
    return sw_blob_finish(id, &size_bytes, writer, &f->error);
}

/* A version whose artifact holds `bytes`. */
static inline sw_status fixture_push(uint32_t *number, fixture *f, const char *model,
                                     sw_str bytes) {
    sw_version version = {.model = sw_str_of(model),
                          .artifact_bytes = bytes.len,
                          .signature_json = SW_STR("{\"inputs\":[]}"),
                          .who = SW_STR("ada")};
    SW_TRY(fixture_blob(&version.artifact, f, bytes));
    SW_TRY(sw_registry_add_version(&version, f->registry, &f->error));
    *number = version.number;
    return SW_OK;
}

static inline sw_status fixture_begin(uint32_t *revision, fixture *f, const char *model,
                                      uint32_t version) {
    sw_revision r = {.version = version, .who = SW_STR("ada")};
    SW_TRY(sw_registry_begin_revision(&r, f->registry, sw_str_of(model), &f->error));
    *revision = r.number;
    return SW_OK;
}

/* How a revision ended: live, by the native engine, or failed for a reason. */
static inline sw_status fixture_settle(fixture *f, const char *model, uint32_t revision,
                                       sw_revision_state state, const char *why) {
    sw_revision ended = {.number = revision,
                         .state = state,
                         .error = sw_str_of(why),
                         .served_by = SW_STR("native"),
                         .served_why = SW_STR("linear")};
    return sw_registry_end_revision(f->registry, sw_str_of(model), &ended, &f->error);
}

static inline sw_status fixture_deploy(uint32_t *revision, fixture *f, const char *model,
                                       uint32_t version) {
    SW_TRY(fixture_begin(revision, f, model, version));
    return fixture_settle(f, model, *revision, SW_REVISION_LIVE, "");
}

static inline sw_status fixture_undeploy(uint32_t *revision, fixture *f, const char *model) {
    sw_revision r = {.state = SW_REVISION_UNDEPLOYED, .who = SW_STR("ada")};
    SW_TRY(sw_registry_begin_revision(&r, f->registry, sw_str_of(model), &f->error));
    *revision = r.number;
    return SW_OK;
}

/* As the server does it: asks where to go, appends a revision equal to that one, takes it live. */
static inline sw_status fixture_roll_back(sw_revision *made, fixture *f, const char *model,
                                          uint32_t to) {
    sw_revision target;
    SW_TRY(sw_registry_rollback_target(&target, f->registry, sw_str_of(model), to, &f->arena,
                                       &f->error));
    *made = (sw_revision){.version = target.version,
                          .kind = SW_STR("rollback"),
                          .equals = target.number,
                          .engine = target.engine,
                          .who = SW_STR("ada")};
    SW_TRY(sw_registry_begin_revision(made, f->registry, sw_str_of(model), &f->error));
    return fixture_settle(f, model, made->number, SW_REVISION_LIVE, "");
}

#endif /* SW_TESTS_REGISTRY_FIXTURE_H */
