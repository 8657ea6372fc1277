/* SPDX-License-Identifier: Apache-2.0 */
/* What raised an alert, computed once more from its evidence alone. */
#include "alert/evidence.h"

#include "base/clock.h"
#include "cli/cli_private.h"
#include "io/file.h"
#include "stats/odds.h"

#include <math.h>

enum { FILE_BYTES_MAX = 64 << 20 };

/* The very bytes of a member, so that no number is printed anew on the way. */
static sw_status find_member(sw_str *out, sw_str json, const char *name, sw_arena *arena,
                             sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *out = (sw_str){0};
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        sw_json_read_peek(&in); /* past the blanks */
        const char *from = in.at;
        sw_json_read_skip(&in);
        if (sw_str_is(key, name))
            *out = (sw_str){from, (size_t)(in.at - from)};
    }
    SW_TRY(sw_json_read_end(&in));
    if (out->at)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID,
                   "this is no alert: it has no \"%s\". An alert is exported with: slipway explain "
                   "ID --json > alert.json",
                   name);
}

/* ---- Words ---- */

static const char *next_step(const char *kind) {
    static const struct {
        const char *kind, *says;
    } steps[] = {
        {"drift", "look at the column beside its reference (slipway watch NAME); find out what "
                  "changed upstream; if the world changed, train anew"},
        {"quality", "look at what sends this column: a default, a unit or a category that changed"},
        {"decay", "compare the versions (slipway quality NAME); roll back, or train anew"},
        {"metric", "see slipway quality NAME"},
        {"latency", "see which part is slow: the chart of NAME parts waiting from computing; more "
                    "threads, a smaller model, or an earlier version (slipway rollback NAME)"},
        {"error_rate", "see what fails: slipway events NAME; roll back if it began with a deploy: "
                       "slipway rollback NAME"},
        {"traffic", "ask those who call the model, and look at what stands in front of it"},
        {"coverage", "see why labels do not come: slipway labels --help"},
        {"log", "free some disk: predictions are served, but not logged"},
        {"disk", "free some disk, or shorten what is kept: slipway monitor NAME"},
        {"lag", "the event loops are overloaded: see models whose run is dear, and --loops"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].kind, kind) == 0)
            return steps[i].says;
    return "see slipway alerts";
}

/* NAME in it is the model. */
static void print_next(const char *says, const char *model) {
    const char *name = *model ? strstr(says, "NAME") : NULL;
    printf("%-12s", "next");
    for (; name; name = strstr(says, "NAME")) {
        printf("%.*s%s", (int)(name - says), says, model);
        says = name + strlen("NAME");
    }
    puts(says);
}

static void print_number(const char *label, double value, const char *unit) {
    const char *number = sw_text_number(value).at;
    if (strcmp(unit, "log10") == 0)
        printf("%-12s10^%s: %s looks by chance\n", label, number, sw_odds_of(value).at);
    else
        printf("%-12s%s %s\n", label, number, strcmp(unit, "psi") == 0 ? "PSI" : unit);
}

/* Counts as counts, all else in four digits. */
static sw_text figure(double value) {
    bool count = value >= 0 && value < 1e15 && value == floor(value);
    return count ? sw_text_count((uint64_t)value) : sw_text_number(value);
}

/* Losses are tested within 0 and 1; `scale` says what of an error that is. */
static double in_units(const json_t *data, const char *key) {
    double value = sw_js_number(data, key), scale = sw_js_number(data, "scale");
    bool scaled = strcmp(key, "baseline") == 0 || strcmp(key, "now") == 0;
    return scaled && scale > 0 ? value * scale : value;
}

