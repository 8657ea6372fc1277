/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/drift: what the calibrated monitor says. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"
#include "watch/monitor.h"

#include <math.h>

static void add_evidence(sw_json *w, const sw_finding *f) {
    sw_json_key(w, "evidence");
    if (f->evidence.len)
        sw_json_raw(w, f->evidence);
    else
        sw_json_null(w);
}

static void add_ms(sw_json *w, const char *key, int64_t ms) {
    if (ms)
        sw_json_add_i64(w, key, ms);
    else
        sw_json_add_null(w, key);
}

static void add_finding(sw_json *w, const sw_finding *f, bool with_evidence) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "column", f->column);
    sw_json_add_bool(w, "output", f->output);
    sw_json_add_str(w, "segment", f->segment);
    sw_json_add_text(w, "kind", sw_finding_kind_text(f->kind));
    sw_json_add_text(w, "state", sw_finding_state_text(f->state));
    sw_json_add_str(w, "reason", f->reason);
    sw_json_add_f64(w, "evidence_log10", f->evidence_log10);
    sw_json_add_f64(w, "threshold_log10", f->threshold_log10);
    sw_json_add_f64(w, "psi", f->psi);
    add_ms(w, "since_ms", f->since_ms);
    add_ms(w, "alarm_ms", f->alarm_ms);
    sw_json_add_u64(w, "rows", f->rows);
    sw_json_add_f64(w, "influence", f->influence);
    sw_json_add_str(w, "influence_why", f->influence_why);
    if (with_evidence)
        add_evidence(w, f);
    sw_json_end_object(w);
}

/* "domain_classifier", null with its reason beside it where nothing is known. */
static void add_multivariate(sw_json *w, const sw_multivariate *m) {
    if (isnan(m->auc)) {
        sw_json_add_null(w, "domain_classifier");
        sw_json_add_str(w, "domain_classifier_why",
                        m->why.len ? m->why : SW_STR("it is found out after the next look"));
        return;
    }
    sw_json_key(w, "domain_classifier");
    sw_json_begin_object(w);
    sw_json_add_f64(w, "auc", m->auc);
    sw_json_add_f64(w, "p", pow(10, m->log10_p));
    sw_json_add_f64(w, "p_log10", m->log10_p);
    sw_json_add_u64(w, "rows", m->rows);
    sw_json_add_u64(w, "reference_rows", m->reference_rows);
    sw_json_add_str(w, "reference", m->reference);
    sw_json_key(w, "importances");
    sw_json_begin_array(w);
    for (size_t i = 0; i < m->top_count; i++) {
        sw_json_begin_object(w);
        sw_json_add_str(w, "column", m->top[i].column);
        sw_json_add_f64(w, "share", m->top[i].share);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
    sw_json_add_i64(w, "at_ms", m->at_ms);
    sw_json_end_object(w);
}

static void add_drift(sw_json *w, const sw_drift *drift, bool with_evidence, sw_arena *arena) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "model", drift->model);
    sw_json_add_u64(w, "version", drift->version);
    sw_json_add_text(w, "state", drift->state);
    sw_json_add_str(w, "statement", sw_monitor_statement(drift->false_alarms_per_month, arena));
    sw_json_add_f64(w, "false_alarms_per_month", drift->false_alarms_per_month);
    sw_json_add_f64(w, "tolerance", drift->tolerance);
    add_ms(w, "since_ms", drift->since_ms);
    add_ms(w, "last_ms", drift->last_ms);
    sw_json_add_u64(w, "looks", drift->looks);
    sw_json_add_u64(w, "drifted", drift->drifted);
    add_multivariate(w, &drift->multivariate);
    sw_json_key(w, "findings");
    sw_json_begin_array(w);
    for (size_t i = 0; i < drift->count; i++)
        add_finding(w, &drift->findings[i], with_evidence);
    sw_json_end_array(w);
    sw_json_end_object(w);
}

static sw_status write_drift(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_drift drift;
    uint32_t number;
    bool with_evidence = sw_str_is(sw_exchange_query(exchange, "evidence"), "true");
    SW_TRY(sw_api_pick_version(&number, exchange, app, error));
    SW_TRY(sw_monitor_read(&drift, app->parts.monitors, exchange->params[0], number,
                           sw_exchange_query(exchange, "segment"), with_evidence, &exchange->arena,
                           error));
    sw_json w = sw_json_to(json);
    add_drift(&w, &drift, with_evidence, &exchange->arena);
    return SW_OK;
}

void sw_api_drift(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_drift);
}
