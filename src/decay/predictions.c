/* SPDX-License-Identifier: Apache-2.0 */
/* Logged rows with the labels that came for them. */
#include "base/num.h"
#include "decay/decay_private.h"

#include <math.h>

typedef struct reading {
    decay_model *model;
    int64_t from_ms, to_ms;
    const uint64_t *left;
    bool done;
    sw_plog_visit *visit;
    void *context;
    sw_arena arena;
} reading;

static sw_str label_text(reading *r, const sw_plog_label *label) {
    char text[SW_NUM_BYTES];
    double value = label->value;
    if (label->kind == PLOG_LABEL_NONE)
        return (sw_str){"", 0};
    if (label->kind == PLOG_LABEL_CLASS)
        return sw_label_class(r->model, (uint32_t)value);
    bool whole = value == floor(value) && fabs(value) < 0x1p53;
    size_t len = whole ? sw_num_print_i64(text, (int64_t)value) : sw_num_print_f64(text, value);
    return sw_arena_copy(&r->arena, (sw_str){text, len});
}

static sw_status visit(const plog_view *view, void *context, sw_error *error) {
    reading *r = context;
    sw_plog_rows rows = view->rows;
    sw_arena_reset(&r->arena);
    rows.labels = sw_arena_zalloc(&r->arena, rows.count + 1, sizeof *rows.labels);
    for (size_t i = 0; rows.labels && i < rows.count; i++) {
        rows.labels[i] = label_text(r, &view->labels[i]);
        if (!rows.labels[i].at)
            rows.labels = NULL;
    }
    if (!rows.labels)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the predictions");
    sw_plog_keep_within(&rows, r->from_ms, r->to_ms);
    sw_status status = rows.count ? r->visit(&rows, r->context, error) : SW_OK;
    r->done = *r->left == 0;
    return status;
}

sw_status sw_predictions_read(sw_decay *decay, sw_str model, uint32_t version, int64_t from_ms,
                              int64_t to_ms, const uint64_t *left, sw_plog_visit *visitor,
                              void *context, sw_error *error) {
    reading r = {
        .from_ms = from_ms, .to_ms = to_ms, .left = left, .visit = visitor, .context = context};
    plog_store *store = sw_plog_store_of(decay->log, model, version);
    if (!store || *left == 0)
        return SW_OK;
    SW_TRY(sw_decay_model_of(&r.model, decay, model, error));
    plog_scan scan = {.from_ms = from_ms,
                      .to_ms = to_ms,
                      .with_labels = true,
                      .visit = visit,
                      .until = &r.done,
                      .context = &r};
    sw_status status = sw_plog_scan_store(store, &scan, error);
    sw_arena_free(&r.arena);
    return status;
}