static void print_data(const json_t *data) {
    static const struct {
        const char *key, *says;
    } known[] = {
        {"window_s", "seconds looked at"},
        {"requests", "requests in them"},
        {"failures", "of which failed"},
        {"usual_requests", "requests in the time before"},
        {"usual_s", "which lasted, in seconds"},
        {"part", "part"},
        {"whole", "of"},
        {"baseline", "the loss at first"},
        {"now", "the loss then"},
        {"baseline_rows", "rows of the baseline"},
        {"rows", "rows tested since"},
        {"logged", "predictions logged"},
        {"labelled", "of which labelled"},
        {"psi", "PSI"},
        {"rows_dropped", "rows not logged"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sw_js_is_number(data, known[i].key))
            printf("  %-30s%s\n", known[i].says, figure(in_units(data, known[i].key)).at);
    size_t buckets = json_array_size(json_object_get(data, "buckets")),
           looks = json_array_size(json_object_get(data, "looks"));
    if (buckets)
        printf("  %-30s%zu buckets of latencies\n", "histogram", buckets);
    if (looks)
        printf("  %-30s%zu\n", "looks of the test", looks);
    if (json_array_size(json_object_get(data, "live")))
        printf("  %-30s%zu groups of values\n", "compared in",
               json_array_size(json_object_get(data, "live")));
}

/* What an alert on a column's counts says of them: the monitor's test, or a rule's threshold. */
typedef struct figures {
    bool there;
    double psi, psi_limit; /* NaN: not carried */
    int64_t rows, reference_rows;
} figures;

static int64_t sum_of(const json_t *counts) {
    int64_t sum = 0;
    const json_t *count;
    size_t i;
    json_array_foreach(counts, i, count) sum += json_integer_value(count);
    return sum;
}

/* Counts of the rows since the change most likely began, or of those that a threshold looks at. */
static const json_t *live_of(const json_t *data) {
    const json_t *starts = json_object_get(data, "starts");
    for (size_t i = 0; i < json_array_size(starts); i++) {
        const json_t *start = json_array_get(starts, i);
        if (sw_js_integer(start, "at_ms") == sw_js_integer(data, "since_ms"))
            return json_object_get(start, "live");
    }
    return json_object_get(data, "live");
}

static figures figures_of(const json_t *alert) {
    const json_t *evidence = json_object_get(alert, "evidence"),
                 *data = json_object_get(evidence, "data"), *live = live_of(data),
                 *result = json_object_get(data, "result");
    bool limit = strcmp(sw_js_text(evidence, "by"), "limit") == 0;
    figures f = {.there = json_is_array(live) && json_is_array(json_object_get(data, "reference"))};
    f.psi = limit ? sw_js_number(evidence, "value") : sw_js_number(result, "psi");
    f.psi_limit = limit ? sw_js_number(evidence, "limit") : sw_js_number(data, "tolerance");
    f.rows = sum_of(live);
    f.reference_rows = sum_of(json_object_get(data, "reference"));
    return f;
}

static void print_figures(const figures *f, bool by_limit) {
    if (!f->there)
        return;
    if (!by_limit) {
        printf("  %-30s%s\n", "PSI", sw_text_number(f->psi).at);
        printf("  %-30s%s\n", "PSI that is tolerated", sw_text_number(f->psi_limit).at);
    }
    printf("  %-30s%lld\n", "rows looked at", (long long)f->rows);
    printf("  %-30s%lld\n", "rows of the reference", (long long)f->reference_rows);
}

/* Whose word it is. */
static const char *judge(const json_t *evidence) {
    if (strcmp(sw_js_text(evidence, "by"), "limit") == 0)
        return "the rule's threshold";
    return strcmp(sw_js_text(evidence, "kind"), "log") == 0 ? "itself" : "its own sequential test";
}

static const char *verdict(const sw_evidence_again *again) {
    if (!again->possible)
        return "not possible: it carries no numbers, as alerts of earlier versions";
    return again->same ? "the same to the last bit" : "DIFFERS";
}

static void print_explained(const json_t *alert, const sw_evidence_again *again) {
    const json_t *evidence = json_object_get(alert, "evidence");
    const char *kind = sw_js_text(evidence, "kind"), *unit = sw_js_text(evidence, "unit");
    int64_t now_ms = sw_clock_wall_ms();
    printf("alert %-6lld%s · %s · rule %s\n", (long long)sw_js_integer(alert, "id"),
           sw_js_text(alert, "state"), sw_js_text(alert, "severity"), sw_js_text(alert, "rule"));
    printf("%-12s%s\n", "what", sw_js_text(alert, "summary"));
    printf("%-12s%s", "since", sw_text_time(sw_js_integer(alert, "started_ms"), now_ms).at);
    if (sw_js_integer(alert, "ended_ms"))
        printf(", until %s", sw_text_time(sw_js_integer(alert, "ended_ms"), now_ms).at);
    printf("\n%-12s%s, by %s\n", "measured", sw_js_text(evidence, "measure"), judge(evidence));
    print_number("value", sw_js_number(evidence, "value"), unit);
    if (sw_js_is_number(evidence, "limit"))
        print_number(sw_js_bool(evidence, "above") ? "above" : "below",
                     sw_js_number(evidence, "limit"), unit);
    print_data(json_object_get(evidence, "data"));
    figures f = figures_of(alert);
    print_figures(&f, strcmp(sw_js_text(evidence, "by"), "limit") == 0);
    printf("%-12s%s\n", "recomputed", verdict(again));
    if (again->possible && !again->same)
        printf("  %-30s%.17g\n  %-30s%.17g\n", "stored", again->stored, "computed",
               again->computed);
    print_next(next_step(kind), sw_js_text(alert, "model"));
}

static void print_json(sw_str alert_json, const json_t *alert, const sw_evidence_again *again) {
    sw_buf out = {0};
    figures f = figures_of(alert);
    sw_json w = sw_json_to(&out);
    sw_json_begin_object(&w);
    sw_json_key(&w, "recomputed");
    sw_json_begin_object(&w);
    sw_json_add_bool(&w, "possible", again->possible);
    sw_json_add_bool(&w, "same", again->same);
    sw_json_add_bool(&w, "raised", again->raised);
    sw_json_add_f64(&w, "stored", again->stored);
    sw_json_add_f64(&w, "computed", again->computed);
    sw_json_end_object(&w);
    if (f.there) {
        sw_json_key(&w, "figures");
        sw_json_begin_object(&w);
        sw_json_add_f64(&w, "psi", f.psi);
        sw_json_add_f64(&w, "psi_limit", f.psi_limit);
        sw_json_add_i64(&w, "rows", f.rows);
        sw_json_add_i64(&w, "reference_rows", f.reference_rows);
        sw_json_end_object(&w);
    }
    sw_json_key(&w, "alert");
    sw_json_raw(&w, alert_json);
    sw_json_end_object(&w);
    printf("%.*s\n", (int)out.len, out.at ? out.at : "");
    sw_buf_free(&out);
}

/* ---- The command ---- */

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* An alert, or what --json made of one. */
static sw_status unwrap(sw_str *alert, sw_str json, sw_arena *arena, sw_error *error) {
    sw_error ignored;
    sw_str inner;
    *alert = sw_str_trim(json);
    if (!sw_failed(find_member(&inner, *alert, "alert", arena, &ignored)))
        *alert = inner;
    return find_member(&inner, *alert, "evidence", arena, error);
}

static sw_status get(sw_buf *out, sw_cli *cli, const char *which) {
    json_t *answer;
    sw_segment id = sw_client_segment(which);
    if (!is_number(which))
        return sw_file_read_whole(out, which, FILE_BYTES_MAX, &cli->error);
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/alerts/%s", id.at));
    json_decref(answer);
    sw_buf_add_str(out, sw_buf_str(&sw_client_reply(cli->client)->body));
    return out->failed ? sw_fail(&cli->error, SW_CODE_NO_MEMORY, "out of memory") : SW_OK;
}

static sw_status explain(sw_cli *cli, sw_str text, sw_arena *arena) {
    sw_evidence_again again;
    sw_str alert_json, evidence;
    SW_TRY(unwrap(&alert_json, text, arena, &cli->error));
    SW_TRY(find_member(&evidence, alert_json, "evidence", arena, &cli->error));
    SW_TRY(sw_evidence_recompute(&again, evidence, arena, &cli->error));
    json_t *alert = json_loadb(alert_json.at, alert_json.len, 0, NULL);
    if (sw_cli_json(cli))
        print_json(alert_json, alert, &again);
    else
        print_explained(alert, &again);
    json_decref(alert);
    if (again.possible && !again.same)
        return sw_fail(&cli->error, SW_CODE_REFUSED,
                       "the evidence does not give the value that the alert states");
    return SW_OK;
}

static sw_status run(sw_cli *cli) {
    sw_buf text = {0};
    sw_arena arena = {0};
    sw_status status = get(&text, cli, sw_cli_argument(cli, 0));
    if (!sw_failed(status))
        status = explain(cli, sw_buf_str(&text), &arena);
    sw_arena_free(&arena);
    sw_buf_free(&text);
    return status;
}

const sw_cli_command sw_cli_explain = {
    .name = "explain",
    .other_names = "why",
    .arguments = "ID | FILE.json",
    .summary = "says why an alert was raised, and computes it once more from its evidence",
    .details = "A file that --json wrote is explained without a server.",
    .examples = "slipway explain 12\nslipway explain 12 --json > alert.json\n"
                "slipway explain alert.json",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
