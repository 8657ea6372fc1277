/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/load.h"

#include "base/clock.h"
#include "serve/check.h"
#include "serve/sample.h"
#include "serve/validate.h"

#include <limits.h>
#include <math.h>

enum { BATCH_ROWS = 32, PROBE_ROWS = 4 };
static const int64_t free_dims[] = {1, 8, 16, 32, 64, 128, 224};
static const double same_enough = 1e-5;

/* Dear until it is known better: such a model is kept off the loops. */
static const double unmeasured_ns = 1e9;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while loading");
}

/* ---- Warm-up ---- */

typedef struct probe {
    sw_served *served;
    const char *check_csv;    /* NULL: no check rows, or none that can be read */
    sw_arena inputs, outputs; /* of the samples, and of a run */
    sw_tensor *rows;          /* BATCH_ROWS rows of every input */
    sw_tensor *row;
    sw_tensor *out, *out_batch;
    int64_t free_dim;
} probe;

static void probe_free(probe *p) {
    sw_arena_free(&p->inputs);
    sw_arena_free(&p->outputs);
}

static sw_status run(sw_tensor *out, probe *p, const sw_tensor *inputs, sw_error *error) {
    return sw_model_run(out, p->served->model, inputs, &p->outputs, NULL, error);
}

static bool has_free_dims(const sw_model_info *info) {
    for (size_t i = 0; i < info->input_count; i++)
        for (size_t d = 1; d < info->inputs[i].rank; d++)
            if (info->inputs[i].shape[d] < 0)
                return true;
    return false;
}

static sw_status make_up(probe *p, size_t rows, sw_error *error) {
    const sw_signature *signature = &p->served->signature;
    sw_arena_reset(&p->inputs);
    return sw_sample_make(p->rows, signature, rows, p->free_dim, 1, &p->inputs) ? SW_OK
                                                                                : no_memory(error);
}

/* What the warm-up runs on: check rows, which hold values that the model knows, else made-up ones.
 */
static sw_status sample(probe *p, size_t rows, sw_error *error) {
    sw_error ignored;
    sw_arena_reset(&p->inputs);
    if (p->check_csv &&
        !sw_failed(sw_check_sample(p->rows, rows, p->served, p->check_csv, &p->inputs, &ignored)))
        return SW_OK;
    p->check_csv = NULL;
    return make_up(p, rows, error);
}

/* The first run. Where the model leaves sizes open, some are tried on made-up values; that none fits
 * proves nothing. */
static sw_status first_run(bool *ran, probe *p, sw_error *error) {
    bool open = has_free_dims(p->served->info);
    size_t tries = open ? sizeof free_dims / sizeof free_dims[0] : 1;
    *ran = false;
    for (size_t i = 0; i < tries && !*ran; i++) {
        p->free_dim = free_dims[i];
        SW_TRY(sample(p, 1, error));
        *ran = !sw_failed(run(p->out, p, p->rows, error));
        if (p->check_csv)
            break;
    }
    if (*ran || (open && !p->check_csv))
        return SW_OK;
    return sw_fail_within(
        (sw_status){SW_CODE_REFUSED}, error,
        p->check_csv
            ? "the warm-up run failed, on the first of the check rows"
            : "the warm-up run failed, on made-up values (rows that the model knows, from --check, "
              "or ranges and categories, from --profile or --signature, do better)");
}

/* The least of a few timed runs, ns. */
static sw_status time_run(double *ns, probe *p, const sw_tensor *inputs, int times,
                          sw_error *error) {
    *ns = INFINITY;
    for (int i = 0; i < times; i++) {
        sw_arena_reset(&p->outputs);
        uint64_t before = sw_clock_ns();
        SW_TRY(run(p->out, p, inputs, error));
        double took = (double)(sw_clock_ns() - before);
        *ns = took < *ns ? took : *ns;
    }
    return SW_OK;
}

static bool same_element(const sw_tensor *a, size_t at, const sw_tensor *b, size_t bt) {
    if (a->dtype == SW_BYTES)
        return sw_str_eq(((sw_str *)a->data)[at], ((sw_str *)b->data)[bt]);
    double x = sw_tensor_f64(a, at), y = sw_tensor_f64(b, bt);
    return (isnan(x) && isnan(y)) || x == y || fabs(x - y) <= same_enough * fmax(1, fabs(x));
}

/* Does row `at` of the batch say what the same row says alone? */
static bool same_alone(probe *p, size_t at) {
    const sw_model_info *info = p->served->info;
    sw_error ignored;
    if (!sw_sample_row(p->row, p->rows, info->input_count, at, BATCH_ROWS) ||
        sw_failed(run(p->out, p, p->row, &ignored)))
        return false;
    for (size_t k = 0; k < info->output_count; k++) {
        const sw_tensor *alone = &p->out[k], *batch = &p->out_batch[k];
        if (batch->rank == 0 || batch->shape[0] != BATCH_ROWS || alone->rank != batch->rank ||
            alone->count * BATCH_ROWS != batch->count)
            return false;
        for (size_t i = 0; i < alone->count; i++)
            if (!same_element(alone, i, batch, at * alone->count + i))
                return false;
    }
    return true;
}

