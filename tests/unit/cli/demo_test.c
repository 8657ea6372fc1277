/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_private.h"

#include "unit/test.h"

TEST(demo_files__are_in_the_binary) {
    sw_str model = sw_demo_file("linear.onnx");
    CHECK(model.len > 500 && model.len < 2000);
    CHECK(sw_demo_file("boosted.onnx").len > 10000);
    CHECK(sw_str_starts(sw_demo_file("train.csv"), SW_STR("mean_radius,mean_texture,")));
    CHECK(sw_demo_file("nothing.csv").at == NULL);
}

TEST(demo_rows__read_features_label_and_expected_answer) {
    sw_demo_rows test, check;
    sw_error error;
    REQUIRE_OK(sw_demo_rows_read(&test, "test.csv", &error), error);
    CHECK_INT(test.count, 284);
    CHECK_TEXT(test.names[0], "mean_radius");
    CHECK_TEXT(test.names[29], "worst_fractal_dimension");
    double malignant = 0;
    for (size_t i = 0; i < test.count; i++)
        malignant += test.label[i];
    CHECK_NEAR(malignant / (double)test.count, 212.0 / 569, 0.01); /* as in the whole data */
    REQUIRE_OK(sw_demo_rows_read(&check, "check-linear.csv", &error), error);
    CHECK_INT(check.count, 24);
    for (size_t i = 0; i < check.count; i++)
        CHECK((check.expected[i] > 0.5) == (check.label[i] > 0.5));
    sw_demo_rows_free(&test);
    sw_demo_rows_free(&check);
}

TEST(demo_rows__stretch_lengths_once_and_areas_twice) {
    sw_demo_rows rows, as_they_are;
    sw_error error;
    REQUIRE_OK(sw_demo_rows_read(&as_they_are, "test.csv", &error), error);
    REQUIRE_OK(sw_demo_rows_read(&rows, "test.csv", &error), error);
    sw_demo_rows_stretch(&rows, 2);
    for (size_t i = 0; i < SW_DEMO_COLUMNS; i++) {
        double by = strstr(rows.names[i], "area")                                           ? 4
                    : strstr(rows.names[i], "radius") || strstr(rows.names[i], "perimeter") ? 2
                                                                                            : 1;
        CHECK_NEAR(rows.x[7][i], as_they_are.x[7][i] * by, 1e-9);
    }
    sw_demo_rows_free(&rows);
    sw_demo_rows_free(&as_they_are);
}

TEST(demo_requests__hold_as_many_rows_as_asked_for_and_wrap) {
    sw_demo_rows rows;
    sw_error error;
    sw_buf text = {0};
    REQUIRE_OK(sw_demo_rows_read(&rows, "test.csv", &error), error);
    sw_demo_write_infer(&text, &rows, rows.count - 1, 3);
    json_t *json = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *data =
        json_object_get(json_array_get(json_object_get(json, "inputs"), 0), "data");
    CHECK_INT(json_array_size(data), 3 * SW_DEMO_COLUMNS);
    CHECK_NEAR(json_number_value(json_array_get(data, SW_DEMO_COLUMNS)), rows.x[0][0], 1e-5);
    json_decref(json);
    sw_buf_clear(&text);
    sw_demo_write_records(&text, &rows, 0, 2);
    json = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
    CHECK_INT(json_array_size(json), 2);
    CHECK_INT(json_object_size(json_array_get(json, 1)), SW_DEMO_COLUMNS);
    json_decref(json);
    sw_buf_clear(&text);
    sw_demo_write_grpc(&text, &rows, 0, 2);
    CHECK_INT(text.at[0], 0);
    CHECK_INT((unsigned char)text.at[3] << 8 | (unsigned char)text.at[4], text.len - 5);
    sw_buf_free(&text);
    sw_demo_rows_free(&rows);
}

TEST(demo_answers__are_read_and_refused_where_they_lack) {
    double got[2];
    sw_error error;
    CHECK_OK(sw_demo_read_infer(got, 2,
                                SW_STR("{\"outputs\":[{\"name\":\"label\",\"data\":[1,0]},"
                                       "{\"name\":\"probabilities\",\"data\":[0.25,0.75,1,0]}]}"),
                                &error),
             error);
    CHECK_NEAR(got[0], 0.75, 0);
    CHECK_NEAR(got[1], 0, 0);
    CHECK_INT(sw_demo_read_infer(got, 2, SW_STR("{\"outputs\":[]}"), &error).code, SW_CODE_INVALID);
    CHECK_INT(sw_demo_read_infer(got, 2, SW_STR("nonsense"), &error).code, SW_CODE_INVALID);
    CHECK_OK(sw_demo_read_records(
                 got, 1, SW_STR("{\"predictions\":[{\"label\":1,\"probabilities\":[0.5,0.5]}]}"),
                 &error),
             error);
    CHECK_NEAR(got[0], 0.5, 0);
    CHECK_INT(sw_demo_read_records(got, 2, SW_STR("{\"predictions\":[]}"), &error).code,
              SW_CODE_INVALID);
}

/* Two outputs, the second of them the probabilities 0.25 and 0.75, as raw contents. */
static const char grpc_answer[] = "\0\0\0\0\x28"
                                  "\x0a\x01m"
                                  "\x2a\x07\x0a\x05label"
                                  "\x2a\x0f\x0a\x0dprobabilities"
                                  "\x32\x01\x01"
                                  "\x32\x08\0\0\x80\x3e\0\0\x40\x3f";

TEST(demo_grpc__finds_the_output_by_its_name) {
    double got[1];
    sw_error error;
    sw_str body = {grpc_answer, sizeof grpc_answer - 1};
    CHECK_OK(sw_demo_read_grpc(got, 1, body, SW_STR("grpc-status: 0\r\n"), &error), error);
    CHECK_NEAR(got[0], 0.75, 0);
}

TEST(demo_grpc__says_what_the_status_says) {
    double got[1];
    sw_error error;
    sw_status status =
        sw_demo_read_grpc(got, 1, (sw_str){NULL, 0},
                          SW_STR("grpc-status: 5\r\ngrpc-message: no such model\r\n"), &error);
    CHECK_INT(status.code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "no such model");
}

TEST(demo_grpc__refuses_every_cut_of_an_answer) {
    double got[1];
    sw_error error;
    for (size_t len = 0; len + 1 < sizeof grpc_answer; len++) {
        char *copy = malloc(len ? len : 1);
        REQUIRE(copy != NULL);
        memcpy(copy, grpc_answer, len);
        CHECK_INT(
            sw_demo_read_grpc(got, 1, (sw_str){copy, len}, SW_STR("grpc-status: 0\r\n"), &error)
                .code,
            SW_CODE_INVALID);
        free(copy);
    }
}

TEST_MAIN
