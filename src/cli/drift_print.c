/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "cli/drift_private.h"

#include <math.h>
#include <stdlib.h>

enum { NAME_WIDTH_MAX = 40, QUIET_MAX = 200 };
/* Shares that differ by less are not worth a word. */
#define NOTED_SHARE 0.005

static int rank_of(const sw_compared *column) {
    return column->drift ? 0 : !column->defined ? 1 : 2;
}

static double weight_of(const sw_compared *column) {
    double most = isnan(column->psi) ? 0 : column->psi;
    for (int i = 0; i < SW_FINDING_KINDS; i++)
        if (column->signals[i].drift)
            most = fmax(most, column->signals[i].effect);
    return column->bin_count || !column->drift ? most : INFINITY; /* gone: first of all */
}

static int compare(const void *a, const void *b) {
    const sw_compared *const *x = a, *const *y = b;
    if (rank_of(*x) != rank_of(*y))
        return rank_of(*x) - rank_of(*y);
    double left = weight_of(*x), right = weight_of(*y);
    if (left != right)
        return left < right ? 1 : -1;
    return (*x > *y) - (*x < *y); /* as they stand in the file */
}

static void print_name(sw_str name, sw_style style, size_t width) {
    char text[256];
    snprintf(text, sizeof text, "%.*s", SW_STR_ARG(name));
    size_t here = sw_text_width(text);
    printf("  %s%s%s%*s", sw_term_style(stdout, style), text, sw_term_style(stdout, SW_PLAIN),
           (int)(here < width ? width - here : 0) + 2, "");
}

static void print_bars(const sw_compared *column, bool current, size_t width) {
    double shares[SW_COMPARE_BINS_MAX];
    sw_buf out = {0};
    for (size_t i = 0; i < column->bin_count; i++)
        shares[i] = current ? column->bins[i].current_share : column->bins[i].reference_share;
    sw_text_bars(&out, shares, column->bin_count);
    for (size_t i = column->bin_count; i < width; i++)
        sw_buf_add_char(&out, ' ');
    printf("%.*s", SW_STR_ARG(sw_buf_str(&out)));
    sw_buf_free(&out);
}

static void note_share(sw_buf *out, const char *what, double before, double after) {
    if (fabs(after - before) >= NOTED_SHARE)
        sw_buf_printf(out, " · %s %s → %s", what, sw_text_percent(before).at,
                      sw_text_percent(after).at);
}

/* "KS p < 1e-16 · median 41 → 88 · missing 0 % → 12 %". */
static void print_notes(const sw_compared *column) {
    sw_buf out = {0};
    const sw_compared_signal *range = &column->signals[SW_FINDING_RANGE],
                             *unseen = &column->signals[SW_FINDING_UNSEEN],
                             *type = &column->signals[SW_FINDING_TYPE];
    if (column->test && !isnan(column->score))
        sw_buf_printf(&out, " · %s %s", column->test, sw_text_number(column->score).at);
    if (!isnan(column->median[0]) && column->median[0] != column->median[1])
        sw_buf_printf(&out, " · median %s → %s", sw_text_number(column->median[0]).at,
                      sw_text_number(column->median[1]).at);
    if (column->rows[0] && column->rows[1])
        note_share(&out, "missing", (double)column->missing[0] / (double)column->rows[0],
                   (double)column->missing[1] / (double)column->rows[1]);
    if (!isnan(range->p))
        note_share(&out, "out of range", 0, range->current_share);
    if (!isnan(unseen->p))
        note_share(&out, "unseen", 0, unseen->current_share);
    if (!isnan(type->p))
        note_share(&out, "no number", type->reference_share, type->current_share);
    if (column->reason)
        sw_buf_printf(&out, " · %s", column->reason);
    sw_str notes = sw_buf_str(&out);
    if (notes.len)
        printf("  %.*s", (int)(notes.len - 4), notes.at + 4); /* without the first " · " */
    sw_buf_free(&out);
}

static void print_state(const sw_compared *column) {
    static const char *const words[] = {"drifted", "undefined", "same"};
    static const sw_style styles[] = {SW_BAD, SW_DIM, SW_GOOD};
    int rank = rank_of(column);
    printf("%s%s%s", sw_term_style(stdout, styles[rank]), words[rank],
           sw_term_style(stdout, SW_PLAIN));
}

