/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/sender.h"

#include "base/clock.h"
#include "base/mem.h"
#include "proxy/extract.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LINES_BYTES_MAX = 1 << 20, /* of one request */
    GATHER_MS = 200,           /* how long the first of a batch waits for others */
    ASK_MS = 10 * 1000,
    RETRY_MS_MIN = 500,
    RETRY_MS_MAX = 15 * 1000,
    SIGNATURE_MS = 30 * 1000, /* fetched anew after so long: another version may be live */
    PATH_BYTES = 512,
};

struct sw_sender {
    sw_sender_config config;
    sw_remote *remote;
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows, up to `counts` */
    pthread_cond_t wake;
    sw_capture *oldest, *newest;
    size_t queued_bytes;
    bool stopping;
    uint64_t stop_ns; /* when trying ends */
    sw_sender_counts counts;

    /* The thread's own. */
    sw_arena signature_arena, arena;
    sw_signature signature;
    bool has_signature;
    uint64_t fetched_ns;
    sw_buf lines;
    uint64_t rows;     /* in lines */
    bool told_trouble; /* so that it is told once */
    bool told_unreadable, told_rejected;
};

__attribute__((format(printf, 2, 3))) static void tell(const sw_sender *s, const char *format,
                                                       ...) {
    char text[SW_ERROR_BYTES + 256];
    va_list args;
    if (s->config.quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "slipway: proxy: %s\n", text);
}

/* ---- The queue ---- */

void sw_sender_put(sw_sender *s, sw_capture *capture) {
    size_t bytes = sw_capture_bytes(capture);
    pthread_mutex_lock(&s->lock);
    bool fits = !s->stopping && s->queued_bytes + bytes <= s->config.queue_bytes_max;
    if (fits) {
        capture->next = NULL;
        *(s->newest ? &s->newest->next : &s->oldest) = capture;
        s->newest = capture;
        s->queued_bytes += bytes;
        pthread_cond_signal(&s->wake);
    } else {
        s->counts.dropped++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!fits)
        sw_capture_free(capture);
}

/* Waits until `until_ns`, or the end, or (where `for_work`) for a capture. The lock is held. */
static void wait_until(sw_sender *s, uint64_t until_ns, bool for_work) {
    struct timespec at = {.tv_sec = (time_t)(until_ns / SW_NS_PER_S),
                          .tv_nsec = (long)(until_ns % SW_NS_PER_S)};
    while (!s->stopping && !(for_work && s->oldest))
        if (pthread_cond_timedwait(&s->wake, &s->lock, &at) == ETIMEDOUT)
            return;
}

static sw_capture *take(sw_sender *s) {
    pthread_mutex_lock(&s->lock);
    sw_capture *capture = s->oldest;
    if (capture) {
        s->oldest = capture->next;
        if (!s->oldest)
            s->newest = NULL;
        s->queued_bytes -= sw_capture_bytes(capture);
    }
    pthread_mutex_unlock(&s->lock);
    return capture;
}

static void count(sw_sender *s, uint64_t *counter, uint64_t by) {
    pthread_mutex_lock(&s->lock);
    *counter += by;
    pthread_mutex_unlock(&s->lock);
}

/* Whether there is time to try once more; waits before that. */
static bool try_again(sw_sender *s, uint64_t *pause_ms) {
    pthread_mutex_lock(&s->lock);
    wait_until(s, sw_clock_ns() + *pause_ms * SW_NS_PER_MS, false);
    bool stopping = s->stopping;
    uint64_t stop_ns = s->stop_ns;
    pthread_mutex_unlock(&s->lock);
    if (stopping) { /* the wait above no longer waits */
        const struct timespec moment = {.tv_nsec = 100 * (long)SW_NS_PER_MS};
        nanosleep(&moment, NULL);
        return sw_clock_ns() < stop_ns;
    }
    *pause_ms = *pause_ms * 2 < RETRY_MS_MAX ? *pause_ms * 2 : RETRY_MS_MAX;
    return true;
}

static long patience_ms(sw_sender *s) {
    pthread_mutex_lock(&s->lock);
    uint64_t now_ns = sw_clock_ns();
    uint64_t left_ms = !s->stopping          ? ASK_MS
                       : s->stop_ns > now_ns ? (s->stop_ns - now_ns) / SW_NS_PER_MS + 1
                                             : 1;
    pthread_mutex_unlock(&s->lock);
    return (long)(left_ms < ASK_MS ? left_ms : ASK_MS);
}

