/* SPDX-License-Identifier: Apache-2.0 */
#include "main/request_log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>

enum { WAITING_BYTES_MAX = 4 << 20, PATH_BYTES_MAX = 512 };

struct sw_request_log {
    pthread_mutex_t lock;
    pthread_cond_t some;
    pthread_t thread;
    sw_buf waiting;
    uint64_t dropped;
    bool stopping;
};

static const char *const method_words[] = {"GET",   "HEAD",   "POST",    "PUT",
                                           "PATCH", "DELETE", "OPTIONS", "OTHER"};
static const char *const wire_words[] = {"http/1.1", "http/2", "grpc"};

/* Without what signs in. */
static sw_str path_to_log(const sw_exchange *e) {
    if (sw_str_starts(e->path, SW_STR("/login/")))
        return SW_STR("/login/");
    return (sw_str){e->path.at, e->path.len < PATH_BYTES_MAX ? e->path.len : PATH_BYTES_MAX};
}

static void write_line(sw_buf *out, const sw_exchange *e, int http_status, size_t reply_bytes) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_i64(&w, "at_ms", sw_clock_wall_ms());
    sw_json_add_text(&w, "wire", wire_words[e->wire]);
    sw_json_add_text(&w, "method", method_words[e->method]);
    sw_json_add_str(&w, "path", path_to_log(e));
    sw_json_add_i64(&w, "status", http_status);
    sw_json_add_u64(&w, "reply_bytes", reply_bytes);
    sw_json_add_f64(&w, "took_ms", (double)(sw_clock_ns() - e->received_ns) / 1e6);
    sw_json_add_text(&w, "who", e->who);
    sw_json_end_object(&w);
    sw_buf_add_char(out, '\n');
}

void sw_request_log_add(const sw_exchange *exchange, int http_status, size_t reply_bytes,
                        void *context) {
    sw_request_log *log = context;
    pthread_mutex_lock(&log->lock);
    if (log->waiting.len < WAITING_BYTES_MAX && !log->waiting.failed)
        write_line(&log->waiting, exchange, http_status, reply_bytes);
    else
        log->dropped++;
    pthread_cond_signal(&log->some);
    pthread_mutex_unlock(&log->lock);
}

static void write_out(const sw_buf *lines, uint64_t dropped) {
    fwrite(lines->at, 1, lines->len, stderr);
    if (dropped)
        fprintf(stderr, "{\"dropped_lines\":%llu}\n", (unsigned long long)dropped);
}

static void *run(void *context) {
    sw_request_log *log = context;
    sw_buf taken = {0};
    pthread_mutex_lock(&log->lock);
    while (!log->stopping || log->waiting.len) {
        if (log->waiting.len == 0) {
            pthread_cond_wait(&log->some, &log->lock);
            continue;
        }
        sw_buf full = log->waiting;
        uint64_t dropped = log->dropped;
        log->waiting = taken;
        log->dropped = 0;
        pthread_mutex_unlock(&log->lock);
        write_out(&full, dropped);
        sw_buf_clear(&full);
        taken = full;
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    sw_buf_free(&taken);
    return NULL;
}

sw_status sw_request_log_start(sw_request_log **out, sw_error *error) {
    sw_request_log *log = sw_mem_zalloc(1, sizeof *log);
    if (!log)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the request log");
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->some, NULL);
    if (pthread_create(&log->thread, NULL, run, log) != 0) {
        sw_mem_free(log);
        return sw_fail(error, SW_CODE_NO_MEMORY, "cannot start the thread of the request log");
    }
    (void)pthread_setname_np(log->thread, "request-log");
    *out = log;
    return SW_OK;
}

void sw_request_log_stop(sw_request_log *log) {
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->some);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    sw_buf_free(&log->waiting);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->some);
    sw_mem_free(log);
}
