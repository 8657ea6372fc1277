/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/serve/serving.h"

#include "serve/check.h"
#include "unit/model/model_testing.h"

static uint32_t answering(serving *s, const char *model) {
    size_t count;
    asked a = {0};
    sw_status status = serving_predict(&a, s, 0, model, serving_rows(&count), 1);
    return sw_failed(status) ? 0 : a.version;
}

TEST(deploy__makes_a_pushed_version_answer) {
    serving s;
    sw_deployed d;
    serving_make(&s, 2);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", EXAMPLES "train.csv",
                            EXAMPLES "check-linear.csv"),
               s.error);
    CHECK_INT(answering(&s, "fraud"), 0);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", ""), s.error);
    CHECK_INT(d.revision.version, 1);
    CHECK_INT(d.revision.state, SW_REVISION_LIVE);
    CHECK_STR(d.revision.served_by, "native");
    CHECK(d.checked_rows > 10);
    CHECK_INT(answering(&s, "fraud"), 1);
    serving_end(&s);
}

TEST(deploy__refuses_a_version_that_disagrees_with_its_check_rows_and_keeps_the_old_one) {
    serving s;
    sw_deployed d;
    serving_make(&s, 1);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", EXAMPLES "train.csv", NULL),
               s.error);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear-strict.onnx", EXAMPLES "train.csv",
                            EXAMPLES "check-linear.csv"),
               s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", "1"), s.error);
    sw_status status = serving_deploy(&d, &s, "fraud", "2");
    CHECK_INT(status.code, SW_CODE_REFUSED);
    CHECK_HAS(s.error.text, "disagrees with its check rows");
    CHECK_HAS(s.error.text, "row ");
    CHECK_INT(d.revision.state, SW_REVISION_FAILED);
    CHECK_INT(answering(&s, "fraud"), 1);
    sw_model_row row;
    REQUIRE_OK(sw_registry_get_model(&row, s.registry, SW_STR("fraud"), &s.arena, &s.error),
               s.error);
    REQUIRE(row.live != NULL);
    CHECK_INT(row.live->version, 1);
    CHECK_INT(row.revisions[0].state, SW_REVISION_FAILED);
    serving_end(&s);
}

TEST(push__leaves_nothing_behind_where_the_file_is_no_model) {
    serving s;
    serving_make(&s, 1);
    sw_status status = serving_push(&s, "fraud", EXAMPLES "train.csv", NULL, NULL);
    CHECK_INT(status.code, SW_CODE_INVALID);
    sw_model_row *rows;
    size_t count;
    REQUIRE_OK(sw_registry_list_models(&rows, &count, s.registry, &s.arena, &s.error), s.error);
    CHECK_INT(count, 0);
    serving_end(&s);
}

TEST(push__says_which_column_of_the_check_rows_is_unknown) {
    serving s;
    serving_make(&s, 1);
    sw_status status =
        serving_push(&s, "fraud", MODELS "logreg30.onnx", NULL, EXAMPLES "check-linear.csv");
    CHECK_INT(status.code, SW_CODE_INVALID);
    CHECK_HAS(s.error.text, "mean_radius");
    serving_end(&s);
}

#define FIVE "x0,x1,x2,x3,x4"

