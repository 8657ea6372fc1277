/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/compat_evidently.h"

#include "base/mem.h"
#include "stats/distances.h"
#include "stats/ks.h"
#include "stats/special.h"
#include "stats/two_sample.h"

#include <math.h>
#include <string.h>

enum { SMALL_REFERENCE = 1000, FEW_VALUES = 5 };

typedef enum test_id {
    KS,
    CHISQUARE,
    Z,
    WASSERSTEIN,
    JENSEN_SHANNON,
    KL,
    PSI,
    HELLINGER,
    CRAMER_VON_MISES,
    MANN_WHITNEY,
    T_TEST,
    ENERGY,
    FISHER,
    TEXT_SHARE,
    TEXT_RANDOM,
    TESTS
} test_id;

/* How a score becomes a decision. */
typedef enum decision { AT_MOST, BELOW, AT_LEAST, ABOVE } decision;

enum { NUMBERS = 1, CATEGORIES = 2 };

static const struct {
    const char *name;
    double threshold;
    decision decision;
    int fits;
} tests[TESTS] = {
    [KS] = {"ks", 0.05, AT_MOST, NUMBERS},
    [CHISQUARE] = {"chisquare", 0.05, BELOW, CATEGORIES},
    [Z] = {"z", 0.05, BELOW, CATEGORIES},
    [WASSERSTEIN] = {"wasserstein", 0.1, AT_LEAST, NUMBERS},
    [JENSEN_SHANNON] = {"jensenshannon", 0.1, AT_LEAST, NUMBERS | CATEGORIES},
    [KL] = {"kl_div", 0.1, AT_LEAST, NUMBERS | CATEGORIES},
    [PSI] = {"psi", 0.1, AT_LEAST, NUMBERS | CATEGORIES},
    [HELLINGER] = {"hellinger", 0.1, AT_LEAST, NUMBERS | CATEGORIES},
    [CRAMER_VON_MISES] = {"cramer_von_mises", 0.1, AT_MOST, NUMBERS},
    [MANN_WHITNEY] = {"mannw", 0.05, BELOW, NUMBERS},
    [T_TEST] = {"t_test", 0.05, BELOW, NUMBERS},
    [ENERGY] = {"ed", 0.1, ABOVE, NUMBERS},
    [FISHER] = {"fisher_exact", 0.1, BELOW, CATEGORIES},
    [TEXT_SHARE] = {"abs_text_content_drift", 0.55, ABOVE, 0},
    [TEXT_RANDOM] = {"perc_text_content_drift", 0.95, ABOVE, 0},
};

static bool find(test_id *out, const char *name) {
    for (int i = 0; i < TESTS; i++)
        if (tests[i].fits && strcmp(tests[i].name, name) == 0) {
            *out = (test_id)i;
            return true;
        }
    return false;
}

bool sw_evidently_knows(const char *test, const char **known) {
    test_id id;
    if (known)
        *known = "ks, chisquare, z, wasserstein, jensenshannon, kl_div, psi, hellinger, "
                 "cramer_von_mises, mannw, t_test, ed, fisher_exact";
    return find(&id, test);
}

static void begin(sw_evidently *out, test_id id, double threshold) {
    *out = (sw_evidently){.test = tests[id].name,
                          .score = NAN,
                          .threshold = isnan(threshold) ? tests[id].threshold : threshold};
}

static void undefined(sw_evidently *out, const char *reason) {
    out->score = NAN;
    out->defined = out->drift = false;
    out->reason = reason;
}

static void decide(sw_evidently *out, test_id id) {
    if (isnan(out->score)) {
        if (!out->reason)
            undefined(out, "the test has no value: neither side varies");
        return;
    }
    double score = out->score, limit = out->threshold;
    out->defined = true;
    switch (tests[id].decision) {
    case AT_MOST: out->drift = score <= limit; break;
    case BELOW: out->drift = score < limit; break;
    case AT_LEAST: out->drift = score >= limit; break;
    case ABOVE: out->drift = score > limit; break;
    }
}

/* False, and undefined, where a side is empty. */
static bool both_there(sw_evidently *out, uint64_t a, uint64_t b) {
    if (a && b)
        return true;
    undefined(out, a   ? "no usable value in the current data"
                   : b ? "no usable value in the reference"
                       : "no usable value on either side");
    return false;
}

static double of_shares(test_id id, sw_shares *shares) {
    if (id == PSI || id == KL)
        sw_shares_fill_evidently(shares);
    return id == PSI              ? sw_psi(shares)
           : id == KL             ? sw_kl(shares)
           : id == JENSEN_SHANNON ? sw_jensen_shannon(shares)
                                  : sw_hellinger(shares);
}

static sw_status binned(sw_evidently *out, test_id id, const sw_samples *samples, sw_error *error) {
    sw_shares shares = {0};
    size_t bins;
    sw_status status = id == HELLINGER ? sw_shares_sturges_distinct(&shares, samples, error)
                                       : sw_shares_evidently(&shares, &bins, samples, error);
    if (status.code == SW_CODE_INVALID) {
        undefined(out, "its values span more than a histogram can hold");
        return SW_OK;
    }
    SW_TRY(status);
    out->score = of_shares(id, &shares);
    sw_shares_free(&shares);
    return SW_OK;
}

