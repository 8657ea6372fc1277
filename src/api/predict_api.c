/* SPDX-License-Identifier: Apache-2.0 */
#include "api/predict_api.h"

#include <pthread.h>

/* A thread keeps no more than this between replies. */
enum { SCRATCH_BYTES_KEPT = 1 << 20 };

static pthread_key_t scratch_key; /* only for what it does when a thread ends */
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local sw_buf scratch;

static void free_scratch(void *buf) {
    sw_buf_free(buf);
}

static void make_scratch_key(void) {
    (void)pthread_key_create(&scratch_key, free_scratch);
}

sw_buf *sw_reply_scratch(void) {
    if (!scratch.at) {
        pthread_once(&scratch_once, make_scratch_key);
        (void)pthread_setspecific(scratch_key, &scratch);
    }
    if (scratch.cap > SCRATCH_BYTES_KEPT)
        sw_buf_free(&scratch);
    sw_buf_clear(&scratch);
    return &scratch;
}

void sw_predict_exchange(sw_exchange *exchange, sw_app *app, const sw_protocol *protocol) {
    sw_predict *p = sw_arena_alloc(&exchange->arena, sizeof *p);
    if (!p) {
        sw_exchange_fail(exchange, (sw_status){SW_CODE_NO_MEMORY}, NULL);
        return;
    }
    p->protocol = protocol;
    p->predictor = app->predictor;
    p->owner = exchange;
    p->loop = exchange->loop;
    p->arena = &exchange->arena;
    p->received_ns = exchange->received_ns;
    p->deadline_ns = exchange->deadline_ns;
    p->cancelled = &exchange->cancelled;
    p->request = (sw_infer_request){0};
    p->step = 0;
    sw_predict_go(p);
}

sw_status sw_predict_address_path(sw_predict *p) {
    const sw_exchange *exchange = sw_predict_owner(p);
    p->request.model = exchange->params[0];
    p->request.version = exchange->params[1];
    return SW_OK;
}

void sw_predict_refuse(sw_predict *p) {
    sw_exchange_fail(sw_predict_owner(p), p->status, &p->error);
}

sw_infer_response sw_predict_response(const sw_predict *p) {
    return (sw_infer_response){
        .model = p->served->model_name,
        .version = p->served->version_text,
        .id = p->request.id,
        .outputs = p->outputs,
        .output_count = p->served->info->output_count,
    };
}
