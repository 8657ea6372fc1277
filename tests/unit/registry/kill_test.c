/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "whole.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A child that works until it is killed, and says what it was told is done ---- */

typedef enum ack_kind { ACK_VERSION, ACK_ALIAS, ACK_REVISION, ACK_LIVE, ACK_TOKEN } ack_kind;

/* Written to the pipe in one piece, which is smaller than PIPE_BUF: never torn, never mixed. */
typedef struct ack {
    ack_kind kind;
    uint32_t number;
    char hash[SW_SHA256_HEX + 1];
} ack;

typedef struct worker {
    fixture f; /* with an error text of its own */
    int pipe;
    unsigned chance;
} worker;

static void say(worker *w, ack_kind kind, uint32_t number, const char *hash) {
    ack a = {.kind = kind, .number = number};
    if (hash)
        memcpy(a.hash, hash, sizeof a.hash);
    if (write(w->pipe, &a, sizeof a) != (ssize_t)sizeof a)
        _exit(3);
}

/* A few KB that no other push has, in pieces. */
static sw_status push_something(worker *w) {
    sw_version version = {.model = SW_STR("fraud"), .who = SW_STR("ada")};
    sw_blob_writer *writer;
    SW_TRY(sw_blob_begin(&writer, w->f.blobs, &w->f.error));
    for (int piece = 0; piece < 3; piece++) {
        char bytes[1500];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((w->chance = w->chance * 1664525 + 1013904223) >> 24);
        sw_status status = sw_blob_add(writer, (sw_str){bytes, sizeof bytes}, &w->f.error);
        if (sw_failed(status)) {
            sw_blob_abort(writer);
            return status;
        }
    }
    SW_TRY(sw_blob_finish(&version.artifact, &version.artifact_bytes, writer, &w->f.error));
    SW_TRY(sw_registry_add_version(&version, w->f.registry, &w->f.error));
    say(w, ACK_VERSION, version.number, version.artifact.hex);
    SW_TRY(sw_registry_set_alias(w->f.registry, SW_STR("fraud"), SW_STR("champion"), version.number,
                                 SW_STR("ada"), &w->f.error));
    say(w, ACK_ALIAS, version.number, NULL);
    return SW_OK;
}

static sw_status deploy_something(worker *w) {
    uint32_t revision;
    SW_TRY(fixture_begin(&revision, &w->f, "fraud", 1));
    say(w, ACK_REVISION, revision, NULL);
    SW_TRY(fixture_settle(&w->f, "fraud", revision, SW_REVISION_LIVE, ""));
    say(w, ACK_LIVE, revision, NULL);
    sw_token token = {.name = SW_STR("ci"), .scopes = 1};
    char secret[64];
    SW_TRY(sw_registry_add_token(&token, secret, w->f.registry, &w->f.error));
    say(w, ACK_TOKEN, 0, token.hash_hex.at);
    return SW_OK;
}

static void fail_worker(const worker *w) {
    fprintf(stderr, "  worker: %s\n", w->f.error.text);
    _exit(2);
}

static void *push_on(void *context) {
    worker *w = context;
    for (;;)
        if (sw_failed(push_something(w)))
            fail_worker(w);
    return NULL;
}

static void work(const char *dir, int pipe_fd, unsigned seed) {
    static worker pusher, deployer;
    pthread_t thread;
    deployer = (worker){.pipe = pipe_fd, .chance = seed};
    snprintf(deployer.f.dir, sizeof deployer.f.dir, "%s", dir);
    if (sw_failed(fixture_open(&deployer.f)) ||
        sw_failed(sw_registry_fail_unfinished(deployer.f.registry, &deployer.f.error)) ||
        sw_failed(push_something(&deployer)))
        fail_worker(&deployer);
    pusher = deployer;
    pusher.chance = seed ^ 0x5bd1e995;
    pthread_create(&thread, NULL, push_on, &pusher);
    for (;;)
        if (sw_failed(deploy_something(&deployer)))
            fail_worker(&deployer);
}

/* ---- The parent ---- */

typedef struct record {
    acknowledged a;
    uint32_t checked; /* versions whose blob has been read */
} record;

static void check_hash(fixture *f, const ack *a) {
    sw_version version;
    CHECK_OK(sw_registry_get_version(&version, f->registry, SW_STR("fraud"), a->number, &f->arena,
                                     &f->error),
             f->error);
    CHECK_TEXT(version.artifact.hex, a->hash);
}

