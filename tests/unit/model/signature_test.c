/* SPDX-License-Identifier: Apache-2.0 */
#include "model/signature.h"

#include "model_testing.h"

static sw_arena arena;
static sw_error error;

static sw_tensor_spec spec(const char *name, sw_dtype dtype, uint8_t rank, int64_t first,
                           int64_t second) {
    return (sw_tensor_spec){
        .name = sw_str_of(name), .dtype = dtype, .rank = rank, .shape = {first, second}};
}

static sw_status make(sw_signature *out, const sw_tensor_spec *inputs, size_t count) {
    static const sw_str labels[] = {{"no", 2}, {"yes", 3}};
    static sw_tensor_spec output;
    output = spec("probabilities", SW_FP32, 2, -1, 2);
    output.dim_names[0] = SW_STR("N");
    output.labels = labels;
    output.label_count = 2;
    sw_model_info info = {
        .inputs = inputs, .input_count = count, .outputs = &output, .output_count = 1};
    return sw_signature_from_model(out, &info, &arena, &error);
}

static sw_signature wide(int64_t columns) {
    sw_signature out;
    sw_tensor_spec input = spec("X", SW_FP32, 2, -1, columns);
    if (sw_failed(make(&out, &input, 1)))
        abort();
    return out;
}

static sw_signature mixed(void) {
    sw_signature out;
    sw_tensor_spec inputs[] = {spec("age", SW_FP32, 2, -1, 1), spec("visits", SW_INT64, 2, -1, 1),
                               spec("city", SW_BYTES, 2, -1, 1), spec("flag", SW_BOOL, 1, -1, 0)};
    if (sw_failed(make(&out, inputs, 4)))
        abort();
    return out;
}

static sw_status name(sw_signature *signature, const char *header) {
    sw_str columns[64], rest = sw_str_of(header);
    size_t count = 0;
    while (rest.len && count < 64)
        columns[count++] = sw_str_split(&rest, ',');
    return sw_signature_name_columns(signature, columns, count, &arena, &error);
}

static sw_status apply(sw_signature *signature, const char *json) {
    return sw_signature_apply_json(signature, sw_str_of(json), &arena, &error);
}

TEST(signature__numbers_the_columns_of_a_wide_input) {
    sw_signature s = wide(3);
    CHECK_INT(s.feature_count, 3);
    CHECK_STR(s.features[2].name, "x2");
    CHECK_INT(s.features[2].column, 2);
    CHECK_INT(s.features[2].kind, SW_FEATURE_NUMERIC);
    CHECK(!s.features[2].optional);
    CHECK_INT(sw_signature_find(&s, SW_STR("x1")), 1);
    CHECK_INT(sw_signature_find(&s, SW_STR("x3")), -1);
}

TEST(signature__calls_one_column_inputs_by_their_name) {
    sw_signature s = mixed();
    CHECK_INT(s.feature_count, 4);
    CHECK_STR(s.features[2].name, "city");
    CHECK_INT(s.features[2].kind, SW_FEATURE_CATEGORY);
    CHECK_INT(s.features[2].input, 2);
    CHECK_STR(s.features[3].name, "flag");
    CHECK_INT(s.features[1].kind, SW_FEATURE_NUMERIC);
}

TEST(signature__several_wide_inputs_keep_apart) {
    sw_signature s;
    sw_tensor_spec inputs[] = {spec("a", SW_FP32, 2, -1, 2), spec("b", SW_FP64, 2, -1, 2)};
    REQUIRE_OK(make(&s, inputs, 2), error);
    CHECK_STR(s.features[0].name, "a[0]");
    CHECK_STR(s.features[3].name, "b[1]");
}

