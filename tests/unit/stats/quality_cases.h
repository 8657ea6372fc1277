/* SPDX-License-Identifier: Apache-2.0 */
/* The reference cases of tests/data/quality: columns of numbers, and the figures expected. */
#ifndef SW_TESTS_STATS_QUALITY_CASES_H
#define SW_TESTS_STATS_QUALITY_CASES_H

#include "base/rng.h"
#include "stats/metrics.h"
#include "unit/test.h"

#include <jansson.h>

enum { CASE_ROWS_MAX = 4096, CASE_COLUMNS_MAX = 6 };

typedef struct quality_case {
    double numbers[CASE_ROWS_MAX][CASE_COLUMNS_MAX];
    double column[CASE_COLUMNS_MAX][CASE_ROWS_MAX];
    uint8_t binary[CASE_ROWS_MAX]; /* labels */
    uint32_t classes[CASE_ROWS_MAX];
    size_t rows;
    unsigned columns;
} quality_case;

/* The label is the first column. */
static inline bool case_read(quality_case *out, const char *name) {
    char path[128], line[256];
    snprintf(path, sizeof path, "tests/data/quality/%s.csv", name);
    FILE *file = fopen(path, "r");
    out->rows = 0;
    if (!file || !fgets(line, sizeof line, file)) {
        fprintf(stderr, "  %s cannot be read\n", path);
        return false;
    }
    while (out->rows < CASE_ROWS_MAX && fgets(line, sizeof line, file)) {
        char *at = line;
        for (out->columns = 0; out->columns < CASE_COLUMNS_MAX && *at && *at != '\n'; at++) {
            double number = strtod(at, &at);
            out->numbers[out->rows][out->columns] = number;
            out->column[out->columns++][out->rows] = number;
            if (*at != ',')
                break;
        }
        out->binary[out->rows] = (uint8_t)out->numbers[out->rows][0];
        out->classes[out->rows] = (uint32_t)fmax(out->numbers[out->rows][0], 0);
        out->rows++;
    }
    fclose(file);
    return true;
}

static inline json_t *case_expected(void) {
    json_error_t why;
    json_t *all = json_load_file("tests/data/quality/expected.json", 0, &why);
    if (!all)
        fprintf(stderr, "  tests/data/quality/expected.json: %s\n", why.text);
    return all;
}

/* Every number that `wanted` names; the string "nan" stands for an undefined figure, which must
 * give a reason. Returns how many were compared. */
static inline unsigned case_compare(const sw_metrics *got, json_t *wanted, const char *where) {
    const char *name;
    json_t *value;
    unsigned count = 0;
    json_object_foreach(wanted, name, value) {
        if (!json_is_number(value) && !json_is_string(value))
            continue;
        count++;
        const sw_metric *metric = sw_metrics_find(got, name);
        if (!metric) {
            TEST_FAIL_("%s: there is no %s", where, name);
        } else if (json_is_string(value)) {
            if (!isnan(metric->value) || !metric->undefined)
                TEST_FAIL_("%s: %s is %.17g, not undefined", where, name, metric->value);
        } else {
            double want = json_number_value(value);
            if (!(fabs(metric->value - want) <= 1e-12 * fmax(fabs(want), 1e-3)))
                TEST_FAIL_("%s: %s is %.17g, not %.17g", where, name, metric->value, want);
        }
    }
    return count;
}

/* The figures of case `name`: tests/data/quality/expected.json, "result". */
static inline json_t *case_result(json_t *all, const char *name) {
    return json_object_get(json_object_get(all, name), "result");
}

#endif /* SW_TESTS_STATS_QUALITY_CASES_H */
