/* SPDX-License-Identifier: Apache-2.0 */
/* Named records: POST /models/NAME/predict. */
#include "api/handlers_private.h"
#include "api/predict_api.h"

static sw_status fill(sw_predict *p) {
    const sw_exchange *exchange = sw_predict_owner(p);
    if (!p->served->records)
        return sw_fail(&p->error, SW_CODE_INVALID,
                       "%.*s@%u has no named features (its inputs are no columns): send tensors to "
                       "/v2/models/%.*s/infer",
                       SW_STR_ARG(p->served->model_name), p->served->version,
                       SW_STR_ARG(p->served->model_name));
    sw_records *records = sw_arena_alloc(p->arena, sizeof *records);
    if (!records)
        return sw_fail(&p->error, SW_CODE_NO_MEMORY, "out of memory for the records");
    sw_status status =
        sw_records_parse(records, p->served->records, exchange->body, p->arena, &p->error);
    p->mismatched = records->mismatched;
    if (sw_failed(status))
        return status;
    p->request.inputs = records->inputs;
    p->request.input_count = records->input_count;
    p->request.id = records->id;
    p->request.row_ids = records->row_ids;
    p->request.single = records->single;
    p->request.records = records->rows;
    return SW_OK;
}

static sw_status reply(sw_predict *p) {
    sw_buf *out = sw_reply_scratch();
    sw_infer_response response = sw_predict_response(p);
    SW_TRY(sw_records_write(out, &response, p->request.records, p->request.single, &p->error));
    sw_exchange_reply(sw_predict_owner(p), 200, "application/json", sw_buf_str(out));
    return SW_OK;
}

static const sw_protocol protocol = {"records", sw_predict_address_path, fill, reply,
                                     sw_predict_refuse};

void sw_records_predict(sw_exchange *exchange, void *context) {
    sw_predict_exchange(exchange, context, &protocol);
}
