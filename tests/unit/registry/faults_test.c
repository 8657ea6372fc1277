/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "unit/store/fault_sqlite.h"
#include "whole.h"

#ifdef SW_FAULTS

/* ---- What is done while something fails: a push, an alias, a deploy, a token ---- */

static void act(fixture *f, acknowledged *a, int round) {
    char content[32];
    uint32_t number = 0;
    sw_str fraud = SW_STR("fraud");
    int used = snprintf(content, sizeof content, "model number %d", round);
    if (!sw_failed(fixture_push(&number, f, "fraud", (sw_str){content, (size_t)used})))
        a->versions = number;
    if (!sw_failed(sw_registry_set_alias(f->registry, fraud, SW_STR("champion"), 1, SW_STR("ada"),
                                         &f->error)))
        a->alias = 1;
    if (!sw_failed(fixture_begin(&number, f, "fraud", 1))) {
        a->revisions = number;
        if (!sw_failed(fixture_settle(f, "fraud", number, SW_REVISION_LIVE, "")))
            a->live = number;
    }
    sw_token token = {.name = SW_STR("ci"), .scopes = 1, .who = SW_STR("ada")};
    char secret[64];
    if (!sw_failed(sw_registry_add_token(&token, secret, f->registry, &f->error)))
        a->tokens++;
    sw_model_row *models;
    size_t count;
    sw_revision target;
    sw_arena arena = {0};
    (void)sw_failed(sw_registry_list_models(&models, &count, f->registry, &arena, &f->error));
    (void)sw_failed(sw_registry_rollback_target(&target, f->registry, fraud, 0, &arena, &f->error));
    sw_arena_free(&arena);
}

/* A way to fail: `arm` and `disarm` around what is done. */
typedef struct way {
    const char *name;
    void (*arm)(fixture *f, long nth);
    bool (*disarm)(fixture *f);
    long sparse_from, stride; /* of very many places, one in `stride` is tried from there on */
    bool from_open;           /* opening and closing are among what may fail */
} way;

/* One run from an empty folder; false once nothing failed any more. */
static bool run_once(const way *w, long nth) {
    fixture f = {.db = NULL};
    acknowledged a = {0};
    scratch_make(f.dir);
    sw_arena_init(&f.arena, 4096);
    sw_status status = SW_OK;
    bool happened = false;
    if (w->from_open)
        w->arm(&f, nth);
    status = fixture_open(&f);
    if (!w->from_open) {
        CHECK_OK(status, f.error);
        w->arm(&f, nth);
    }
    if (!sw_failed(status)) {
        act(&f, &a, 1);
        act(&f, &a, 2);
        if (!w->from_open) {
            happened = w->disarm(&f);
            act(&f, &a, 3); /* it still works, with the same connections */
            CHECK_INT(a.live, a.revisions);
            CHECK(a.versions > 0 && a.tokens > 0);
        }
    } else {
        CHECK(f.error.text[0] != '\0');
    }
    fixture_close(&f);
    if (w->from_open)
        happened = w->disarm(&f);
    CHECK_OK(fixture_open(&f), f.error);
    whole_check(&f, &a, true, 1);
    act(&f, &a, 4);
    CHECK(a.versions > 0 && a.live > 0);
    fixture_end(&f);
    return happened;
}

static void sweep(const way *w) {
    long nth = 1, runs = 0;
    scratch_in_memory();
    for (bool happened = true; happened; nth += nth < w->sparse_from ? 1 : w->stride) {
        int before = atomic_load(&test_failures);
        happened = run_once(w, nth);
        runs++;
        if (atomic_load(&test_failures) != before) {
            fprintf(stderr, "  %s, failure number %ld\n", w->name, nth);
            return;
        }
    }
    printf("%s: %ld places\n", w->name, runs - 1);
    CHECK(runs > 5);
}

/* ---- SQLite's disk and memory ---- */

static void arm_full_once(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_disk, nth, SQLITE_FULL, false);
}

static void arm_full_from(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_disk, nth, SQLITE_FULL, true);
}

static void arm_bad_once(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_disk, nth, SQLITE_IOERR, false);
}

static void arm_bad_from(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_disk, nth, SQLITE_IOERR, true);
}

static bool disarm_disk(fixture *f) {
    (void)f;
    return fault_disarm(&fault_disk);
}

static void arm_memory(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_memory, nth, 0, false);
}

static void arm_memory_from(fixture *f, long nth) {
    (void)f;
    fault_arm(&fault_memory, nth, 0, true);
}

static bool disarm_memory(fixture *f) {
    (void)f;
    return fault_disarm(&fault_memory);
}

TEST(database__survives_a_disk_that_is_full_for_a_moment) {
    const way open = {"full once, from the opening", arm_full_once, disarm_disk, 60, 5, true};
    const way later = {"full once", arm_full_once, disarm_disk, 1000, 1, false};
    sweep(&open);
    sweep(&later);
}

TEST(database__survives_a_disk_that_stays_full) {
    const way open = {"full for good, from the opening", arm_full_from, disarm_disk, 60, 5, true};
    const way later = {"full for good", arm_full_from, disarm_disk, 1000, 1, false};
    sweep(&open);
    sweep(&later);
}

TEST(database__survives_a_disk_that_fails) {
    const way open = {"bad once, from the opening", arm_bad_once, disarm_disk, 60, 5, true};
    const way later = {"bad for good", arm_bad_from, disarm_disk, 1000, 1, false};
    sweep(&open);
    sweep(&later);
}

