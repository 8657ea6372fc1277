/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include "unit/test.h"

static long slips(const char *a, const char *b) {
    return (long)sw_nearest_distance(sw_str_of(a), sw_str_of(b));
}

TEST(distance__counts_slips) {
    CHECK_INT(slips("deploy", "deploy"), 0);
    CHECK_INT(slips("delpoy", "deploy"), 1); /* swapped */
    CHECK_INT(slips("deply", "deploy"), 1);  /* missing */
    CHECK_INT(slips("depploy", "deploy"), 1);
    CHECK_INT(slips("deplox", "deploy"), 1);
    CHECK_INT(slips("", "push"), 4);
    CHECK_INT(slips("kitten", "sitting"), 3);
    CHECK_INT(slips("Mean_Radius", "mean_radius"), 0);
}

TEST(distance__gives_up_on_words_that_are_none) {
    char word[300];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = 0;
    CHECK(sw_nearest_distance(sw_str_of(word), SW_STR("push")) == SIZE_MAX);
    CHECK(sw_nearest_distance(SW_STR("push"), sw_str_of(word)) == SIZE_MAX);
}

TEST_MAIN