/* Rows that are all alike prove nothing about their influence on each other. */
static bool rows_differ(const probe *p) {
    for (size_t i = 0; i < p->served->info->input_count; i++) {
        const sw_tensor *input = &p->rows[i];
        size_t width = input->count / BATCH_ROWS;
        for (size_t at = width; at < input->count; at++)
            if (!same_element(input, at % width, input, at))
                return true;
    }
    return false;
}

/* Runs the rows of p->rows as one batch. `same`: each says what it says alone. */
static bool run_batch(bool *same, probe *p) {
    sw_error ignored;
    sw_arena_reset(&p->outputs);
    if (sw_failed(run(p->out_batch, p, p->rows, &ignored)))
        return false;
    for (size_t row = 0; row < PROBE_ROWS; row++)
        *same = *same && same_alone(p, row * (BATCH_ROWS / PROBE_ROWS));
    return true;
}

/* Made-up rows differ in every column, check rows reach what made-up ones may not: where both are,
 * both have to agree. */
static sw_status prove_batch(bool *ran, probe *p, sw_error *error) {
    bool same = true;
    SW_TRY(make_up(p, BATCH_ROWS, error));
    *ran = run_batch(&same, p);
    if (p->check_csv) {
        bool proven = *ran;
        SW_TRY(sample(p, BATCH_ROWS, error));
        *ran = run_batch(&same, p);
        same = same && (proven || rows_differ(p));
    }
    p->served->batchable = *ran && same;
    return SW_OK;
}

static sw_status measure_batch(probe *p, sw_error *error) {
    sw_served *served = p->served;
    served->row_ns = served->run_ns;
    if (!served->info->first_dim_is_batch)
        return SW_OK;
    bool ran;
    SW_TRY(prove_batch(&ran, p, error));
    if (!ran)
        return SW_OK; /* it says it takes batches and does not: rows one by one, then */
    double batch_ns;
    SW_TRY(time_run(&batch_ns, p, p->rows, served->run_ns > SW_NS_PER_MS ? 1 : 4, error));
    served->row_ns = fmax((batch_ns - served->run_ns) / (BATCH_ROWS - 1), 0.1);
    return SW_OK;
}

/* The version's check rows, or NULL where it has none. */
static const char *check_path(char path[PATH_MAX], const sw_load_parts *parts,
                              const sw_version *version) {
    if (!version->has_check)
        return NULL;
    sw_blob_path(path, PATH_MAX, parts->blobs, &version->check);
    return path;
}

static sw_status warm_up(sw_served *served, const char *check_csv, sw_error *error) {
    const sw_model_info *info = served->info;
    probe p = {.served = served, .check_csv = check_csv};
    p.rows = sw_arena_zalloc(&served->arena, 2 * info->input_count + 2 * info->output_count,
                             sizeof *p.rows);
    if (!p.rows)
        return no_memory(error);
    p.row = p.rows + info->input_count;
    p.out = p.row + info->input_count;
    p.out_batch = p.out + info->output_count;
    served->run_ns = served->row_ns = unmeasured_ns;
    bool ran;
    sw_status status = first_run(&ran, &p, error);
    if (!sw_failed(status) && ran) {
        status = time_run(&served->run_ns, &p, p.rows, 1, error);
        if (!sw_failed(status) && served->run_ns < SW_NS_PER_MS)
            status = time_run(&served->run_ns, &p, p.rows, 16, error);
        if (!sw_failed(status))
            status = measure_batch(&p, error);
    }
    probe_free(&p);
    return status;
}

/* ---- The parts ---- */

static sw_status load_settings(sw_served *served, const sw_load_parts *parts, sw_error *error) {
    sw_str json = {0};
    if (parts->registry)
        SW_TRY(sw_registry_get_monitor(&json, parts->registry, served->model_name, &served->arena,
                                       error));
    return sw_monitor_settings_from_json(&served->settings, json, &served->arena, error);
}

static sw_status load_meaning(sw_served *served, const sw_load_parts *parts,
                              const sw_version *version, sw_error *error) {
    sw_arena *arena = &served->arena;
    SW_TRY(sw_signature_from_json(&served->signature, version->signature_json, arena, error));
    if (version->profile_json.len) {
        sw_profile *profile = sw_arena_zalloc(arena, 1, sizeof *profile);
        if (!profile)
            return no_memory(error);
        SW_TRY(sw_profile_from_json(profile, version->profile_json, arena, error));
        served->profile = profile;
    }
    SW_TRY(load_settings(served, parts, error));
    sw_records_plan *plan;
    sw_status status = sw_records_plan_make(&plan, &served->signature, arena, error);
    if (status.code == SW_CODE_UNSUPPORTED)
        return SW_OK; /* an input of it is no columns: it takes tensors only */
    served->records = plan;
    return status;
}