TEST(push__refuses_check_rows_that_no_deploy_could_replay) {
    static const struct {
        const char *csv, *told; /* "" where it is taken */
    } rows[] = {
        {FIVE ",=label,=probabilities[2]\n1,2,3,4,5,0,0.5\n", ""},
        {FIVE ",=label\ntrue,False,3,4,5,True\n", ""},
        {FIVE ",=probabilities[2]\n1,2,3,4,5,nan\n", ""},
        {"", "no column with expected values"},
        {FIVE "\n1,2,3,4,5\n", "no column with expected values"},
        {FIVE ",=label\n", "the file has no rows"},
        {"x0,x1,x2,x3,=label\n1,2,3,4,0\n", "there is no column for the feature 'x4'"},
        {FIVE ",=nothing\n1,2,3,4,5,0\n", "names no output"},
        {FIVE ",=probabilities[3]\n1,2,3,4,5,0\n", "is beyond the 3 values"},
        {FIVE ",=label[1]\n1,2,3,4,5,0\n", "is beyond the 1 values"},
        {FIVE ",=label\n1,2,3,4,5,0\n1,2,oops,4,5,0\n", "line 3, column 'x2': 'oops' is no number"},
        {FIVE ",=label\n1,2,3,4,5,yes\n", "line 2, column '=label': 'yes' is no number"},
        {FIVE ",=label\n1,2,3,4,5,\n", "line 2, column '=label': '' is no number"},
        {FIVE ",=label\n1,2,3,4,5\n", "check rows: line 2 has 5 fields, the header has 6"},
        {FIVE ",=label\n1,2,,4,5,0\n", "check rows: line 2: record 0, field 'x2': is missing"},
        {FIVE ",=label\n1,2,1e99,4,5,0\n", "field 'x2': a number that FP32 cannot hold"},
        {FIVE ",x4,=label\n1,2,3,4,5,5,0\n", "'x4': came twice"},
        {FIVE ",=label\n1,2,\xff,4,5,0\n", "check rows: line 2, field 3: not valid UTF-8"},
    };
    serving s;
    char dir[SCRATCH_BYTES];
    serving_make(&s, 1);
    scratch_make(dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = scratch_path(dir, "check.csv");
        FILE *file = fopen(path, "w");
        REQUIRE(file != NULL);
        fputs(rows[i].csv, file);
        fclose(file);
        sw_status status = serving_push(&s, "fraud", MODELS "softmax3.onnx", NULL, path);
        CHECK_INT(status.code, *rows[i].told ? SW_CODE_INVALID : SW_CODE_OK);
        if (*rows[i].told)
            CHECK_HAS(s.error.text, rows[i].told);
    }
    scratch_remove(dir);
    serving_end(&s);
}

static const char *write_check(const char *dir, const char *csv) {
    const char *path = scratch_path(dir, "check.csv");
    FILE *file = fopen(path, "w");
    if (!file || fputs(csv, file) < 0 || fclose(file) != 0)
        abort();
    return path;
}

static bool is_batchable(serving *s, const char *model) {
    const sw_load_parts parts = {.live = s->parts.live, .blobs = s->parts.blobs};
    sw_version version;
    sw_served *served;
    if (sw_failed(sw_registry_get_version(&version, s->registry, sw_str_of(model), 1, &s->arena,
                                          &s->error)) ||
        sw_failed(sw_load(&served, &parts, &version, NULL, 0, &s->error)))
        abort();
    bool batchable = served->batchable && served->run_ns < 1e9;
    sw_served_free(served);
    return batchable;
}

TEST(load__warms_up_on_check_rows_where_made_up_values_would_not_do) {
    SKIP_WITHOUT_ORT;
    static const struct {
        const char *csv, *told; /* NULL where it is taken */
        bool batchable;
    } rows[] = {
        {NULL, "failed, on made-up values (rows that the model knows, from --check", false},
        {"city,=place[0]\nLima,0\n", "failed, on the first of the check rows", false},
        {"city,=place[0]\nParis,1\nRome,0\n", NULL, true},
        {"city,=place[0]\nOslo,0\nOslo,0\n", NULL, false}, /* which proves nothing */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        serving s;
        sw_deployed d;
        char dir[SCRATCH_BYTES];
        serving_make(&s, 1);
        scratch_make(dir);
        sw_status status = serving_push(&s, "places", MODELS "strict_one_hot.onnx", NULL,
                                        rows[i].csv ? write_check(dir, rows[i].csv) : NULL);
        CHECK_INT(status.code, rows[i].told ? SW_CODE_REFUSED : SW_CODE_OK);
        if (rows[i].told) {
            CHECK_HAS(s.error.text, rows[i].told);
        } else {
            REQUIRE_OK(serving_deploy(&d, &s, "places", ""), s.error);
            CHECK_INT(d.checked_rows, 2);
            CHECK_INT(is_batchable(&s, "places"), rows[i].batchable);
        }
        scratch_remove(dir);
        serving_end(&s);
    }
}

