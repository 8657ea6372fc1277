/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "cli/cli_private.h"

#include <stdlib.h>
#include <time.h>

enum {
    BINS_MAX = 64,
    FOLLOW_PAUSE_S = 2,
    COLUMNS_MAX = 100000,
    TRAFFIC_MINUTES_MAX = 24 * 60,
    TOO_FEW = 2
};

/* Shares that differ by less are not worth a word. */
#define NOTED_SHARE 0.005

typedef struct watch_view {
    sw_cli *cli;
    sw_cli_spec spec;
    uint64_t minutes;
    bool all, live, wide;
    const char *segment; /* NULL: all rows */
    json_t *watch, *model, *traffic;
    json_t *drift; /* NULL: not monitored */
    size_t lines_shown;
} watch_view;

/* The worst first, as on the dashboard. */
static int rank(const char *state) {
    static const char *const order[] = {"drifted",   "moved", "too few rows",
                                        "undefined", "same",  "unwatched"};
    for (int i = 0; i < 6; i++)
        if (strcmp(state, order[i]) == 0)
            return i;
    return 6;
}

typedef struct ranked {
    const json_t *column;
    int rank;
    double psi;
} ranked;

static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : (y->psi > x->psi) - (y->psi < x->psi);
}

static sw_style style_of(const char *state) {
    static const sw_style styles[] = {SW_BAD, SW_WARN, SW_DIM, SW_DIM, SW_GOOD, SW_DIM, SW_DIM};
    return styles[rank(state)];
}

/* Appends the bars and the blanks that bring them to `width` characters. */
static void add_bars(sw_buf *out, const json_t *column, const char *share, size_t width) {
    double shares[BINS_MAX];
    size_t i, count = 0;
    json_t *bin;
    json_array_foreach(json_object_get(column, "bins"), i, bin) {
        if (count < BINS_MAX)
            shares[count++] = sw_js_number(bin, share);
    }
    sw_text_bars(out, shares, count);
    for (; count < width; count++)
        sw_buf_add_char(out, ' ');
}

/* "3 rows of the wrong type (0.2 %)": they were refused, so every one is worth a word. */
static void add_mismatches(sw_buf *out, const json_t *column, const char *gap) {
    long long refused = (long long)sw_js_integer(column, "type_mismatches");
    if (refused > 0)
        sw_buf_printf(out, "%s%s of the wrong type (%s)", gap,
                      sw_text_plural((uint64_t)refused, "row").at,
                      sw_text_percent(sw_js_number(column, "type_mismatch_share")).at);
}

/* "median 41 → 88 · missing 0 → 12 % · out of range 34 %": what moved, beside the shape. */
static void add_note(sw_buf *out, const json_t *column) {
    double missing = sw_js_number(column, "missing_share"),
           before = sw_js_number(column, "reference_missing_share"),
           outside = sw_js_number(column, "out_of_range_share");
    bool category = strcmp(sw_js_text(column, "kind"), "category") == 0;
    const char *gap = "   ";
    if (sw_js_is_number(column, "median") && sw_js_is_number(column, "reference_median")) {
        sw_buf_printf(out, "%smedian %s → %s", gap,
                      sw_text_number(sw_js_number(column, "reference_median")).at,
                      sw_text_number(sw_js_number(column, "median")).at);
        gap = " · ";
    }
    if (missing - before >= NOTED_SHARE || before - missing >= NOTED_SHARE) {
        sw_buf_printf(out, "%smissing %s → %s", gap, sw_text_percent(before).at,
                      sw_text_percent(missing).at);
        gap = " · ";
    }
    if (outside >= NOTED_SHARE) {
        sw_buf_printf(out, "%s%s %s", gap, category ? "unseen" : "out of range",
                      sw_text_percent(outside).at);
        gap = " · ";
    }
    add_mismatches(out, column, gap);
}

