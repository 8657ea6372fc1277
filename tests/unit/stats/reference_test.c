/* SPDX-License-Identifier: Apache-2.0 */
/* Every figure of tests/data/drift/expected.json, by our own functions. */
#include "cases.h"

#include "stats/compat_evidently.h"
#include "stats/distances.h"
#include "stats/ks.h"
#include "stats/two_sample.h"

static json_t *expected;
static test_case_data data;
static int compared;

static json_t *section(const char *name) {
    json_error_t error;
    if (!expected)
        expected = json_load_file("tests/data/drift/expected.json", 0, &error);
    return json_object_get(expected, name);
}

/* Within `relative`, or as the logarithm below 1e-100; `absolute` where the reference itself holds no
 * more digits. */
static void check_figure(const char *name, const char *figure, double got, const json_t *wanted,
                         double relative, double absolute) {
    double want = test_case_number(wanted);
    bool same = (isnan(got) && isnan(want)) || got == want ||
                fabs(got - want) <= relative * fabs(want) + absolute;
    if (!same && want < 1e-100 && want > 0 && got > 0)
        same = fabs(log(got) - log(want)) <= 1e-9 * fabs(log(want));
    compared++;
    if (!same)
        TEST_FAIL_("%s: %s is %.17g, not %.17g", name, figure, got, want);
}

/* Of the shares one function makes, the figure another reads off. */
static double shares_figure(const char *figure, const sw_samples *samples) {
    sw_shares shares = {0};
    size_t bins;
    double out = NAN;
    bool evidently = strncmp(figure, "evidently", 9) == 0;
    if (evidently && strcmp(figure, "evidently_hellinger") == 0)
        CHECK(!sw_failed(sw_shares_sturges_distinct(&shares, samples, NULL)));
    else if (evidently)
        CHECK(!sw_failed(sw_shares_evidently(&shares, &bins, samples, NULL)));
    else
        CHECK(!sw_failed(sw_shares_doane(&shares, samples, NULL)));
    if (strcmp(figure, "evidently_bin_count") == 0)
        out = bins ? (double)bins : NAN;
    else if (strstr(figure, "hellinger"))
        out = sw_hellinger(&shares);
    else if (strcmp(figure, "evidently_jensenshannon") == 0)
        out = sw_jensen_shannon(&shares);
    else if (strcmp(figure, "nannyml_jensen_shannon") == 0)
        out = sw_jensen_shannon_base2(&shares);
    else {
        sw_shares_fill_evidently(&shares);
        out = strcmp(figure, "evidently_psi") == 0 ? sw_psi(&shares) : sw_kl(&shares);
    }
    sw_shares_free(&shares);
    return out;
}

static void check_deciles(const char *name, const json_t *wanted, const sw_samples *samples) {
    sw_shares shares = {0};
    double edges[9];
    CHECK(!sw_failed(sw_shares_deciles(&shares, edges, samples, NULL)));
    const json_t *inner = json_object_get(wanted, "inner_edges"),
                 *a = json_object_get(wanted, "ref"), *b = json_object_get(wanted, "cur");
    CHECK_INT(shares.count, json_array_size(a));
    CHECK_INT(shares.count, json_array_size(inner) + 1);
    sw_shares_fill(&shares, 1e-4);
    for (size_t i = 0; i < shares.count && i < json_array_size(a); i++) {
        check_figure(name, "decile share (ref)", shares.a[i], json_array_get(a, i), 1e-12, 0);
        check_figure(name, "decile share (cur)", shares.b[i], json_array_get(b, i), 1e-12, 0);
        if (i + 1 < shares.count)
            check_figure(name, "edge", edges[i], json_array_get(inner, i), 1e-13, 1e-15);
    }
    check_figure(name, "psi_quantile10", sw_psi(&shares), json_object_get(wanted, "psi"), 1e-12,
                 1e-15);
    sw_shares_free(&shares);
}