TEST(load__does_not_take_one_check_row_for_a_proof_that_rows_are_independent) {
    SKIP_WITHOUT_ORT;
    serving s;
    char dir[SCRATCH_BYTES];
    serving_make(&s, 1);
    scratch_make(dir);
    REQUIRE_OK(serving_push(&s, "mean", MODELS "from_the_mean.onnx", NULL,
                            write_check(dir, "x0,x1,=Y[0]\n1,2,0\n")),
               s.error);
    CHECK(!is_batchable(&s, "mean"));
    REQUIRE_OK(serving_push(&s, "linear", EXAMPLES "linear.onnx", EXAMPLES "train.csv",
                            EXAMPLES "check-linear.csv"),
               s.error);
    CHECK(is_batchable(&s, "linear"));
    scratch_remove(dir);
    serving_end(&s);
}

TEST(push__refuses_more_check_rows_than_a_deploy_replays) {
    serving s;
    char dir[SCRATCH_BYTES];
    serving_make(&s, 1);
    scratch_make(dir);
    const char *path = scratch_path(dir, "check.csv");
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(FIVE ",=label\n", file);
    for (int i = 0; i <= SW_CHECK_ROWS_MAX; i++)
        fputs("1,2,3,4,5,0\n", file);
    fclose(file);
    sw_status status = serving_push(&s, "fraud", MODELS "softmax3.onnx", NULL, path);
    CHECK_INT(status.code, SW_CODE_TOO_LARGE);
    CHECK_HAS(s.error.text, "more than 100000 rows");
    scratch_remove(dir);
    serving_end(&s);
}

TEST(push__says_that_it_is_the_profile_that_is_wrong) {
    serving s;
    serving_make(&s, 1);
    sw_status status =
        serving_push(&s, "fraud", MODELS "softmax3.onnx", MODELS "logreg30.onnx", NULL);
    CHECK_INT(status.code, SW_CODE_INVALID);
    CHECK_HAS(s.error.text, "profile: line 1");
    serving_end(&s);
}

TEST(rollback__goes_back_and_back_again) {
    serving s;
    sw_deployed d;
    serving_make(&s, 2);
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(serving_push(&s, "fraud",
                                i % 2 ? EXAMPLES "linear-strict.onnx" : EXAMPLES "linear.onnx",
                                EXAMPLES "train.csv", NULL),
                   s.error);
        REQUIRE_OK(serving_deploy(&d, &s, "fraud", ""), s.error);
    }
    CHECK_INT(answering(&s, "fraud"), 3);
    REQUIRE_OK(
        sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 0, SW_STR("ada"), &s.arena, &s.error),
        s.error);
    CHECK_INT(d.revision.version, 2);
    CHECK_INT(d.revision.rolled_back_from, 3);
    CHECK_INT(answering(&s, "fraud"), 2);
    REQUIRE_OK(
        sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 0, SW_STR("ada"), &s.arena, &s.error),
        s.error);
    CHECK_INT(answering(&s, "fraud"), 1);
    REQUIRE_OK(
        sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 3, SW_STR("ada"), &s.arena, &s.error),
        s.error);
    CHECK_INT(answering(&s, "fraud"), 3);
    sw_status status = sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 77, SW_STR("ada"),
                                            &s.arena, &s.error);
    CHECK_INT(status.code, SW_CODE_NOT_FOUND);
    CHECK_INT(answering(&s, "fraud"), 3);
    serving_end(&s);
}

static void replace_it(const sw_served *served, void *context) {
    serving *s = context;
    sw_deployed d;
    CHECK_INT(served->version, 1);
    REQUIRE_OK(serving_deploy(&d, s, "fraud", "2"), s->error); /* waits for no holder */
    CHECK_INT(answering(s, "fraud"), 2);
    CHECK_STR(served->model_name, "fraud"); /* what is held stays */
    CHECK(sw_model_get_info(served->model)->input_count > 0);
}

TEST(deploy__waits_for_nobody_who_looks_at_live_versions) {
    serving s;
    sw_deployed d;
    serving_make(&s, 2);
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", "1"), s.error);
    sw_live_each_held(s.parts.live, replace_it, &s);
    CHECK_INT(answering(&s, "fraud"), 2);
    serving_end(&s);
}

