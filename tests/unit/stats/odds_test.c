/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/odds.h"

#include "base/str.h"
#include "unit/test.h"

#include <math.h>

static sw_str words(double evidence_log10) {
    static sw_odds odds;
    odds = sw_odds_of(evidence_log10);
    return sw_str_of(odds.at);
}

TEST(odds__are_words_of_two_digits_that_promise_no_more_than_there_is) {
    CHECK_STR(words(7.8), "1 in 63 million");
    CHECK_STR(words(7.3), "1 in 19 million");
    CHECK_STR(words(4.5), "1 in 31,000");
    CHECK_STR(words(6), "1 in 1.0 million");
    CHECK_STR(words(9), "1 in 1.0 billion");
    CHECK_STR(words(11.9999), "1 in 990 billion");
    CHECK_STR(words(2.5), "1 in 310");
    CHECK_STR(words(1), "1 in 10");
    CHECK_STR(words(0.5), "1 in 3");
    CHECK_STR(words(12), "1 in 10^12");
    CHECK_STR(words(183.4), "1 in 10^183");
    CHECK_STR(words(-3), "1 in 1");
    CHECK_STR(words(NAN), "1 in 1");
    for (double x = 0; x < 12; x += 0.01)
        CHECK(strlen(sw_odds_of(x).at) < sizeof(sw_odds) - 4);
}

TEST_MAIN