static void print_name(const char *name, sw_style style, size_t width) {
    printf("  %s%s%s%*s", sw_term_style(stdout, style), name, sw_term_style(stdout, SW_PLAIN),
           (int)(width - sw_text_width(name)) + 2, "");
}

/* Live over train, and what to think of it. */
static void print_drawn(const json_t *column, size_t name_width, size_t bars_width) {
    const char *state = sw_js_text(column, "state");
    sw_buf live = {0}, train = {0}, note = {0};
    add_bars(&live, column, "live_share", bars_width);
    add_bars(&train, column, "reference_share", bars_width);
    add_note(&note, column);
    print_name(sw_js_text(column, "name"), SW_BOLD, name_width);
    printf("%.*s  %slive%s   PSI %.2f  %s%s%s%.*s\n", SW_STR_ARG(sw_buf_str(&live)),
           sw_term_style(stdout, SW_DIM), sw_term_style(stdout, SW_PLAIN),
           sw_js_number(column, "psi"), sw_term_style(stdout, style_of(state)), state,
           sw_term_style(stdout, SW_PLAIN), SW_STR_ARG(sw_buf_str(&note)));
    print_name("", SW_PLAIN, name_width);
    printf("%s%.*s  train%s\n", sw_term_style(stdout, SW_DIM), SW_STR_ARG(sw_buf_str(&train)),
           sw_term_style(stdout, SW_PLAIN));
    sw_buf_free(&live);
    sw_buf_free(&train);
    sw_buf_free(&note);
}

/* One quiet line: "country     PSI 0.02  same". */
static void print_plain(const json_t *column, size_t name_width, long long rows_min) {
    const char *state = sw_js_text(column, "state");
    print_name(sw_js_text(column, "name"), SW_PLAIN, name_width);
    if (sw_js_is_number(column, "psi") && rank(state) != TOO_FEW)
        printf("PSI %.2f  ", sw_js_number(column, "psi"));
    printf("%s%s", sw_term_style(stdout, style_of(state)), state);
    if (rank(state) == TOO_FEW)
        printf(" (%lld of %lld)", (long long)sw_js_integer(column, "rows"), rows_min);
    sw_buf note = {0};
    add_mismatches(&note, column, "   ");
    printf("%s%.*s\n", sw_term_style(stdout, SW_PLAIN), SW_STR_ARG(sw_buf_str(&note)));
    sw_buf_free(&note);
}

/* "p05 3.2 · p50 41 · p95 88 · mean 40 ± 12 · about 1,200 values"; "" where nothing is known. */
static void add_numbers(sw_buf *out, const json_t *column, const char *quantiles, const char *mean,
                        const char *stddev, const char *distinct) {
    static const char *const shown[] = {"p01", "p05", "p25", "p50", "p75", "p95", "p99"};
    const json_t *of = json_object_get(column, quantiles);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (sw_js_is_number(of, shown[i]))
            sw_buf_printf(out, "%s%s %s", out->len ? " · " : "", shown[i],
                          sw_text_number(sw_js_number(of, shown[i])).at);
    if (sw_js_is_number(column, mean) && sw_js_is_number(column, stddev))
        sw_buf_printf(out, "%smean %s ± %s", out->len ? " · " : "",
                      sw_text_number(sw_js_number(column, mean)).at,
                      sw_text_number(sw_js_number(column, stddev)).at);
    if (distinct && sw_js_is_number(column, distinct))
        sw_buf_printf(out, "%sabout %s", out->len ? " · " : "",
                      sw_text_plural((uint64_t)sw_js_number(column, distinct), "value").at);
}

/* "DE 1,200 · FR 340": the most frequent ones. */
static void add_top(sw_buf *out, const json_t *column) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(column, "top"), i, one) {
        sw_buf_printf(out, "%s%s %lld", out->len ? " · " : "", sw_js_text(one, "value"),
                      (long long)sw_js_integer(one, "count"));
    }
}

