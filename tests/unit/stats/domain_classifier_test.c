/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "stats/domain_classifier.h"
#include "stats/text_classifier.h"

enum { ROWS = 400, COLUMNS = 3, RUNS = 120 };

static double values[COLUMNS][ROWS];
static bool current[ROWS];

static double normal(uint64_t *seed) {
    double u = 1 - sw_rng_unit(seed);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * sw_rng_unit(seed));
}

/* Two columns of one correlation, a category, some missing; `flip` turns the correlation around in
 * the current rows, which changes no column by itself. */
static sw_domain_result classify(double *importance, bool flip, uint64_t seed) {
    sw_domain_column columns[COLUMNS];
    sw_domain_result out;
    sw_error error = {""};
    uint64_t random = seed;
    for (size_t i = 0; i < ROWS; i++) {
        current[i] = i >= ROWS / 2;
        values[0][i] = normal(&random);
        values[1][i] = 0.8 * values[0][i] + 0.6 * normal(&random);
        values[1][i] *= flip && current[i] ? -1 : 1;
        values[2][i] = floor(6 * sw_rng_unit(&random));
        if (sw_rng_unit(&random) < 0.05)
            values[2][i] = NAN;
    }
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (sw_domain_column){values[i], i == 2};
    CHECK_OK(sw_domain_classify(&out, importance, columns, COLUMNS, current, ROWS, seed, &error),
             error);
    return out;
}

TEST(domain_classifier__keeps_its_false_alarm_rate) {
    int hits = 0;
    double auc = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        sw_domain_result result = classify(NULL, false, 100 + run);
        hits += result.p <= 0.1;
        auc += result.auc / RUNS;
    }
    CHECK(hits <= 22); /* of 120 at 10 %: 12 are expected, three standard errors are 10 */
    CHECK(hits >= 3);
    CHECK_NEAR(auc, 0.5, 0.015);
}

TEST(domain_classifier__sees_what_no_single_column_shows_and_says_where) {
    double importance[COLUMNS];
    sw_domain_result result = classify(importance, true, 3);
    CHECK(result.defined && result.auc > 0.7 && result.p < 1e-9);
    CHECK(importance[0] > 0.25 && importance[1] > 0.25 && importance[2] < 0.2);
    CHECK_NEAR(importance[0] + importance[1] + importance[2], 1, 1e-12);
}

TEST(domain_classifier__is_the_same_for_the_same_seed) {
    sw_domain_result first = classify(NULL, true, 9), again = classify(NULL, true, 9);
    CHECK(memcmp(&first.auc, &again.auc, sizeof first.auc) == 0);
    CHECK(memcmp(&first.p, &again.p, sizeof first.p) == 0);
}

TEST(domain_classifier__is_undefined_with_few_rows_or_no_columns) {
    sw_domain_result out;
    sw_domain_column column = {values[0], false};
    CHECK(!sw_failed(sw_domain_classify(&out, NULL, &column, 1, current, 60, 1, NULL)));
    CHECK(!out.defined && out.reason && isnan(out.auc));
    CHECK(!sw_failed(sw_domain_classify(&out, NULL, &column, 0, current, ROWS, 1, NULL)));
    CHECK(!out.defined && out.reason);
}

TEST(domain_classifier__survives_columns_that_hold_nothing) {
    sw_domain_result out;
    sw_domain_column columns[] = {{values[0], false}, {values[1], true}};
    for (size_t i = 0; i < ROWS; i++) {
        values[0][i] = NAN;
        values[1][i] = i % 2 ? -5 : 1e18; /* no codes at all */
    }
    CHECK(!sw_failed(sw_domain_classify(&out, NULL, columns, 2, current, ROWS, 1, NULL)));
    CHECK(out.defined && out.auc > 0.3 && out.auc < 0.7);
}

TEST(text_classifier__tells_texts_apart_by_their_words) {
    static char text[ROWS][64];
    sw_str texts[ROWS];
    uint64_t seed = 4;
    for (int moved = 0; moved < 2; moved++) {
        for (size_t i = 0; i < ROWS; i++) {
            unsigned from = moved && current[i] ? 30 : 0;
            int len = 0;
            for (int word = 0; word < 5; word++)
                len += snprintf(text[i] + len, sizeof text[i] - (size_t)len, "word%u ",
                                from + (unsigned)(sw_rng_next(&seed) % 60));
            texts[i] = (sw_str){text[i], (size_t)len};
        }
        sw_text_result result;
        CHECK(!sw_failed(sw_text_classify(&result, texts, current, ROWS, 42, NULL)));
        CHECK_INT(result.tested[0] + result.tested[1], ROWS / 2);
        CHECK(moved ? result.auc > 0.9 && result.z > 6 : fabs(result.z) < 3);
    }
    sw_text_result none;
    CHECK(!sw_failed(sw_text_classify(&none, texts, current, 0, 42, NULL)));
    CHECK(isnan(none.auc));
}

#ifdef SW_FAULTS
TEST(memory_that_runs_out__is_an_error_and_leaks_nothing) {
    sw_domain_column column = {values[2], false};
    for (size_t nth = 1;; nth++) {
        sw_domain_result out;
        sw_mem_fail_at(nth);
        sw_status status = sw_domain_classify(&out, NULL, &column, 1, current, ROWS, 1, NULL);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(sw_failed(status), failed);
        if (!failed)
            break;
    }
}
#endif

TEST_MAIN
