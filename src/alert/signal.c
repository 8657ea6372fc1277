/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/signal.h"

/* Of a kind, the first is what a rule gets that names none. */
const sw_measure sw_measures[] = {
    {SW_SIGNAL_DRIFT, "psi", SW_UNIT_PSI, false, true, "drifts"},
    {SW_SIGNAL_QUALITY, "any", SW_UNIT_SHARE, false, true, "has values it should not have"},
    {SW_SIGNAL_QUALITY, "missing", SW_UNIT_SHARE, false, true, "is missing"},
    {SW_SIGNAL_QUALITY, "range", SW_UNIT_SHARE, false, true, "is out of the training range"},
    {SW_SIGNAL_QUALITY, "unseen", SW_UNIT_SHARE, false, true, "has values never trained on"},
    {SW_SIGNAL_QUALITY, "type", SW_UNIT_SHARE, false, true, "has values of the wrong type"},
    {SW_SIGNAL_DECAY, "evidence", SW_UNIT_LOG10, false, true,
     "is worse than when it was evaluated"},
    {SW_SIGNAL_METRIC, "value", SW_UNIT_NONE, false, false, "by its labels"},
    {SW_SIGNAL_LATENCY, "p99", SW_UNIT_MS, true, false, "p99 latency"},
    {SW_SIGNAL_LATENCY, "p90", SW_UNIT_MS, true, false, "p90 latency"},
    {SW_SIGNAL_LATENCY, "p50", SW_UNIT_MS, true, false, "p50 latency"},
    {SW_SIGNAL_ERROR_RATE, "share", SW_UNIT_SHARE, true, false, "failed requests"},
    {SW_SIGNAL_TRAFFIC, "gone", SW_UNIT_SHARE, true, false, "usual traffic gone"},
    {SW_SIGNAL_TRAFFIC, "rate", SW_UNIT_RATE, true, false, "request rate"},
    {SW_SIGNAL_COVERAGE, "share", SW_UNIT_SHARE, false, false, "labelled predictions"},
    {SW_SIGNAL_LOG, "stopped", SW_UNIT_NONE, false, true, "the prediction log has stopped"},
    {SW_SIGNAL_DISK, "free", SW_UNIT_SHARE, false, false, "free on the disk"},
    {SW_SIGNAL_DISK, "free_bytes", SW_UNIT_BYTES, false, false, "free on the disk"},
    {SW_SIGNAL_LAG, "lag", SW_UNIT_MS, false, false, "lag of the event loops"},
};
const size_t sw_measure_count = sizeof sw_measures / sizeof *sw_measures;

const char *sw_signal_kind_name(sw_signal_kind kind) {
    static const char *const names[SW_SIGNAL_KINDS] = {
        [SW_SIGNAL_DRIFT] = "drift",     [SW_SIGNAL_QUALITY] = "quality",
        [SW_SIGNAL_DECAY] = "decay",     [SW_SIGNAL_METRIC] = "metric",
        [SW_SIGNAL_LATENCY] = "latency", [SW_SIGNAL_ERROR_RATE] = "error_rate",
        [SW_SIGNAL_TRAFFIC] = "traffic", [SW_SIGNAL_COVERAGE] = "coverage",
        [SW_SIGNAL_LOG] = "log",         [SW_SIGNAL_DISK] = "disk",
        [SW_SIGNAL_LAG] = "lag",
    };
    return names[kind];
}

const char *sw_unit_name(sw_unit unit) {
    static const char *const names[] = {"", "ms", "share", "per_s", "bytes", "psi", "log10"};
    return names[unit];
}

const sw_measure *sw_measure_find(sw_signal_kind kind, sw_str name) {
    for (size_t i = 0; i < sw_measure_count; i++)
        if (sw_measures[i].kind == kind && (name.len == 0 || sw_str_is(name, sw_measures[i].name)))
            return &sw_measures[i];
    return NULL;
}
