/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded simulations: what the statement of decay_test.h says is what happens. */
#include "stats/decay_test.h"

#include "unit/stats/quality_cases.h"

enum { BASELINE_ROWS = 2000, LOOK_ROWS = 20, MONTH = 1000 };

typedef double draw(double mean, uint64_t *seed);

static double error_of(double mean, uint64_t *seed) {
    return sw_rng_unit(seed) < mean;
}

/* Brier-like: varies little around its mean. */
static double small_loss(double mean, uint64_t *seed) {
    return mean * (0.5 + sw_rng_unit(seed));
}

static sw_loss_sums losses(draw *one, double mean, int rows, uint64_t *seed) {
    sw_loss_sums sums = {0};
    for (int i = 0; i < rows; i++)
        sw_loss_add(&sums, one(mean, seed));
    return sums;
}

static sw_decay_test started(draw *one, double mean, double tolerance, uint64_t *seed) {
    sw_loss_sums baseline = losses(one, mean, BASELINE_ROWS, seed);
    sw_decay_test test;
    sw_decay_plan plan = {
        .looks_per_month = MONTH, .false_alarms_per_month = 1, .tolerance = tolerance};
    sw_decay_test_start(&test, &baseline, &plan);
    return test;
}

/* At the very edge of the hypothesis, the hardest null there is: the mean is the bound itself. */
static double alarms_a_month(draw *one, int months) {
    uint64_t seed = 99;
    double alarms = 0;
    for (int m = 0; m < months; m++) {
        sw_decay_test test = started(one, 0.2, 0, &seed);
        double edge = test.bound;
        for (int look = 0; look < MONTH; look++) {
            sw_loss_sums now = losses(one, edge, LOOK_ROWS, &seed);
            alarms += sw_decay_test_look(&test, &now) == SW_DECAY_DECAYED;
        }
    }
    return alarms / months;
}

TEST(decay_test__keeps_its_false_alarms_at_the_edge_of_the_hypothesis) {
    double errors = alarms_a_month(error_of, 120), small = alarms_a_month(small_loss, 60);
    printf("  alarms a month of 1 stated: %.3f of 0/1 errors, %.3f of small losses\n", errors,
           small);
    CHECK(errors <= 1);
    CHECK(small <= 1);
    CHECK(errors > 0); /* it does bet: a test that never speaks would prove nothing */
}

TEST(decay_test__of_an_unchanged_model_hardly_ever_alarms) {
    uint64_t seed = 4;
    int alarms = 0;
    for (int m = 0; m < 60; m++) {
        sw_decay_test test = started(error_of, 0.1, 0.005, &seed);
        for (int look = 0; look < MONTH; look++) {
            sw_loss_sums now = losses(error_of, 0.1, LOOK_ROWS, &seed);
            alarms += sw_decay_test_look(&test, &now) == SW_DECAY_DECAYED;
        }
    }
    printf("  %d alarms in 60 months of no change\n", alarms);
    CHECK(alarms <= 6);
}

/* Looks until the alarm after a change at look 500; the mean over runs. */
static double delay(draw *one, double before, double after, int *missed) {
    uint64_t seed = 21;
    double sum = 0;
    int runs = 20, found = 0;
    for (int r = 0; r < runs; r++) {
        sw_decay_test test = started(one, before, 0.005, &seed);
        for (int look = 0; look < 500; look++) {
            sw_loss_sums now = losses(one, before, LOOK_ROWS, &seed);
            if (sw_decay_test_look(&test, &now) == SW_DECAY_UNDEFINED)
                break;
        }
        for (int look = 1; look <= 2000; look++) {
            sw_loss_sums now = losses(one, after, LOOK_ROWS, &seed);
            if (sw_decay_test_look(&test, &now) == SW_DECAY_DECAYED) {
                sum += look;
                found++;
                break;
            }
        }
    }
    *missed = runs - found;
    return sum / found;
}

