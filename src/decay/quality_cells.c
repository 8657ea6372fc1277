/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/quality_cells.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>

enum { CELLS_MAX = 1024, WINDOWS_MAX = 32 };

/* A window's sums, and the cells that are in them, by step. */
typedef struct window {
    uint64_t key, used;
    int64_t from_ms, step_ms;
    size_t count;
    quality_cell *in[SW_QUALITY_STEPS_MAX]; /* NULL: not in the sums */
    size_t taken_off;                       /* since they were summed anew */
    bool lost;                              /* too many digits: to be summed anew */
    double unit;
    sw_histogram lags;
    sw_quality *sums;  /* NULL: the setup has no task */
    sw_quality *spare; /* for doubling; NULL until a cell has another unit */
} window;

struct quality_cells {
    quality_cell *at[CELLS_MAX];
    uint32_t count;
    window *windows[WINDOWS_MAX];
    uint32_t window_count;
    uint64_t clock;
};

/* ---- Windows ---- */

static void empty_window(window *w, double unit) {
    memset(w->in, 0, sizeof w->in);
    w->taken_off = 0;
    w->lost = false;
    w->unit = unit;
    w->lags = (sw_histogram){0};
    if (w->sums)
        sw_quality_reset(w->sums);
}

static void free_window(window *w) {
    if (!w)
        return;
    sw_quality_free(w->sums);
    sw_quality_free(w->spare);
    sw_mem_free(w);
}

static bool has_sums(const quality_cell *c) {
    return c->sums && c->unit != 0;
}

/* What counts in units of 4 counts four times in units of 1. */
static const sw_quality *in_unit_of(window *w, const quality_cell *c) {
    if (c->unit == w->unit)
        return c->sums;
    double unit = c->unit;
    sw_quality_reset(w->spare);
    sw_quality_merge(w->spare, c->sums);
    while (unit > w->unit) {
        sw_quality_merge(w->spare, w->spare);
        unit /= 2;
    }
    return w->spare;
}

static void take_off(window *w, size_t at) {
    const quality_cell *c = w->in[at];
    w->in[at] = NULL;
    w->taken_off++;
    if (c->lags)
        sw_histogram_subtract(&w->lags, c->lags);
    if (has_sums(c))
        w->lost |= !sw_quality_subtract(w->sums, in_unit_of(w, c));
}

static sw_status add(window *w, size_t at, quality_cell *c, const quality_setup *setup,
                     sw_error *error) {
    if (has_sums(c) && c->unit != w->unit && !w->spare)
        SW_TRY(sw_quality_sums_make(&w->spare, setup, error));
    if (c->lags)
        sw_histogram_merge(&w->lags, c->lags);
    if (has_sums(c))
        sw_quality_merge(w->sums, in_unit_of(w, c));
    w->in[at] = c;
    return SW_OK;
}

/* Before a cell's content goes. */
static void leave_windows(quality_cells *cells, const quality_cell *c) {
    for (uint32_t i = 0; i < cells->window_count; i++) {
        window *w = cells->windows[i];
        int64_t since_ms = c->from_ms - w->from_ms;
        size_t at = (size_t)(since_ms / w->step_ms);
        if (since_ms >= 0 && at < w->count && w->in[at] == c)
            take_off(w, at);
    }
}

static void slide(window *w, int64_t from_ms, size_t count) {
    size_t gone = (size_t)((from_ms - w->from_ms) / w->step_ms), left = w->count - gone;
    left = left < count ? left : count;
    for (size_t i = 0; i < w->count; i++)
        if (w->in[i] && (i < gone || i >= gone + left))
            take_off(w, i);
    memmove(w->in, w->in + gone, left * sizeof(quality_cell *));
    memset(w->in + left, 0, (SW_QUALITY_STEPS_MAX - left) * sizeof(quality_cell *));
    w->from_ms = from_ms;
    w->count = count;
}

/* Half of it or more is still asked for. Lengths that are no whole number of steps are one step
 * more or less from time to time. */
static bool slides_to(const window *w, uint64_t key, const quality_cell *first, size_t count) {
    int64_t since_ms = first->from_ms - w->from_ms;
    return w->key == key && w->step_ms == first->to_ms - first->from_ms && since_ms >= 0 &&
           since_ms <= (int64_t)(w->count / 2) * w->step_ms && count + 1 >= w->count &&
           count <= w->count + 1;
}

/* The longest unused makes room. */
static sw_status make_window(window **out, quality_cells *cells, const quality_setup *setup,
                             sw_error *error) {
    window *w = sw_mem_zalloc(1, sizeof *w);
    if (!w)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality of a window");
    if (setup->task != SW_TASK_AUTO) {
        sw_status status = sw_quality_sums_make(&w->sums, setup, error);
        if (sw_failed(status)) {
            sw_mem_free(w);
            return status;
        }
    }
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < cells->window_count; i++)
        if (cells->windows[i]->used < cells->windows[oldest]->used)
            oldest = i;
    if (cells->window_count < WINDOWS_MAX)
        oldest = cells->window_count++;
    free_window(cells->windows[oldest]);
    cells->windows[oldest] = *out = w;
    return SW_OK;
}