static uint32_t greater(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void note(acknowledged *a, const ack *one) {
    switch (one->kind) {
    case ACK_VERSION: a->versions = greater(a->versions, one->number); break;
    case ACK_ALIAS: a->alias = greater(a->alias, one->number); break;
    case ACK_REVISION: a->revisions = greater(a->revisions, one->number); break;
    case ACK_LIVE: a->live = greater(a->live, one->number); break;
    case ACK_TOKEN: a->tokens++; break;
    }
}

static void check_token(fixture *f, const ack *one) {
    sw_token *tokens;
    size_t count, found = 0;
    CHECK_OK(sw_registry_list_tokens(&tokens, &count, f->registry, &f->arena, &f->error), f->error);
    for (size_t i = 0; i < count; i++)
        found += sw_str_is(tokens[i].hash_hex, one->hash);
    CHECK_INT(found, 1);
}

static sw_status count_left(const char *name, void *context, sw_error *error) {
    (void)name;
    (void)error;
    ++*(int *)context;
    return SW_OK;
}

static void check_after(fixture *f, record *r, const ack *acks, size_t count) {
    int left = 0;
    CHECK_OK(fixture_open(f), f->error);
    if (atomic_load(&test_failures))
        return;
    CHECK_OK(sw_file_each(scratch_path(f->dir, "blobs/incoming"), count_left, &left, &f->error),
             f->error);
    CHECK_INT(left, 0);
    for (size_t i = 0; i < count; i++) {
        note(&r->a, &acks[i]);
        if (acks[i].kind == ACK_VERSION)
            check_hash(f, &acks[i]);
        if (acks[i].kind == ACK_TOKEN)
            check_token(f, &acks[i]);
    }
    whole_check(f, &r->a, false, r->checked + 1);
    r->checked = r->a.versions;
    fixture_close(f);
}

/*
 * Starts a worker, lets it live for `life_us` (from its first acknowledgement, where `wait_first`),
 * kills it; returns how many acknowledgements came.
 */
static size_t run_and_kill(const char *dir, ack *acks, size_t cap, unsigned seed, unsigned life_us,
                           bool wait_first) {
    int ends[2], how = 0;
    if (pipe(ends) != 0)
        return 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work(dir, ends[1], seed);
    }
    close(ends[1]);
    struct pollfd first = {.fd = ends[0], .events = POLLIN};
    if (wait_first)
        CHECK(poll(&first, 1, 30000) == 1);
    usleep(life_us);
    kill(child, SIGKILL);
    size_t count = 0;
    while (count < cap && read(ends[0], &acks[count], sizeof *acks) == (ssize_t)sizeof *acks)
        count++;
    CHECK(waitpid(child, &how, 0) == child);
    CHECK(WIFSIGNALED(how)); /* it lived until it was killed */
    close(ends[0]);
    return count;
}

enum { ROUNDS = 100, ACKS_MAX = 4000 };

TEST(kill__at_any_moment_loses_nothing_acknowledged_and_leaves_nothing_by_half) {
    static ack acks[ACKS_MAX];
    fixture f = {.db = NULL};
    record r = {.checked = 0};
    unsigned chance = (unsigned)sw_clock_ns();
    scratch_make(f.dir);
    sw_arena_init(&f.arena, 65536);
    for (unsigned i = 0; i < ROUNDS && !atomic_load(&test_failures); i++) {
        chance = chance * 1664525 + 1013904223;
        size_t count = run_and_kill(f.dir, acks, ACKS_MAX, chance, (chance >> 8) % 30000, i % 2);
        check_after(&f, &r, acks, count);
    }
    printf("%d kills: %u versions, %u revisions and %u tokens acknowledged, all there\n", ROUNDS,
           r.a.versions, r.a.revisions, r.a.tokens);
    CHECK(r.a.versions >= ROUNDS / 2 && r.a.live > 0 && r.a.tokens > 0);
    whole_check_sqlite(f.dir);
    CHECK_OK(fixture_open(&f), f.error);
    whole_check(&f, &r.a, false, 1); /* and every blob once more */
    fixture_end(&f);
}

/* ---- A disk that is really full ---- */

static sw_status push_large(fixture *f, uint32_t *number, int round) {
    static char bytes[40000];
    memset(bytes, round, sizeof bytes);
    return fixture_push(number, f, "fraud", (sw_str){bytes, sizeof bytes});
}

static void fill_and_recover(fixture *f) {
    acknowledged a = {0};
    uint32_t number = 0, full_at = 0;
    CHECK_OK(fixture_open(f), f->error);
    for (int round = 1; round < 200 && !full_at; round++) {
        if (sw_failed(push_large(f, &number, round)))
            full_at = (uint32_t)round;
        else
            a.versions = number;
    }
    CHECK(full_at > 3);
    CHECK_HAS(f->error.text, "full. Free some space and try again");
    /* Until the database finds no room either. */
    sw_status status = SW_OK;
    for (int i = 0; i < 4000 && !sw_failed(status); i++)
        if (!sw_failed(status = fixture_begin(&number, f, "fraud", 1)))
            a.revisions = number;
    CHECK_INT(status.code, SW_CODE_IO);
    CHECK_HAS(f->error.text, "full. Free some space and try again");
    sw_version *versions;
    size_t count;
    CHECK_OK(sw_registry_list_versions(&versions, &count, f->registry, SW_STR("fraud"), &f->arena,
                                       &f->error),
             f->error);
    CHECK_INT(count, a.versions);
    CHECK_INT(unlink(scratch_path(f->dir, "ballast")), 0);
    CHECK_OK(push_large(f, &number, 250), f->error);
    a.versions = number;
    fixture_close(f);
    CHECK_OK(fixture_open(f), f->error);
    whole_check(f, &a, false, 1);
    fixture_close(f);
    whole_check_sqlite(f->dir);
}

static void put_ballast(const char *dir) {
    FILE *file = fopen(scratch_path(dir, "ballast"), "w");
    for (int i = 0; file && i < 300; i++)
        fprintf(file, "%01024d", i);
    if (file)
        fclose(file);
}

TEST(full_disk__refuses_writes_and_goes_on_once_there_is_room) {
    fixture f = {.db = NULL};
    scratch_make(f.dir);
    sw_arena_init(&f.arena, 65536);
    if (mount("tmpfs", f.dir, "tmpfs", 0, "size=2m") != 0) {
        puts("skipped: only root may mount a small disk");
    } else {
        put_ballast(f.dir);
        fill_and_recover(&f);
        CHECK_INT(umount(f.dir), 0);
    }
    sw_arena_free(&f.arena);
    rmdir(f.dir);
}

TEST_MAIN