static size_t print_facts(size_t name_width, const char *of, const sw_buf *facts) {
    if (facts->len == 0)
        return 0;
    print_name("", SW_PLAIN, name_width);
    printf("%s%-6s%.*s%s\n", sw_term_style(stdout, SW_DIM), of, SW_STR_ARG(sw_buf_str(facts)),
           sw_term_style(stdout, SW_PLAIN));
    return 1;
}

/* With --wide: what the numbers are, under the column. Returns how many lines it took. */
static size_t print_wide(const json_t *column, size_t name_width) {
    sw_buf live = {0}, train = {0}, top = {0};
    add_numbers(&live, column, "quantiles", "mean", "stddev", "distinct");
    add_numbers(&train, column, "reference_quantiles", "reference_mean", "reference_stddev", NULL);
    add_top(&top, column);
    size_t lines = print_facts(name_width, "live", &live) +
                   print_facts(name_width, "train", &train) + print_facts(name_width, "top", &top);
    sw_buf_free(&live);
    sw_buf_free(&train);
    sw_buf_free(&top);
    return lines;
}

static void widen(size_t *name_width, size_t *bars_width, const json_t *columns) {
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column) {
        size_t name = sw_text_width(sw_js_text(column, "name")),
               bars = json_array_size(json_object_get(column, "bins"));
        *name_width = name > *name_width ? name : *name_width;
        *bars_width = bars > *bars_width && bars <= BINS_MAX ? bars : *bars_width;
    }
}

/* Returns how many lines it took. */
static size_t print_columns(const watch_view *watching, const json_t *columns, size_t name_width,
                            size_t bars_width) {
    size_t count = json_array_size(columns), drawn = 0;
    ranked *sorted = count && count < COLUMNS_MAX ? sw_mem_zalloc(count, sizeof *sorted) : NULL;
    if (!sorted)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *column = json_array_get(columns, i);
        sorted[i] =
            (ranked){column, rank(sw_js_text(column, "state")), sw_js_number(column, "psi")};
    }
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        const json_t *column = sorted[i].column;
        bool has_bins = json_array_size(json_object_get(column, "bins")) > 0;
        bool moved = sorted[i].rank < TOO_FEW, same = sorted[i].rank == TOO_FEW + 1;
        if (has_bins && (moved || (watching->all && same))) {
            print_drawn(column, name_width, bars_width);
            drawn++;
        } else {
            print_plain(column, name_width, (long long)sw_js_integer(watching->watch, "rows_min"));
        }
        if (watching->wide)
            drawn += print_wide(column, name_width);
    }
    sw_mem_free(sorted);
    return count + drawn;
}

static uint64_t failures_in(const json_t *traffic) {
    size_t i;
    json_t *point;
    double sum = 0;
    json_array_foreach(json_object_get(traffic, "points"), i, point) {
        sum += sw_js_number(point, "failures");
    }
    return (uint64_t)sum;
}

static void print_head(const watch_view *watching) {
    const json_t *traffic = json_object_get(watching->model, "traffic");
    double rate = sw_js_number(traffic, "requests_per_s");
    uint64_t failures = failures_in(watching->traffic);
    printf("%s%s@%lld%s   ", sw_term_style(stdout, SW_BOLD), watching->spec.name,
           (long long)sw_js_integer(watching->watch, "version"), sw_term_style(stdout, SW_PLAIN));
    if (rate > 0)
        printf("%s req/s", sw_text_rate(rate).at);
    else
        printf("no requests in the last minute");
    if (sw_js_is_number(traffic, "p50_ms"))
        printf(" · p50 %s · p99 %s", sw_text_duration(sw_js_number(traffic, "p50_ms") / 1e3).at,
               sw_text_duration(sw_js_number(traffic, "p99_ms") / 1e3).at);
    printf(" · %s%s%s", failures ? sw_term_style(stdout, SW_BAD) : "",
           sw_text_plural(failures, "error").at, failures ? sw_term_style(stdout, SW_PLAIN) : "");
    printf(" · %s in the last %llu min\n",
           sw_text_plural((uint64_t)sw_js_integer(watching->watch, "rows"), "row").at,
           (unsigned long long)watching->minutes);
}