static void print_column(const sw_compared *column, size_t name_width, size_t bars_width,
                         bool drawn) {
    bool has_psi = !isnan(column->psi);
    print_name(column->name, drawn ? SW_BOLD : SW_PLAIN, name_width);
    if (drawn) {
        print_bars(column, true, bars_width);
        printf("  %scurrent%s    ", sw_term_style(stdout, SW_DIM), sw_term_style(stdout, SW_PLAIN));
    }
    if (has_psi)
        printf("PSI %.2f  ", column->psi);
    print_state(column);
    if (drawn || !column->defined || column->drift)
        print_notes(column);
    putchar('\n');
    if (!drawn)
        return;
    print_name((sw_str){0}, SW_PLAIN, name_width);
    fputs(sw_term_style(stdout, SW_DIM), stdout);
    print_bars(column, false, bars_width);
    printf("  reference%s\n", sw_term_style(stdout, SW_PLAIN));
}

static void print_domain(const sw_domain_result *domain, const sw_domain_rows *sampled,
                         double alpha) {
    if (!domain->defined) {
        printf("Whole rows: %s.\n", domain->reason);
        return;
    }
    bool drift = domain->p <= alpha;
    printf("Whole rows: %s (AUC %.3f, p %s)",
           drift ? "the files can be told apart" : "the files cannot be told apart", domain->auc,
           sw_text_number(domain->p).at);
    size_t best = 0;
    for (size_t i = 1; i < sampled->column_count; i++)
        if (sampled->importance[i] > sampled->importance[best])
            best = i;
    if (drift && sampled->column_count)
        printf(", most by %.*s", SW_STR_ARG(sampled->names[best]));
    puts(".");
}

static void print_verdict(const sw_comparison *comparison) {
    const sw_compare_options *options = &comparison->options;
    size_t undefined = comparison->column_count - comparison->defined;
    printf("%zu of %s drifted", comparison->drifted,
           sw_text_plural(comparison->defined, "column").at);
    if (undefined)
        printf(", %zu undefined", undefined);
    if (options->evidently)
        printf(": %s by Evidently's rules (a share of 0.5).\n", !comparison->defined ? "undefined"
                                                                : comparison->dataset_drift
                                                                    ? "dataset drift"
                                                                    : "no dataset drift");
    else if (comparison->drifted)
        printf("; of such findings at most %s are false alarms.\n",
               sw_text_percent(options->alpha).at);
    else
        puts(".");
}

void sw_drift_print(const sw_comparison *comparison, const uint64_t rows[2],
                    const sw_domain_result *domain, const sw_domain_rows *sampled, bool all) {
    size_t count = comparison->column_count, name_width = 0, bars_width = 0, quiet = 0;
    const sw_compared **sorted = sw_mem_alloc((count + 1) * sizeof(const sw_compared *));
    if (!sorted)
        return;
    for (size_t i = 0; i < count; i++) {
        const sw_compared *column = sorted[i] = &comparison->columns[i];
        size_t width = column->name.len < NAME_WIDTH_MAX ? column->name.len : NAME_WIDTH_MAX;
        name_width = width > name_width ? width : name_width;
        bars_width = column->bin_count > bars_width ? column->bin_count : bars_width;
    }
    qsort(sorted, count, sizeof(const sw_compared *), compare);
    printf("%s of reference", sw_text_plural(rows[0], "row").at);
    printf(", %s now\n", sw_text_plural(rows[1], "row").at);
    for (size_t i = 0; i < count; i++) {
        bool drawn = sorted[i]->bin_count && (all || sorted[i]->drift);
        if (drawn || rank_of(sorted[i]) < 2 || quiet++ < QUIET_MAX)
            print_column(sorted[i], name_width, bars_width, drawn);
    }
    if (quiet > QUIET_MAX)
        printf("  … and %zu more that stayed the same\n", quiet - QUIET_MAX);
    for (size_t i = 0; i < comparison->added_count; i++) {
        print_name(comparison->added[i], SW_PLAIN, name_width);
        puts("new: the reference has no such column");
    }
    print_verdict(comparison);
    if (domain)
        print_domain(domain, sampled, comparison->options.alpha);
    sw_mem_free(sorted);
}
