/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "watch/compare.h"
#include "watch/compare_rows.h"

enum { ROWS_MAX = 2000, COLUMNS = 10 };

/* Ten columns of the kinds that files have: normal, skewed, heavily tied, nearly constant, partly
 * missing; categories of few and of many values. */
typedef struct table {
    double numbers[COLUMNS][ROWS_MAX];
    uint32_t codes[COLUMNS][ROWS_MAX];
    sw_column columns[COLUMNS];
    size_t rows;
} table;

static table reference, current;
static char word_text[300][16];
static sw_str words[300];

static double normal(uint64_t *seed) {
    double u = 1 - sw_rng_unit(seed);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * sw_rng_unit(seed));
}

static double draw(int column, uint64_t *seed) {
    double z = normal(seed), u = sw_rng_unit(seed);
    switch (column) {
    case 0: return z;
    case 1: return exp(1.5 * z);
    case 2: return nearbyint(2 * z);
    case 3: return u < 0.97 ? 0 : z;
    case 4: return u < 0.3 ? NAN : z;
    case 5: return u < 0.01 ? NAN : floor(3 * sw_rng_unit(seed));
    case 6: return u < 0.001 ? INFINITY : z;
    case 7: return floor(4 * u);           /* words */
    case 8: return floor(300 * u * u * u); /* many, most of them rare */
    default: return u < 0.98 ? 0 : 1;
    }
}

static bool is_words(int column) {
    return column >= 7;
}

static void fill(table *out, size_t rows, uint64_t *seed) {
    static const char *const names[COLUMNS] = {"normal", "skewed", "tied", "spike", "gaps",
                                               "three",  "wild",   "four", "many",  "rare"};
    for (int i = 0; i < 300; i++) {
        snprintf(word_text[i], sizeof word_text[i], "w%03d", i);
        words[i] = sw_str_of(word_text[i]);
    }
    for (int c = 0; c < COLUMNS; c++) {
        sw_column *column = &out->columns[c];
        *column = (sw_column){.name = sw_str_of(names[c]),
                              .type = is_words(c) ? SW_COLUMN_TEXT : SW_COLUMN_NUMBER,
                              .numbers = out->numbers[c],
                              .codes = out->codes[c],
                              .words = words,
                              .word_count = is_words(c) ? 300 : 0};
        for (size_t i = 0; i < rows; i++) {
            double value = draw(c, seed);
            out->numbers[c][i] = value;
            out->codes[c][i] = is_words(c) ? (uint32_t)value : 0;
            column->missing += isnan(value) ? 1 : 0;
        }
    }
    out->rows = rows;
}

static void compare(sw_comparison *out, const sw_compare_options *options, sw_arena *arena) {
    sw_error error = {""};
    sw_compare_begin(out, options, arena);
    for (int c = 0; c < COLUMNS; c++)
        CHECK_OK(sw_compare_column(out, &reference.columns[c], reference.rows, &current.columns[c],
                                   current.rows, &error),
                 error);
    CHECK_OK(sw_compare_end(out, &error), error);
}

static sw_comparison compare_own(sw_arena *arena) {
    sw_compare_options options;
    sw_comparison out;
    sw_compare_defaults(&options);
    compare(&out, &options, arena);
    return out;
}

/*
 * The statement: with nothing changed, at most 5 runs of 100 report anything, whatever the sizes.
 * 300 seeded runs for each pair of sizes, with tolerance 0 so that the effect hides nothing. On the
 * same streams Evidently's defaults raise an alarm in most runs.
 */
TEST(null_simulation__our_default_keeps_its_false_alarm_rate) {
    static const size_t sizes[][2] = {{200, 200}, {1500, 50}, {1100, 300}, {60, 1000}};
    enum { RUNS = 300 };
    uint64_t seed = 2024;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int own = 0, evidently = 0;
        for (int run = 0; run < RUNS; run++) {
            sw_arena arena = {0};
            sw_compare_options options;
            sw_comparison result;
            fill(&reference, sizes[s][0], &seed);
            fill(&current, sizes[s][1], &seed);
            sw_compare_defaults(&options);
            options.tolerance = 0;
            compare(&result, &options, &arena);
            own += result.dataset_drift;
            options.evidently = true;
            compare(&result, &options, &arena);
            evidently += result.drifted > 0;
            sw_arena_free(&arena);
        }
        printf("  %zu against %zu rows, nothing changed: %.1f %% of runs alarm; Evidently's "
               "defaults: %.0f %%\n",
               sizes[s][0], sizes[s][1], 100. * own / RUNS, 100. * evidently / RUNS);
        CHECK(own <= 26); /* 15 are nominal; three standard errors are 11 */
        CHECK(evidently > own);
    }
}

