/* SPDX-License-Identifier: Apache-2.0 */
/*
 * predict_api: what the protocols of prediction share at their HTTP end.
 *
 * Threads: the exchange's loop.
 * Layer:   api.
 */
#ifndef SW_API_PREDICT_API_H
#define SW_API_PREDICT_API_H

#include "api/app.h"

/* Begins the way of a prediction for this exchange (serve/predict.h). */
void sw_predict_exchange(sw_exchange *exchange, sw_app *app, const sw_protocol *protocol);

static inline sw_exchange *sw_predict_owner(const sw_predict *predict) {
    return predict->owner;
}

/* A buffer of this thread's, empty; for a reply that is copied at once. */
sw_buf *sw_reply_scratch(void);

/* For sw_protocol: takes model and version from the path's captures. */
sw_status sw_predict_address_path(sw_predict *predict);
/* For sw_protocol: answers with the failure. */
void sw_predict_refuse(sw_predict *predict);

/* The response's head: model, version, id, outputs. */
sw_infer_response sw_predict_response(const sw_predict *predict);

/* What metadata calls a platform: "onnxruntime_onnx" as Triton does, "slipway_native", or "external"
 * of a model that is served elsewhere. */
static inline const char *sw_platform_of(const sw_served *served) {
    if (served->info->external)
        return served->info->engine;
    return strcmp(served->info->engine, "native") == 0 ? "slipway_native" : "onnxruntime_onnx";
}

#endif /* SW_API_PREDICT_API_H */