static sw_status fetch(watch_view *watching) {
    sw_cli *cli = watching->cli;
    sw_segment name = sw_client_segment(watching->spec.name),
               version = sw_client_segment(watching->spec.version),
               segment = sw_client_segment(watching->segment ? watching->segment : "");
    SW_TRY(sw_cli_ask(&watching->model, cli, NULL, "GET", NULL, "/api/v1/models/%s", name.at));
    SW_TRY(sw_cli_ask(&watching->traffic, cli, NULL, "GET", NULL,
                      "/api/v1/models/%s/traffic?minutes=%llu", name.at,
                      (unsigned long long)(watching->minutes < TRAFFIC_MINUTES_MAX
                                               ? watching->minutes
                                               : TRAFFIC_MINUTES_MAX)));
    sw_status monitored = sw_cli_ask(&watching->drift, cli, NULL, "GET", NULL,
                                     "/api/v1/models/%s/drift?segment=%s%s%s", name.at, segment.at,
                                     *version.at ? "&version=" : "", version.at);
    (void)monitored; /* one that serves no longer is not monitored */
    return sw_cli_ask(&watching->watch, cli, "counting", "GET", NULL,
                      "/api/v1/models/%s/watch?minutes=%llu%s%s%s%s", name.at,
                      (unsigned long long)watching->minutes, *version.at ? "&version=" : "",
                      version.at, *segment.at ? "&segment=" : "", segment.at);
}

/* "monitor: same, at most 1 false alarm a month", and what drifted. */
static size_t print_monitor(const watch_view *watching) {
    const json_t *drift = watching->drift, *findings = json_object_get(drift, "findings");
    const char *state = sw_js_text(drift, "state");
    size_t lines = 1, i;
    json_t *finding;
    if (!drift || strcmp(state, "unwatched") == 0)
        return 0;
    printf("  monitor: %s%s%s, %s\n", sw_term_style(stdout, style_of(state)), state,
           sw_term_style(stdout, SW_PLAIN), sw_js_text(drift, "statement"));
    json_array_foreach(findings, i, finding) {
        if (strcmp(sw_js_text(finding, "state"), "drifted") != 0)
            break; /* they come first */
        printf("    %s, %s: %s", sw_js_text(finding, "column"), sw_js_text(finding, "kind"),
               sw_js_text(finding, "reason"));
        if (sw_js_is_number(finding, "influence"))
            printf(" · moves predictions by %s",
                   sw_text_number(sw_js_number(finding, "influence")).at);
        putchar('\n');
        lines++;
    }
    return lines;
}

static const double share_shown = 0.05;

/* Where rows as a whole can be told from the reference's: at odds of a million to one. */
static size_t print_multivariate(const watch_view *watching) {
    const json_t *found = json_object_get(watching->drift, "domain_classifier"),
                 *columns = json_object_get(found, "importances");
    json_t *column;
    size_t i;
    if (!found || !sw_js_is_number(found, "p_log10") || sw_js_number(found, "p_log10") > -6)
        return 0;
    printf("    all columns together: %.0f rows can be told from %s, AUC %.2f",
           sw_js_number(found, "rows"), sw_js_text(found, "reference"), sw_js_number(found, "auc"));
    json_array_foreach(columns, i, column) {
        if (sw_js_number(column, "share") >= share_shown)
            printf("%s %s", i ? "," : ", by", sw_js_text(column, "column"));
    }
    puts(" (shown, no alarm)");
    return 1;
}

/* "segment country=DE of country=DE, country=FR, …", or "all of …". */
static size_t print_segments(const watch_view *watching) {
    const json_t *names = json_object_get(watching->watch, "segments");
    size_t count = json_array_size(names);
    if (count == 0)
        return 0;
    printf("  %s%s%s of", sw_term_style(stdout, SW_DIM), watching->segment ? "segment " : "all",
           watching->segment ? watching->segment : "");
    for (size_t i = 0; i < count; i++)
        printf("%s %s", i ? "," : "", json_string_value(json_array_get(names, i)));
    printf("%s\n", sw_term_style(stdout, SW_PLAIN));
    return 1;
}