TEST(power__a_shift_of_a_third_of_a_deviation_is_found) {
    int found = 0, others = 0;
    uint64_t seed = 5;
    for (int run = 0; run < 50; run++) {
        sw_arena arena = {0};
        fill(&reference, 1000, &seed);
        fill(&current, 1000, &seed);
        for (size_t i = 0; i < 1000; i++)
            current.numbers[0][i] += 1. / 3;
        sw_comparison result = compare_own(&arena);
        found += result.columns[0].drift;
        for (int c = 1; c < COLUMNS; c++)
            others += result.columns[c].drift;
        sw_arena_free(&arena);
    }
    CHECK(found >= 48);
    CHECK(others <= 5);
}

static const sw_compared_signal *signal_of(const sw_comparison *result, int column,
                                           sw_finding_kind kind) {
    return &result->columns[column].signals[kind];
}

TEST(signals__each_fault_raises_its_own) {
    sw_arena arena = {0};
    uint64_t seed = 6;
    fill(&reference, 1000, &seed);
    fill(&current, 1000, &seed);
    for (size_t i = 0; i < 1000; i += 10) {
        current.numbers[0][i] = NAN; /* a tenth goes missing */
        current.columns[0].missing++;
        current.numbers[1][i] *= 1e6; /* a unit changes in a tenth */
        current.codes[7][i] = 250;    /* a category is renamed in a tenth */
    }
    sw_comparison result = compare_own(&arena);
    CHECK(signal_of(&result, 0, SW_FINDING_MISSING)->drift);
    CHECK(!signal_of(&result, 0, SW_FINDING_DISTRIBUTION)->drift);
    CHECK(result.columns[0].drift);
    CHECK(signal_of(&result, 1, SW_FINDING_RANGE)->drift);
    CHECK(signal_of(&result, 7, SW_FINDING_UNSEEN)->drift);
    CHECK(result.dataset_drift);
    sw_arena_free(&arena);
}

TEST(tolerance__keeps_still_what_is_certain_but_small) {
    sw_arena arena = {0};
    uint64_t seed = 8;
    sw_compare_options options;
    sw_comparison result;
    fill(&reference, ROWS_MAX, &seed);
    fill(&current, ROWS_MAX, &seed);
    for (size_t i = 0; i < ROWS_MAX; i++)
        current.numbers[0][i] += 0.15;
    sw_compare_defaults(&options);
    options.tolerance = 0.5;
    compare(&result, &options, &arena);
    CHECK(result.columns[0].score <= 0.05 && !result.columns[0].drift);
    options.tolerance = 0;
    compare(&result, &options, &arena);
    CHECK(result.columns[0].drift);
    sw_arena_free(&arena);
}

TEST(types__words_among_numbers_are_a_finding) {
    sw_arena arena = {0};
    sw_str mixed[] = {SW_STR("1.5"), SW_STR("n/a?"), SW_STR("-2")};
    uint64_t seed = 9;
    fill(&reference, 500, &seed);
    fill(&current, 500, &seed);
    for (uint32_t i = 0; i < 500; i++)
        current.codes[0][i] = i % 3;
    current.columns[0].type = SW_COLUMN_TEXT;
    current.columns[0].words = mixed;
    current.columns[0].word_count = 3;
    sw_comparison result = compare_own(&arena);
    CHECK(signal_of(&result, 0, SW_FINDING_TYPE)->drift);
    CHECK_NEAR(signal_of(&result, 0, SW_FINDING_TYPE)->current_share, 167. / 500, 1e-12);
    sw_compare_options options;
    sw_compare_defaults(&options);
    options.evidently = true;
    compare(&result, &options, &arena);
    CHECK(!result.columns[0].defined && result.columns[0].reason);
    sw_arena_free(&arena);
}

