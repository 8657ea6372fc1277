/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whole: after a failure, is everything that was acknowledged there, and nothing by half?
 */
#ifndef SW_TESTS_REGISTRY_WHOLE_H
#define SW_TESTS_REGISTRY_WHOLE_H

#include "fixture.h"
#include "io/file.h"

#include <sqlite3.h>

/* What callers were told is done, of the one model "fraud". */
typedef struct acknowledged {
    uint32_t versions, alias, revisions, live; /* newest of each; 0 = none */
    uint32_t tokens;                           /* how many */
} acknowledged;

static inline void whole_check_sqlite(const char *dir) {
    sqlite3 *sqlite;
    sqlite3_stmt *stmt;
    CHECK_INT(sqlite3_open_v2(scratch_path(dir, "slipway.db"), &sqlite, SQLITE_OPEN_READONLY, NULL),
              0);
    CHECK_INT(sqlite3_prepare_v2(sqlite, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 0), "ok");
    sqlite3_finalize(stmt);
    CHECK_INT(sqlite3_prepare_v2(sqlite, "PRAGMA foreign_key_check", -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    sqlite3_close(sqlite);
}

/* A version's artifact is there, in full, and is what its name says. */
static inline void whole_check_version(fixture *f, const sw_version *version) {
    char path[SW_PATH_BYTES], hex[SW_SHA256_HEX + 1] = "";
    sw_buf bytes = {0};
    sw_blob_path(path, sizeof path, f->blobs, &version->artifact);
    CHECK_OK(sw_file_read_whole(&bytes, path, 1 << 20, &f->error), f->error);
    CHECK_INT(bytes.len, version->artifact_bytes);
    sw_sha256_hex(hex, sw_buf_str(&bytes));
    CHECK_TEXT(hex, version->artifact.hex);
    sw_buf_free(&bytes);
}

static inline size_t whole_check_versions(fixture *f, const acknowledged *a, uint32_t check_from) {
    sw_version *versions = NULL;
    size_t count = 0;
    sw_status status = sw_registry_list_versions(&versions, &count, f->registry, SW_STR("fraud"),
                                                 &f->arena, &f->error);
    if (a->versions > 0 || status.code != SW_CODE_NOT_FOUND)
        CHECK_OK(status, f->error);
    CHECK(count >= a->versions);
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(versions[i].number, count - i);
        if (versions[i].number >= check_from)
            whole_check_version(f, &versions[i]);
    }
    return count;
}

/* Each change has its events, each event its change. Returns how many events the model should have.
 */
static inline size_t whole_check_model(fixture *f, const acknowledged *a, size_t versions) {
    sw_model_row row = {.newest_version = 0};
    size_t events = versions;
    if (versions == 0)
        return 0;
    CHECK_OK(sw_registry_get_model(&row, f->registry, SW_STR("fraud"), &f->arena, &f->error),
             f->error);
    CHECK_INT(row.newest_version, versions);
    CHECK(row.newest_revision >= a->revisions);
    if (a->alias)
        CHECK(row.alias_count == 1 && row.aliases[0].version >= a->alias);
    if (a->live)
        CHECK(row.live && row.live->number >= a->live);
    for (size_t i = 0; i < row.revision_count; i++) {
        if (row.revision_count < 100)
            CHECK_INT(row.revisions[i].number, row.revision_count - i);
        events += row.revisions[i].state == SW_REVISION_LOADING ? 1 : 2;
        CHECK((row.revisions[i].state == SW_REVISION_LIVE) == (row.revisions[i].live_ms != 0));
    }
    return events + row.alias_count;
}

/*
 * On a fixture that was opened anew. `counted`: the alias moved at most once and there are fewer
 * than 100 revisions, so that every event can be counted. Blobs are read from `check_from` on.
 */
static inline void whole_check(fixture *f, const acknowledged *a, bool counted,
                               uint32_t check_from) {
    sw_event *events;
    sw_token *tokens;
    size_t event_count = 0, token_count = 0;
    size_t wanted = whole_check_model(f, a, whole_check_versions(f, a, check_from));
    CHECK_OK(sw_registry_list_tokens(&tokens, &token_count, f->registry, &f->arena, &f->error),
             f->error);
    CHECK(token_count >= a->tokens);
    CHECK_OK(sw_registry_list_events(&events, &event_count, f->registry, SW_STR(""), 0, 1000,
                                     &f->arena, &f->error),
             f->error);
    for (size_t i = 1; i < event_count; i++)
        CHECK_INT(events[i - 1].id, events[i].id + 1);
    if (counted)
        CHECK_INT(event_count, wanted + token_count);
    sw_arena_reset(&f->arena);
}

#endif /* SW_TESTS_REGISTRY_WHOLE_H */