static void check_default(const char *name, const json_t *wanted, const sw_evidently *got) {
    CHECK_TEXT(got->test, json_string_value(json_object_get(wanted, "test")));
    check_figure(name, "score", got->score, json_object_get(wanted, "score"), 1e-9, 1e-15);
    check_figure(name, "threshold", got->threshold, json_object_get(wanted, "threshold"), 0, 0);
    CHECK(got->defined);
    CHECK_INT(got->drift, json_is_true(json_object_get(wanted, "drift")));
}

static void check_ks(const char *name, const json_t *wanted, const sw_samples *samples) {
    double d = sw_ks_statistic(samples), p, asymptotic;
    CHECK(!sw_failed(sw_ks_p(&p, d, samples->a_count, samples->b_count)));
    CHECK(!sw_failed(sw_ks_asymptotic_p(&asymptotic, d, samples->a_count, samples->b_count)));
    check_figure(name, "D", d, json_object_get(wanted, "D"), 1e-13, 0);
    check_figure(name, "KS p", p, json_object_get(wanted, "p_auto"), 1e-9, 0);
    check_figure(name, "KS asymptotic p", asymptotic, json_object_get(wanted, "p_asymp"), 1e-9, 0);
}

static void check_number(const char *name, const char *figure, const json_t *wanted,
                         const sw_samples *samples) {
    sw_evidently by_default;
    double x, y;
    if (strcmp(figure, "evidently_default") == 0) {
        CHECK(!sw_failed(sw_evidently_numbers(&by_default, samples, NULL, NAN, NULL)));
        check_default(name, wanted, &by_default);
    } else if (strcmp(figure, "ks") == 0) {
        check_ks(name, wanted, samples);
    } else if (strcmp(figure, "psi_quantile10") == 0) {
        check_deciles(name, wanted, samples);
    } else if (strcmp(figure, "cramer_von_mises") == 0) {
        CHECK(!sw_failed(sw_cramer_von_mises(&x, &y, samples, false)));
        check_figure(name, "CvM T", x, json_object_get(wanted, "T"), 1e-12, 1e-13);
        check_figure(name, "CvM p", y, json_object_get(wanted, "p"), 1e-9, 1e-13);
    } else if (strncmp(figure, "mannwhitney", 11) == 0) {
        CHECK(!sw_failed(sw_mann_whitney_p(&x, &y, samples)));
        check_figure(name, figure, strstr(figure, "less") ? x : y, wanted, 1e-9, 0);
    } else if (strcmp(figure, "evidently_wasserstein_norm") == 0) {
        check_figure(name, figure, sw_wasserstein_normed(samples), wanted, 1e-12, 0);
    } else if (strcmp(figure, "wasserstein") == 0) {
        check_figure(name, figure, sw_wasserstein(samples), wanted, 1e-12, 0);
    } else if (strcmp(figure, "deepchecks_emd01") == 0) {
        check_figure(name, figure, sw_wasserstein_of_range(samples), wanted, 1e-12, 0);
    } else if (strcmp(figure, "energy_distance") == 0) {
        check_figure(name, figure, sw_energy_distance(samples), wanted, 1e-12, 0);
    } else if (strcmp(figure, "t_test_p") == 0) {
        check_figure(name, figure, sw_t_test_p(samples), wanted, 1e-9, 0);
    } else if (strcmp(figure, "evidently_bin_count") == 0) {
        check_figure(name, figure, shares_figure(figure, samples), wanted, 0, 0);
    } else {
        /* 1 - overlap leaves a small Hellinger distance some five digits fewer */
        check_figure(name, figure, shares_figure(figure, samples), wanted,
                     strstr(figure, "hellinger") ? 1e-10 : 1e-12, 1e-15);
    }
}

