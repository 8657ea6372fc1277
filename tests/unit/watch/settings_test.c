/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "watch/settings.h"

static sw_arena arena;
static sw_error error;

static bool reads(sw_monitor_settings *out, const char *json) {
    sw_arena_reset(&arena);
    return !sw_failed(sw_monitor_settings_from_json(out, sw_str_of(json), &arena, &error));
}

static bool refused(const char *json, const char *words) {
    sw_monitor_settings s;
    return !reads(&s, json) && strstr(error.text, words) != NULL;
}

TEST(settings__need_no_choice) {
    sw_monitor_settings none, empty, written;
    sw_buf json = {0};
    CHECK(reads(&none, ""));
    CHECK(none.false_alarms_per_month == 1 && none.log_days == 14 && none.threshold == 0.5);
    CHECK(none.reference == SW_REFERENCE_PROFILE && none.privacy == SW_PRIVACY_KEEP);
    CHECK(reads(&empty, "{}"));
    sw_monitor_settings_to_json(&json, &empty);
    sw_buf_add_char(&json, '\0');
    CHECK(reads(&written, json.at));
    CHECK(written.log_bytes_max == none.log_bytes_max && written.tolerance == none.tolerance);
    sw_buf_free(&json);
}

TEST(settings__come_back_as_they_were_written) {
    static const char chosen[] =
        "{\"false_alarms_per_month\":0.25,\"tolerance\":0.05,"
        "\"reference\":{\"kind\":\"window\",\"from_ms\":1000,\"to_ms\":2000},"
        "\"segments\":[\"country\",\"device\"],\"privacy\":\"hash\","
        "\"columns\":{\"iban\":{\"privacy\":\"drop\"},\"a\\\"b\":{\"privacy\":\"keep\"}},"
        "\"log\":{\"rows_per_s\":7.5,\"days\":30,\"bytes_max\":1048576},"
        "\"task\":\"binary\",\"output\":\"score\",\"positive\":\"yes\",\"threshold\":0.25}";
    sw_monitor_settings s;
    sw_buf json = {0};
    REQUIRE(reads(&s, chosen));
    CHECK(s.segment_count == 2 && sw_str_is(s.segments[1], "device"));
    CHECK(s.reference == SW_REFERENCE_WINDOW && s.reference_to_ms == 2000);
    CHECK(sw_monitor_privacy(&s, SW_STR("iban")) == SW_PRIVACY_DROP);
    CHECK(sw_monitor_privacy(&s, SW_STR("a\"b")) == SW_PRIVACY_KEEP);
    CHECK(sw_monitor_privacy(&s, SW_STR("other")) == SW_PRIVACY_HASH);
    sw_monitor_settings_to_json(&json, &s);
    CHECK(json.len == strlen(chosen) && memcmp(json.at, chosen, json.len) == 0);
    sw_buf_free(&json);
}

TEST(settings__hold_many_columns) {
    sw_buf json = {0};
    char name[64];
    sw_monitor_settings s;
    sw_buf_add(&json, "{\"columns\":{", 12);
    for (int i = 0; i < 1000; i++) {
        int len = snprintf(name, sizeof name, "%s\"c%d\":{\"privacy\":\"%s\"}", i ? "," : "", i,
                           i % 2 ? "mask" : "drop");
        sw_buf_add(&json, name, (size_t)len);
    }
    sw_buf_add(&json, "}}\0", 3);
    REQUIRE(reads(&s, json.at));
    CHECK(s.column_count == 1000);
    CHECK(sw_monitor_privacy(&s, SW_STR("c0")) == SW_PRIVACY_DROP);
    CHECK(sw_monitor_privacy(&s, SW_STR("c999")) == SW_PRIVACY_MASK);
    sw_buf_free(&json);
}

TEST(settings__say_what_is_wrong) {
    CHECK(refused("{\"tolerance\":2}", "\"tolerance\" is 2: it may be from 0 to 1"));
    CHECK(refused("{\"tolerance\":null}", "number"));
    CHECK(refused("{\"tolerances\":1}", "no field \"tolerances\""));
    CHECK(refused("{\"privacy\":\"secret\"}", "it may be keep, mask, hash, drop"));
    CHECK(refused("{\"columns\":{\"a\":{\"kind\":1}}}", "a column has no field \"kind\""));
    CHECK(refused("{\"reference\":{\"kind\":\"window\"}}", "needs \"from_ms\""));
    CHECK(refused("{\"reference\":{\"minutes\":0}}", "reference.minutes"));
    CHECK(refused("{\"segments\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "more than 4"));
    CHECK(refused("{\"log\":{\"bytes_max\":1}}", "log.bytes_max"));
    CHECK(refused("[]", "object"));
    CHECK(refused("{} x", "byte"));
    sw_arena_free(&arena);
}

TEST_MAIN
