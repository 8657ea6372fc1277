/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"
#include "unit/test.h"

TEST(duration__is_a_number_and_a_unit) {
    static const struct {
        const char *text;
        double ms;
    } rows[] = {{"250us", 0.25},  {"500ms", 500},  {"90s", 90e3},    {"15m", 900e3},
                {"15min", 900e3}, {"12h", 43.2e6}, {"30d", 2.592e9}, {"2w", 1.2096e9},
                {"1.5h", 5.4e6},  {"1.5 s", 1500}, {"5 min", 300e3}, {"1e3ms", 1000},
                {"0", 0},         {"0s", 0},       {"-2s", -2000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ms = -1;
        CHECK(sw_duration_parse(&ms, sw_str_of(rows[i].text)));
        CHECK_NEAR(ms, rows[i].ms, 1e-9);
    }
}

TEST(duration__needs_a_number_and_a_unit_that_is_known) {
    static const char *const bad[] = {"",    "d",   "30",  "30y", "5 apples", "1h30m", "ms 5",
                                      "1.s", "+1s", "30S", "1 M", "s30",      "infs",  "NaN"};
    double ms;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!sw_duration_parse(&ms, sw_str_of(bad[i])));
    CHECK(!sw_duration_parse(&ms, (sw_str){0}));
}

TEST_MAIN