static sw_status of_counts(sw_evidently *out, test_id id, const sw_two_counts *counts,
                           sw_error *error) {
    uint64_t a_sum, b_sum, a_first = 0, b_first = 0;
    size_t seen = 0;
    sw_counts_sums(&a_sum, &b_sum, counts);
    for (size_t i = 0; i < counts->count; i++)
        if (counts->a[i] + counts->b[i] > 0 && seen++ == 0) {
            a_first = counts->a[i];
            b_first = counts->b[i];
        }
    if (id == CHISQUARE) {
        out->score = sw_chi2_evidently(counts).p;
        if (seen < 2)
            undefined(out, "one category alone: there is nothing to compare");
    } else if (id == Z) {
        double z =
            sw_two_proportion_z((double)a_first, (double)a_sum, (double)b_first, (double)b_sum);
        out->score = seen == 1 ? 1 : sw_two_proportion_evidently_p(z);
    } else if (id == FISHER) {
        out->score = sw_fisher_exact_p(a_first, a_sum, b_first, b_sum);
        if (seen > 2)
            undefined(out, "Fisher's test is for two categories, and there are more");
        else if (a_sum != b_sum)
            undefined(out, "Evidently's Fisher test needs as many rows on each side");
    } else {
        sw_shares shares = {0};
        SW_TRY(sw_shares_of_counts(&shares, counts->a, counts->b, counts->count, error));
        size_t kept = 0; /* categories that occur nowhere are none */
        for (size_t i = 0; i < shares.count; i++)
            if (shares.a[i] + shares.b[i] > 0) {
                shares.a[kept] = shares.a[i];
                shares.b[kept++] = shares.b[i];
            }
        shares.count = kept;
        out->score = of_shares(id, &shares);
        sw_shares_free(&shares);
    }
    return SW_OK;
}

/* Numbers with few values, as categories. */
static sw_status of_values(sw_evidently *out, test_id id, const sw_samples *samples,
                           sw_error *error) {
    uint64_t a[FEW_VALUES] = {0}, b[FEW_VALUES] = {0};
    size_t count = 0;
    for (sw_walk walk = {0}; count < FEW_VALUES && sw_walk_next(&walk, samples); count++) {
        a[count] = walk.run.a;
        b[count] = walk.run.b;
    }
    return of_counts(out, id, &(sw_two_counts){a, b, count}, error);
}

static test_id choose(size_t reference, size_t distinct, bool number) {
    bool few = !number || distinct <= FEW_VALUES;
    if (reference <= SMALL_REFERENCE)
        return !few ? KS : distinct > 2 ? CHISQUARE : Z;
    return few ? JENSEN_SHANNON : WASSERSTEIN;
}

sw_status sw_evidently_numbers(sw_evidently *out, const sw_samples *samples, const char *test,
                               double threshold, sw_error *error) {
    test_id id;
    double p;
    bool asked = test && find(&id, test);
    if (!asked)
        id = choose(samples->a_count, sw_samples_distinct(samples), true);
    begin(out, id, threshold);
    if (!both_there(out, samples->a_count, samples->b_count))
        return SW_OK;
    if (asked && !(tests[id].fits & NUMBERS)) {
        undefined(out, "this test is for categories: name the column with --category");
        return SW_OK;
    }
    switch (id) {
    case KS:
        SW_TRY(sw_ks_p(&out->score, sw_ks_statistic(samples), samples->a_count, samples->b_count));
        break;
    case WASSERSTEIN: out->score = sw_wasserstein_normed(samples); break;
    case ENERGY: out->score = sw_energy_distance(samples); break;
    case T_TEST: out->score = sw_t_test_p(samples); break;
    case MANN_WHITNEY: SW_TRY(sw_mann_whitney_p(&out->score, &p, samples)); break;
    case CRAMER_VON_MISES:
        SW_TRY(sw_cramer_von_mises(&p, &out->score, samples, true));
        if (isnan(out->score))
            undefined(out, "the test needs two values on each side");
        break;
    case CHISQUARE:
    case Z: SW_TRY(of_values(out, id, samples, error)); break;
    default: SW_TRY(binned(out, id, samples, error));
    }
    decide(out, id);
    return SW_OK;
}

sw_status sw_evidently_categories(sw_evidently *out, const sw_two_counts *counts, const char *test,
                                  double threshold, sw_error *error) {
    test_id id;
    uint64_t a_sum, b_sum;
    size_t seen = 0;
    bool asked = test && find(&id, test);
    sw_counts_sums(&a_sum, &b_sum, counts);
    for (size_t i = 0; i < counts->count; i++)
        seen += counts->a[i] + counts->b[i] > 0;
    if (!asked)
        id = choose(a_sum, seen, false);
    begin(out, id, threshold);
    if (!both_there(out, a_sum, b_sum))
        return SW_OK;
    if (asked && !(tests[id].fits & CATEGORIES)) {
        undefined(out, "this test is for numbers, and the column has categories");
        return SW_OK;
    }
    SW_TRY(of_counts(out, id, counts, error));
    decide(out, id);
    return SW_OK;
}

sw_evidently sw_evidently_text(double auc, size_t reference_rows, size_t a_tested,
                               size_t b_tested) {
    sw_evidently out;
    test_id id = reference_rows > SMALL_REFERENCE ? TEXT_SHARE : TEXT_RANDOM;
    begin(&out, id, NAN);
    out.score = auc;
    if (!both_there(&out, a_tested, b_tested))
        return out;
    if (id ==
        TEXT_RANDOM) { /* the random AUC's law is Mann–Whitney's: normal from some ten rows on */
        double n = (double)a_tested, m = (double)b_tested;
        out.threshold = fmin(1, 0.5 + 1.6448536269514722 * sqrt((n + m + 1) / (12 * n * m)));
    }
    decide(&out, id);
    return out;
}