static const char *why_unwatched(const json_t *watch) {
    if (*sw_js_text(watch, "segment"))
        return "a segment is compared with its own past, which has no rows yet";
    bool profile = strcmp(sw_js_text(json_object_get(watch, "reference"), "kind"), "profile") == 0;
    return profile ? "push it with --profile train.csv"
                   : "the time that it is compared with has no rows (slipway monitor)";
}

static void print_watch(watch_view *watching) {
    if (watching->live && watching->lines_shown) /* over what is there */
        printf("\033[%zuA\033[J", watching->lines_shown);
    print_head(watching);
    const json_t *features = json_object_get(watching->watch, "features"),
                 *outputs = json_object_get(watching->watch, "outputs");
    size_t name_width = 0, bars_width = 0;
    widen(&name_width, &bars_width, features);
    widen(&name_width, &bars_width, outputs);
    size_t lines = 1 + print_segments(watching);
    lines += print_monitor(watching);
    lines += print_multivariate(watching);
    lines += print_columns(watching, features, name_width, bars_width);
    lines += print_columns(watching, outputs, name_width, bars_width);
    if (strcmp(sw_js_text(watching->watch, "state"), "unwatched") == 0 &&
        !sw_cli_quiet(watching->cli)) {
        printf("  not watched: %s\n", why_unwatched(watching->watch));
        lines++;
    }
    watching->lines_shown = lines;
    fflush(stdout);
}

static void forget(watch_view *watching) {
    json_decref(watching->watch);
    json_decref(watching->model);
    json_decref(watching->traffic);
    json_decref(watching->drift);
    watching->watch = watching->model = watching->traffic = watching->drift = NULL;
}

static sw_status run(sw_cli *cli) {
    watch_view watching = {.cli = cli,
                           .all = sw_cli_flag(cli, "all"),
                           .wide = sw_cli_flag(cli, "wide"),
                           .segment = sw_cli_value(cli, "segment")};
    bool follow = sw_cli_flag(cli, "follow");
    watching.live = follow && sw_term_is_live(stdout);
    SW_TRY(sw_cli_spec_parse(&watching.spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(sw_cli_number(&watching.minutes, cli, "minutes", 15, 1, 731 * 24 * 60));
    sw_status status;
    do {
        status = fetch(&watching);
        if (!sw_failed(status) && sw_cli_json(cli)) {
            sw_cli_print_answer(cli); /* the last of the three: the watch */
            fflush(stdout);
        } else if (!sw_failed(status)) {
            print_watch(&watching);
        }
        forget(&watching);
        if (follow && !sw_failed(status))
            nanosleep(&(struct timespec){.tv_sec = FOLLOW_PAUSE_S}, NULL);
    } while (follow && !sw_failed(status) && !ferror(stdout));
    return status;
}

static const sw_cli_option options[] = {
    {"minutes", 'm', "N", "how far back to look (default 15)"},
    {"follow", 'f', NULL, "again every two seconds, until Ctrl-C"},
    {"all", 'a', NULL, "draw the features that stayed the same, too"},
    {"wide", 'w', NULL, "quantiles, mean and distinct values of each"},
    {"segment", 0, "NAME=VALUE", "only these rows, such as country=DE"},
    {0},
};

const sw_cli_command sw_cli_watch = {
    .name = "watch",
    .arguments = "NAME[@VERSION|@ALIAS]",
    .summary = "shows live rows over the training data, feature by feature",
    .details =
        "PSI, the population stability index, says how far a feature has moved: below 0.1 it is\n"
        "the same, from 0.2 on it has drifted. Below 500 rows there is no verdict.",
    .examples =
        "slipway watch fraud\nslipway watch fraud --minutes 60\nslipway watch fraud --follow",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
