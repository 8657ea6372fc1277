/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static char long_name[256];

TEST(name__takes_letters_digits_and_three_signs) {
    CHECK(sw_registry_name_ok(SW_STR("fraud")));
    CHECK(sw_registry_name_ok(SW_STR("9_lives-x.Y")));
    CHECK(!sw_registry_name_ok(SW_STR("")));
    CHECK(!sw_registry_name_ok(SW_STR(".hidden")));
    CHECK(!sw_registry_name_ok(SW_STR("-x")));
    CHECK(!sw_registry_name_ok(SW_STR("a/b")));
    CHECK(!sw_registry_name_ok(SW_STR("a@1")));
    CHECK(!sw_registry_name_ok(SW_STR("a b")));
    CHECK(!sw_registry_name_ok(SW_STR("na\xc3\xafve")));
    CHECK(!sw_registry_name_ok(((sw_str){"a\0b", 3})));
    memset(long_name, 'a', sizeof long_name);
    CHECK(sw_registry_name_ok((sw_str){long_name, 128}));
    CHECK(!sw_registry_name_ok((sw_str){long_name, 129}));
}

TEST(push__numbers_versions_from_one_for_each_model) {
    fixture f;
    uint32_t number = 0;
    fixture_make(&f);
    CHECK_OK(fixture_push(&number, &f, "fraud", SW_STR("a")), f.error);
    CHECK_INT(number, 1);
    CHECK_OK(fixture_push(&number, &f, "fraud", SW_STR("b")), f.error);
    CHECK_INT(number, 2);
    CHECK_OK(fixture_push(&number, &f, "churn", SW_STR("a")), f.error);
    CHECK_INT(number, 1);
    fixture_end(&f);
}

TEST(push__keeps_everything_that_was_given) {
    fixture f;
    sw_version version = {.model = SW_STR("fraud"),
                          .artifact_bytes = 3,
                          .signature_json = SW_STR("{\"inputs\":[1]}"),
                          .profile_json = SW_STR("{\"rows\":48000}"),
                          .profile_hash = SW_STR("feed"),
                          .profile_rows = 48000,
                          .has_check = true,
                          .note = SW_STR("na\xc3\xafve"),
                          .who = SW_STR("ada")},
               got, *list;
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(fixture_blob(&version.artifact, &f, SW_STR("abc")), f.error);
    REQUIRE_OK(fixture_blob(&version.check, &f, SW_STR("rows")), f.error);
    REQUIRE_OK(sw_registry_add_version(&version, f.registry, &f.error), f.error);
    REQUIRE_OK(sw_registry_get_version(&got, f.registry, SW_STR("fraud"), 1, &f.arena, &f.error),
               f.error);
    CHECK_STR(got.model, "fraud");
    CHECK_INT(got.number, 1);
    CHECK_TEXT(got.artifact.hex, version.artifact.hex);
    CHECK_INT(got.artifact_bytes, 3);
    CHECK_STR(got.signature_json, "{\"inputs\":[1]}");
    CHECK_STR(got.profile_json, "{\"rows\":48000}");
    CHECK_STR(got.profile_hash, "feed");
    CHECK_INT(got.profile_rows, 48000);
    CHECK(got.has_check);
    CHECK_TEXT(got.check.hex, version.check.hex);
    CHECK_STR(got.note, "na\xc3\xafve");
    CHECK_STR(got.who, "ada");
    CHECK(got.created_ms > 0 && got.created_ms == version.created_ms);
    REQUIRE_OK(
        sw_registry_list_versions(&list, &count, f.registry, SW_STR("fraud"), &f.arena, &f.error),
        f.error);
    CHECK_INT(count, 1);
    CHECK_STR(list[0].profile_hash, "feed");
    CHECK_STR(list[0].profile_json, "");
    fixture_end(&f);
}

TEST(push__refuses_a_name_and_a_note_that_cannot_be) {
    fixture f;
    sw_version bad_name = {.model = SW_STR("../etc")},
               bad_note = {.model = SW_STR("fraud"), .note = SW_STR("\xff")};
    sw_model_row *models;
    size_t count;
    fixture_make(&f);
    CHECK_INT(sw_registry_add_version(&bad_name, f.registry, &f.error).code, SW_CODE_INVALID);
    CHECK_HAS(f.error.text, "1 to 128 letters");
    CHECK_INT(sw_registry_add_version(&bad_note, f.registry, &f.error).code, SW_CODE_INVALID);
    CHECK_OK(sw_registry_list_models(&models, &count, f.registry, &f.arena, &f.error), f.error);
    CHECK_INT(count, 0);
    fixture_end(&f);
}

