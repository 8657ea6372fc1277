/* SPDX-License-Identifier: Apache-2.0 */
#include "base/iso_time.h"
#include "unit/test.h"

static void check_time(const char *text, int64_t wanted_ms) {
    int64_t ms = -1;
    if (!sw_iso_time_parse(&ms, sw_str_of(text)) || ms != wanted_ms)
        TEST_FAIL_("%s is %lld, not %lld", text, (long long)ms, (long long)wanted_ms);
}

TEST(iso_time__reads_what_programs_write) {
    check_time("1970-01-01T00:00:00Z", 0);
    check_time("2026-03-01T12:30:05Z", 1772368205000);
    check_time("2026-03-01T12:30:05.25Z", 1772368205250);
    check_time("2026-03-01T12:30:05,123456789z", 1772368205123);
    check_time("2026-03-01 13:30:05+01:00", 1772368205000);
    check_time("2026-03-01t06:30:05-0600", 1772368205000);
    check_time("2026-03-01T12:30+00", 1772368200000);
    check_time("2024-02-29T23:59:60Z", 1709251200000);
    check_time("2000-02-29T00:00:00Z", 951782400000);
    check_time("1969-12-31T23:59:59.999Z", -1);
}

TEST(iso_time__refuses_what_is_no_moment) {
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-03-01",
        "2026-03-01T12:30:05",
        "2026-13-01T12:30:05Z",
        "2026-00-01T12:30:05Z",
        "2025-02-29T12:30:05Z",
        "1900-02-29T12:30:05Z",
        "2026-04-31T12:30:05Z",
        "2026-03-01T24:30:05Z",
        "2026-03-01T12:60:05Z",
        "2026-03-01T12:30:61Z",
        "2026-03-01T12:30:05.Z",
        "2026-03-01T12:30:05Zx",
        "2026-03-01T12:30:05+1",
        "2026-03-01T12:30:05+01:",
        "2026-03-01T12:30:05+25:00",
        "26-03-01T12:30:05Z",
        "2026-3-1T12:30:05Z",
        "0000-03-01T12:30:05Z",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (sw_iso_time_parse(&ms, sw_str_of(wrong[i])))
            TEST_FAIL_("'%s' was taken", wrong[i]);
}

TEST_MAIN