static sw_status load_log(sw_served *served, sw_plog *log, sw_error *error) {
    const sw_monitor_settings *settings = &served->settings;
    SW_TRY(sw_plog_retain(log, served->model_name, settings->log_days, settings->log_bytes_max,
                          error));
    return sw_plog_add(&served->log, log, served->model_name, served->version, &served->signature,
                       settings, error);
}

static sw_status load_counting(sw_served *served, const sw_load_parts *parts,
                               const sw_version *version, sw_error *error) {
    served->stats = sw_stats_of(parts->stats, version->model, version->number);
    if (!served->stats)
        return no_memory(error);
    SW_TRY(sw_observer_make(&served->observer, &served->signature, served->profile,
                            &served->settings, error));
    for (uint32_t i = 0; i < served->local_count; i++)
        SW_TRY(sw_shard_make(&served->local[i].shard, served->observer, error));
    if (parts->log)
        SW_TRY(load_log(served, parts->log, error));
    SW_TRY(sw_watch_add(&served->watched, parts->watch, served->model_name, served->version,
                        version->profile_hash, served->observer, served->profile, &served->settings,
                        error));
    return parts->monitors
               ? sw_monitor_add(&served->monitored, parts->monitors, served->model_name,
                                served->version, version->profile_hash, served->observer,
                                served->profile, &served->settings, error)
               : SW_OK;
}

static sw_status open_external(sw_served *served, const char *engine, sw_error *error) {
    const sw_signature *s = &served->signature;
    if (engine && strcmp(engine, "auto") != 0)
        return sw_fail(error, SW_CODE_REFUSED,
                       "%.*s@%u is served elsewhere: no engine here can run it, so ask for none",
                       SW_STR_ARG(served->model_name), served->version);
    return sw_model_open_external(&served->model, s->inputs, s->input_count, s->outputs,
                                  s->output_count, error);
}

static sw_status fill(sw_served *served, const sw_load_parts *parts, const sw_version *version,
                      const char *engine, sw_error *error) {
    char path[PATH_MAX];
    uint64_t before = sw_clock_ns();
    served->model_name = sw_arena_copy(&served->arena, version->model);
    served->version_text = sw_arena_printf(&served->arena, "%u", version->number);
    if (!served->model_name.at || !served->version_text.at)
        return no_memory(error);
    SW_TRY(load_meaning(served, parts, version, error));
    if (version->external) {
        SW_TRY(open_external(served, engine, error));
    } else {
        sw_blob_path(path, sizeof path, parts->blobs, &version->artifact);
        SW_TRY(sw_model_open(&served->model, path, engine, error));
    }
    served->info = sw_model_get_info(served->model);
    served->shares_dims = sw_shares_dims(served->info);
    if (!version->external)
        SW_TRY(warm_up(served, check_path(path, parts, version), error));
    served->load_ms = (double)(sw_clock_ns() - before) / 1e6;
    return parts->watch ? load_counting(served, parts, version, error) : SW_OK;
}

sw_status sw_load_time_rows(double *row_ns, sw_served *served, size_t rows,
                            const sw_load_parts *parts, const sw_version *version,
                            sw_error *error) {
    char path[PATH_MAX];
    *row_ns = NAN;
    if (!served->info->first_dim_is_batch)
        return SW_OK;
    probe p = {
        .served = served, .check_csv = check_path(path, parts, version), .free_dim = free_dims[0]};
    p.rows = sw_arena_zalloc(&served->arena, served->info->input_count, sizeof *p.rows);
    p.out = sw_arena_zalloc(&served->arena, served->info->output_count, sizeof *p.out);
    sw_status status = p.rows && p.out ? sample(&p, rows, error) : no_memory(error);
    double took_ns = NAN;
    sw_error ignored;
    if (!sw_failed(status) && !sw_failed(time_run(&took_ns, &p, p.rows, 3, &ignored)))
        *row_ns = took_ns / (double)rows;
    probe_free(&p);
    return status;
}

sw_status sw_load(sw_served **out, const sw_load_parts *parts, const sw_version *version,
                  const char *engine, uint32_t revision, sw_error *error) {
    sw_served *served = sw_served_make(parts->live);
    if (!served)
        return no_memory(error);
    served->version = version->number;
    served->revision = revision;
    sw_status status = fill(served, parts, version, engine, error);
    if (sw_failed(status))
        sw_served_free(served);
    else
        *out = served;
    return status;
}
