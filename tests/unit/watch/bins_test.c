/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"
#include "watch/bins_private.h"
#include "watch/profile_private.h"

static uint64_t seed = 77;

static bool same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void check_parse(const char *text) {
    static const sw_dtype types[] = {SW_FP32, SW_FP64, SW_FP16, SW_INT32, SW_BOOL};
    char padded[96] = {0};
    snprintf(padded, sizeof padded, "%s,99999999999", text);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        double fast = -1, plain = -1;
        bool one = sw_bins_parse_padded(&fast, (sw_str){padded, strlen(text)}, types[i]);
        bool other = sw_bins_parse(&plain, sw_str_of(text), types[i]);
        if (one != other || (one && !same(fast, plain)))
            TEST_FAIL_("\"%s\" as type %d is %.17g by the fast way, %.17g by the other", text,
                       (int)types[i], fast, plain);
    }
}

TEST(bins__the_fast_way_to_read_a_number_gives_the_same_number) {
    const char *const texts[] = {"0",
                                 "-0",
                                 "0.0",
                                 "-0.5",
                                 ".5",
                                 "5.",
                                 "-",
                                 ".",
                                 "-.",
                                 "+1",
                                 "1e5",
                                 "1.5e-3",
                                 "12345678",
                                 "123456789",
                                 "12345678.1234567",
                                 "12345678.12345678",
                                 "0.12345678",
                                 "0.123456789",
                                 "nan",
                                 "NA",
                                 "1,2",
                                 "1 ",
                                 " 1",
                                 "1.2.3",
                                 "--1",
                                 "0x10",
                                 "00012",
                                 "99999999",
                                 "16777217",
                                 "16777217.5",
                                 "0.00000001",
                                 "33554431.5",
                                 "1:2",
                                 "1/2",
                                 "\xE9"
                                 "1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parse(texts[i]);
}

TEST(bins__and_so_for_many_random_decimals) {
    char text[48];
    for (int i = 0; i < 300000; i++) {
        uint64_t digits = sw_rng_next(&seed) >> (sw_rng_next(&seed) % 64);
        double x = (double)digits / pow(10, (double)(sw_rng_next(&seed) % 20));
        int kind = (int)(sw_rng_next(&seed) % 3), decimals = (int)(sw_rng_next(&seed) % 9);
        snprintf(text, sizeof text,
                 kind == 0   ? "%.*f"
                 : kind == 1 ? "-%.*f"
                             : "%.*g",
                 decimals, kind == 2 ? x : fmod(x, 1e9));
        check_parse(text);
    }
}

TEST(bins__halfway_between_two_floats_is_rounded_once) {
    /* 1 + 2^-24 is halfway between two floats, 16777217 too. */
    check_parse("16777217");
    check_parse("65536.00390625");
    check_parse("65536.00390624");
    check_parse("1.00000006");
    check_parse("16777217.0000001");
    check_parse("1.000000059604644775390625");
    check_parse("1.000000059604644775390626");
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

TEST(bins__sorting_gives_the_order_of_a_plain_sort) {
    static double values[5000], spare[5000], wanted[5000];
    for (int round = 0; round < 60; round++) {
        size_t count = sw_rng_next(&seed) % 5000;
        for (size_t i = 0; i < count; i++) {
            double x = testing_normal(&seed) * pow(10, (double)(sw_rng_next(&seed) % 600) - 300);
            values[i] = round % 4 == 0   ? x
                        : round % 4 == 1 ? (double)(float)testing_normal(&seed)
                        : round % 4 == 2 ? floor(testing_normal(&seed)) + 0.0
                                         : 7;
        }
        memcpy(wanted, values, sizeof values);
        qsort(wanted, count, sizeof *wanted, by_value);
        sw_sort_doubles(values, spare, count);
        for (size_t i = 0; i < count; i++)
            if (values[i] != wanted[i]) {
                TEST_FAIL_("round %d: place %zu holds %.17g, not %.17g", round, i, values[i],
                           wanted[i]);
                break;
            }
    }
}

TEST_MAIN