static void tell_trouble(sw_sender *s, const char *why) {
    if (!s->told_trouble)
        tell(s, "observations cannot be sent now, and wait: %s", why);
    s->told_trouble = true;
}

static void tell_well(sw_sender *s) {
    if (s->told_trouble)
        tell(s, "observations are sent again");
    s->told_trouble = false;
}

/* ---- The signature ---- */

/* The member of a JSON object as JSON text; NULL where it is not there. Yours. */
static char *member_of(sw_str answer, const char *name, const char *inner, json_int_t *number) {
    json_t *json = json_loadb(answer.at ? answer.at : "", answer.len, 0, NULL);
    const json_t *value = json_object_get(json, name);
    char *text = NULL;
    if (number)
        *number = json_integer_value(json_object_get(value, inner));
    else if (value)
        text = json_dumps(value, JSON_COMPACT);
    json_decref(json);
    return text;
}

static sw_status ask(sw_str *answer, sw_sender *s, const char *path, sw_error *error) {
    long http;
    SW_TRY(sw_remote_ask(&http, answer, s->remote, "GET", path, NULL, (sw_str){0}, patience_ms(s),
                         error));
    if (http == 200)
        return SW_OK;
    return sw_fail(error, http == 404 ? SW_CODE_NOT_FOUND : SW_CODE_UNAVAILABLE,
                   "%s answered %ld to GET %s: %.*s", sw_remote_url(s->remote), http, path,
                   (int)(answer->len < 300 ? answer->len : 300), answer->at ? answer->at : "");
}

static sw_status fetch(sw_sender *s, sw_error *error) {
    char path[PATH_BYTES];
    sw_str answer;
    json_int_t version;
    snprintf(path, sizeof path, "/api/v1/models/%s", s->config.model);
    SW_TRY(ask(&answer, s, path, error));
    member_of(answer, "deployment", "version", &version);
    if (version < 1)
        return sw_fail(error, SW_CODE_NOT_FOUND, "nothing of %s is deployed: slipway deploy %s",
                       s->config.model, s->config.model);
    snprintf(path, sizeof path, "/api/v1/models/%s/versions/%lld", s->config.model,
             (long long)version);
    SW_TRY(ask(&answer, s, path, error));
    char *text = member_of(answer, "signature", NULL, NULL);
    sw_arena_reset(&s->signature_arena);
    s->has_signature = false;
    sw_str json = text ? sw_arena_copy(&s->signature_arena, sw_str_of(text)) : (sw_str){0};
    free(text);
    if (!json.at)
        return sw_fail(error, SW_CODE_INTERNAL, "%s told no signature", sw_remote_url(s->remote));
    SW_TRY(sw_signature_from_json(&s->signature, json, &s->signature_arena, error));
    if (s->signature.feature_count == 0)
        return sw_fail(error, SW_CODE_INVALID, "%s@%lld has no named features", s->config.model,
                       (long long)version);
    s->has_signature = true;
    s->fetched_ns = sw_clock_ns();
    return SW_OK;
}

/* False where it is time to end without one. An old one does where there is no newer. */
static bool ensure_signature(sw_sender *s) {
    uint64_t pause_ms = RETRY_MS_MIN;
    sw_error error;
    if (s->has_signature && sw_clock_ns() - s->fetched_ns < SIGNATURE_MS * SW_NS_PER_MS)
        return true;
    for (;;) {
        bool had = s->has_signature;
        sw_status status = fetch(s, &error);
        if (!sw_failed(status)) {
            tell_well(s);
            return true;
        }
        if (had && s->has_signature)
            return true;
        tell_trouble(s, error.text);
        if (!try_again(s, &pause_ms))
            return false;
    }
}

/* ---- Sending ---- */

