/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/records.h"

#include "unit/test.h"

static sw_arena arena, keeping;
static sw_error error;

/* One input of three columns, as most models have. */
static sw_feature wide_features[] = {
    {.name = {"amount", 6}, .column = 0},
    {.name = {"age", 3}, .column = 1, .optional = true},
    {.name = {"mean concave points", 19}, .column = 2},
};
static sw_tensor_spec wide_inputs[] = {
    {.name = {"X", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 3}}};
static sw_signature wide = {
    .inputs = wide_inputs, .input_count = 1, .features = wide_features, .feature_count = 3};

/* One input for each column, of different datatypes, as scikit-learn's pipelines have them. */
static sw_feature mixed_features[] = {
    {.name = {"country", 7}, .input = 0, .kind = SW_FEATURE_CATEGORY, .optional = true},
    {.name = {"count", 5}, .input = 1},
    {.name = {"big", 3}, .input = 2},
    {.name = {"known", 5}, .input = 3},
    {.name = {"x\"y", 3}, .input = 4, .optional = true},
    {.name = {"half", 4}, .input = 5, .optional = true},
};
static sw_tensor_spec mixed_inputs[] = {
    {.name = {"country", 7}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}},
    {.name = {"count", 5}, .dtype = SW_INT32, .rank = 2, .shape = {-1, 1}},
    {.name = {"big", 3}, .dtype = SW_INT64, .rank = 1, .shape = {-1}},
    {.name = {"known", 5}, .dtype = SW_BOOL, .rank = 2, .shape = {-1, 1}},
    {.name = {"x\"y", 3}, .dtype = SW_FP64, .rank = 2, .shape = {-1, -1}},
    {.name = {"half", 4}, .dtype = SW_FP16, .rank = 2, .shape = {-1, 1}},
};
static sw_signature mixed = {
    .inputs = mixed_inputs, .input_count = 6, .features = mixed_features, .feature_count = 6};

static const sw_records_plan *plan_of(const sw_signature *signature) {
    sw_records_plan *plan = NULL;
    CHECK_OK(sw_records_plan_make(&plan, signature, &keeping, &error), error);
    return plan;
}

static sw_status parse(sw_records *out, const sw_signature *signature, const char *body) {
    error.text[0] = '\0';
    /* A block of the body's own size: a read beyond it is seen by the sanitizer. */
    size_t len = strlen(body);
    static char *copy;
    free(copy);
    copy = malloc(len ? len : 1);
    memcpy(copy, body, len);
    return sw_records_parse(out, plan_of(signature), (sw_str){copy, len}, &arena, &error);
}

/* `feature`: whose type is why; -1: it is something else. */
static void check_mismatch(const sw_signature *signature, const char *body, int feature) {
    sw_records r;
    CHECK_INT(parse(&r, signature, body).code, SW_CODE_INVALID);
    if ((int)r.mismatched - 1 != feature)
        printf("  %s\n", body);
    CHECK_INT((int)r.mismatched - 1, feature);
}

static void check_refused(const sw_signature *signature, const char *body, const char *why) {
    sw_records r;
    sw_status status = parse(&r, signature, body);
    if (status.code != SW_CODE_INVALID || !strstr(error.text, why))
        TEST_FAIL_("%.80s: \"%s\", not \"%s\"", body, error.text, why);
    sw_arena_reset(&arena);
}

TEST(records__one_object_is_one_row) {
    sw_records r;
    REQUIRE_OK(parse(&r, &wide, "{\"amount\":12.5,\"age\":30,\"mean concave points\":-1e-3}"),
               error);
    CHECK(r.single && r.rows == 1 && r.input_count == 1 && r.id.len == 0);
    CHECK_STR(r.inputs->name, "X");
    CHECK(r.inputs->dtype == SW_FP32 && r.inputs->rank == 2 && r.inputs->count == 3);
    CHECK(r.inputs->shape[0] == 1 && r.inputs->shape[1] == 3);
    const float *x = r.inputs->data;
    CHECK(x[0] == 12.5F && x[1] == 30 && x[2] == -1e-3F);
    sw_arena_reset(&arena);
}

