/* SPDX-License-Identifier: Apache-2.0 */
#include "api/observations_proto.h"
#include "api/proto_wire.h"
#include "unit/test.h"

static sw_error error;

static void put_f64(sw_buf *out, uint32_t field, double value) {
    sw_wire_put_tag(out, field, SW_WIRE_FIXED64);
    sw_buf_add(out, &value, sizeof value);
}

static size_t begin_entry(sw_buf *out, uint32_t field, const char *key) {
    size_t began = sw_wire_begin(out, field);
    sw_wire_put_string(out, 1, sw_str_of(key));
    return began;
}

static void check_json(const sw_buf *message, const char *wanted) {
    sw_buf json = {0};
    sw_status status = sw_observation_proto_to_json(&json, sw_buf_str(message), &error);
    CHECK_OK(status, error);
    CHECK_STR(sw_buf_str(&json), wanted);
    sw_buf_free(&json);
}

TEST(observation_proto__becomes_the_json_that_http_takes) {
    sw_buf m = {0};
    size_t entry = begin_entry(&m, 1, "amount"), value = sw_wire_begin(&m, 2);
    put_f64(&m, 1, 12.5);
    sw_wire_end(&m, value);
    sw_wire_end(&m, entry);
    entry = begin_entry(&m, 1, "country");
    value = sw_wire_begin(&m, 2);
    sw_wire_put_string(&m, 2, SW_STR("D\"E"));
    sw_wire_end(&m, value);
    sw_wire_end(&m, entry);
    entry = begin_entry(&m, 1, "gone");
    sw_wire_end(&m, entry);
    value = sw_wire_begin(&m, 2);
    sw_wire_put_number(&m, 4, (uint64_t)-3);
    sw_wire_end(&m, value);
    sw_wire_put_string(&m, 4, SW_STR("r-1"));
    sw_wire_put_number(&m, 5, 1000);
    put_f64(&m, 6, 2.5);
    check_json(&m, "{\"features\":{\"amount\":12.5,\"country\":\"D\\\"E\",\"gone\":null},"
                   "\"prediction\":-3,\"id\":\"r-1\",\"at_ms\":1000,\"latency_ms\":2.5}");
    sw_buf_free(&m);
}

TEST(observation_proto__takes_outputs_by_name_with_lists) {
    sw_buf m = {0};
    size_t entry = begin_entry(&m, 3, "proba"), value = sw_wire_begin(&m, 2),
           list = sw_wire_begin(&m, 5);
    for (int i = 1; i <= 2; i++) {
        size_t element = sw_wire_begin(&m, 1);
        put_f64(&m, 1, i / 4.0);
        sw_wire_end(&m, element);
    }
    sw_wire_end(&m, list);
    sw_wire_end(&m, value);
    sw_wire_end(&m, entry);
    check_json(&m, "{\"features\":{},\"prediction\":{\"proba\":[0.25,0.5]}}");
    value = sw_wire_begin(&m, 2);
    sw_wire_put_number(&m, 3, 1);
    sw_wire_end(&m, value);
    sw_buf json = {0};
    CHECK(sw_observation_proto_to_json(&json, sw_buf_str(&m), &error).code == SW_CODE_INVALID);
    CHECK(strstr(error.text, "not both"));
    sw_buf_free(&json);
    sw_buf_free(&m);
}

TEST(observation_proto__refuses_a_list_of_a_feature) {
    sw_buf m = {0}, json = {0};
    size_t entry = begin_entry(&m, 1, "x"), value = sw_wire_begin(&m, 2);
    sw_wire_end(&m, sw_wire_begin(&m, 5));
    sw_wire_end(&m, value);
    sw_wire_end(&m, entry);
    CHECK(sw_observation_proto_to_json(&json, sw_buf_str(&m), &error).code == SW_CODE_INVALID);
    sw_buf_free(&m);
    sw_buf_free(&json);
}

TEST_MAIN