/* Nothing at all, one row, one value, all missing, on either side and both ways. */
TEST(odd_columns__are_undefined_and_never_a_crash) {
    static const size_t sizes[] = {0, 1, 4, 5, 60};
    uint64_t seed = 10;
    for (size_t x = 0; x < 5; x++)
        for (size_t y = 0; y < 5; y++)
            for (int ways = 0; ways < 4; ways++) {
                sw_arena arena = {0};
                sw_compare_options options;
                sw_comparison result;
                sw_buf json = {0};
                sw_json w = sw_json_to(&json);
                sw_compare_defaults(&options);
                options.evidently = ways & 1;
                fill(&reference, sizes[x], &seed);
                fill(&current, sizes[y], &seed);
                for (size_t i = 0; i < sizes[y] && (ways & 2); i++) { /* all missing */
                    current.numbers[0][i] = NAN;
                    current.codes[7][i] = SW_TEXT_MISSING;
                }
                if (ways & 2)
                    current.columns[0].missing = current.columns[7].missing = sizes[y];
                compare(&result, &options, &arena);
                bool empty = !sizes[x] || !sizes[y];
                for (int c = 0; c < COLUMNS; c++) {
                    const sw_compared *column = &result.columns[c];
                    CHECK(column->defined || column->reason);
                    CHECK(!empty || !column->defined);
                    CHECK(column->defined || !column->drift);
                }
                sw_json_begin_object(&w);
                sw_compare_to_json(&w, &result);
                sw_json_end_object(&w);
                CHECK(!json.failed && json.len > 100);
                sw_buf_free(&json);
                sw_arena_free(&arena);
            }
}

TEST(columns_that_are_gone_or_new__are_told_and_not_failures) {
    sw_arena arena = {0};
    uint64_t seed = 11;
    sw_compare_options options;
    sw_comparison result;
    fill(&reference, 100, &seed);
    sw_compare_defaults(&options);
    sw_compare_begin(&result, &options, &arena);
    CHECK(!sw_failed(sw_compare_column(&result, &reference.columns[0], 100, NULL, 0, NULL)));
    for (int i = 0; i < 40; i++)
        CHECK(!sw_failed(sw_compare_added(&result, words[i], NULL)));
    CHECK(!sw_failed(sw_compare_end(&result, NULL)));
    CHECK(result.columns[0].drift && result.columns[0].reason && result.dataset_drift);
    CHECK_INT(result.added_count, 40);
    CHECK_STR(result.added[39], "w039");
    sw_arena_free(&arena);
}

TEST(rows__are_gathered_for_the_classifier_with_shared_codes) {
    sw_arena arena = {0};
    uint64_t seed = 12;
    sw_domain_rows rows;
    sw_domain_result result;
    sw_str turned[300];
    fill(&reference, 300, &seed);
    fill(&current, 300, &seed);
    for (size_t i = 0; i < 300; i++) /* the same words under other codes */
        turned[299 - i] = words[i];
    current.columns[7].words = turned;
    for (size_t i = 0; i < 300; i++)
        current.codes[7][i] = 299 - current.codes[7][i];
    CHECK(!sw_failed(sw_domain_rows_begin(&rows, COLUMNS, &arena, NULL)));
    CHECK(!sw_failed(
        sw_domain_rows_add(&rows, &reference.columns[7], 300, &current.columns[7], 300, NULL)));
    CHECK_INT(rows.rows[0], 300);
    for (size_t i = 0; i < 300; i++)
        CHECK(rows.columns[0].values[300 + i] < 4);
    CHECK(!sw_failed(sw_domain_rows_judge(&result, &rows, NULL)));
    CHECK(result.defined && result.p > 1e-4);
    sw_domain_rows_free(&rows);
    sw_arena_free(&arena);
}

#ifdef SW_FAULTS
TEST(memory_that_runs_out__is_an_error_and_leaks_nothing) {
    uint64_t seed = 13;
    fill(&reference, 80, &seed);
    fill(&current, 70, &seed);
    for (int ways = 0; ways < 2; ways++)
        for (size_t nth = 1;; nth++) {
            sw_arena arena = {0};
            sw_compare_options options;
            sw_comparison result;
            sw_error error;
            sw_compare_defaults(&options);
            options.evidently = ways;
            sw_mem_fail_at(nth);
            sw_compare_begin(&result, &options, &arena);
            sw_status status = SW_OK;
            for (int c = 0; c < COLUMNS && !sw_failed(status); c++)
                status = sw_compare_column(&result, &reference.columns[c], 80, &current.columns[c],
                                           70, &error);
            if (!sw_failed(status))
                status = sw_compare_end(&result, &error);
            bool failed = sw_mem_failed();
            sw_mem_fail_at(0);
            sw_arena_free(&arena);
            CHECK(failed || !sw_failed(status));
            if (!failed)
                break;
        }
}
#endif

TEST_MAIN
