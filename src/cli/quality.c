/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

#include <math.h>

enum { NAME_WIDTH = 22, LINES_MAX = 400 };

/* The figures that stand first for each task, and that a person knows. */
static const struct {
    const char *task, *metrics[8];
} shown[] = {
    {"binary",
     {"roc_auc", "accuracy", "precision", "recall", "f1", "log_loss_clip_eps", "brier",
      "ece_10_equal_width"}},
    {"multiclass",
     {"accuracy", "macro_f1", "macro_precision", "macro_recall", "log_loss", "brier"}},
    {"regression", {"mae", "rmse", "mape", "r2", "mean_error"}},
    {"ranking", {"ndcg", "ndcg@10", "map", "mrr"}},
};

static const char *const *metrics_of(const char *task) {
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        if (strcmp(shown[i].task, task) == 0)
            return shown[i].metrics;
    return NULL;
}

/* The metric over time, from its least to its greatest value. */
static void print_line_of(const json_t *series, const char *metric) {
    double values[LINES_MAX], low = INFINITY, high = -INFINITY;
    size_t count = 0, i;
    json_t *window;
    sw_buf bars = {0};
    json_array_foreach(series, i, window) {
        const json_t *metrics = json_object_get(window, "metrics");
        if (count == LINES_MAX || !sw_js_is_number(metrics, metric))
            continue;
        values[count] = sw_js_number(metrics, metric);
        low = fmin(low, values[count]);
        high = fmax(high, values[count]);
        count++;
    }
    if (count < 2)
        return;
    for (size_t k = 0; k < count; k++)
        values[k] = high > low ? 0.1 + 0.9 * (values[k] - low) / (high - low) : 0.5;
    sw_text_bars(&bars, values, count);
    printf("  %s%.*s%s", sw_term_style(stdout, SW_DIM), SW_STR_ARG(sw_buf_str(&bars)),
           sw_term_style(stdout, SW_PLAIN));
    sw_buf_free(&bars);
}

static void print_metric(const json_t *answer, const char *name) {
    const json_t *window = json_object_get(answer, "window");
    const json_t *metrics = json_object_get(window, "metrics"),
                 *estimated = json_object_get(window, "estimated");
    bool known = sw_js_is_number(metrics, name), guessed = sw_js_is_number(estimated, name);
    if (!known && !guessed)
        return;
    printf("  %-*s %10s", NAME_WIDTH, name,
           known ? sw_text_number(sw_js_number(metrics, name)).at : "–");
    if (guessed)
        printf("   %s%s expected%s", sw_term_style(stdout, SW_DIM),
               sw_text_number(sw_js_number(estimated, name)).at, sw_term_style(stdout, SW_PLAIN));
    print_line_of(json_object_get(answer, "series"), name);
    putchar('\n');
}

static void print_head(const sw_cli_spec *spec, const json_t *answer, uint64_t hours) {
    const json_t *window = json_object_get(answer, "window");
    uint64_t labelled = (uint64_t)sw_js_integer(window, "labelled"),
             logged = (uint64_t)sw_js_integer(window, "logged");
    printf("%s%s@%lld%s   ", sw_term_style(stdout, SW_BOLD), spec->name,
           (long long)sw_js_integer(answer, "version"), sw_term_style(stdout, SW_PLAIN));
    printf("%s of %s labelled in the last %llu h", sw_text_count(labelled).at,
           sw_text_plural(logged, "logged prediction").at, (unsigned long long)hours);
    if (logged)
        printf(" (%s)", sw_text_percent(sw_js_number(window, "coverage")).at);
    if (labelled)
        printf(" · labels come after %s, 90 %% within %s",
               sw_text_duration(sw_js_number(window, "lag_p50_s")).at,
               sw_text_duration(sw_js_number(window, "lag_p90_s")).at);
    putchar('\n');
}

static void print_decay(const json_t *answer) {
    const json_t *decay = json_object_get(answer, "decay");
    const char *state = sw_js_text(decay, "state");
    sw_style style = strcmp(state, "decayed") == 0 ? SW_BAD
                     : strcmp(state, "same") == 0  ? SW_GOOD
                                                   : SW_DIM;
    printf("  %s%s%s: %s\n", sw_term_style(stdout, style), state, sw_term_style(stdout, SW_PLAIN),
           sw_js_text(decay, "why"));
}

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    uint64_t hours;
    json_t *answer;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(sw_cli_number(&hours, cli, "hours", 24, 1, 90 * 24));
    const char *segment = sw_cli_value(cli, "segment");
    sw_segment name = sw_client_segment(spec.name), version = sw_client_segment(spec.version),
               part = sw_client_segment(segment ? segment : "");
    SW_TRY(sw_cli_ask(&answer, cli, "measuring", "GET", NULL,
                      "/api/v1/models/%s/quality?hours=%llu%s%s%s%s", name.at,
                      (unsigned long long)hours, *version.at ? "&version=" : "", version.at,
                      *part.at ? "&segment=" : "", part.at));
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else {
        print_head(&spec, answer, hours);
        const char *const *metrics = metrics_of(sw_js_text(answer, "task"));
        for (size_t i = 0; metrics && i < 8 && metrics[i]; i++)
            print_metric(answer, metrics[i]);
        print_decay(answer);
    }
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_option options[] = {
    {"hours", 'H', "N", "how far back, by the time of prediction (default 24)"},
    {"segment", 's', "FEATURE=VALUE", "of that part of the traffic alone"},
    {0},
};

const sw_cli_command sw_cli_quality = {
    .name = "quality",
    .arguments = "NAME[@VERSION|@ALIAS]",
    .summary = "shows how good predictions were, as far as labels have come",
    .details =
        "What is expected is computed without labels, from the scores alone (CBPE). Decay is\n"
        "tested against the first thousand labelled predictions of the version.",
    .examples = "slipway quality fraud\nslipway quality fraud@3 --hours 168\n"
                "slipway quality fraud --segment country=DE --json",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