TEST(records__fields_come_in_any_order) {
    sw_records r;
    REQUIRE_OK(parse(&r, &wide,
                     "[{\"mean concave points\":3,\"amount\":1,\"age\":2},\n"
                     " {\"mean concave points\": 6, \"amount\": 4, \"age\": 5} , "
                     "{ \"age\" : 8 , \"amount\":7,\"mean concave points\":9},"
                     "{\"\\u0061ge\":11,\"amount\":10,\"mean concave points\":12}]"),
               error);
    CHECK(!r.single && r.rows == 4);
    for (int i = 0; i < 12; i++)
        CHECK(((float *)r.inputs->data)[i] == (float)(i + 1));
    sw_arena_reset(&arena);
}

/* The reader looks for commas and braces before it looks at names and values. */
TEST(records__names_and_values_may_hold_what_ends_them) {
    static sw_feature features[] = {{.name = {"a,b", 3}, .column = 0},
                                    {.name = {"c}", 2}, .column = 1},
                                    {.name = {"d", 1}, .column = 2}};
    sw_signature odd = {
        .inputs = wide_inputs, .input_count = 1, .features = features, .feature_count = 3};
    sw_records r;
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(parse(&r, &odd,
                         i ? "[{\"a,b\":1,\"c}\":2,\"d\":3},{\"a,b\":4 , \"c}\":5,\"d\":6}]"
                           : "{\"d\":3,\"c}\": 2 ,\"a,b\":1}"),
                   error);
        for (size_t k = 0; k < r.inputs->count; k++)
            CHECK(((float *)r.inputs->data)[k] == (float)(k + 1));
        sw_arena_reset(&arena);
    }
    check_refused(&odd, "{\"a,b\":1,\"c}\":2,\"a,b\":1,\"d\":3}", "field 'a,b': came twice");
    check_refused(&wide, "{\"amount\":1,\"age\":2,\"amount\":3}", "field 'amount': came twice");
    check_refused(&wide, "{\"amount\":1,\"age\":\"2,5\",\"mean concave points\":3}", "field 'age'");
    check_refused(&wide, "{\"amount\":1,\"age\":,\"mean concave points\":3}", "field 'age'");
    check_refused(&wide, "{\"amount\":1}{\"age\":2}", "mean concave points");
}

TEST(records__many_rows) {
    enum { ROWS = 20000 };
    sw_buf body = {0};
    sw_records r;
    sw_buf_add_lit(
        &body,
        "[{\"amount\":0,\"mean concave points\":0}"); /* a short one first: the guess is wrong */
    for (int i = 1; i < ROWS; i++)
        sw_buf_printf(&body,
                      i % 3 ? ",{\"amount\":%d,\"age\":%d.5,\"mean concave points\":-%d}"
                            : ", {\"age\": %d, \"amount\": %d, \"mean concave points\": %d}",
                      i, i, i);
    sw_buf_add_lit(&body, "]");
    sw_buf_add_char(&body, '\0');
    REQUIRE_OK(parse(&r, &wide, body.at), error);
    CHECK(r.rows == ROWS && r.inputs->count == 3 * ROWS && r.inputs->shape[0] == ROWS);
    const float *x = r.inputs->data;
    CHECK(isnan(x[1]));
    for (int i = 1; i < ROWS; i++)
        if (x[3 * i] != (float)i || x[3 * i + 1] != (i % 3 ? (float)i + 0.5F : (float)i) ||
            x[3 * i + 2] != (float)(i % 3 ? -i : i))
            TEST_FAIL_("row %d is %g %g %g", i, (double)x[3 * i], (double)x[3 * i + 1],
                       (double)x[3 * i + 2]);
    sw_buf_free(&body);
    sw_arena_free(&arena);
}

