/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

#include "unit/test.h"

#include <float.h>
#include <inttypes.h>
#include <limits.h>

static uint64_t random_state = 0x9E3779B97F4A7C15U;

/* splitmix64 */
static uint64_t random_64(void) {
    uint64_t z = random_state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool same_f64(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_f32(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The C library rounds correctly, so both readers must give its very bits. */
static void check_read(const char *text) {
    const char *at = text, *end = text + strlen(text);
    double d = -1;
    float f = -1;
    sw_num_fit fit = sw_num_scan_f64(&d, &at, end);
    if (at != end || !same_f64(d, strtod(text, NULL)) ||
        fit != (isinf(d) ? SW_NUM_OUT_OF_RANGE : SW_NUM_FITS))
        TEST_FAIL_("\"%s\" reads as %.17g, not %.17g", text, d, strtod(text, NULL));
    at = text;
    fit = sw_num_scan_f32(&f, &at, end);
    if (at != end || !same_f32(f, strtof(text, NULL)) ||
        fit != (isinf(f) ? SW_NUM_OUT_OF_RANGE : SW_NUM_FITS))
        TEST_FAIL_("\"%s\" reads as %.9g, not %.9g", text, (double)f, (double)strtof(text, NULL));
}

static sw_str printed_f64(char text[SW_NUM_BYTES + 1], double value) {
    size_t len = sw_num_print_f64(text, value);
    text[len] = '\0';
    return (sw_str){text, len};
}

static sw_str printed_f32(char text[SW_NUM_BYTES + 1], float value) {
    size_t len = sw_num_print_f32(text, value);
    text[len] = '\0';
    return (sw_str){text, len};
}

static int count_digits_that_count(const char *text) {
    int count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        if (*text == '0') {
            zeros += count > 0;
        } else {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

/* Prints it, reads it back, and finds no shorter text of printf that reads back too. */
static void check_round_trip_f64(double value) {
    char text[SW_NUM_BYTES + 1], other[64];
    printed_f64(text, value);
    if (!same_f64(strtod(text, NULL), value))
        TEST_FAIL_("%.17g is printed as %s", value, text);
    check_read(text);
    snprintf(other, sizeof other, "%.17g", value);
    check_read(other);
    int digits = count_digits_that_count(text);
    snprintf(other, sizeof other, "%.*e", digits > 1 ? digits - 2 : 0, value);
    if (digits > 1 && same_f64(strtod(other, NULL), value))
        TEST_FAIL_("%s is longer than %s", text, other);
}

static void check_round_trip_f32(float value) {
    char text[SW_NUM_BYTES + 1], other[64];
    printed_f32(text, value);
    if (!same_f32(strtof(text, NULL), value))
        TEST_FAIL_("%.9g is printed as %s", (double)value, text);
    check_read(text);
    int digits = count_digits_that_count(text);
    snprintf(other, sizeof other, "%.*e", digits > 1 ? digits - 2 : 0, (double)value);
    if (digits > 1 && same_f32(strtof(other, NULL), value))
        TEST_FAIL_("%s is longer than %s", text, other);
}

TEST(num_f64__any_bits_come_back) {
    for (int i = 0; i < 300000; i++) {
        double value = double_of(random_64());
        if (isfinite(value))
            check_round_trip_f64(value);
    }
}

TEST(num_f64__subnormals_come_back) {
    for (int i = 0; i < 50000; i++)
        check_round_trip_f64(double_of(random_64() >> (12 + random_64() % 52)));
}

TEST(num_f64__what_people_write_comes_back) {
    for (int i = 0; i < 100000; i++) {
        check_round_trip_f64((double)(random_64() % 1000000) / 1000.0);
        check_round_trip_f64((double)(int64_t)random_64());
        check_round_trip_f64((double)(random_64() >> 11) * 0x1p-53);
    }
}

TEST(num_f64__powers_of_two_and_their_neighbours) {
    for (int e = -1074; e <= 1023; e++) {
        double value = ldexp(1, e);
        check_round_trip_f64(value);
        check_round_trip_f64(-value);
        check_round_trip_f64(nextafter(value, 0));
        check_round_trip_f64(nextafter(value, INFINITY) < INFINITY ? nextafter(value, INFINITY)
                                                                   : 1);
    }
}

TEST(num_f64__powers_of_ten) {
    char text[64];
    for (int e = -400; e <= 400; e++) {
        for (int digit = 1; digit < 10; digit++) {
            snprintf(text, sizeof text, "%de%d", digit, e);
            check_read(text);
            snprintf(text, sizeof text, "%d.5E%+d", digit, e);
            check_read(text);
            snprintf(text, sizeof text, "999999999999999%de%d", digit, e);
            check_read(text);
        }
    }
}

TEST(num_f32__any_bits_come_back) {
    for (int i = 0; i < 300000; i++) {
        float value = float_of((uint32_t)random_64());
        if (isfinite(value))
            check_round_trip_f32(value);
    }
}

TEST(num_f32__powers_of_two_and_their_neighbours) {
    for (int e = -149; e <= 127; e++) {
        float value = ldexpf(1, e);
        check_round_trip_f32(value);
        check_round_trip_f32(nextafterf(value, 0));
        check_round_trip_f32(nextafterf(value, INFINITY) < INFINITY ? nextafterf(value, INFINITY)
                                                                    : 1);
    }
}

/* Halfway between two floats lie doubles: rounding twice would go wrong there. */
TEST(num_f32__is_rounded_once) {
    char text[1200];
    for (int i = 0; i < 50000; i++) {
        float value = fabsf(float_of((uint32_t)random_64()));
        if (!isfinite(value) || value > 1e38F)
            continue;
        double middle = ((double)value + (double)nextafterf(value, INFINITY)) / 2;
        snprintf(text, sizeof text, "%.17g", middle);
        check_read(text);
        snprintf(text, sizeof text, "%.200e", middle);
        check_read(text);
        text[strcspn(text, "e") - 1] = '1';
        check_read(text);
    }
    check_read("1.00000017881393432617187499");
    check_read("1.000000178813934326171875");
    check_read("1.00000017881393432617187501");
    check_read("16777217");
    check_read("16777217.0000000000000000000000000001");
}

/* All digits of the point exactly between two doubles, then a little less and a little more. */
TEST(num_f64__halfway_cases) {
    char text[1200];
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_64() & 0x7FFFFFFFFFFFFFFFU;
        if (i & 1) /* where the digits are fewer */
            bits = (bits & 0xFFFFFFFFFFFFFU) | (uint64_t)(1000 + bits % 80) << 52;
        double low = double_of(bits), high = double_of(bits + 1);
        if (!isfinite(high) || low > 1e300)
            continue;
        long double middle = ((long double)low + (long double)high) / 2;
        snprintf(text, sizeof text, "%.1100Le", middle);
        check_read(text);
        char *last = text + strcspn(text, "e") - 1;
        *last = '1';
        check_read(text);
        snprintf(text, sizeof text, "%.19Le", middle);
        check_read(text);
        snprintf(text, sizeof text, "%.18Le", middle);
        check_read(text);
    }
}

TEST(num_f64__hard_cases) {
    static const char *const cases[] = {
        "0",
        "-0",
        "0.0",
        "-0.0",
        "0e0",
        "-0e-999",
        "1e23",
        "8.5e22",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000000000000001",
        "9007199254740995",
        "5e-324",
        "4.9e-324",
        "2.47032822920623272e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1.797693134862315807e308",
        "1e309",
        "1e-400",
        "0.1",
        "0.2",
        "0.3",
        "0.30000000000000004",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2."
        "225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523"
        "908"
        "135087914149158913039621106870086438694594645527657207407820621743379988141063267329253552"
        "2868"
        "8137214901298112245145188984905722230728525513315575501591439747639798341180199932396254e-"
        "308",
        "6.631236846766476e-316",
        "3.237883913302901e-319",
        "7.2057594037927933e16",
        "1e22",
        "1e-22",
        "123456789012345678901234567890",
        "0.000000000000000000000000000000000012345678901234567890",
        "3.4028234664e38",
        "3.4028235677973366e38",
        "3.402823669209385e38",
        "3.4028234663852886e38",
        "1.1754943508222875e-38",
        "1.1754942e-38",
        "7.0064923216240853e-46",
        "7.0064923216240854e-46",
        "1.401298464324817e-45",
        "1e-46",
        "1e39",
        "8388609.5",
        "33554433",
        "0.000000059604644775390625",
        "100000000000000000000000000000000000000000000000000e-50",
        "1e+5",
        "1E5",
        "1E-05",
        "12e0003",
        "9214843084008499",
        "8.22080e-324",
        "0.500000000000000166533453693773481063544750213623046875",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_read(cases[i]);
}

TEST(num_f64__thousands_of_digits) {
    enum { LEN = 5000 };
    static char text[LEN + 32];
    for (int i = 0; i < 300; i++) {
        size_t point = 1 + random_64() % (LEN - 2);
        for (size_t k = 0; k < LEN; k++)
            text[k] = (char)('0' + random_64() % 10);
        text[0] = '1';
        text[point] = '.';
        snprintf(text + LEN, 32, "e%d", (int)(random_64() % 200) - (int)point);
        check_read(text);
    }
    memset(text, '0', LEN);
    memcpy(text, "0.", 2);
    snprintf(text + LEN, 32, "17e%d", LEN);
    check_read(text);
    /* 9007199254740993 and a digit far behind: just above the middle. */
    memset(text, '0', LEN);
    memcpy(text, "9007199254740993.", 17);
    check_read((text[LEN] = '\0', text));
    text[LEN - 1] = '1';
    check_read(text);
}

TEST(num_f64__an_exponent_that_no_integer_holds) {
    check_read("1e99999999999999999999999999999999");
    check_read("1e-99999999999999999999999999999999");
    check_read("0e99999999999999999999999999999999");
    check_read("123456789012345678901234567890e99999999999999999999");
}

TEST(num_f64__random_decimals) {
    char text[96];
    for (int i = 0; i < 300000; i++) {
        int len = snprintf(text, sizeof text, "%" PRIu64, random_64() >> random_64() % 64);
        if (i % 3)
            len += snprintf(text + len, 32, ".%" PRIu64, random_64() >> random_64() % 64);
        if (i % 2)
            snprintf(text + len, 16, "e%d", (int)(random_64() % 700) - 350);
        check_read(text);
    }
}

TEST(num_f64__looks_as_people_write_it) {
    char text[SW_NUM_BYTES + 1];
    CHECK_STR(printed_f64(text, 0), "0.0");
    CHECK_STR(printed_f64(text, -0.0), "-0.0");
    CHECK_STR(printed_f64(text, 1), "1.0");
    CHECK_STR(printed_f64(text, 0.1), "0.1");
    CHECK_STR(printed_f64(text, 0.1 + 0.2), "0.30000000000000004");
    CHECK_STR(printed_f64(text, -123.456), "-123.456");
    CHECK_STR(printed_f64(text, 0.0001), "0.0001");
    CHECK_STR(printed_f64(text, 0.00001), "1e-5");
    CHECK_STR(printed_f64(text, 0.000123456789), "0.000123456789");
    CHECK_STR(printed_f64(text, 1e15), "1000000000000000.0");
    CHECK_STR(printed_f64(text, 9007199254740993.0), "9007199254740992.0");
    CHECK_STR(printed_f64(text, 1e16), "1e16");
    CHECK_STR(printed_f64(text, 1e23), "1e23");
    CHECK_STR(printed_f64(text, 5e-324), "5e-324");
    CHECK_STR(printed_f64(text, DBL_MAX), "1.7976931348623157e308");
    CHECK_STR(printed_f64(text, -2.2250738585072014e-308), "-2.2250738585072014e-308");
    CHECK_STR(printed_f64(text, (double)NAN), "NaN");
    CHECK_STR(printed_f64(text, (double)-INFINITY), "-Infinity");
    CHECK_STR(printed_f32(text, 0.1F), "0.1");
    CHECK_STR(printed_f32(text, 16777216), "16777216.0");
    CHECK_STR(printed_f32(text, FLT_MAX), "3.4028235e38");
    CHECK_STR(printed_f32(text, -1e-45F), "-1e-45");
    CHECK_STR(printed_f32(text, 0.3F), "0.3");
    CHECK_STR(printed_f32(text, INFINITY), "Infinity");
    CHECK_STR(printed_f32(text, (float)-NAN), "NaN");
}

TEST(num__only_the_grammar_of_json) {
    static const char *const bad[] = {"",    "-",    "+1", "01",  "-01", "00",  ".5",  "1.",
                                      "-.5", "1.e5", "1e", "1e+", "1e-", "e5",  "--1", "NaN",
                                      "inf", "a",    " 1", "-a",  "1.a", "1ea", "-00", "00.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *at = bad[i], *end = bad[i] + strlen(bad[i]);
        double d;
        float f;
        int64_t n;
        if (sw_num_scan_f64(&d, &at, end) != SW_NUM_MALFORMED)
            TEST_FAIL_("\"%s\" is taken for a number", bad[i]);
        at = bad[i];
        CHECK(sw_num_scan_f32(&f, &at, end) == SW_NUM_MALFORMED);
        at = bad[i];
        CHECK(sw_num_scan_i64(&n, &at, end) == SW_NUM_MALFORMED);
        CHECK(sw_num_skip(bad[i], end) == NULL);
        CHECK(sw_num_parse_f64(&d, sw_str_of(bad[i])) == SW_NUM_MALFORMED);
    }
}

TEST(num__stops_behind_the_number_and_before_the_end) {
    const char *text = "12.5e1,7", *at = text;
    double d = 0;
    CHECK(sw_num_scan_f64(&d, &at, text + 8) == SW_NUM_FITS && d == 125 && at == text + 6);
    at = text;
    CHECK(sw_num_scan_f64(&d, &at, text + 4) == SW_NUM_FITS && d == 12.5 && at == text + 4);
    at = text;
    CHECK(sw_num_scan_f64(&d, &at, text + 5) == SW_NUM_MALFORMED);
    at = text;
    CHECK(sw_num_scan_f64(&d, &at, text + 3) == SW_NUM_MALFORMED);
    int64_t n = 0;
    at = text;
    CHECK(sw_num_scan_i64(&n, &at, text + 2) == SW_NUM_FITS && n == 12 && at == text + 2);
    CHECK(sw_num_parse_f64(&d, SW_STR("12,")) == SW_NUM_MALFORMED);
}

static sw_num_fit read_i64(int64_t *out, const char *text) {
    const char *at = text;
    return sw_num_scan_i64(out, &at, text + strlen(text));
}

static sw_num_fit read_u64(uint64_t *out, const char *text) {
    const char *at = text;
    return sw_num_scan_u64(out, &at, text + strlen(text));
}

TEST(num_i64__to_its_very_ends) {
    int64_t n = 1;
    CHECK(read_i64(&n, "9223372036854775807") == SW_NUM_FITS && n == INT64_MAX);
    CHECK(read_i64(&n, "9223372036854775808") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_i64(&n, "-9223372036854775808") == SW_NUM_FITS && n == INT64_MIN);
    CHECK(read_i64(&n, "-9223372036854775809") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_i64(&n, "99999999999999999999") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_i64(&n, "9007199254740993") == SW_NUM_FITS && n == 9007199254740993);
    CHECK(read_i64(&n, "-0") == SW_NUM_FITS && n == 0);
    CHECK(read_i64(&n, "1e400") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_i64(&n, "123456789012345678901234567890") == SW_NUM_OUT_OF_RANGE);
}

TEST(num_u64__to_its_very_end) {
    uint64_t n = 1;
    CHECK(read_u64(&n, "18446744073709551615") == SW_NUM_FITS && n == UINT64_MAX);
    CHECK(read_u64(&n, "18446744073709551616") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_u64(&n, "-1") == SW_NUM_OUT_OF_RANGE);
    CHECK(read_u64(&n, "-0") == SW_NUM_FITS && n == 0);
    CHECK(read_u64(&n, "18446744073709551615.0") == SW_NUM_FITS && n == UINT64_MAX);
}

TEST(num_i64__a_whole_number_may_be_written_with_point_or_exponent) {
    int64_t n = 0;
    CHECK(read_i64(&n, "5.0") == SW_NUM_FITS && n == 5);
    CHECK(read_i64(&n, "-50e-1") == SW_NUM_FITS && n == -5);
    CHECK(read_i64(&n, "1.5e1") == SW_NUM_FITS && n == 15);
    CHECK(read_i64(&n, "0.0000000000000000000000000000") == SW_NUM_FITS && n == 0);
    CHECK(read_i64(&n, "0e99999999999999999999") == SW_NUM_FITS && n == 0);
    CHECK(read_i64(&n, "1.00000000000000000000000000000000000000") == SW_NUM_FITS && n == 1);
    CHECK(read_i64(&n, "9.223372036854775807e18") == SW_NUM_FITS && n == INT64_MAX);
    CHECK(read_i64(&n, "9.223372036854775807e17") == SW_NUM_NOT_WHOLE);
    CHECK(read_i64(&n, "0.5") == SW_NUM_NOT_WHOLE);
    CHECK(read_i64(&n, "1e-1") == SW_NUM_NOT_WHOLE);
    CHECK(read_i64(&n, "1e-99999999999999999999") == SW_NUM_NOT_WHOLE);
    CHECK(read_i64(&n, "1.0000000000000000000000000000000000000001") == SW_NUM_NOT_WHOLE);
}

TEST(num_i64__prints_what_printf_prints) {
    char text[SW_NUM_BYTES + 1], wanted[40];
    for (int i = 0; i < 200000; i++) {
        int64_t n = (int64_t)(random_64() >> random_64() % 64);
        n = i & 1 ? -n : n;
        text[sw_num_print_i64(text, n)] = '\0';
        snprintf(wanted, sizeof wanted, "%" PRId64, n);
        CHECK_TEXT(text, wanted);
    }
    uint64_t power = 1;
    for (int i = 0; i < 20; i++, power *= 10)
        for (uint64_t n = power - 1; n <= power + 1; n++) {
            text[sw_num_print_u64(text, n)] = '\0';
            snprintf(wanted, sizeof wanted, "%" PRIu64, n);
            CHECK_TEXT(text, wanted);
        }
    text[sw_num_print_u64(text, UINT64_MAX)] = '\0';
    CHECK_TEXT(text, "18446744073709551615");
    text[sw_num_print_i64(text, INT64_MIN)] = '\0';
    CHECK_TEXT(text, "-9223372036854775808");
}

TEST(num_same__tells_the_zeros_apart_and_takes_any_nan_for_another) {
    CHECK(sw_num_same_f64(0.1, 0.1) && sw_num_same_f64(NAN, -NAN));
    CHECK(!sw_num_same_f64(0.0, -0.0) && !sw_num_same_f64(1.0, nextafter(1.0, 2.0)));
}

TEST(num_grouped__parts_thousands) {
    CHECK_STR(sw_str_of(sw_num_grouped(0).at), "0");
    CHECK_STR(sw_str_of(sw_num_grouped(999).at), "999");
    CHECK_STR(sw_str_of(sw_num_grouped(1000).at), "1,000");
    CHECK_STR(sw_str_of(sw_num_grouped(1234567).at), "1,234,567");
    CHECK_STR(sw_str_of(sw_num_grouped(UINT64_MAX).at), "18,446,744,073,709,551,615");
}

TEST_MAIN
