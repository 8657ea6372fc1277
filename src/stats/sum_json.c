/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sum_json.h"

void sw_sum_to_json(sw_json *w, sw_sum sum) {
    sw_json_f64(w, sum.high);
    sw_json_f64(w, sum.low);
}

void sw_loss_sums_to_json(sw_json *w, const sw_loss_sums *sums) {
    sw_json_begin_array(w);
    sw_json_u64(w, sums->rows);
    sw_sum_to_json(w, sums->loss);
    sw_sum_to_json(w, sums->square);
    sw_json_end_array(w);
}

static bool next(sw_json_reader *in) {
    return sw_json_read_item(in) ||
           sw_json_read_fail(in, in->at, "this list ends before all of its numbers");
}

void sw_take_u64(sw_json_reader *in, uint64_t *out) {
    if (next(in))
        sw_json_read_u64(in, out);
}

void sw_take_f64(sw_json_reader *in, double *out) {
    if (!next(in))
        return;
    if (sw_json_read_peek(in) == SW_JSON_NULL) {
        *out = NAN;
        sw_json_read_null(in);
    } else {
        sw_json_read_f64(in, out);
    }
}

void sw_take_sum(sw_json_reader *in, sw_sum *out) {
    sw_take_f64(in, &out->high);
    sw_take_f64(in, &out->low);
}

void sw_take_end(sw_json_reader *in) {
    if (sw_json_read_item(in))
        sw_json_read_fail(in, in->at, "this list has more numbers than belong into it");
}

void sw_loss_sums_from_json(sw_json_reader *in, sw_loss_sums *out) {
    sw_json_read_array(in);
    sw_take_u64(in, &out->rows);
    sw_take_sum(in, &out->loss);
    sw_take_sum(in, &out->square);
    sw_take_end(in);
}