static void check_category(const char *name, const char *figure, const json_t *wanted,
                           const sw_two_counts *counts) {
    sw_evidently by_default;
    sw_shares shares = {0};
    CHECK(!sw_failed(sw_shares_of_counts(&shares, counts->a, counts->b, counts->count, NULL)));
    if (strcmp(figure, "evidently_default") == 0) {
        CHECK(!sw_failed(sw_evidently_categories(&by_default, counts, NULL, NAN, NULL)));
        check_default(name, wanted, &by_default);
    } else if (strstr(figure, "chi")) {
        sw_chi2 got =
            strstr(figure, "evidently") ? sw_chi2_evidently(counts) : sw_chi2_homogeneity(counts);
        check_figure(name, figure, got.statistic, json_object_get(wanted, "stat"), 1e-12, 1e-13);
        check_figure(name, figure, got.p, json_object_get(wanted, "p"), 1e-9, 0);
        check_figure(name, figure, got.df, json_object_get(wanted, "df"), 0, 0);
    } else if (strcmp(figure, "fisher_exact_p") == 0) {
        uint64_t a_sum, b_sum;
        sw_counts_sums(&a_sum, &b_sum, counts);
        check_figure(name, figure, sw_fisher_exact_p(counts->a[0], a_sum, counts->b[0], b_sum),
                     wanted, 1e-9, 0);
    } else if (strcmp(figure, "deepchecks_cramers_v") == 0) {
        check_figure(name, figure, sw_cramers_v(counts), wanted, 1e-12, 0);
    } else if (strcmp(figure, "tvd") == 0) {
        check_figure(name, figure, sw_total_variation(&shares), wanted, 1e-12, 1e-15);
    } else if (strcmp(figure, "l_infinity") == 0) {
        check_figure(name, figure, sw_l_infinity(&shares), wanted, 1e-12, 1e-15);
    } else if (strstr(figure, "hellinger")) {
        check_figure(name, figure, sw_hellinger(&shares), wanted, 1e-10, 1e-15);
    } else if (strcmp(figure, "evidently_jensenshannon") == 0) {
        check_figure(name, figure, sw_jensen_shannon(&shares), wanted, 1e-12, 1e-15);
    } else if (strcmp(figure, "nannyml_jensen_shannon") == 0) {
        check_figure(name, figure, sw_jensen_shannon_base2(&shares), wanted, 1e-12, 1e-15);
    } else if (strcmp(figure, "evidently_psi") == 0 || strcmp(figure, "evidently_kl_div") == 0) {
        sw_shares_fill_evidently(&shares);
        check_figure(name, figure, strstr(figure, "psi") ? sw_psi(&shares) : sw_kl(&shares), wanted,
                     1e-12, 1e-15);
    } else {
        CHECK_TEXT(figure, "evidently_bin_count"); /* categories have none */
    }
    sw_shares_free(&shares);
}

TEST(reference_cases__every_figure_is_the_peers_own) {
    const char *name, *figure;
    json_t *one, *wanted, *cases = section("drift");
    CHECK(json_object_size(cases) == 20);
    json_object_foreach(cases, name, one) {
        char path[128];
        bool numbers = strcmp(json_string_value(json_object_get(one, "type")), "num") == 0;
        snprintf(path, sizeof path, "tests/data/drift/%s.csv", name);
        REQUIRE(test_case_read(&data, path, numbers));
        sw_samples samples = test_case_samples(&data);
        sw_two_counts counts = test_case_counts(&data);
        CHECK_INT(data.missing[0], json_integer_value(json_object_get(one, "missing_ref")));
        CHECK_INT(data.missing[1], json_integer_value(json_object_get(one, "missing_cur")));
        json_object_foreach(json_object_get(one, "result"), figure, wanted) {
            if (strcmp(figure, "undefined") == 0) {
                sw_evidently got;
                CHECK(!sw_failed(sw_evidently_numbers(&got, &samples, NULL, NAN, NULL)));
                CHECK(!got.defined && got.reason && isnan(got.score));
            } else if (numbers) {
                check_number(name, figure, wanted, &samples);
            } else {
                check_category(name, figure, wanted, &counts);
            }
        }
    }
    CHECK(compared > 500);
}

TEST_MAIN