TEST(records__a_list_may_have_an_object_around_it) {
    sw_records r;
    REQUIRE_OK(
        parse(&r, &wide, "{\"instances\":[{\"amount\":1,\"age\":2,\"mean concave points\":3}]}"),
        error);
    CHECK(!r.single && r.rows == 1);
    REQUIRE_OK(parse(&r, &wide,
                     "{\"id\":\"q-7\",\"records\" : [{\"amount\":1,\"age\":2,\"mean concave "
                     "points\":3}], \"parameters\":{}}"),
               error);
    CHECK(!r.single && r.rows == 1);
    CHECK_STR(r.id, "q-7");
    check_refused(&wide, "{\"instances\":[],\"instances\":[]}", "a second list of records");
    check_refused(&wide,
                  "{\"instances\":[{\"amount\":1,\"age\":2,\"mean concave points\":3}],\"x\":1}",
                  "unknown key 'x' beside the list of records");
    check_refused(&wide, "{\"instances\":5}", "expected an array, found a number");
    check_refused(&wide, "{\"instances\":[]}", "the list of records is empty");
    check_refused(&wide, "[]", "the list of records is empty");
    sw_arena_reset(&arena);
}

TEST(records__an_id_comes_along) {
    sw_records r;
    REQUIRE_OK(parse(&r, &wide, "{\"id\":\"a1\",\"amount\":1,\"age\":2,\"mean concave points\":3}"),
               error);
    CHECK_STR(r.id, "a1");
    REQUIRE_OK(parse(&r, &wide, "{\"amount\":1,\"age\":2,\"id\":17,\"mean concave points\":3}"),
               error);
    CHECK_STR(r.id, "17");
    check_refused(&wide, "{\"id\":1,\"id\":2,\"amount\":1,\"age\":2,\"mean concave points\":3}",
                  "unknown field 'id'");
    REQUIRE_OK(parse(&r, &wide,
                     "[{\"amount\":1,\"age\":2,\"mean concave points\":3},"
                     "{\"id\":\"b\",\"amount\":1,\"age\":2,\"mean concave points\":3},"
                     "{\"amount\":1,\"age\":2,\"mean concave points\":3,\"id\":3}]"),
               error);
    REQUIRE(r.row_ids && r.rows == 3 && r.id.len == 0);
    CHECK(r.row_ids[0].len == 0);
    CHECK_STR(r.row_ids[1], "b");
    CHECK_STR(r.row_ids[2], "3");
    check_refused(&wide, "[{\"id\":1,\"id\":2,\"amount\":1,\"age\":2,\"mean concave points\":3}]",
                  "unknown field 'id'");
    check_refused(&wide, "{\"id\":[],\"amount\":1,\"age\":2,\"mean concave points\":3}",
                  "\"id\" should be a string or a number");
    sw_arena_reset(&arena);
}

TEST(records__every_datatype) {
    sw_records r;
    REQUIRE_OK(
        parse(&r, &mixed,
              "[{\"country\":\"D\\u0045\",\"count\":-3,\"big\":9007199254740993,\"known\":true,"
              "\"x\\\"y\":0.1,\"half\":1.5},"
              "{\"country\":\"FR\",\"count\":2e3,\"big\":-9223372036854775808,\"known\":0,"
              "\"x\\\"y\":true,\"half\":false},"
              "{\"country\":null,\"count\":true,\"big\":0,\"known\":1.0,\"half\":null},"
              "{\"count\":7.0,\"big\":1,\"known\":false,\"x\\\"y\":NaN,\"half\":-Infinity}]"),
        error);
    REQUIRE(r.rows == 4 && r.input_count == 6);
    const sw_str *country = r.inputs[0].data;
    CHECK_STR(country[0], "DE");
    CHECK_STR(country[1], "FR");
    CHECK_STR(country[2], "");
    CHECK_STR(country[3], "");
    const int32_t *count = r.inputs[1].data;
    CHECK(count[0] == -3 && count[1] == 2000 && count[2] == 1 && count[3] == 7);
    const int64_t *big = r.inputs[2].data;
    CHECK(big[0] == 9007199254740993 && big[1] == INT64_MIN && r.inputs[2].rank == 1 &&
          r.inputs[2].count == 4);
    CHECK(memcmp(r.inputs[3].data, "\1\0\1\0", 4) == 0);
    const double *xy = r.inputs[4].data;
    CHECK(xy[0] == 0.1 && xy[1] == 1 && isnan(xy[2]) && isnan(xy[3]));
    CHECK(r.inputs[4].shape[0] == 4 && r.inputs[4].shape[1] == 1);
    const uint16_t *half = r.inputs[5].data;
    CHECK(half[0] == 0x3E00 && half[1] == 0 && isnan(sw_fp16_to_f32(half[2])) && half[3] == 0xFC00);
    sw_arena_reset(&arena);
}

