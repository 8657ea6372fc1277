/* SPDX-License-Identifier: Apache-2.0 */
/* The reference cases of tests/data/drift, read whole: small files, by whoever tests on them. */
#ifndef SW_TESTS_STATS_CASES_H
#define SW_TESTS_STATS_CASES_H

#include "base/csv.h"
#include "base/num.h"
#include "stats/counts.h"
#include "stats/samples.h"
#include "unit/test.h"

#include <jansson.h>

enum { CASE_ROWS_MAX = 8192, CASE_WORDS_MAX = 1024 };

typedef struct test_case_data {
    double numbers[2][CASE_ROWS_MAX]; /* finite, sorted; ref and cur */
    size_t count[2];                  /* of numbers or of words */
    uint64_t missing[2];
    char words[CASE_WORDS_MAX][32]; /* sorted */
    uint64_t counts[2][CASE_WORDS_MAX];
    size_t word_count;
} test_case_data;

static inline void test_case_word(test_case_data *out, int side, sw_str value) {
    size_t at = 0;
    char word[32];
    snprintf(word, sizeof word, "%.*s", SW_STR_ARG(value));
    while (at < out->word_count && strcmp(out->words[at], word) < 0)
        at++;
    if (at == out->word_count || strcmp(out->words[at], word) != 0) {
        for (size_t i = out->word_count++; i > at; i--) {
            memcpy(out->words[i], out->words[i - 1], sizeof word);
            for (int s = 0; s < 2; s++)
                out->counts[s][i] = out->counts[s][i - 1];
        }
        memcpy(out->words[at], word, sizeof word);
        out->counts[0][at] = out->counts[1][at] = 0;
    }
    out->counts[side][at]++;
    out->count[side]++;
}

static inline bool test_case_read(test_case_data *out, const char *path, bool numbers) {
    static double scratch[CASE_ROWS_MAX];
    sw_error error;
    sw_csv *csv;
    sw_csv_row row;
    memset(out, 0, sizeof *out);
    if (sw_failed(sw_csv_open(&csv, path, &error))) {
        fprintf(stderr, "  %s\n", error.text);
        return false;
    }
    if (sw_failed(sw_csv_next(&row, csv, &error)))
        return false;
    while (!sw_failed(sw_csv_next(&row, csv, &error)) && row.count == 2) {
        int side = sw_str_is(row.fields[0], "cur");
        double value;
        if (row.fields[1].len == 0)
            out->missing[side]++;
        else if (!numbers)
            test_case_word(out, side, row.fields[1]);
        else if (sw_num_parse_f64(&value, row.fields[1]) == SW_NUM_FITS)
            out->numbers[side][out->count[side]++] = value;
    }
    sw_csv_close(csv);
    for (int side = 0; numbers && side < 2; side++)
        sw_samples_sort(out->numbers[side], scratch, out->count[side]);
    return true;
}

static inline sw_samples test_case_samples(const test_case_data *data) {
    return (sw_samples){data->numbers[0], data->numbers[1], data->count[0], data->count[1]};
}

static inline sw_two_counts test_case_counts(const test_case_data *data) {
    return (sw_two_counts){data->counts[0], data->counts[1], data->word_count};
}

/* A number, or "nan" and "inf" as strings. */
static inline double test_case_number(const json_t *value) {
    if (json_is_string(value))
        return strtod(json_string_value(value), NULL);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

#endif /* SW_TESTS_STATS_CASES_H */
