/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/labels: the truth about predictions, singly or by the million. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "base/mem.h"
#include "decay/labels_input.h"

enum { PIECE_BYTES = 1 << 20, JSON_BYTES_MAX = 64 << 20 };

typedef struct taking {
    sw_decay *decay;
    sw_str model;
    sw_label_counts counts;
} taking;

static sw_status take(const sw_label *labels, size_t count, void *context, sw_error *error) {
    taking *t = context;
    return sw_decay_add_labels(&t->counts, t->decay, t->model, labels, count, error);
}

static sw_status take_csv(taking *t, sw_exchange *exchange, char *piece, sw_error *error) {
    sw_labels_csv csv = {.id_column = sw_exchange_query(exchange, "id_column"),
                         .label_column = sw_exchange_query(exchange, "label_column"),
                         .take = take,
                         .context = t};
    size_t len;
    sw_status status;
    do {
        status = sw_exchange_read(&len, exchange, piece, PIECE_BYTES, error);
        if (!sw_failed(status))
            status = sw_labels_csv_add(&csv, (sw_str){piece, len}, len == 0, error);
    } while (!sw_failed(status) && len);
    sw_labels_csv_free(&csv);
    return status;
}

static sw_status take_json(taking *t, sw_exchange *exchange, char *piece, sw_error *error) {
    sw_buf body = {0};
    size_t len;
    sw_status status;
    do {
        status = sw_exchange_read(&len, exchange, piece, PIECE_BYTES, error);
        sw_buf_add(&body, piece, sw_failed(status) ? 0 : len);
        if (!sw_failed(status) && body.failed)
            status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the labels");
        if (!sw_failed(status) && body.len > JSON_BYTES_MAX)
            status = sw_fail(error, SW_CODE_TOO_LARGE,
                             "more than %d MiB of JSON: send so many labels as CSV (Content-Type: "
                             "text/csv), which may be of any length",
                             JSON_BYTES_MAX >> 20);
    } while (!sw_failed(status) && len);
    if (!sw_failed(status))
        status = sw_labels_read_json(sw_buf_str(&body), take, t, error);
    sw_buf_free(&body);
    return status;
}

static sw_status take_body(taking *t, sw_exchange *exchange, sw_error *error) {
    sw_str type = sw_exchange_header(exchange, "content-type");
    type = sw_str_trim(sw_str_split(&type, ';'));
    char *piece = sw_mem_alloc(PIECE_BYTES);
    if (!piece)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the labels");
    sw_status status = sw_str_eq_nocase(type, SW_STR("text/csv"))
                           ? take_csv(t, exchange, piece, error)
                           : take_json(t, exchange, piece, error);
    sw_mem_free(piece);
    if (sw_failed(status) && t->counts.accepted)
        return sw_fail_within(
            status, error,
            "%llu labels before this one are stored, the rest is not (sending all "
            "of them again does no harm)",
            (unsigned long long)t->counts.accepted);
    return status;
}

static sw_status add_labels(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_model_row model;
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    taking t = {.decay = app->decay, .model = model.name};
    SW_TRY(take_body(&t, exchange, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "accepted", t.counts.accepted);
    sw_json_add_u64(&w, "joined", t.counts.joined);
    sw_json_add_u64(&w, "waiting", t.counts.waiting);
    sw_json_add_u64(&w, "duplicates", t.counts.duplicates);
    sw_json_add_u64(&w, "changed", t.counts.changed);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_labels(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, add_labels);
}