TEST(records__what_is_missing_must_be_optional) {
    sw_records r;
    REQUIRE_OK(parse(&r, &wide,
                     "[{\"amount\":1,\"mean concave points\":3},{\"amount\":1,\"age\":null,\"mean "
                     "concave points\":3}]"),
               error);
    CHECK(isnan(((float *)r.inputs->data)[1]) && isnan(((float *)r.inputs->data)[4]));
    check_refused(&wide, "{}", "record 0, field 'amount': is missing");
    check_refused(&wide,
                  "[{\"amount\":1,\"age\":1,\"mean concave points\":3},{\"age\":1,\"mean concave "
                  "points\":3}]",
                  "record 1, field 'amount': is missing");
    check_refused(&wide, "{\"amount\":null,\"age\":1,\"mean concave points\":3}",
                  "record 0, field 'amount': is missing");
    check_refused(&mixed, "{\"country\":\"DE\",\"big\":1,\"known\":true}",
                  "field 'count': is missing");
    sw_arena_reset(&arena);
}

TEST(records__unknown_fields_get_a_hint) {
    check_refused(&wide, "{\"amuont\":1}",
                  "record 0: unknown field 'amuont'; did you mean 'amount'?");
    check_refused(&wide, "{\"Mean Concave Point\":1}", "did you mean 'mean concave points'?");
    check_refused(&wide, "{\"zzzzzz\":1}",
                  "unknown field 'zzzzzz'; the model has 3, of which the first is 'amount'");
    check_refused(&wide, "{\"amount\":1,\"age\":1,\"mean concave points\":3,\"more\":1}",
                  "unknown field 'more'");
}

TEST(records__wrong_values_name_row_and_field) {
    check_refused(&wide, "[{\"amount\":1,\"age\":2,\"mean concave points\":3},{\"amount\":\"12\"}]",
                  "record 1, field 'amount': expected a number, found a string");
    check_refused(&wide, "{\"amount\":[1]}", "field 'amount': expected a number, found an array");
    check_refused(&wide, "{\"amount\":01}", "field 'amount': a malformed number");
    check_refused(&wide, "{\"amount\":-}", "field 'amount': a malformed number");
    check_refused(&wide, "{\"amount\":1e99}", "field 'amount': a number that FP32 cannot hold");
    check_refused(&wide, "{\"amount\":1,\"amount\":1}", "field 'amount': came twice");
    check_refused(&wide, "{\"amount\":x}", "field 'amount': expected a number, at byte 10");
    check_refused(&mixed, "{\"country\":5}", "field 'country': expected a string, found a number");
    check_refused(&mixed, "{\"country\":\"\xFF\"}", "not UTF-8");
    check_refused(&mixed, "{\"count\":1.5}", "field 'count': a number that INT32 cannot hold");
    check_refused(&mixed, "{\"count\":2147483648}",
                  "field 'count': a number that INT32 cannot hold");
    check_refused(&mixed, "{\"count\":NaN}", "field 'count': expected a whole number");
    check_refused(&mixed, "{\"known\":2}", "field 'known': a number that BOOL cannot hold");
    check_refused(&mixed, "{\"known\":\"yes\"}",
                  "field 'known': expected true or false, found a string");
    check_refused(&mixed, "{\"half\":65520}", "field 'half': a number that FP16 cannot hold");
    check_refused(&wide, "5", "expected an object or a list of objects, found a number");
    check_refused(&wide, "", "expected an object or a list of objects, found nothing");
    check_refused(&wide, "[[1,2,3]]", "record 0 should be an object, but is an array");
    check_refused(&wide, "{\"amount\":1,\"age\":2,\"mean concave points\":3",
                  "expected ',' or '}', but the JSON ends");
    check_refused(&wide, "{\"amount\":1,\"age\":2,\"mean concave points\":3}}",
                  "nothing more behind");
    check_refused(&wide, "{\"amount\":1,,\"age\":2}", "a key in quotes");
    check_refused(&wide, "{,\"amount\":1}", "a key in quotes");
    check_refused(&wide, "{\"amount\":1,}", "a comma before '}'");
    check_refused(&wide, "{\"amount\" 1}", "expected ':'");
}

