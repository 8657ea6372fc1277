/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/serve/serving.h"

static const char *const plain = MODELS "logreg30.onnx";

static sw_status push_and_deploy(serving *s, const char *model, const char *onnx) {
    sw_deployed d;
    SW_TRY(serving_push(s, model, onnx, NULL, NULL));
    return serving_deploy(&d, s, model, "");
}

TEST(predict__says_what_the_training_code_said) {
    serving s;
    size_t count;
    sw_buf expected = {0};
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    REQUIRE_OK(sw_file_read_whole(&expected, MODELS "logreg30.out.f32", 1 << 20, &s.error),
               s.error);
    const float *rows = serving_rows(&count);
    for (size_t i = 0; i < count; i++) {
        asked a = {0};
        REQUIRE_OK(serving_predict(&a, &s, 0, "fraud", rows + 30 * i, 1), a.error);
        float want;
        memcpy(&want, expected.at + i * sizeof want, sizeof want);
        CHECK_NEAR(a.scores[0], want, 1e-5);
    }
    sw_buf_free(&expected);
    serving_end(&s);
}

TEST(predict__gives_requests_of_one_turn_the_answers_that_they_get_alone) {
    serving s;
    size_t count;
    enum { MANY = 40 };
    static asked together[MANY];
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    memset(together, 0, sizeof together);
    for (size_t i = 0; i < MANY; i++)
        serving_ask(&together[i], &s, 0, "fraud", rows + 30 * (i % (count - 3)), 1 + i % 3);
    for (size_t i = 0; i < MANY; i++) {
        asked alone = {0};
        REQUIRE_OK(serving_wait(&together[i]), together[i].error);
        REQUIRE_OK(
            serving_predict(&alone, &s, 0, "fraud", rows + 30 * (i % (count - 3)), 1 + i % 3),
            alone.error);
        for (size_t k = 0; k < 1 + i % 3; k++)
            CHECK(together[i].scores[k] == alone.scores[k]);
    }
    serving_end(&s);
}

TEST(predict__names_an_unknown_model_and_what_is_live_instead_of_a_version) {
    serving s;
    size_t count;
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    asked a = {0};
    CHECK_INT(serving_predict(&a, &s, 0, "froud", rows, 1).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(a.error.text, "unknown model: 'froud'");
    asked b = {.spec = "7"};
    CHECK_INT(serving_predict(&b, &s, 0, "fraud", rows, 1).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(b.error.text, "version 1");
    asked c = {.spec = "1"};
    CHECK_OK(serving_predict(&c, &s, 0, "fraud", rows, 1), c.error);
    serving_end(&s);
}

TEST(predict__answers_by_alias_once_it_points_at_what_is_live) {
    serving s;
    size_t count;
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    asked before = {.spec = "champion"};
    CHECK_INT(serving_predict(&before, &s, 0, "fraud", rows, 1).code, SW_CODE_NOT_FOUND);
    REQUIRE_OK(sw_registry_set_alias(s.registry, SW_STR("fraud"), SW_STR("champion"), 1,
                                     SW_STR("ada"), &s.error),
               s.error);
    REQUIRE_OK(sw_deployer_refresh_aliases(s.deployer, SW_STR("fraud"), &s.error), s.error);
    asked after = {.spec = "champion"};
    CHECK_OK(serving_predict(&after, &s, 0, "fraud", rows, 1), after.error);
    serving_end(&s);
}

TEST(predict__refuses_what_is_past_its_deadline_or_has_no_client) {
    serving s;
    size_t count;
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    asked late = {.deadline_ns = 1};
    CHECK_INT(serving_predict(&late, &s, 0, "fraud", rows, 1).code, SW_CODE_DEADLINE);
    asked gone = {.cancelled = true};
    CHECK_INT(serving_predict(&gone, &s, 0, "fraud", rows, 1).code, SW_CODE_CANCELLED);
    serving_end(&s);
}

TEST(predict__refuses_an_empty_batch) {
    serving s;
    size_t count;
    serving_make(&s, 1);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    asked a = {0};
    CHECK_INT(serving_predict(&a, &s, 0, "fraud", serving_rows(&count), 0).code, SW_CODE_INVALID);
    serving_end(&s);
}

TEST(predict__refuses_early_beyond_what_may_be_in_hand) {
    serving s = {0};
    size_t count;
    enum { MANY = 200 };
    static asked all[MANY];
    scratch_make(s.dir);
    REQUIRE_OK(serving_up(&s, 1, &(sw_predict_limits){.in_hand_max = 4}), s.error);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    memset(all, 0, sizeof all);
    for (size_t i = 0; i < MANY; i++)
        serving_ask(&all[i], &s, 0, "fraud", rows, 1);
    size_t busy = 0, good = 0;
    for (size_t i = 0; i < MANY; i++) {
        sw_status status = serving_wait(&all[i]);
        busy += status.code == SW_CODE_BUSY;
        good += !sw_failed(status);
    }
    CHECK_INT(busy + good, MANY);
    CHECK(good >= 4);
    CHECK_INT(sw_predictor_in_hand(s.predictor), 0);
    serving_end(&s);
}

TEST(predict__counts_every_answer_once) {
    serving s;
    size_t count;
    serving_make(&s, 2);
    REQUIRE_OK(push_and_deploy(&s, "fraud", plain), s.error);
    const float *rows = serving_rows(&count);
    for (uint32_t i = 0; i < 100; i++) {
        asked a = {0};
        REQUIRE_OK(serving_predict(&a, &s, i % 2, "fraud", rows, 1), a.error);
    }
    sw_deployed d;
    REQUIRE_OK(
        sw_deployer_undeploy(&d, s.deployer, SW_STR("fraud"), SW_STR("ada"), &s.arena, &s.error),
        s.error);
    sw_traffic_now now;
    for (int i = 0; i < 500; i++) {
        sw_stats_now(&now, s.parts.stats, SW_STR("fraud"));
        if (now.requests == 100)
            break;
        usleep(2000);
    }
    CHECK_INT(now.requests, 100);
    CHECK_INT(now.failures, 0);
    serving_end(&s);
}

TEST_MAIN