TEST(signature__images_and_token_ids_have_no_features) {
    sw_signature s;
    sw_tensor_spec image = {
        .name = SW_STR("X"), .dtype = SW_FP32, .rank = 4, .shape = {-1, 1, 28, 28}};
    sw_tensor_spec tokens = spec("ids", SW_INT64, 2, -1, 64), open = spec("X", SW_FP32, 2, -1, -1);
    sw_tensor_spec flat = spec("X", SW_FP32, 2, -1, 150528);
    REQUIRE_OK(make(&s, &image, 1), error);
    CHECK_INT(s.feature_count, 0);
    CHECK_INT(name(&s, "a,b").code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "no columns");
    REQUIRE_OK(make(&s, &open, 1), error);
    CHECK_INT(s.feature_count, 0);
    REQUIRE_OK(make(&s, &flat, 1), error);
    CHECK_INT(s.feature_count, 0);
    REQUIRE_OK(make(&s, &tokens, 1), error);
    CHECK_INT(s.feature_count, 0);
}

TEST(signature__whole_number_columns_become_features_once_named) {
    sw_signature s;
    sw_tensor_spec input = spec("X", SW_INT64, 2, -1, 3);
    REQUIRE_OK(make(&s, &input, 1), error);
    CHECK_INT(s.feature_count, 0);
    REQUIRE_OK(name(&s, "rooms,floor,year,target"), error);
    CHECK_INT(s.feature_count, 3);
    CHECK_STR(s.features[1].name, "floor");
}

TEST(signature__takes_names_from_a_header_in_the_model_s_order) {
    sw_signature s = wide(3);
    REQUIRE_OK(name(&s, "mean radius,mean texture,area"), error);
    CHECK_STR(s.features[0].name, "mean radius");
    CHECK_STR(s.features[2].name, "area");
}

TEST(signature__leaves_the_label_out) {
    static const char *const headers[] = {"a,b,c,target", "Target,a,b,c", "a,y,b,c", "a,b,c,price"};
    for (size_t i = 0; i < 4; i++) {
        sw_signature s = wide(3);
        REQUIRE_OK(name(&s, headers[i]), error);
        CHECK_STR(s.features[0].name, "a");
        CHECK_STR(s.features[1].name, "b");
        CHECK_STR(s.features[2].name, "c");
    }
}

TEST(signature__matches_one_column_inputs_in_any_order) {
    sw_signature s = mixed();
    REQUIRE_OK(name(&s, "id,flag,city,target,visits,age"), error);
    CHECK_STR(s.features[0].name, "age");
    CHECK_STR(s.features[3].name, "flag");
}

TEST(signature__a_header_that_does_not_fit_is_refused) {
    sw_signature s = wide(3);
    CHECK_INT(name(&s, "a,b").code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "2 columns and the model has 3 features");
    CHECK_INT(name(&s, "a,b,c,d,e").code, SW_CODE_INVALID);
    s = wide(3);
    CHECK_INT(name(&s, "a,a,b").code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "two features are called \"a\"");
    s = wide(3);
    CHECK_INT(name(&s, "a,,b").code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "no name");
    s = wide(2);
    CHECK_INT(name(&s, "a,\xff").code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "UTF-8");
}

TEST(signature__a_file_names_features_in_turn) {
    sw_signature s = wide(3);
    REQUIRE_OK(
        apply(&s,
              "{\"features\": [\"a\", {\"name\": \"b\", \"min\": -1, \"max\": 2.5},"
              " {\"name\": \"c\", \"kind\": \"category\", \"categories\": [\"x\", 1, 2.50, true],"
              " \"optional\": true}]}"),
        error);
    CHECK_STR(s.features[0].name, "a");
    CHECK(s.features[1].has_range);
    CHECK(s.features[1].min == -1 && s.features[1].max == 2.5);
    CHECK(!s.features[0].has_range);
    CHECK_INT(s.features[2].kind, SW_FEATURE_CATEGORY);
    CHECK_INT(s.features[2].category_count, 4);
    CHECK_STR(s.features[2].categories[1], "1");
    CHECK_STR(s.features[2].categories[2], "2.50");
    CHECK_STR(s.features[2].categories[3], "true");
    CHECK(s.features[2].optional);
}