TEST(versions__are_listed_newest_first) {
    fixture f;
    sw_version *list;
    size_t count;
    uint32_t number;
    fixture_make(&f);
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(fixture_push(&number, &f, "fraud", SW_STR("same")), f.error);
    REQUIRE_OK(
        sw_registry_list_versions(&list, &count, f.registry, SW_STR("fraud"), &f.arena, &f.error),
        f.error);
    CHECK_INT(count, 3);
    CHECK_INT(list[0].number, 3);
    CHECK_INT(list[2].number, 1);
    CHECK(!list[0].has_check);
    fixture_end(&f);
}

TEST(resolve__knows_numbers_aliases_and_the_newest) {
    fixture f;
    uint32_t v = 0;
    sw_str fraud = SW_STR("fraud");
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("b")), f.error);
    REQUIRE_OK(
        sw_registry_set_alias(f.registry, fraud, SW_STR("champion"), 1, SW_STR("ada"), &f.error),
        f.error);
    CHECK_OK(sw_registry_resolve(&v, f.registry, fraud, SW_STR(""), &f.error), f.error);
    CHECK_INT(v, 2);
    CHECK_OK(sw_registry_resolve(&v, f.registry, fraud, SW_STR("1"), &f.error), f.error);
    CHECK_INT(v, 1);
    CHECK_OK(sw_registry_resolve(&v, f.registry, fraud, SW_STR("@2"), &f.error), f.error);
    CHECK_INT(v, 2);
    CHECK_OK(sw_registry_resolve(&v, f.registry, fraud, SW_STR("@champion"), &f.error), f.error);
    CHECK_INT(v, 1);
    fixture_end(&f);
}

static void check_unknown(fixture *f, const char *model, const char *spec, const char *text) {
    uint32_t v;
    sw_status status =
        sw_registry_resolve(&v, f->registry, sw_str_of(model), sw_str_of(spec), &f->error);
    CHECK_INT(status.code, SW_CODE_NOT_FOUND);
    CHECK_TEXT(f->error.text, text);
}

TEST(resolve__says_what_there_is_instead) {
    fixture f;
    uint32_t v;
    fixture_make(&f);
    check_unknown(
        &f, "fraud", "",
        "fraud does not exist: there are no models yet. Next: slipway push fraud FILE.onnx");
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("b")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "churn", SW_STR("b")), f.error);
    REQUIRE_OK(sw_registry_set_alias(f.registry, SW_STR("fraud"), SW_STR("champion"), 1, SW_STR(""),
                                     &f.error),
               f.error);
    check_unknown(
        &f, "fraud", "7",
        "fraud@7 does not exist: the newest version is fraud@2. See: slipway versions fraud");
    check_unknown(
        &f, "fraud", "0",
        "fraud@0 does not exist: the newest version is fraud@2. See: slipway versions fraud");
    check_unknown(
        &f, "fraud", "99999999999999999999",
        "fraud@99999999999999999999 does not exist: the newest version is fraud@2. See: slipway "
        "versions fraud");
    check_unknown(
        &f, "fraud", "champoin",
        "fraud@champoin does not exist: did you mean fraud@champion? See: slipway versions "
        "fraud");
    check_unknown(
        &f, "fraud", "other",
        "fraud@other does not exist: the newest version is fraud@2. See: slipway versions "
        "fraud");
    check_unknown(&f, "fraud", "\xff",
                  "fraud has no version or alias of that name: the newest version is fraud@2. See: "
                  "slipway versions fraud");
    check_unknown(&f, "Fruad", "", "Fruad does not exist: did you mean fraud? See: slipway models");
    check_unknown(&f, "churn2024", "", "churn2024 does not exist. See: slipway models");
    check_unknown(&f, "chu", "", "chu does not exist: did you mean churn? See: slipway models");
    check_unknown(&f, "\xff", "", "there is no model of that name. See: slipway models");
    fixture_end(&f);
}

