/* SPDX-License-Identifier: Apache-2.0 */
/* Open Inference Protocol v2 over gRPC, and the standard health service. */
#include "api/handlers_private.h"
#include "api/oip_proto.h"
#include "api/predict_api.h"

/* ---- Inference ---- */

static sw_status address(sw_predict *p) {
    const sw_exchange *exchange = sw_predict_owner(p);
    return sw_oip_proto_parse_infer(&p->request, exchange->body, p->arena, &p->error);
}

static sw_status fill(sw_predict *p) {
    (void)p; /* the message holds name and tensors alike: it was read whole */
    return SW_OK;
}

static sw_status reply(sw_predict *p) {
    sw_buf *out = sw_reply_scratch();
    sw_infer_response response = sw_predict_response(p);
    SW_TRY(sw_oip_proto_write_infer(out, &response, &p->request, &p->error));
    sw_exchange_reply(sw_predict_owner(p), 200, "application/grpc", sw_buf_str(out));
    return SW_OK;
}

static const sw_protocol protocol = {"oip_grpc", address, fill, reply, sw_predict_refuse};

void sw_grpc_infer(sw_exchange *exchange, void *context) {
    sw_predict_exchange(exchange, context, &protocol);
}

/* ---- Metadata ---- */

static void send_message(sw_exchange *exchange, sw_buf *out) {
    sw_error error;
    if (out->failed)
        sw_exchange_fail(
            exchange, sw_fail(&error, SW_CODE_NO_MEMORY, "out of memory for the answer"), &error);
    else
        sw_exchange_reply(exchange, 200, "application/grpc", sw_buf_str(out));
}

static void send_yes_no(sw_exchange *exchange, bool yes) {
    sw_buf *out = sw_reply_scratch();
    sw_oip_proto_write_yes_no(out, yes);
    send_message(exchange, out);
}

void sw_grpc_server_live(sw_exchange *exchange, void *context) {
    (void)context;
    send_yes_no(exchange, true);
}

void sw_grpc_server_ready(sw_exchange *exchange, void *context) {
    send_yes_no(exchange, atomic_load(&((sw_app *)context)->ready));
}

static sw_status pin(sw_served **served, sw_exchange *exchange, sw_app *app, sw_error *error) {
    sw_str name, version;
    SW_TRY(sw_oip_proto_parse_model(&name, &version, exchange->body, error));
    return sw_live_pin(served, app->parts.live, exchange->loop, name, version, error);
}

/* An unknown model is not ready, which is no error: as Triton's clients expect. */
void sw_grpc_model_ready(sw_exchange *exchange, void *context) {
    sw_served *served;
    sw_error error;
    sw_status status = pin(&served, exchange, context, &error);
    if (!sw_failed(status))
        sw_live_unpin(served, exchange->loop);
    if (sw_failed(status) && status.code != SW_CODE_NOT_FOUND)
        sw_exchange_fail(exchange, status, &error);
    else
        send_yes_no(exchange, !sw_failed(status));
}

void sw_grpc_server_metadata(sw_exchange *exchange, void *context) {
    (void)context;
    static const sw_str extensions[] = {{"binary_tensor_data", 18}};
    sw_buf *out = sw_reply_scratch();
    sw_oip_proto_write_server(out, SW_STR("slipway"), SW_STR(SW_VERSION), extensions, 1);
    send_message(exchange, out);
}

void sw_grpc_model_metadata(sw_exchange *exchange, void *context) {
    sw_served *served;
    sw_error error;
    sw_status status = pin(&served, exchange, context, &error);
    if (sw_failed(status)) {
        sw_exchange_fail(exchange, status, &error);
        return;
    }
    sw_buf *out = sw_reply_scratch();
    sw_oip_proto_write_model(out, &(sw_oip_model){.name = served->model_name,
                                                  .versions = &served->version_text,
                                                  .version_count = 1,
                                                  .platform = sw_str_of(sw_platform_of(served)),
                                                  .inputs = served->info->inputs,
                                                  .input_count = served->info->input_count,
                                                  .outputs = served->info->outputs,
                                                  .output_count = served->info->output_count});
    sw_live_unpin(served, exchange->loop);
    send_message(exchange, out);
}

/* ---- grpc.health.v1 ---- */

static sw_health health_of(const sw_app *app, sw_str service) {
    if (service.len && !sw_str_is(service, "inference.GRPCInferenceService"))
        return SW_HEALTH_SERVICE_UNKNOWN;
    return atomic_load(&app->ready) ? SW_HEALTH_SERVING : SW_HEALTH_NOT_SERVING;
}

void sw_grpc_health_check(sw_exchange *exchange, void *context) {
    sw_error error;
    sw_str service;
    sw_status status = sw_oip_proto_parse_health(&service, exchange->body, &error);
    sw_health health = sw_failed(status) ? SW_HEALTH_UNKNOWN : health_of(context, service);
    if (health == SW_HEALTH_SERVICE_UNKNOWN)
        status = sw_fail(&error, SW_CODE_NOT_FOUND, "there is no service '%.*s' here",
                         SW_STR_ARG(service));
    if (sw_failed(status)) {
        sw_exchange_fail(exchange, status, &error);
        return;
    }
    sw_buf *out = sw_reply_scratch();
    sw_oip_proto_write_health(out, health);
    send_message(exchange, out);
}

void sw_grpc_health_watch(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    sw_str service;
    sw_status status = sw_oip_proto_parse_health(&service, exchange->body, &error);
    if (sw_failed(status)) {
        sw_exchange_fail(exchange, status, &error);
        return;
    }
    sw_health health = health_of(app, service);
    sw_buf *out = sw_reply_scratch();
    sw_oip_proto_write_health(out, health);
    sw_exchange_stream_open(exchange, 200, "application/grpc");
    sw_exchange_stream_send(exchange, sw_buf_str(out));
    if (health == SW_HEALTH_SERVICE_UNKNOWN)
        sw_feed_join(app->feed, exchange, SW_FEED_NOTHING);
    else
        sw_feed_join(app->feed, exchange, SW_FEED_HEALTH);
}
