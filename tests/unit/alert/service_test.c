/* SPDX-License-Identifier: Apache-2.0 */
/* The whole service on a database of its own, with a lag that the test makes up and a program that
 * is told. */
#include "alert/alert.h"

#include "base/clock.h"
#include "unit/scratch.h"
#include "unit/store/fault_sqlite.h"
#include "unit/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

enum { WAIT_MS = 15000 };

static _Atomic double lag;

static double lag_now(void *context) {
    (void)context;
    return lag;
}

typedef struct place {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    sw_alerts *alerts;
} place;

static bool start(place *p) {
    sw_error why = {0};
    bool ok = !sw_failed(sw_db_open(&p->db, scratch_path(p->dir, "t.db"), &why));
    sw_alerts_config config = {.db = p->db, .allow_commands = true, .sources = {.lag_ms = lag_now}};
    ok = ok && !sw_failed(sw_alerts_start(&p->alerts, &config, &why));
    if (!ok)
        TEST_FAIL_("%s", why.text);
    return ok;
}

static void stop(place *p) {
    sw_alerts_stop(p->alerts);
    sw_db_close(p->db);
}

/* Rules by which a program appends a line to the file "told". */
static bool begin(place *p) {
    char yaml[2048], script[SCRATCH_BYTES + 64];
    sw_error why = {0};
    signal(SIGPIPE, SIG_IGN);
    lag = 0;
    scratch_make(p->dir);
    snprintf(script, sizeof script, "%s/tell.sh", p->dir);
    FILE *file = fopen(script, "w");
    if (!file || !start(p))
        return false;
    fprintf(file, "#!/bin/sh\ncat > /dev/null; echo told >> %s/told\n", p->dir);
    fclose(file);
    chmod(script, 0755);
    snprintf(yaml, sizeof yaml,
             "defaults: false\nevery: 100ms\nnotify: [n]\ngroups: {wait: 0, interval: 0}\n"
             "notifiers: {n: {command: [%s]}}\nrules: [{name: lag, on: lag, above: 100ms}]\n",
             script);
    bool ok = !sw_failed(sw_alerts_apply(p->alerts, sw_str_of(yaml), SW_STR("me"), &why));
    if (!ok)
        TEST_FAIL_("%s", why.text);
    return ok;
}

static int lines(const place *p) {
    int count = 0;
    FILE *file = fopen(scratch_path(p->dir, "told"), "r");
    for (int c; file && (c = fgetc(file)) != EOF;)
        count += c == '\n';
    if (file)
        fclose(file);
    return count;
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool shows(const place *p, const char *state, const char *what) {
    sw_buf json = {0};
    sw_error why;
    sw_alert_query query = {.state = sw_str_of(state), .limit = 10};
    bool found = !sw_failed(sw_alerts_list(&json, p->alerts, &query, &why)) &&
                 memmem(json.at, json.len, what, strlen(what)) != NULL;
    sw_buf_free(&json);
    return found;
}

static bool delivered(const place *p, const char *what) {
    sw_buf json = {0};
    sw_error why;
    bool found = !sw_failed(sw_alerts_deliveries(&json, p->alerts, 1, 10, &why)) &&
                 memmem(json.at, json.len, what, strlen(what)) != NULL;
    sw_buf_free(&json);
    return found;
}

#define WAIT_FOR(condition)                                    \
    do {                                                       \
        int64_t wait_end_ = sw_clock_wall_ms() + WAIT_MS;      \
        while (!(condition) && sw_clock_wall_ms() < wait_end_) \
            pause_ms(20);                                      \
        CHECK(condition);                                      \
    } while (0)

TEST(service__tells_once_over_restarts_and_tells_the_end) {
    place p = {0};
    REQUIRE(begin(&p));
    lag = 500;
    WAIT_FOR(lines(&p) == 1);
    CHECK(shows(&p, "firing", "\"id\":1"));
    for (int i = 0; i < 3; i++) {
        stop(&p);
        REQUIRE(start(&p));
        pause_ms(300);
        CHECK(shows(&p, "firing", "\"id\":1"));
    }
    CHECK_INT(lines(&p), 1);
    lag = 0;
    WAIT_FOR(lines(&p) == 2);
    CHECK(shows(&p, "resolved", "\"id\":1"));
    stop(&p);
    scratch_remove(p.dir);
}

TEST(service__tells_of_a_full_disk_all_the_same_and_stores_it_later) {
    place p = {0};
    REQUIRE(begin(&p));
    fault_arm(&fault_disk, 1, SQLITE_FULL, true);
    lag = 500;
    pause_ms(2000);
    CHECK_INT(lines(&p), 0); /* it first tries to store it */
    WAIT_FOR(lines(&p) == 1);
    CHECK(!shows(&p, "all", "\"id\":1"));
    CHECK(fault_disarm(&fault_disk));
    WAIT_FOR(shows(&p, "firing", "\"id\":1"));
    pause_ms(500);
    CHECK_INT(lines(&p), 1);
    stop(&p);
    scratch_remove(p.dir);
}

TEST(service__records_what_became_of_each_message) {
    place p = {0};
    REQUIRE(begin(&p));
    lag = 500;
    WAIT_FOR(delivered(&p, "\"state\":\"sent\""));
    CHECK(delivered(&p, "\"attempts\":1"));
    stop(&p);
    scratch_remove(p.dir);
}

TEST_MAIN