TEST(alias__moves_and_goes_and_cannot_be_a_number) {
    fixture f;
    uint32_t v = 0;
    sw_str fraud = SW_STR("fraud"), champion = SW_STR("champion"), ada = SW_STR("ada");
    sw_model_row row;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("b")), f.error);
    CHECK_OK(sw_registry_set_alias(f.registry, fraud, champion, 1, ada, &f.error), f.error);
    CHECK_OK(sw_registry_set_alias(f.registry, fraud, champion, 2, ada, &f.error), f.error);
    CHECK_OK(sw_registry_set_alias(f.registry, fraud, SW_STR("beta"), 2, ada, &f.error), f.error);
    CHECK_OK(sw_registry_get_model(&row, f.registry, fraud, &f.arena, &f.error), f.error);
    REQUIRE(row.alias_count == 2);
    CHECK_STR(row.aliases[0].name, "beta");
    CHECK_STR(row.aliases[1].name, "champion");
    CHECK_INT(row.aliases[1].version, 2);
    CHECK_INT(sw_registry_set_alias(f.registry, fraud, SW_STR("12"), 1, ada, &f.error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_registry_set_alias(f.registry, fraud, SW_STR("a b"), 1, ada, &f.error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_registry_set_alias(f.registry, fraud, champion, 9, ada, &f.error).code,
              SW_CODE_NOT_FOUND);
    CHECK_HAS(f.error.text, "fraud@9 does not exist: the newest version is fraud@2");
    CHECK_INT(sw_registry_set_alias(f.registry, SW_STR("nope"), champion, 1, ada, &f.error).code,
              SW_CODE_NOT_FOUND);
    CHECK_OK(sw_registry_remove_alias(f.registry, fraud, champion, ada, &f.error), f.error);
    CHECK_INT(sw_registry_remove_alias(f.registry, fraud, champion, ada, &f.error).code,
              SW_CODE_NOT_FOUND);
    fixture_end(&f);
}

TEST(models__show_what_is_live) {
    fixture f;
    uint32_t v = 0, r = 0;
    sw_model_row *models;
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "churn", SW_STR("b")), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(sw_registry_list_models(&models, &count, f.registry, &f.arena, &f.error), f.error);
    REQUIRE(count == 2);
    CHECK_STR(models[0].name, "churn");
    CHECK(models[0].live == NULL);
    CHECK_INT(models[0].revision_count, 0);
    CHECK_STR(models[1].name, "fraud");
    CHECK_INT(models[1].newest_version, 1);
    REQUIRE(models[1].live != NULL);
    CHECK_INT(models[1].live->number, 1);
    CHECK_STR(models[1].live->kind, "deploy");
    CHECK_STR(models[1].live->engine, "auto");
    CHECK_STR(models[1].live->served_by, "native");
    CHECK_STR(models[1].live->served_why, "linear");
    CHECK(models[1].live->live_ms >= models[1].live->created_ms);
    fixture_end(&f);
}

TEST(revision__that_fails_leaves_the_old_one_live) {
    fixture f;
    uint32_t v = 0, r = 0;
    sw_str fraud = SW_STR("fraud");
    sw_model_row row;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("b")), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(fixture_begin(&r, &f, "fraud", 2), f.error);
    REQUIRE_OK(fixture_settle(&f, "fraud", r, SW_REVISION_FAILED, "row 3 disagrees"), f.error);
    REQUIRE_OK(sw_registry_get_model(&row, f.registry, fraud, &f.arena, &f.error), f.error);
    REQUIRE(row.live != NULL);
    CHECK_INT(row.live->version, 1);
    CHECK_INT(row.revisions[0].state, SW_REVISION_FAILED);
    CHECK_STR(row.revisions[0].error, "row 3 disagrees");
    CHECK_INT(row.revisions[0].live_ms, 0);
    CHECK_STR(row.revisions[0].served_by, "");
    /* It ended: it cannot end again. */
    CHECK_INT(fixture_settle(&f, "fraud", r, SW_REVISION_LIVE, "").code, SW_CODE_CONFLICT);
    fixture_end(&f);
}

