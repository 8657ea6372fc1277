/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a number, and as a row of numbers: both readers must agree with a plain reading of
 * the grammar and with the C library's rounding; eight bytes as a double must print and read back.
 */
#include "base/num.h"
#include "base/num_row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, ROW_MAX = 64 };

static void must(bool condition) {
    if (!condition)
        abort();
}

static size_t digits_at(const char *at) {
    return strspn(at, "0123456789");
}

/* The length of the JSON number at `at`, or 0 (RFC 8259, section 6, as it reads). */
static size_t number_len(const char *at) {
    const char *p = at + (*at == '-');
    size_t whole = digits_at(p);
    if (whole == 0 || (whole > 1 && *p == '0'))
        return 0;
    p += whole;
    if (*p == '.') {
        size_t fraction = digits_at(p + 1);
        if (fraction == 0)
            return 0;
        p += 1 + fraction;
    }
    if (*p == 'e' || *p == 'E') {
        p += 1 + (p[1] == '+' || p[1] == '-');
        if (digits_at(p) == 0)
            return 0;
        p += digits_at(p);
    }
    return (size_t)(p - at);
}

/* The number alone: the C library would go on, in "0x1" for one. */
static const char *alone(const char *text, size_t len) {
    static char copy[TEXT_MAX + 1];
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static void check_floats(const char *text, size_t len, size_t wanted) {
    const char *at = text;
    double d = 0;
    float f = 0;
    sw_num_fit fit = sw_num_scan_f64(&d, &at, text + len);
    must((fit != SW_NUM_MALFORMED) == (wanted != 0));
    if (wanted) {
        double same = strtod(alone(text, wanted), NULL);
        must(at == text + wanted && memcmp(&d, &same, sizeof d) == 0 &&
             (fit == SW_NUM_FITS) == !isinf(same));
    }
    at = text;
    fit = sw_num_scan_f32(&f, &at, text + len);
    if (wanted) {
        float same = strtof(alone(text, wanted), NULL);
        must(at == text + wanted && memcmp(&f, &same, sizeof f) == 0 &&
             (fit == SW_NUM_FITS) == !isinf(same));
    }
    must((sw_num_skip(text, text + len) != NULL) == (wanted != 0));
}

static void check_whole(const char *text, size_t len, size_t wanted) {
    const char *at = text;
    int64_t n = 0;
    sw_num_fit fit = sw_num_scan_i64(&n, &at, text + len);
    must((fit != SW_NUM_MALFORMED) == (wanted != 0));
    if (!wanted || strspn(text, "-0123456789") < wanted)
        return;
    errno = 0;
    long long same = strtoll(alone(text, wanted), NULL, 10);
    must(errno == ERANGE ? fit == SW_NUM_OUT_OF_RANGE : fit == SW_NUM_FITS && n == same);
}

/* What the row reader takes, one by one takes too, with the same values. */
static void check_row(const char *text, size_t len) {
    float row[ROW_MAX], one;
    const char *at = text, *p = text, *end = text + len;
    size_t taken = sw_num_row(SW_NUM_F32, row, ROW_MAX, &at, text, end);
    for (size_t i = 0; i < taken; i++) {
        if (i) {
            must(*p++ == ',');
            p += *p == ' ';
        }
        must(sw_num_scan_f32(&one, &p, end) == SW_NUM_FITS &&
             memcmp(&one, &row[i], sizeof one) == 0);
    }
    must(at == p);
    int16_t whole[ROW_MAX];
    at = text;
    (void)sw_num_row(SW_NUM_I16, whole, ROW_MAX, &at, text, end);
}

static void check_print(const uint8_t *data) {
    double d, back;
    float f, back_f;
    char text[SW_NUM_BYTES + 1];
    memcpy(&d, data, sizeof d);
    memcpy(&f, data, sizeof f);
    text[sw_num_print_f64(text, d)] = '\0';
    back = strtod(text, NULL);
    must(isnan(d) ? strcmp(text, "NaN") == 0 : memcmp(&back, &d, sizeof d) == 0);
    text[sw_num_print_f32(text, f)] = '\0';
    back_f = strtof(text, NULL);
    must(isnan(f) ? strcmp(text, "NaN") == 0 : memcmp(&back_f, &f, sizeof f) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size >= 8)
        check_print(data);
    if (size > TEXT_MAX)
        return 0;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (strlen(text) == size) {
        check_floats(text, size, number_len(text));
        check_whole(text, size, number_len(text));
        check_row(text, size);
    }
    free(text);
    return 0;
}
