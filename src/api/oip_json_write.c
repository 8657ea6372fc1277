/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_json.h"
#include "api/oip_raw.h"
#include "serve/tensor_json.h"

/* JSON that is known beforehand, up to where a value is due. */
#define PUT(w, literal)                    \
    do {                                   \
        sw_buf_add_lit((w)->out, literal); \
        (w)->comma = false;                \
    } while (0)

static sw_status put_data(sw_json *w, const sw_tensor *t, sw_error *error) {
    PUT(w, ",\"data\":[");
    sw_status status = sw_tensor_put_json(w, t, 0, t->count, error);
    sw_json_end_array(w);
    return status;
}

static sw_status put_raw_size(sw_json *w, const sw_tensor *t, sw_error *error) {
    size_t bytes;
    if (!sw_oip_raw_size(&bytes, t))
        return sw_fail(error, SW_CODE_INTERNAL, "output '%.*s' is too large to send",
                       SW_STR_ARG(t->name));
    sw_json_key(w, "parameters");
    sw_json_begin_object(w);
    sw_json_add_u64(w, "binary_data_size", bytes);
    sw_json_end_object(w);
    return SW_OK;
}

static sw_status put_output(sw_json *w, const sw_tensor *t, bool binary, sw_error *error) {
    sw_json_begin_object(w);
    PUT(w, "\"name\":");
    sw_json_str(w, t->name);
    PUT(w, ",\"datatype\":\"");
    sw_buf_add_str(w->out, sw_dtype_name(t->dtype));
    PUT(w, "\",\"shape\":[");
    for (size_t i = 0; i < t->rank; i++)
        sw_json_i64(w, t->shape[i]);
    sw_json_end_array(w);
    sw_status status = binary ? put_raw_size(w, t, error) : put_data(w, t, error);
    sw_json_end_object(w);
    return status;
}

static bool is_binary(const sw_infer_request *request, size_t i) {
    return request->output_count ? request->outputs[i].binary : request->binary_output;
}

static sw_status put_outputs(sw_json *w, bool *any_binary, const sw_infer_response *response,
                             const sw_infer_request *request, size_t count, sw_error *error) {
    for (size_t i = 0; i < count; i++) {
        bool binary = is_binary(request, i);
        const sw_tensor *t = sw_infer_output_at(i, response, request);
        if (!t)
            return sw_fail(error, SW_CODE_INVALID, "the model has no output '%.*s'",
                           SW_STR_ARG(request->outputs[i].name));
        SW_TRY(put_output(w, t, binary, error));
        *any_binary |= binary;
    }
    return SW_OK;
}

sw_status sw_oip_json_write(sw_buf *out, int64_t *header_bytes, const sw_infer_response *response,
                            const sw_infer_request *request, sw_error *error) {
    size_t count = request->output_count ? request->output_count : response->output_count;
    size_t before = out->len;
    bool any_binary = false;
    sw_json w = sw_json_to(out);
    w.infinities = true;
    PUT(&w, "{\"model_name\":");
    sw_json_str(&w, response->model);
    PUT(&w, ",\"model_version\":");
    sw_json_str(&w, response->version);
    if (response->id.len) {
        PUT(&w, ",\"id\":");
        sw_json_str(&w, response->id);
    }
    PUT(&w, ",\"outputs\":[");
    SW_TRY(put_outputs(&w, &any_binary, response, request, count, error));
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    *header_bytes = any_binary ? (int64_t)(out->len - before) : SW_OIP_NO_HEADER;
    for (size_t i = 0; i < count && any_binary; i++)
        if (is_binary(request, i))
            sw_oip_raw_write(out, sw_infer_output_at(i, response, request));
    return out->failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the answer") : SW_OK;
}