TEST(undeploy__takes_a_name_away_and_rollback_brings_it_back) {
    serving s;
    sw_deployed d;
    serving_make(&s, 1);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", ""), s.error);
    REQUIRE_OK(
        sw_deployer_undeploy(&d, s.deployer, SW_STR("fraud"), SW_STR("ada"), &s.arena, &s.error),
        s.error);
    CHECK_INT(answering(&s, "fraud"), 0);
    sw_status status =
        sw_deployer_undeploy(&d, s.deployer, SW_STR("fraud"), SW_STR("ada"), &s.arena, &s.error);
    CHECK_INT(status.code, SW_CODE_NOT_FOUND);
    REQUIRE_OK(
        sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 0, SW_STR("ada"), &s.arena, &s.error),
        s.error);
    CHECK_INT(answering(&s, "fraud"), 1);
    serving_end(&s);
}

TEST(restore__brings_back_what_was_live) {
    serving s;
    sw_deployed d;
    serving_make(&s, 2);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_push(&s, "other", EXAMPLES "linear.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", ""), s.error);
    serving_down(&s);
    REQUIRE_OK(serving_up(&s, 1, &(sw_predict_limits){0}), s.error);
    CHECK_INT(answering(&s, "fraud"), 1);
    CHECK_INT(answering(&s, "other"), 0);
    serving_end(&s);
}

TEST(restore__serves_the_others_where_one_artifact_is_gone) {
    serving s;
    sw_deployed d;
    sw_version version;
    serving_make(&s, 1);
    REQUIRE_OK(serving_push(&s, "gone", EXAMPLES "linear-strict.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", NULL, NULL), s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "gone", ""), s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", ""), s.error);
    REQUIRE_OK(sw_registry_get_version(&version, s.registry, SW_STR("gone"), 1, &s.arena, &s.error),
               s.error);
    REQUIRE_OK(sw_blob_remove(s.parts.blobs, &version.artifact, &s.error), s.error);
    serving_down(&s);
    REQUIRE_OK(serving_up(&s, 1, &(sw_predict_limits){0}), s.error);
    CHECK_INT(answering(&s, "fraud"), 1);
    CHECK_INT(answering(&s, "gone"), 0);
    CHECK(sw_deployer_down_reason(s.deployer, SW_STR("gone"), &s.arena).len > 0);
    serving_end(&s);
}

/* ---- Swaps under load ---- */

typedef struct client {
    pthread_t thread;
    serving *s;
    uint32_t loop;
    atomic_bool *stop;
    uint64_t asked, failed;
} client;

static void *keep_asking(void *context) {
    client *c = context;
    size_t count;
    const float *rows = serving_rows(&count);
    while (!atomic_load(c->stop)) {
        asked a = {0};
        sw_status status =
            serving_predict(&a, c->s, c->loop, "fraud", rows + 30 * (c->asked % count), 1);
        c->failed += sw_failed(status);
        c->asked++;
    }
    return NULL;
}

TEST(swap__fails_no_request_in_two_hundred_deploys_and_rollbacks_under_load) {
    serving s;
    sw_deployed d;
    atomic_bool stop = false;
    client clients[4];
    serving_make(&s, 2);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear.onnx", EXAMPLES "train.csv", NULL),
               s.error);
    REQUIRE_OK(serving_push(&s, "fraud", EXAMPLES "linear-strict.onnx", EXAMPLES "train.csv", NULL),
               s.error);
    REQUIRE_OK(serving_deploy(&d, &s, "fraud", "1"), s.error);
    for (uint32_t i = 0; i < 4; i++) {
        clients[i] = (client){.s = &s, .loop = i % 2, .stop = &stop};
        pthread_create(&clients[i].thread, NULL, keep_asking, &clients[i]);
    }
    for (int i = 0; i < 100; i++) {
        CHECK_OK(serving_deploy(&d, &s, "fraud", "2"), s.error);
        CHECK_OK(sw_deployer_rollback(&d, s.deployer, SW_STR("fraud"), 0, SW_STR("ada"), &s.arena,
                                      &s.error),
                 s.error);
        CHECK_INT(d.revision.version, 1);
        sw_arena_reset(&s.arena);
    }
    atomic_store(&stop, true);
    uint64_t answered = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(clients[i].thread, NULL);
        CHECK_INT(clients[i].failed, 0);
        answered += clients[i].asked;
    }
    CHECK(answered > 200);
    serving_end(&s);
}

TEST_MAIN