TEST(records__every_beginning_of_a_good_body_is_refused) {
    static const char body[] = "[{\"amount\":12.5,\"age\":30,\"mean concave points\":-1e-3}, "
                               "{\"age\": null, \"mean concave points\": 2, \"amount\": 1}]";
    sw_records r;
    for (size_t len = 0; len + 1 < sizeof body; len++) {
        char part[sizeof body];
        memcpy(part, body, len);
        part[len] = '\0';
        if (parse(&r, &wide, part).code != SW_CODE_INVALID)
            TEST_FAIL_("%s is taken", part);
        sw_arena_reset(&arena);
    }
    CHECK_OK(parse(&r, &wide, body), error);
    sw_arena_reset(&arena);
}

TEST(records_plan__says_why_there_is_none) {
    sw_records_plan *plan;
    sw_feature two[] = {{.name = {"a", 1}, .column = 0}, {.name = {"a", 1}, .column = 1}};
    sw_tensor_spec spec = {.name = SW_STR("X"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}};
    sw_signature s = {.inputs = &spec, .input_count = 1, .features = two, .feature_count = 2};
    CHECK_INT(sw_records_plan_make(&plan, &s, &arena, &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "two features are named 'a'");
    two[1].column = 0;
    CHECK_INT(sw_records_plan_make(&plan, &s, &arena, &error).code, SW_CODE_INVALID);
    two[1] = (sw_feature){.name = {"b", 1}, .column = 5};
    CHECK_INT(sw_records_plan_make(&plan, &s, &arena, &error).code, SW_CODE_INVALID);
    two[1] = (sw_feature){.name = {"b", 1}, .input = 5};
    CHECK(sw_failed(sw_records_plan_make(&plan, &s, &arena, &error)));
    spec.rank = 4;
    CHECK_INT(sw_records_plan_make(&plan, &s, &arena, &error).code, SW_CODE_UNSUPPORTED);
    CHECK_HAS(error.text, "input 'X' is no row of named features");
    s.feature_count = 0;
    CHECK_INT(sw_records_plan_make(&plan, &s, &arena, &error).code, SW_CODE_UNSUPPORTED);
    sw_arena_reset(&arena);
}

/* ---- Answers ---- */

static const float scores[] = {0.25F, 0.75F, NAN, 0.1F};
static const int64_t labels[] = {0, 9007199254740993};
static sw_str words[] = {{"no", 2}, {"y\"s", 3}};

static sw_tensor outputs[] = {
    {.name = {"label", 5},
     .dtype = SW_INT64,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)labels},
    {.name = {"word", 4}, .dtype = SW_BYTES, .rank = 2, .shape = {2, 1}, .count = 2, .data = words},
    {.name = {"p", 1},
     .dtype = SW_FP32,
     .rank = 2,
     .shape = {2, 2},
     .count = 4,
     .data = (void *)scores},
};

