/* SPDX-License-Identifier: Apache-2.0 */
/* Open Inference Protocol v2 over REST. */
#include "api/handlers_private.h"
#include "api/oip_json.h"
#include "api/predict_api.h"
#include "api/reply.h"

static const char header_length[] = "inference-header-content-length";

/* ---- Inference ---- */

static sw_status fill(sw_predict *p) {
    sw_exchange *exchange = sw_predict_owner(p);
    sw_infer_request *request = &p->request;
    sw_str model = request->model, version = request->version;
    sw_str header = sw_exchange_header(exchange, header_length);
    uint64_t header_bytes;
    int64_t json_bytes = SW_OIP_NO_HEADER;
    if (header.at) {
        if (!sw_str_to_u64(&header_bytes, header, exchange->body.len))
            return sw_fail(
                &p->error, SW_CODE_INVALID,
                "Inference-Header-Content-Length: '%.*s' is no number up to the body's %zu bytes",
                SW_STR_ARG(header), exchange->body.len);
        json_bytes = (int64_t)header_bytes;
    }
    SW_TRY(sw_oip_json_parse(request, exchange->body, json_bytes, p->served->info->inputs,
                             p->served->info->input_count, p->arena, &p->error));
    request->model = model;
    request->version = version;
    return SW_OK;
}

static sw_status reply(sw_predict *p) {
    sw_exchange *exchange = sw_predict_owner(p);
    sw_buf *out = sw_reply_scratch();
    sw_infer_response response = sw_predict_response(p);
    int64_t json_bytes;
    SW_TRY(sw_oip_json_write(out, &json_bytes, &response, &p->request, &p->error));
    if (json_bytes == SW_OIP_NO_HEADER) {
        sw_exchange_reply(exchange, 200, "application/json", sw_buf_str(out));
        return SW_OK;
    }
    sw_str length = sw_arena_printf(p->arena, "%lld", (long long)json_bytes);
    sw_exchange_add_header(exchange, "Inference-Header-Content-Length", length);
    sw_exchange_reply(exchange, 200, "application/octet-stream", sw_buf_str(out));
    return SW_OK;
}

static const sw_protocol protocol = {"oip_rest", sw_predict_address_path, fill, reply,
                                     sw_predict_refuse};

void sw_oip_rest_infer(sw_exchange *exchange, void *context) {
    sw_predict_exchange(exchange, context, &protocol);
}

/* ---- Metadata and health ---- */

void sw_oip_rest_server(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "application/json",
                      SW_STR("{\"name\":\"slipway\",\"version\":\"" SW_VERSION
                             "\",\"extensions\":[\"binary_tensor_data\"]}"));
}

void sw_oip_rest_live(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "application/json", SW_STR("{\"live\":true}"));
}

void sw_oip_rest_ready(sw_exchange *exchange, void *context) {
    bool ready = atomic_load(&((sw_app *)context)->ready);
    sw_exchange_reply(exchange, ready ? 200 : 503, "application/json",
                      ready ? SW_STR("{\"ready\":true}") : SW_STR("{\"ready\":false}"));
}

static bool pin(sw_served **served, sw_exchange *exchange, sw_app *app) {
    sw_error error;
    sw_status status = sw_live_pin(served, app->parts.live, exchange->loop, exchange->params[0],
                                   exchange->params[1], &error);
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    return !sw_failed(status);
}

void sw_oip_rest_model_ready(sw_exchange *exchange, void *context) {
    sw_served *served;
    if (!pin(&served, exchange, context))
        return;
    sw_buf json = {0};
    sw_json w = sw_json_to(&json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "name", served->model_name);
    sw_json_add_bool(&w, "ready", true);
    sw_json_end_object(&w);
    sw_live_unpin(served, exchange->loop);
    sw_reply_json(exchange, 200, &json);
}

static void write_specs(sw_json *w, const char *key, const sw_tensor_spec *specs, size_t count) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        sw_json_begin_object(w);
        sw_json_add_str(w, "name", specs[i].name);
        sw_json_add_str(w, "datatype", sw_dtype_name(specs[i].dtype));
        sw_json_key(w, "shape");
        sw_json_begin_array(w);
        for (size_t d = 0; d < specs[i].rank; d++)
            sw_json_i64(w, specs[i].shape[d]);
        sw_json_end_array(w);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

void sw_oip_rest_model(sw_exchange *exchange, void *context) {
    sw_served *served;
    if (!pin(&served, exchange, context))
        return;
    sw_buf json = {0};
    sw_json w = sw_json_to(&json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "name", served->model_name);
    sw_json_key(&w, "versions");
    sw_json_begin_array(&w);
    sw_json_str(&w, served->version_text);
    sw_json_end_array(&w);
    sw_json_add_text(&w, "platform", sw_platform_of(served));
    write_specs(&w, "inputs", served->info->inputs, served->info->input_count);
    write_specs(&w, "outputs", served->info->outputs, served->info->output_count);
    sw_json_end_object(&w);
    sw_live_unpin(served, exchange->loop);
    sw_reply_json(exchange, 200, &json);
}