TEST(database__survives_when_sqlite_finds_no_memory) {
    const way open = {"sqlite's memory, from the opening", arm_memory, disarm_memory, 40, 97, true};
    const way later = {"sqlite's memory", arm_memory, disarm_memory, 40, 7, false};
    const way lasting = {"sqlite's memory for good", arm_memory_from, disarm_memory, 40, 13, false};
    sweep(&open);
    sweep(&later);
    sweep(&lasting);
}

/* ---- Our own memory and files, of this thread ---- */

static void arm_own_memory(fixture *f, long nth) {
    (void)f;
    sw_mem_fail_at((size_t)nth);
}

static bool disarm_own_memory(fixture *f) {
    (void)f;
    bool happened = sw_mem_failed();
    sw_mem_fail_at(0);
    return happened;
}

static void arm_files_full(fixture *f, long nth) {
    (void)f;
    sw_file_fail_at((size_t)nth, SW_FILE_FAULT_FULL);
}

static void arm_files_bad(fixture *f, long nth) {
    (void)f;
    sw_file_fail_at((size_t)nth, SW_FILE_FAULT_BAD);
}

static void arm_files_short(fixture *f, long nth) {
    (void)f;
    sw_file_fail_at((size_t)nth, SW_FILE_FAULT_SHORT);
}

static bool disarm_files(fixture *f) {
    (void)f;
    bool happened = sw_file_failed();
    sw_file_fail_at(0, SW_FILE_FAULT_BAD);
    return happened;
}

TEST(registry__survives_when_the_callers_thread_finds_no_memory) {
    const way open = {"memory, from the opening", arm_own_memory, disarm_own_memory, 1000, 1, true};
    const way later = {"memory", arm_own_memory, disarm_own_memory, 1000, 1, false};
    sweep(&open);
    sweep(&later);
}

TEST(registry__survives_files_that_cannot_be_written) {
    const way full = {"files full, from the opening", arm_files_full, disarm_files, 1000, 1, true};
    const way bad = {"files bad, from the opening", arm_files_bad, disarm_files, 1000, 1, true};
    const way shortly = {
        "files short, from the opening", arm_files_short, disarm_files, 1000, 1, true};
    sweep(&full);
    sweep(&bad);
    sweep(&shortly);
}

/* ---- The writer thread's memory ---- */

static sw_status do_arm(sw_conn *conn, void *context, sw_error *error) {
    (void)conn;
    (void)error;
    sw_mem_fail_at((size_t) * (long *)context);
    return SW_OK;
}

static sw_status do_disarm(sw_conn *conn, void *context, sw_error *error) {
    (void)conn;
    (void)error;
    *(bool *)context = sw_mem_failed();
    sw_mem_fail_at(0);
    return SW_OK;
}

static void arm_writer(fixture *f, long nth) {
    CHECK_OK(sw_db_write(f->db, do_arm, &nth, &f->error), f->error);
}

static bool disarm_writer(fixture *f) {
    bool happened = false;
    CHECK_OK(sw_db_write(f->db, do_disarm, &happened, &f->error), f->error);
    return happened;
}

TEST(registry__survives_when_the_writer_thread_finds_no_memory) {
    const way w = {"the writer's memory", arm_writer, disarm_writer, 1000, 1, false};
    sweep(&w);
}

/* ---- Durability ---- */

TEST(every_write__is_synced_before_it_is_answered) {
    for (int opening = 0; opening < 2; opening++) { /* the first makes the tables */
        fixture f;
        uint32_t number;
        fixture_make(&f);
        if (opening) {
            fixture_close(&f);
            REQUIRE_OK(fixture_open(&f), f.error);
        }
        for (int i = 0; i < 5; i++) {
            long before = atomic_load(&fault_syncs);
            CHECK_OK(fixture_push(&number, &f, "fraud", SW_STR("a")), f.error);
            CHECK(atomic_load(&fault_syncs) > before);
        }
        fixture_end(&f);
    }
}

/* ---- The checker itself ---- */

TEST(whole_check__sees_a_missing_event_and_a_missing_blob) {
    fixture f;
    acknowledged a = {0};
    fixture_make(&f);
    act(&f, &a, 1);
    whole_check(&f, &a, true, 1);
    fixture_close(&f);
    sqlite3 *sqlite;
    CHECK_INT(sqlite3_open(scratch_path(f.dir, "slipway.db"), &sqlite), SQLITE_OK);
    CHECK_INT(sqlite3_exec(sqlite, "DELETE FROM events WHERE id = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    REQUIRE_OK(fixture_open(&f), f.error);
    int before = atomic_load(&test_failures);
    sw_blob_id id;
    sw_sha256_hex(id.hex, SW_STR("model number 1"));
    CHECK_OK(sw_blob_remove(f.blobs, &id, &f.error), f.error);
    fprintf(stderr, "  (the failures that follow are wanted)\n");
    whole_check(&f, &a, true, 1);
    int found = atomic_load(&test_failures) - before;
    atomic_store(&test_failures, before);
    CHECK(found >= 3);
    fixture_end(&f);
}

#else
TEST(faults__are_not_in_this_build) {
    puts("built without SW_FAULTS: nothing to fail");
}
#endif

TEST_MAIN