static void note_answer(sw_sender *s, long http, sw_str answer) {
    json_t *json = json_loadb(answer.at ? answer.at : "", answer.len, 0, NULL);
    uint64_t taken = (uint64_t)json_integer_value(json_object_get(json, "accepted"));
    const char *why = json_string_value(json_object_get(json, "error"));
    const json_t *first = json_array_get(json_object_get(json, "rejected"), 0);
    if (!why)
        why = json_string_value(json_object_get(first, "error"));
    taken = http == 200 && taken < s->rows ? taken : http == 200 ? s->rows : 0;
    count(s, &s->counts.sent, taken);
    count(s, &s->counts.rejected, s->rows - taken);
    if (taken < s->rows && !s->told_rejected) {
        tell(s, "observations were not taken: %s (told once)", why ? why : "for no reason");
        s->told_rejected = true;
    }
    if (taken < s->rows)
        s->fetched_ns = 0; /* perhaps another version is live */
    json_decref(json);
}

static bool is_passing(long http) {
    return http == 429 || http == 404 || http >= 500;
}

/* What cannot be sent by the end is dropped. */
static void send_lines(sw_sender *s) {
    char path[PATH_BYTES], text[200];
    uint64_t pause_ms = RETRY_MS_MIN;
    sw_error error;
    sw_str answer;
    long http;
    snprintf(path, sizeof path, "/api/v1/models/%s/observations", s->config.model);
    for (bool sent = s->rows == 0; !sent;) {
        sw_status status =
            sw_remote_ask(&http, &answer, s->remote, "POST", path, "application/x-ndjson",
                          sw_buf_str(&s->lines), patience_ms(s), &error);
        sent = !sw_failed(status) && !is_passing(http);
        if (sent) {
            tell_well(s);
            note_answer(s, http, answer);
            break;
        }
        snprintf(text, sizeof text, "it answered %ld", http);
        tell_trouble(s, sw_failed(status) ? error.text : text);
        if (!try_again(s, &pause_ms)) {
            count(s, &s->counts.dropped, s->rows);
            break;
        }
    }
    sw_buf_clear(&s->lines);
    s->rows = 0;
}

static void add_lines(sw_sender *s, const sw_capture *capture) {
    const sw_extract_rules rules = {&s->signature, s->config.features, s->config.prediction};
    sw_error error;
    size_t rows;
    sw_arena_reset(&s->arena);
    sw_status status = sw_extract(&s->lines, &rows, capture, &rules, &s->arena, &error);
    s->rows += rows;
    if (!sw_failed(status))
        return;
    count(s, &s->counts.unreadable, 1);
    if (!s->told_unreadable)
        tell(s, "%s: no observation in it: %s (told once)", capture->path, error.text);
    s->told_unreadable = true;
}

static void *run(void *context) {
    sw_sender *s = context;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->oldest && !s->stopping)
            pthread_cond_wait(&s->wake, &s->lock);
        bool over = !s->oldest;
        /* Others may be on their way. */
        wait_until(s, sw_clock_ns() + GATHER_MS * SW_NS_PER_MS, false);
        pthread_mutex_unlock(&s->lock);
        if (over || !ensure_signature(s))
            return NULL;
        for (sw_capture *capture; s->lines.len < LINES_BYTES_MAX && (capture = take(s));) {
            add_lines(s, capture);
            sw_capture_free(capture);
        }
        send_lines(s);
    }
}

/* ---- Start and stop ---- */

static void release(sw_sender *s) {
    while (s->oldest) {
        sw_capture *next = s->oldest->next;
        sw_capture_free(s->oldest);
        s->oldest = next;
        s->counts.dropped++;
    }
    sw_remote_free(s->remote);
    sw_arena_free(&s->signature_arena);
    sw_arena_free(&s->arena);
    sw_buf_free(&s->lines);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
}

sw_status sw_sender_start(sw_sender **out, sw_remote *remote, const sw_sender_config *config,
                          sw_error *error) {
    pthread_condattr_t monotonic;
    sw_sender *s = sw_mem_zalloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        sw_remote_free(remote);
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the proxy");
    }
    s->config = *config;
    s->remote = remote;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        release(s);
        sw_mem_free(s);
        return sw_fail(error, SW_CODE_UNAVAILABLE, "cannot start the thread that sends");
    }
    *out = s;
    return SW_OK;
}

void sw_sender_stop(sw_sender_counts *out, sw_sender *s, uint64_t grace_ms) {
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    s->stop_ns = sw_clock_ns() + grace_ms * SW_NS_PER_MS;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    release(s);
    *out = s->counts;
    sw_mem_free(s);
}