static sw_status take_window(window **out, quality_cells *cells, const quality_cell *first,
                             size_t count, const quality_setup *setup, sw_error *error) {
    window *w = NULL;
    for (uint32_t i = 0; i < cells->window_count; i++)
        if (slides_to(cells->windows[i], first->key, first, count))
            w = cells->windows[i];
    if (!w) {
        SW_TRY(make_window(&w, cells, setup, error));
        w->key = first->key;
        w->from_ms = first->from_ms;
        w->step_ms = first->to_ms - first->from_ms;
        w->count = count;
    }
    w->used = cells->clock;
    *out = w;
    return SW_OK;
}

static double least_unit(quality_cell *const *of, size_t count) {
    double unit = 0;
    for (size_t i = 0; i < count; i++)
        if (of[i]->unit != 0 && (unit == 0 || of[i]->unit < unit))
            unit = of[i]->unit;
    return unit;
}

static void add_counts(quality_cell *to, const quality_cell *c) {
    bool first = to->logged == 0;
    if (c->logged) {
        to->weight_min = first ? c->weight_min : fmin(to->weight_min, c->weight_min);
        to->weight_max = first ? c->weight_max : fmax(to->weight_max, c->weight_max);
    }
    to->logged += c->logged;
    to->labelled += c->labelled;
    to->counted += c->counted;
    to->weight += c->weight;
}

sw_status sw_quality_cells_sum(quality_cell *out, quality_cells *cells, quality_cell *const *of,
                               size_t count, const quality_setup *setup, sw_error *error) {
    window *w;
    double unit = least_unit(of, count);
    assert(count > 0 && count <= SW_QUALITY_STEPS_MAX);
    SW_TRY(take_window(&w, cells, of[0], count, setup, error));
    slide(w, of[0]->from_ms, count);
    if (w->lost || w->unit != unit || w->taken_off > count)
        empty_window(w, unit);
    *out = (quality_cell){.key = w->key,
                          .from_ms = of[0]->from_ms,
                          .to_ms = of[count - 1]->to_ms,
                          .unit = unit,
                          .lags = &w->lags,
                          .sums = w->sums};
    for (size_t i = 0; i < count; i++) {
        if (!w->in[i])
            SW_TRY(add(w, i, of[i], setup, error));
        assert(w->in[i] == of[i]);
        add_counts(out, of[i]);
    }
    return SW_OK;
}

/* ---- Cells ---- */

static void free_cell(quality_cell *c) {
    sw_quality_free(c->sums);
    sw_mem_free(c->lags);
    sw_mem_free(c);
}

quality_cells *sw_quality_cells_make(void) {
    return sw_mem_zalloc(1, sizeof(quality_cells));
}

void sw_quality_cells_free(quality_cells *cells) {
    for (uint32_t i = 0; cells && i < cells->window_count; i++)
        free_window(cells->windows[i]);
    for (uint32_t i = 0; cells && i < cells->count; i++)
        free_cell(cells->at[i]);
    sw_mem_free(cells);
}

void sw_quality_cells_begin(quality_cells *cells) {
    cells->clock++;
}

static quality_cell *find_cell(quality_cells *cells, uint64_t key, int64_t from_ms, int64_t to_ms) {
    for (uint32_t i = 0; i < cells->count; i++) {
        quality_cell *c = cells->at[i];
        if (c->key == key && c->from_ms == from_ms && c->to_ms == to_ms)
            return c;
    }
    return NULL;
}

/* A place for a new one: the longest unused makes room. Those in use are less than all. */
static quality_cell **place_of(quality_cells *cells) {
    if (cells->count < CELLS_MAX)
        return &cells->at[cells->count++];
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < cells->count; i++)
        if (cells->at[i]->used < cells->at[oldest]->used)
            oldest = i;
    leave_windows(cells, cells->at[oldest]);
    free_cell(cells->at[oldest]);
    return &cells->at[oldest];
}

sw_status sw_quality_cells_take(quality_cell **out, quality_cells *cells, uint64_t key,
                                int64_t from_ms, int64_t to_ms, sw_error *error) {
    *out = find_cell(cells, key, from_ms, to_ms);
    if (!*out) {
        quality_cell *c = sw_mem_zalloc(1, sizeof *c);
        if (!c)
            return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality of a window");
        *c = (quality_cell){.key = key, .from_ms = from_ms, .to_ms = to_ms};
        *place_of(cells) = *out = c;
    }
    (*out)->used = cells->clock;
    return SW_OK;
}

void sw_quality_cells_reset(quality_cells *cells, quality_cell *c, uint64_t stamp) {
    leave_windows(cells, c);
    if (c->sums)
        sw_quality_reset(c->sums);
    if (c->lags)
        *c->lags = (sw_histogram){0};
    *c = (quality_cell){.key = c->key,
                        .stamp = stamp,
                        .used = c->used,
                        .from_ms = c->from_ms,
                        .to_ms = c->to_ms,
                        .lags = c->lags,
                        .sums = c->sums};
}