TEST(revision__keeps_a_reason_that_echoes_bytes_as_text) {
    fixture f;
    uint32_t v = 0, r = 0;
    sw_model_row row;
    sw_event *events;
    size_t count = 0;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_begin(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(
        fixture_settle(&f, "fraud", r, SW_REVISION_FAILED, "no input \xff na\xc3\xafve \xe2\x82"),
        f.error);
    REQUIRE_OK(sw_registry_get_model(&row, f.registry, SW_STR("fraud"), &f.arena, &f.error),
               f.error);
    CHECK_STR(row.revisions[0].error, "no input ? na\xc3\xafve ??");
    REQUIRE_OK(
        sw_registry_list_events(&events, &count, f.registry, SW_STR(""), 0, 1, &f.arena, &f.error),
        f.error);
    CHECK_STR(events[0].text, "fraud@1 did not go live as revision 1: no input ? na\xc3\xafve ??");
    fixture_end(&f);
}

TEST(revision__wants_a_version_that_is_there_and_something_to_take_down) {
    fixture f;
    uint32_t v = 0, r = 0;
    fixture_make(&f);
    CHECK_INT(fixture_begin(&r, &f, "fraud", 1).code, SW_CODE_NOT_FOUND);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    CHECK_INT(fixture_begin(&r, &f, "fraud", 2).code, SW_CODE_NOT_FOUND);
    CHECK_INT(fixture_undeploy(&r, &f, "fraud").code, SW_CODE_NOT_FOUND);
    CHECK_HAS(f.error.text, "fraud is not deployed");
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    CHECK_INT(r, 1);
    CHECK_OK(fixture_undeploy(&r, &f, "fraud"), f.error);
    CHECK_INT(fixture_undeploy(&r, &f, "fraud").code, SW_CODE_NOT_FOUND);
    sw_model_row row;
    CHECK_OK(sw_registry_get_model(&row, f.registry, SW_STR("fraud"), &f.arena, &f.error), f.error);
    CHECK(row.live == NULL);
    CHECK_INT(row.revisions[0].version, 1);
    CHECK_STR(row.revisions[0].kind, "undeploy");
    fixture_end(&f);
}

TEST(revisions__that_a_crash_left_loading_have_failed_at_the_next_start) {
    fixture f;
    uint32_t v = 0, r = 0;
    sw_model_row row;
    sw_event *events;
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "churn", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(fixture_begin(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(fixture_begin(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(fixture_begin(&r, &f, "churn", 1), f.error);
    fixture_close(&f);
    REQUIRE_OK(fixture_open(&f), f.error);
    REQUIRE_OK(sw_registry_fail_unfinished(f.registry, &f.error), f.error);
    REQUIRE_OK(sw_registry_get_model(&row, f.registry, SW_STR("fraud"), &f.arena, &f.error),
               f.error);
    CHECK_INT(row.live ? row.live->number : 0, 1);
    CHECK_INT(row.revisions[0].state, SW_REVISION_FAILED);
    CHECK_INT(row.revisions[1].state, SW_REVISION_FAILED);
    REQUIRE_OK(
        sw_registry_list_events(&events, &count, f.registry, SW_STR(""), 0, 3, &f.arena, &f.error),
        f.error);
    for (size_t i = 0; i < count; i++)
        CHECK_STR(events[i].kind, "deployment.failed");
    CHECK_STR(events[0].text,
              "fraud@1 did not go live as revision 3: the server stopped while it was loading");
    fixture_end(&f);
}

TEST(revisions__show_what_answers_even_after_a_hundred_failures) {
    fixture f;
    uint32_t v = 0, r = 0;
    sw_model_row row;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    for (int i = 0; i < 105; i++)
        REQUIRE_OK(fixture_begin(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(sw_registry_fail_unfinished(f.registry, &f.error), f.error);
    REQUIRE_OK(sw_registry_get_model(&row, f.registry, SW_STR("fraud"), &f.arena, &f.error),
               f.error);
    CHECK_INT(row.revision_count, 100);
    CHECK_INT(row.revisions[0].number, 106);
    CHECK_INT(row.live ? row.live->number : 0, 1);
    fixture_end(&f);
}

TEST(blob_use__is_seen_for_artifacts_and_checks) {
    fixture f;
    sw_blob_id other;
    bool used = true;
    sw_version version = {.model = SW_STR("fraud"), .has_check = true};
    fixture_make(&f);
    REQUIRE_OK(fixture_blob(&version.artifact, &f, SW_STR("a")), f.error);
    REQUIRE_OK(fixture_blob(&version.check, &f, SW_STR("b")), f.error);
    REQUIRE_OK(fixture_blob(&other, &f, SW_STR("c")), f.error);
    REQUIRE_OK(sw_registry_add_version(&version, f.registry, &f.error), f.error);
    CHECK_OK(sw_registry_uses_blob(&used, f.registry, &other, &f.error), f.error);
    CHECK(!used);
    CHECK_OK(sw_registry_uses_blob(&used, f.registry, &version.artifact, &f.error), f.error);
    CHECK(used);
    used = false;
    CHECK_OK(sw_registry_uses_blob(&used, f.registry, &version.check, &f.error), f.error);
    CHECK(used);
    fixture_end(&f);
}

/* ---- Events ---- */

TEST(events__tell_the_whole_story_in_order) {
    static const char *const story[] = {
        "fraud@champion removed, was fraud@2",
        "fraud@1 taken down by revision 4",
        "fraud@1 live again as revision 3, after fraud@2",
        "fraud@1 loading as revision 3",
        "fraud@2 live as revision 2, after fraud@1",
        "fraud@2 loading as revision 2",
        "fraud@1 live as revision 1",
        "fraud@1 loading as revision 1",
        "fraud@champion is fraud@2 now, was version 1",
        "fraud@champion is fraud@1 now",
        "fraud@2 pushed",
        "fraud@1 pushed",
    };
    fixture f;
    uint32_t v = 0, r = 0;
    sw_revision back;
    sw_str fraud = SW_STR("fraud"), champion = SW_STR("champion"), ada = SW_STR("ada");
    sw_event *events;
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("b")), f.error);
    REQUIRE_OK(sw_registry_set_alias(f.registry, fraud, champion, 1, ada, &f.error), f.error);
    REQUIRE_OK(sw_registry_set_alias(f.registry, fraud, champion, 2, ada, &f.error), f.error);
    REQUIRE_OK(sw_registry_set_alias(f.registry, fraud, champion, 2, ada, &f.error), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 1), f.error);
    REQUIRE_OK(fixture_deploy(&r, &f, "fraud", 2), f.error);
    REQUIRE_OK(fixture_roll_back(&back, &f, "fraud", 0), f.error);
    REQUIRE_OK(fixture_undeploy(&r, &f, "fraud"), f.error);
    REQUIRE_OK(sw_registry_remove_alias(f.registry, fraud, champion, ada, &f.error), f.error);
    REQUIRE_OK(
        sw_registry_list_events(&events, &count, f.registry, fraud, 0, 50, &f.arena, &f.error),
        f.error);
    REQUIRE(count == sizeof story / sizeof *story);
    for (size_t i = 0; i < count; i++) {
        CHECK_STR(events[i].text, story[i]);
        CHECK_STR(events[i].who, "ada");
        CHECK_INT(events[i].id, (int64_t)(count - i));
        CHECK(events[i].at_ms > 0);
    }
    CHECK_STR(events[4].kind, "deployment.live");
    CHECK_STR(events[4].data_json, "{\"version\":2,\"revision\":2,\"kind\":\"deploy\"}");
    fixture_end(&f);
}

TEST(events__are_paged_and_kept_apart_by_model) {
    fixture f;
    uint32_t v;
    sw_event *events;
    size_t count;
    fixture_make(&f);
    for (int i = 0; i < 5; i++) {
        REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
        REQUIRE_OK(fixture_push(&v, &f, "churn", SW_STR("a")), f.error);
    }
    REQUIRE_OK(sw_registry_list_events(&events, &count, f.registry, SW_STR("churn"), 0, 2, &f.arena,
                                       &f.error),
               f.error);
    REQUIRE(count == 2);
    CHECK_INT(events[0].id, 10);
    CHECK_INT(events[1].id, 8);
    REQUIRE_OK(sw_registry_list_events(&events, &count, f.registry, SW_STR("churn"), events[1].id,
                                       9, &f.arena, &f.error),
               f.error);
    REQUIRE(count == 3);
    CHECK_INT(events[0].id, 6);
    REQUIRE_OK(
        sw_registry_list_events(&events, &count, f.registry, SW_STR(""), 6, 2, &f.arena, &f.error),
        f.error);
    REQUIRE(count == 2);
    CHECK_INT(events[0].id, 5);
    fixture_end(&f);
}

typedef struct heard {
    int count;
    int64_t last_id;
    char text[128];
    fixture *f;
    bool was_durable;
} heard;

/* On the writer thread: what it hears of is committed, so another connection sees it. */
static void listen_to(const sw_event *event, void *context) {
    heard *h = context;
    sw_event *events;
    size_t count = 0;
    sw_arena arena;
    sw_arena_init(&arena, 1024);
    h->count++;
    h->last_id = event->id;
    snprintf(h->text, sizeof h->text, "%.*s", SW_STR_ARG(event->text));
    sw_status status =
        sw_registry_list_events(&events, &count, h->f->registry, SW_STR(""), 0, 1, &arena, NULL);
    h->was_durable = !sw_failed(status) && count == 1 && events[0].id == event->id;
    sw_arena_free(&arena);
}

TEST(events__are_told_once_they_are_durable_and_never_for_what_failed) {
    fixture f;
    uint32_t v, r;
    heard h = {.f = &f};
    fixture_make(&f);
    sw_registry_on_event(f.registry, listen_to, &h);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    CHECK_INT(h.count, 1);
    CHECK_TEXT(h.text, "fraud@1 pushed");
    CHECK(h.was_durable);
    CHECK_INT(fixture_begin(&r, &f, "fraud", 9).code, SW_CODE_NOT_FOUND);
    CHECK_INT(h.count, 1);
    sw_event own = {.kind = SW_STR("server.started"), .text = SW_STR("slipway started")};
    CHECK_OK(sw_registry_add_event(&own, f.registry, &f.error), f.error);
    CHECK_INT(h.count, 2);
    CHECK_INT(own.id, 2);
    CHECK_INT(h.last_id, 2);
    sw_registry_on_event(f.registry, NULL, NULL);
    REQUIRE_OK(fixture_push(&v, &f, "fraud", SW_STR("a")), f.error);
    CHECK_INT(h.count, 2);
    fixture_end(&f);
}

/* ---- Tokens ---- */

TEST(token__is_kept_as_a_hash_only) {
    fixture f;
    sw_token token = {.name = SW_STR("ci deploy"), .scopes = 2 | 8, .who = SW_STR("ada")}, *list;
    char secret[64], hash[SW_SHA256_HEX + 1];
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(sw_registry_add_token(&token, secret, f.registry, &f.error), f.error);
    CHECK_INT(strlen(secret), 46);
    CHECK(memcmp(secret, "sw_", 3) == 0);
    CHECK(memcmp(token.id.at, "tok_", 4) == 0);
    REQUIRE_OK(sw_registry_list_tokens(&list, &count, f.registry, &f.arena, &f.error), f.error);
    REQUIRE(count == 1);
    sw_sha256_hex(hash, sw_str_of(secret));
    CHECK_STR(list[0].hash_hex, hash);
    CHECK(sw_str_eq(list[0].id, token.id));
    CHECK_STR(list[0].name, "ci deploy");
    CHECK_INT(list[0].scopes, 10);
    CHECK_INT(list[0].expires_ms, 0);
    fixture_end(&f);
}

TEST(token__can_be_revoked_once) {
    fixture f;
    sw_token one = {.name = SW_STR("a"), .scopes = 1}, two = {.name = SW_STR("b"), .scopes = 16},
             *list;
    char secret[64], secret2[64];
    size_t count;
    fixture_make(&f);
    REQUIRE_OK(sw_registry_add_token(&one, secret, f.registry, &f.error), f.error);
    REQUIRE_OK(sw_registry_add_token(&two, secret2, f.registry, &f.error), f.error);
    CHECK(strcmp(secret, secret2) != 0);
    CHECK_OK(sw_registry_revoke_token(f.registry, one.id, SW_STR("ada"), &f.error), f.error);
    CHECK_INT(sw_registry_revoke_token(f.registry, one.id, SW_STR("ada"), &f.error).code,
              SW_CODE_NOT_FOUND);
    REQUIRE_OK(sw_registry_list_tokens(&list, &count, f.registry, &f.arena, &f.error), f.error);
    REQUIRE(count == 1);
    CHECK_STR(list[0].name, "b");
    fixture_end(&f);
}

TEST(token__needs_a_name_a_scope_and_a_future) {
    fixture f;
    char secret[64];
    sw_token nameless = {.scopes = 1}, scopeless = {.name = SW_STR("a")},
             unknown = {.name = SW_STR("a"), .scopes = 32},
             past = {.name = SW_STR("a"), .scopes = 1, .expires_ms = 5},
             control = {.name = SW_STR("a\nb"), .scopes = 1};
    fixture_make(&f);
    CHECK_INT(sw_registry_add_token(&nameless, secret, f.registry, &f.error).code, SW_CODE_INVALID);
    CHECK_INT(sw_registry_add_token(&scopeless, secret, f.registry, &f.error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_registry_add_token(&unknown, secret, f.registry, &f.error).code, SW_CODE_INVALID);
    CHECK_INT(sw_registry_add_token(&past, secret, f.registry, &f.error).code, SW_CODE_INVALID);
    CHECK_INT(sw_registry_add_token(&control, secret, f.registry, &f.error).code, SW_CODE_INVALID);
    fixture_end(&f);
}

TEST_MAIN
