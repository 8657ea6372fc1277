/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_private.h"
#include "cli/slice_private.h"

#include <stdlib.h>

enum { TIMEOUT_MS = 10000 };

static void count_answer(sw_demo_caller *caller, const sw_reply *reply, sw_status status,
                         const sw_error *error) {
    sw_str body = sw_buf_str(&reply->body), version = sw_slice_member(body, "model_version");
    bool fine = !sw_failed(status) && reply->http == 200;
    unsigned number = sw_str_is(version, "\"1\"") ? 1 : sw_str_is(version, "\"2\"") ? 2 : 0;
    atomic_fetch_add(&caller->requests, 1);
    if (reply->seconds > caller->slowest_s)
        caller->slowest_s = reply->seconds;
    if (fine) {
        atomic_fetch_add(&caller->by_version[number], 1);
        return;
    }
    if (atomic_fetch_add(&caller->failures, 1) > 0)
        return;
    if (sw_failed(status))
        snprintf(caller->first_failure, sizeof caller->first_failure, "%.200s", error->text);
    else
        snprintf(caller->first_failure, sizeof caller->first_failure, "HTTP %ld: %.*s", reply->http,
                 (int)(body.len < 200 ? body.len : 200), body.at ? body.at : "");
}

/* One row after the other, each at once after the answer to the one before. */
static void *call(void *argument) {
    sw_demo_caller *caller = argument;
    sw_buf body = {0};
    sw_reply reply = {0};
    for (size_t row = 0; !atomic_load(caller->stop); row++) {
        sw_error error;
        sw_buf_clear(&body);
        sw_demo_write_infer(&body, caller->rows, row, 1);
        sw_request request = {.method = "POST",
                              .path = "/v2/models/" SW_DEMO_MODEL "/infer",
                              .body = sw_buf_str(&body),
                              .timeout_ms = TIMEOUT_MS};
        sw_status status = sw_client_do(&reply, caller->client, &request, &error);
        count_answer(caller, &reply, status, &error);
        if (sw_failed(status))
            break; /* the server is gone: no use in calling on */
    }
    sw_buf_free(&body);
    sw_reply_free(&reply);
    return NULL;
}

sw_status sw_demo_load_start(sw_demo_load *load, const char *url, const sw_demo_rows *rows,
                             sw_error *error) {
    atomic_store(&load->stop, false);
    for (load->count = 0; load->count < SW_DEMO_CALLERS; load->count++) {
        sw_demo_caller *caller = &load->callers[load->count];
        caller->rows = rows;
        caller->stop = &load->stop;
        sw_status status = sw_client_make(&caller->client, url, NULL, NULL, error);
        if (!sw_failed(status) && pthread_create(&caller->thread, NULL, call, caller) != 0) {
            sw_client_free(caller->client);
            status = sw_fail(error, SW_CODE_NO_MEMORY, "no thread could be started");
        }
        if (sw_failed(status)) {
            sw_demo_load_stop(load);
            return status;
        }
    }
    return SW_OK;
}

unsigned long long sw_demo_load_answers(sw_demo_load *load, unsigned version) {
    unsigned long long sum = 0;
    for (size_t i = 0; i < load->count; i++)
        sum += atomic_load(&load->callers[i].by_version[version]);
    return sum;
}

void sw_demo_load_stop(sw_demo_load *load) {
    atomic_store(&load->stop, true);
    for (size_t i = 0; i < load->count; i++) {
        if (!load->callers[i].client)
            continue;
        pthread_join(load->callers[i].thread, NULL);
        sw_client_free(load->callers[i].client);
        load->callers[i].client = NULL;
    }
}