TEST(signature__a_file_may_speak_of_some_features_by_name_or_place) {
    sw_signature s = mixed();
    REQUIRE_OK(apply(&s, "{\"features\": [{\"name\": \"city\", \"categories\": [\"Rome\"]},"
                         " {\"name\": \"years\", \"input\": \"age\", \"column\": 0}]}"),
               error);
    CHECK_STR(s.features[0].name, "years");
    CHECK_STR(s.features[2].name, "city");
    CHECK_INT(s.features[2].category_count, 1);
    CHECK_STR(s.features[1].name, "visits");
}

TEST(signature__a_file_may_label_outputs) {
    sw_signature s = wide(2);
    REQUIRE_OK(apply(&s, "{\"outputs\": [{\"name\": \"probabilities\", \"labels\": [\"benign\", "
                         "\"malignant\"]}]}"),
               error);
    CHECK_STR(s.outputs[0].labels[1], "malignant");
}

TEST(signature__a_file_that_contradicts_the_model_is_refused) {
    static const struct {
        const char *json, *reason;
    } wrong[] = {
        {"{\"inputs\": [{\"name\": \"Z\"}]}", "which the model lacks"},
        {"{\"inputs\": [{\"name\": \"X\", \"datatype\": \"INT64\"}]}", "contradicts"},
        {"{\"inputs\": [{\"name\": \"X\", \"shape\": [-1, 4]}]}", "contradicts"},
        {"{\"inputs\": [{\"name\": \"X\", \"shape\": [3]}]}", "contradicts"},
        {"{\"outputs\": [{\"name\": \"probabilities\", \"labels\": [\"benign\"]}]}",
         "1 labels for output \"probabilities\", which has 2 columns"},
        {"{\"features\": [\"a\", \"b\", \"c\", \"d\"]}", "beyond the model's 3 columns"},
        {"{\"features\": [{\"name\": \"a\", \"input\": \"X\", \"column\": 3}]}", "no column"},
        {"{\"features\": [{\"name\": \"a\", \"input\": \"Y\", \"column\": 0}]}", "no column"},
        {"{\"features\": [{\"name\": \"a\", \"column\": 1}, {\"name\": \"b\", \"column\": 1}]}",
         "twice"},
        {"{\"features\": [\"a\", \"a\"]}", "called \"a\""},
        {"{\"features\": [{\"kind\": \"numeric\"}]}", "lacks its \"name\""},
        {"{\"features\": [{\"name\": \"a\", \"kind\": \"colour\"}]}",
         "\"numeric\" or \"category\""},
        {"{\"features\": [{\"name\": \"a\", \"min\": 3, \"max\": 1}]}", "\"min\" and \"max\""},
        {"{\"features\": [{\"name\": \"a\", \"min\": 3}]}", "\"min\" and \"max\""},
        {"{\"features\": [7]}", "signature"},
        {"{\"features\": {}}", "signature"},
        {"{\"inputs\": [{\"datatype\": \"FP32\"}]}", "lacks its \"name\""},
        {"{\"inputs\": [{\"name\": \"X\", \"datatype\": \"FLOAT\"}]}", "no datatype \"FLOAT\""},
        {"{\"inputs\": [{\"name\": \"X\", \"shape\": [1,1,1,1,1,1,1,1,1]}]}", "at most 8"},
        {"{\"inputs\": [{\"name\": \"X\", \"shape\": [-2, 3]}]}", "-1 (any)"},
        {"[]", "signature"},
        {"", "signature"},
        {"{\"features\": [", "signature"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sw_signature s = wide(3);
        error.text[0] = '\0';
        CHECK_INT(apply(&s, wrong[i].json).code, SW_CODE_INVALID);
        if (!strstr(error.text, wrong[i].reason))
            TEST_FAIL_("%s: \"%s\", without \"%s\"", wrong[i].json, error.text, wrong[i].reason);
    }
}

static void check_same(const sw_signature *a, const sw_signature *b) {
    sw_buf one = {0}, two = {0};
    sw_signature_to_json(&one, a);
    sw_signature_to_json(&two, b);
    CHECK(one.len > 2 && sw_str_eq(sw_buf_str(&one), sw_buf_str(&two)));
    sw_buf_free(&one);
    sw_buf_free(&two);
}

TEST(signature__comes_back_from_json_unchanged) {
    sw_signature s = mixed(), back;
    sw_buf json = {0};
    REQUIRE_OK(apply(&s, "{\"features\": [{\"name\": \"age\", \"min\": 0.1, \"max\": 1e300},"
                         "{\"name\": \"city\", \"categories\": [\"R\\u00f4me\", \"\\\"\", \"\"], "
                         "\"optional\": true}]}"),
               error);
    sw_signature_to_json(&json, &s);
    CHECK(!json.failed);
    REQUIRE_OK(sw_signature_from_json(&back, sw_buf_str(&json), &arena, &error), error);
    memset(json.at, 'x', json.len); /* nothing of the text is kept */
    check_same(&s, &back);
    CHECK_INT(back.feature_count, 4);
    CHECK_INT(back.features[3].input, 3);
    CHECK_STR(back.outputs[0].labels[1], "yes");
    CHECK_STR(back.outputs[0].dim_names[0], "N");
    CHECK(back.features[0].max == 1e300);
    sw_buf_free(&json);
}

TEST(signature__a_whole_one_needs_types_and_shapes) {
    sw_signature s;
    CHECK_INT(
        sw_signature_from_json(&s, SW_STR("{\"inputs\":[{\"name\":\"X\"}]}"), &arena, &error).code,
        SW_CODE_INVALID);
    CHECK_HAS(error.text, "lacks its \"datatype\"");
    CHECK_INT(sw_signature_from_json(&s, SW_STR("{\"features\":[\"a\"]}"), &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "no input has a column");
    CHECK_OK(sw_signature_from_json(&s, SW_STR("{}"), &arena, &error), error);
    CHECK_INT(s.feature_count, 0);
}

TEST(signature__two_features_cannot_share_a_column) {
    sw_signature s;
    CHECK_INT(sw_signature_from_json(&s,
                                     SW_STR("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\","
                                            "\"shape\":[-1,2]}],\"features\":[{\"name\":\"a\","
                                            "\"column\":1},{\"name\":\"b\"}]}"),
                                     &arena, &error)
                  .code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "twice");
}

TEST(signature__features_without_a_place_come_in_turn) {
    sw_signature s;
    REQUIRE_OK(sw_signature_from_json(
                   &s,
                   SW_STR("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\",\"shape\":[-1,2]},"
                          "{\"name\":\"n\",\"datatype\":\"INT64\",\"shape\":[-1]}],"
                          "\"features\":[\"a\",\"b\",{\"name\":\"n\"}]}"),
                   &arena, &error),
               error);
    CHECK(s.features[0].input == 0 && s.features[0].column == 0);
    CHECK(s.features[1].input == 0 && s.features[1].column == 1);
    CHECK(s.features[2].input == 1 && s.features[2].column == 0);
    CHECK_INT(sw_signature_from_json(&s,
                                     SW_STR("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\","
                                            "\"shape\":[-1,2]}],\"features\":[\"a\",\"b\",\"c\"]}"),
                                     &arena, &error)
                  .code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "no input has a column");
}

TEST(signature__of_a_real_model_is_right) {
    sw_signature s;
    sw_model *model = test_open("logreg30_linearclassifier.onnx", NULL);
    REQUIRE(model);
    REQUIRE_OK(sw_signature_from_model(&s, sw_model_get_info(model), &arena, &error), error);
    sw_model_close(model); /* the signature stands by itself */
    CHECK_INT(s.feature_count, 30);
    CHECK_STR(s.inputs[0].name, "X");
    CHECK_STR(s.outputs[1].labels[1], "1");
    sw_arena_free(&arena);
}

TEST_MAIN
