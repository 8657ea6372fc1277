/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/batch.h"

enum { QUICK_NS = 500 };

static void run_alone(sw_predict *p) {
    p->status = sw_model_run(p->outputs, p->served->model, p->inputs, p->arena, NULL, &p->error);
}

static bool same_row_shape(const sw_tensor *a, const sw_tensor *b) {
    return a->rank == b->rank &&
           memcmp(a->shape + 1, b->shape + 1, (size_t)(a->rank - 1) * sizeof a->shape[0]) == 0;
}

static bool joins(const sw_predict *first, const sw_predict *p) {
    for (size_t i = 0; i < first->served->info->input_count; i++)
        if (!same_row_shape(&first->inputs[i], &p->inputs[i]))
            return false;
    return true;
}

/* Where the batch that begins with `first` ends, and how many rows it has. */
static sw_predict *batch_end(sw_predict *first, size_t *rows) {
    sw_predict *p = first->next;
    *rows = first->rows;
    while (p && *rows + p->rows <= SW_BATCH_ROWS_MAX && joins(first, p)) {
        *rows += p->rows;
        p = p->next;
    }
    return p;
}

static bool join_input(sw_tensor *joined, size_t input, const sw_predict *first,
                       const sw_predict *end, size_t rows, sw_arena *arena) {
    *joined = first->inputs[input];
    size_t row_bytes = joined->count / first->rows * sw_dtype_size(joined->dtype);
    joined->shape[0] = (int64_t)rows;
    joined->count = joined->count / first->rows * rows;
    char *to = sw_arena_alloc(arena, rows * row_bytes);
    joined->data = to;
    for (const sw_predict *p = first; to && p != end; p = p->next) {
        memcpy(to, p->inputs[input].data, p->rows * row_bytes);
        to += p->rows * row_bytes;
    }
    return to != NULL;
}

/* Each gets its own rows of every output; false where an output does not have a row for each. */
static bool hand_out(const sw_tensor *outputs, sw_predict *first, const sw_predict *end,
                     size_t rows) {
    size_t count = first->served->info->output_count, at = 0;
    for (size_t k = 0; k < count; k++)
        if (outputs[k].rank == 0 || outputs[k].shape[0] != (int64_t)rows)
            return false;
    for (sw_predict *p = first; p != end; p = p->next) {
        for (size_t k = 0; k < count; k++) {
            size_t row_count = outputs[k].count / rows;
            p->outputs[k] = outputs[k];
            p->outputs[k].shape[0] = (int64_t)p->rows;
            p->outputs[k].count = row_count * p->rows;
            p->outputs[k].data =
                (char *)outputs[k].data + at * row_count * sw_dtype_size(outputs[k].dtype);
        }
        at += p->rows;
        p->status = SW_OK;
    }
    return true;
}

static bool run_joined(sw_predict *first, const sw_predict *end, size_t rows, sw_arena *arena) {
    const sw_served *served = first->served;
    sw_tensor *inputs = sw_arena_alloc(arena, served->info->input_count * sizeof *inputs);
    sw_tensor *outputs = sw_arena_zalloc(arena, served->info->output_count, sizeof *outputs);
    bool whole = inputs && outputs;
    for (size_t i = 0; whole && i < served->info->input_count; i++)
        whole = join_input(&inputs[i], i, first, end, rows, arena);
    sw_error ignored;
    return whole &&
           !sw_failed(sw_model_run(outputs, served->model, inputs, arena, NULL, &ignored)) &&
           hand_out(outputs, first, end, rows);
}

sw_predict *sw_batch_run(sw_predict *first, sw_arena *arena) {
    const sw_served *served = first->served;
    size_t rows;
    /* Runs that take no time are not worth a look at the clock each. */
    sw_predict *end = served->run_ns < QUICK_NS ? NULL : first->next;
    /* Joining copies every input once more: it pays only where a call costs more than its rows. */
    bool pays =
        served->batchable && served->run_ns > 4 * served->row_ns && served->run_ns > QUICK_NS;
    if (first->next && pays) {
        end = batch_end(first, &rows);
        if (end != first->next && run_joined(first, end, rows, arena))
            return end;
    }
    for (sw_predict *p = first; p != end; p = p->next)
        run_alone(p);
    return end;
}