TEST(records_answer__one_object_for_each_row) {
    sw_infer_response response = {.model = SW_STR("fraud"),
                                  .version = SW_STR("3"),
                                  .id = SW_STR("7"),
                                  .outputs = outputs,
                                  .output_count = 3};
    sw_buf buf = {0};
    CHECK_OK(sw_records_write(&buf, &response, 2, false, &error), error);
    CHECK_STR(sw_buf_str(&buf),
              "{\"model\":\"fraud\",\"version\":\"3\",\"id\":\"7\",\"predictions\":["
              "{\"label\":0,\"word\":\"no\",\"p\":[0.25,0.75]},"
              "{\"label\":9007199254740993,\"word\":\"y\\\"s\",\"p\":[null,0.1]}]}");
    sw_buf_free(&buf);
}

TEST(records_answer__a_single_record_gets_a_prediction) {
    sw_tensor one[] = {
        {.name = {"score", 5},
         .dtype = SW_FP64,
         .rank = 2,
         .shape = {1, 1},
         .count = 1,
         .data = (double[]){0.9132}},
        {.name = {"all", 3}, .dtype = SW_UINT8, .rank = 0, .count = 1, .data = (uint8_t[]){3}},
        {.name = {"cube", 4},
         .dtype = SW_INT8,
         .rank = 3,
         .shape = {1, 1, 2},
         .count = 2,
         .data = (int8_t[]){1, -2}}};
    sw_infer_response response = {
        .model = SW_STR("fraud"), .version = SW_STR("3"), .outputs = one, .output_count = 3};
    sw_buf buf = {0};
    CHECK_OK(sw_records_write(&buf, &response, 1, true, &error), error);
    CHECK_STR(sw_buf_str(&buf), "{\"model\":\"fraud\",\"version\":\"3\",\"prediction\":{\"score\":"
                                "0.9132,\"all\":3,\"cube\":[1,-2]}}");
    CHECK_INT(sw_records_write(&buf, &response, 2, false, &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "output 'score' has no row for each record");
    sw_buf_free(&buf);
    sw_arena_free(&arena);
    sw_arena_free(&keeping);
}

TEST(records__say_whose_value_had_a_wrong_type) {
    static const char *const others[] = {
        "{\"amount\":}",
        "{\"amount\":1.2.3,\"age\":1,\"mean concave points\":2}",
        "{\"age\":1}",
        "{\"amount\":null,\"mean concave points\":1}",
        "{\"amont\":\"12.5\"}",
        "{\"amount\":1,\"amount\":\"12.5\"}",
        "[]",
        "{\"amount\":1,\"mean concave points\":2} true",
    };
    sw_records r;
    CHECK_OK(parse(&r, &wide, "{\"amount\":1,\"mean concave points\":2}"), error);
    CHECK_INT(r.mismatched, 0);
    check_mismatch(&wide, "{\"amount\":\"12.5\"}", 0);
    check_mismatch(&wide, "{\"amount\":1,\"mean concave points\":{\"a\":1}}", 2);
    check_mismatch(&wide,
                   "[{\"amount\":1,\"mean concave points\":2},"
                   "{\"amount\":1,\"age\":[],\"mean concave points\":2}]",
                   1);
    check_mismatch(&mixed, "{\"country\":49}", 0);
    check_mismatch(&mixed, "{\"count\":12.5}", 1);
    check_mismatch(&mixed, "{\"big\":\"1\"}", 2);
    check_mismatch(&mixed, "{\"known\":2}", 3);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_mismatch(&wide, others[i], -1);
    sw_arena_reset(&arena);
}

TEST(records__that_come_one_by_one_say_so_too_and_forget_it) {
    sw_records_rows *rows;
    REQUIRE_OK(sw_records_rows_make(&rows, plan_of(&wide), 4, &arena, &error), error);
    CHECK_INT(
        sw_records_rows_add(rows, SW_STR("{\"amount\":1,\"age\":\"12.5\"}"), NULL, &arena, &error)
            .code,
        SW_CODE_INVALID);
    CHECK_INT(sw_records_rows_mismatched(rows), 2);
    CHECK_INT(sw_records_rows_add(rows, SW_STR("{\"age\":1}"), NULL, &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_records_rows_mismatched(rows), 0);
    sw_arena_reset(&arena);
}

TEST_MAIN
