/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/records.h"
#include "serve/tensor_json.h"

static sw_status check_rows(const sw_infer_response *response, size_t rows, sw_error *error) {
    for (size_t i = 0; i < response->output_count; i++) {
        const sw_tensor *t = &response->outputs[i];
        bool by_row = t->rank > 0 && t->shape[0] == (int64_t)rows && rows && t->count % rows == 0;
        if (!by_row && rows != 1)
            return sw_fail(
                error, SW_CODE_INVALID,
                "output '%.*s' has no row for each record: send one record at a time, or use the "
                "Open Inference Protocol",
                SW_STR_ARG(t->name));
    }
    return SW_OK;
}

/* A plain value where a row is [] or [1], else a list; dimensions beyond the second are flattened.
 */
static bool is_plain(const sw_tensor *t, size_t per_row) {
    return per_row == 1 && t->rank <= 2;
}

static sw_status put_record(sw_json *w, const sw_infer_response *response, size_t row, size_t rows,
                            sw_error *error) {
    sw_json_begin_object(w);
    for (size_t i = 0; i < response->output_count; i++) {
        const sw_tensor *t = &response->outputs[i];
        size_t per_row = t->count / rows;
        sw_json_key_of(w, t->name);
        if (!is_plain(t, per_row))
            sw_json_begin_array(w);
        SW_TRY(sw_tensor_put_json(w, t, row * per_row, per_row, error));
        if (!is_plain(t, per_row))
            sw_json_end_array(w);
    }
    sw_json_end_object(w);
    return SW_OK;
}

static sw_status put_list(sw_json *w, const sw_infer_response *response, size_t rows,
                          sw_error *error) {
    sw_json_key(w, "predictions");
    sw_json_begin_array(w);
    for (size_t row = 0; row < rows; row++)
        SW_TRY(put_record(w, response, row, rows, error));
    sw_json_end_array(w);
    return SW_OK;
}

sw_status sw_records_write(sw_buf *out, const sw_infer_response *response, size_t rows, bool single,
                           sw_error *error) {
    sw_json w = sw_json_to(out);
    SW_TRY(check_rows(response, rows, error));
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", response->model);
    sw_json_add_str(&w, "version", response->version);
    if (response->id.len)
        sw_json_add_str(&w, "id", response->id);
    if (single && rows == 1) {
        sw_json_key(&w, "prediction");
        SW_TRY(put_record(&w, response, 0, 1, error));
    } else {
        SW_TRY(put_list(&w, response, rows, error));
    }
    sw_json_end_object(&w);
    return out->failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the answer") : SW_OK;
}