TEST(decay_test__finds_a_change_soon_however_late_it_comes) {
    int missed_large, missed_small, missed_brier;
    double large = delay(error_of, 0.1, 0.2, &missed_large),
           small = delay(error_of, 0.1, 0.15, &missed_small),
           brier = delay(small_loss, 0.1, 0.15, &missed_brier);
    printf("  rows to the alarm: error 10 to 20 %%: %.0f; 10 to 15 %%: %.0f; Brier 0.10 to 0.15: "
           "%.0f\n",
           large * LOOK_ROWS, small * LOOK_ROWS, brier * LOOK_ROWS);
    CHECK_INT(missed_large + missed_small + missed_brier, 0);
    CHECK(large * LOOK_ROWS < 700);
    CHECK(small * LOOK_ROWS < 5000);
    CHECK(brier * LOOK_ROWS < 400);
}

/* The very same rows, looked at in one go or one by one, may differ in evidence; but the same
 * looks give the same bits. */
TEST(decay_test__recomputes_bit_for_bit_from_the_sums) {
    uint64_t seed = 8;
    sw_decay_test one = started(error_of, 0.1, 0, &seed), other = one;
    for (int look = 0; look < 50; look++) {
        sw_loss_sums now = losses(error_of, 0.14, LOOK_ROWS, &seed), parts = {0};
        sw_loss_merge(&parts, &now);
        CHECK_INT(sw_decay_test_look(&one, &now), sw_decay_test_look(&other, &parts));
        CHECK(memcmp(&one.evidence_log, &other.evidence_log, sizeof(double)) == 0);
    }
}

TEST(decay_test__without_baseline_or_rows_is_undefined_or_waits) {
    sw_loss_sums none = {0}, all_wrong = {0}, some = {0};
    sw_decay_plan plan = {.looks_per_month = 100, .false_alarms_per_month = 1};
    sw_decay_test test;
    sw_loss_add(&some, 1);
    sw_decay_test_start(&test, &none, &plan);
    CHECK_INT(sw_decay_test_look(&test, &some), SW_DECAY_UNDEFINED);
    for (int i = 0; i < 100; i++)
        sw_loss_add(&all_wrong, 1);
    sw_decay_test_start(&test, &all_wrong, &plan);
    CHECK_INT(sw_decay_test_look(&test, &some), SW_DECAY_UNDEFINED);
    uint64_t seed = 1;
    test = started(error_of, 0.1, 0, &seed);
    for (int look = 0; look < 10 * MONTH; look++)
        CHECK_INT(sw_decay_test_look(&test, &none), SW_DECAY_TOO_FEW);
}

TEST(decay_test__of_a_perfect_baseline_still_has_a_bound_to_bet_against) {
    sw_loss_sums perfect = {0}, bad = {0};
    for (int i = 0; i < 500; i++)
        sw_loss_add(&perfect, 0);
    sw_decay_plan plan = {.looks_per_month = 1000, .false_alarms_per_month = 1};
    sw_decay_test test;
    sw_decay_test_start(&test, &perfect, &plan);
    CHECK(test.bound > 0 && test.bound < 0.05);
    for (int i = 0; i < 20; i++)
        sw_loss_add(&bad, 1);
    CHECK_INT(sw_decay_test_look(&test, &bad), SW_DECAY_DECAYED);
    CHECK_INT(test.alarms, 1);
    CHECK_INT(sw_decay_test_look(&test, &perfect), SW_DECAY_SAME); /* it began again */
}

/* How often the bound fails, over many baselines: less than its risk. */
TEST(loss_upper_bound__fails_no_more_often_than_its_risk) {
    uint64_t seed = 17;
    int failed = 0;
    for (int i = 0; i < 2000; i++) {
        sw_loss_sums sums = losses(error_of, 0.05, 300, &seed);
        failed += sw_loss_upper_bound(&sums, 0.05) < 0.05;
    }
    CHECK(failed <= 100);
    CHECK_NEAR(sw_loss_upper_bound(&(sw_loss_sums){0}, 0.05), 1, 0);
}

TEST_MAIN
