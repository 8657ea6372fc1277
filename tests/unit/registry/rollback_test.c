/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void push_versions(fixture *f, int count) {
    uint32_t v;
    for (int i = 0; i < count; i++)
        CHECK_OK(fixture_push(&v, f, "fraud", SW_STR("model")), f->error);
}

static void deploy(fixture *f, uint32_t version) {
    uint32_t revision;
    CHECK_OK(fixture_deploy(&revision, f, "fraud", version), f->error);
}

static void expect_back(fixture *f, uint32_t to, uint32_t revision, uint32_t version,
                        uint32_t equals, uint32_t left) {
    sw_revision made = {0};
    CHECK_OK(fixture_roll_back(&made, f, "fraud", to), f->error);
    CHECK_INT(made.number, revision);
    CHECK_INT(made.version, version);
    CHECK_INT(made.equals, equals);
    CHECK_INT(made.rolled_back_from, left);
}

static void expect_none(fixture *f, uint32_t to, sw_code code, const char *text) {
    sw_revision target;
    CHECK_INT(
        sw_registry_rollback_target(&target, f->registry, SW_STR("fraud"), to, &f->arena, &f->error)
            .code,
        code);
    CHECK_HAS(f->error.text, text);
}

TEST(rollback__goes_back_to_what_was_live_before) {
    fixture f;
    fixture_make(&f);
    push_versions(&f, 2);
    deploy(&f, 1);
    deploy(&f, 2);
    expect_back(&f, 0, 3, 1, 1, 2);
    fixture_end(&f);
}

TEST(rollback__twice_goes_two_back_and_never_to_and_fro) {
    fixture f;
    fixture_make(&f);
    push_versions(&f, 3);
    deploy(&f, 1);
    deploy(&f, 2);
    deploy(&f, 3);
    expect_back(&f, 0, 4, 2, 2, 3);
    expect_back(&f, 0, 5, 1, 1, 4);
    expect_none(
        &f, 0, SW_CODE_NOT_FOUND,
        "fraud has no earlier revision that was not left by a rollback. To choose one: slipway "
        "rollback fraud --to REVISION, of 4 (fraud@2), 3 (fraud@3), 2 (fraud@2)");
    fixture_end(&f);
}

TEST(rollback__after_a_deploy_after_a_rollback_returns_to_the_rolled_back_one) {
    fixture f;
    fixture_make(&f);
    push_versions(&f, 4);
    deploy(&f, 1);
    deploy(&f, 2);
    expect_back(&f, 0, 3, 1, 1, 2);
    deploy(&f, 4);
    expect_back(&f, 0, 5, 1, 1, 4); /* not 2: it was left by a rollback */
    fixture_end(&f);
}

TEST(rollback__after_an_undeploy_brings_back_what_was_live) {
    fixture f;
    uint32_t r;
    fixture_make(&f);
    push_versions(&f, 3);
    deploy(&f, 1);
    deploy(&f, 2);
    CHECK_OK(fixture_undeploy(&r, &f, "fraud"), f.error);
    expect_back(&f, 0, 4, 2, 2, 3);
    expect_back(&f, 0, 5, 1, 1, 4);
    CHECK_OK(fixture_undeploy(&r, &f, "fraud"), f.error);
    deploy(&f, 3);
    expect_back(&f, 0, 8, 1, 1, 7);
    fixture_end(&f);
}

TEST(rollback__passes_over_what_never_went_live) {
    fixture f;
    uint32_t r;
    fixture_make(&f);
    push_versions(&f, 3);
    deploy(&f, 1);
    CHECK_OK(fixture_begin(&r, &f, "fraud", 2), f.error);
    CHECK_OK(sw_registry_fail_unfinished(f.registry, &f.error), f.error);
    deploy(&f, 3);
    CHECK_OK(fixture_begin(&r, &f, "fraud", 2), f.error); /* still loading */
    expect_back(&f, 0, 5, 1, 1, 3);
    fixture_end(&f);
}

TEST(rollback__to_a_revision_takes_all_above_it_away) {
    fixture f;
    fixture_make(&f);
    push_versions(&f, 4);
    for (uint32_t v = 1; v <= 4; v++)
        deploy(&f, v);
    expect_back(&f, 2, 5, 2, 2, 4);
    expect_back(&f, 0, 6, 1, 1, 5);
    fixture_end(&f);
}

TEST(rollback__to_one_that_was_left_puts_it_in_the_place_of_what_answered) {
    fixture f;
    fixture_make(&f);
    push_versions(&f, 3);
    deploy(&f, 1);
    deploy(&f, 2);
    deploy(&f, 3);
    expect_back(&f, 0, 4, 2, 2, 3);
    expect_back(&f, 3, 5, 3, 3, 4); /* it was 2 that was bad */
    expect_back(&f, 0, 6, 1, 1, 5);
    fixture_end(&f);
}

TEST(rollback__says_why_there_is_nowhere_to_go) {
    fixture f;
    uint32_t r;
    fixture_make(&f);
    expect_none(&f, 0, SW_CODE_NOT_FOUND, "fraud does not exist");
    push_versions(&f, 2);
    expect_none(
        &f, 0, SW_CODE_NOT_FOUND,
        "fraud was never live: there is nothing to roll back to. Next: slipway deploy fraud");
    deploy(&f, 1);
    expect_none(&f, 0, SW_CODE_NOT_FOUND,
                "fraud@1 is the first that went live: there is nothing to roll back to");
    expect_none(&f, 1, SW_CODE_CONFLICT, "revision 1 of fraud answers already");
    expect_none(&f, 9, SW_CODE_NOT_FOUND,
                "fraud has no revision 9 that went live. It can roll back to: none");
    deploy(&f, 2);
    CHECK_OK(fixture_begin(&r, &f, "fraud", 2), f.error);
    CHECK_OK(sw_registry_fail_unfinished(f.registry, &f.error), f.error);
    expect_none(&f, 3, SW_CODE_NOT_FOUND,
                "fraud has no revision 3 that went live. It can roll back to: 1 (fraud@1)");
    fixture_end(&f);
}

/* ---- Against a plain model: a chain of what was live before what ---- */

typedef struct link {
    uint32_t revision, version;
    struct link *before;
} link_t;

enum { STEPS = 90, VERSIONS = 6 };

typedef struct model {
    link_t made[STEPS + 1]; /* by revision: the link that it stands for */
    link_t *of[STEPS + 1];  /* NULL where it never went live */
    link_t *live;           /* what answers, or answered before the undeploy */
    bool down;
    uint32_t newest;
} model;

static unsigned chance;

static uint32_t pick(uint32_t below) {
    chance = chance * 1664525 + 1013904223;
    return (chance >> 8) % below;
}

static link_t *add_link(model *m, uint32_t version, link_t *before) {
    link_t *made = &m->made[m->newest];
    *made = (link_t){m->newest, version, before};
    return made;
}

static void step_deploy(fixture *f, model *m) {
    uint32_t version = 1 + pick(VERSIONS), revision = 0;
    CHECK_OK(fixture_begin(&revision, f, "fraud", version), f->error);
    CHECK_INT(revision, ++m->newest);
    bool live = pick(4) > 0;
    CHECK_OK(fixture_settle(f, "fraud", revision, live ? SW_REVISION_LIVE : SW_REVISION_FAILED,
                            "its check disagrees"),
             f->error);
    if (!live)
        return;
    m->live = m->of[revision] = add_link(m, version, m->live);
    m->down = false;
}

static void step_undeploy(fixture *f, model *m) {
    uint32_t revision = 0;
    bool answers = m->live && !m->down;
    sw_status status = fixture_undeploy(&revision, f, "fraud");
    CHECK_INT(status.code, answers ? SW_CODE_OK : SW_CODE_NOT_FOUND);
    if (!answers)
        return;
    CHECK_INT(revision, ++m->newest);
    m->down = true;
}

static void step_rollback(fixture *f, model *m) {
    link_t *goal = m->down ? m->live : m->live ? m->live->before : NULL;
    sw_revision made = {0};
    sw_status status = fixture_roll_back(&made, f, "fraud", 0);
    CHECK_INT(status.code, goal ? SW_CODE_OK : SW_CODE_NOT_FOUND);
    if (!goal)
        return;
    CHECK_INT(made.number, ++m->newest);
    CHECK_INT(made.version, goal->version);
    m->live = m->of[made.number] = goal;
    m->down = false;
}

/* Back along the chain where `goal` is on it; else in the place of what answered. */
static void step_rollback_to(fixture *f, model *m) {
    uint32_t to = 1 + pick(m->newest + 1);
    link_t *goal = to <= m->newest ? m->of[to] : NULL, *at;
    sw_revision made = {0};
    sw_status status = fixture_roll_back(&made, f, "fraud", to);
    bool answers = goal && goal == m->live && !m->down;
    CHECK_INT(status.code, !goal ? SW_CODE_NOT_FOUND : answers ? SW_CODE_CONFLICT : SW_CODE_OK);
    if (!goal || answers)
        return;
    CHECK_INT(made.number, ++m->newest);
    CHECK_INT(made.version, goal->version);
    for (at = m->live; at && at != goal; at = at->before)
        ;
    if (!at)
        goal->before = m->live ? m->live->before : NULL;
    m->live = m->of[made.number] = goal;
    m->down = false;
}

static void check_live(fixture *f, const model *m) {
    sw_model_row row;
    CHECK_OK(sw_registry_get_model(&row, f->registry, SW_STR("fraud"), &f->arena, &f->error),
             f->error);
    CHECK_INT(row.newest_revision, m->newest);
    CHECK_INT(row.live ? row.live->version : 0, m->live && !m->down ? m->live->version : 0);
}

static void walk(unsigned seed) {
    fixture f;
    model m = {.newest = 0};
    chance = seed;
    fixture_make(&f);
    push_versions(&f, VERSIONS);
    for (int i = 0; i < STEPS; i++) {
        uint32_t what = pick(10);
        if (what < 4)
            step_deploy(&f, &m);
        else if (what < 7)
            step_rollback(&f, &m);
        else if (what < 9)
            step_rollback_to(&f, &m);
        else
            step_undeploy(&f, &m);
        if (i % 30 == 29) {
            fixture_close(&f);
            CHECK_OK(fixture_open(&f), f.error);
        }
        check_live(&f, &m);
        sw_arena_reset(&f.arena);
    }
    fixture_end(&f);
}

TEST(rollback__agrees_with_a_plain_chain_over_random_histories) {
    scratch_in_memory();
    for (unsigned seed = 1; seed <= 20; seed++) {
        int before = atomic_load(&test_failures);
        walk(seed);
        if (atomic_load(&test_failures) != before) {
            fprintf(stderr, "  seed %u\n", seed);
            return;
        }
    }
}

/*
 * And with the sentence itself, where nobody chose a revision: "the newest earlier revision that
 * went live and was not itself left by a rollback", where a rollback counts as what it equals.
 */
static uint32_t root_of(const sw_revision *revisions, uint32_t number) {
    while (revisions[number].equals)
        number = revisions[number].equals;
    return number;
}

static uint32_t by_the_sentence(const sw_revision *revisions, uint32_t newest) {
    bool left[STEPS + 1] = {false};
    uint32_t current = 0;
    for (uint32_t r = 1; r <= newest; r++) {
        if (revisions[r].state != SW_REVISION_LIVE && revisions[r].state != SW_REVISION_UNDEPLOYED)
            continue;
        if (revisions[r].rolled_back_from &&
            revisions[revisions[r].rolled_back_from].state == SW_REVISION_LIVE)
            left[root_of(revisions, revisions[r].rolled_back_from)] = true;
        current = r;
    }
    bool down = revisions[current].state == SW_REVISION_UNDEPLOYED;
    uint32_t answers = root_of(revisions, current);
    for (uint32_t r = answers; r > 0; r--)
        if (revisions[r].state == SW_REVISION_LIVE && !revisions[r].equals && !left[r] &&
            (down || r < answers))
            return r;
    return 0;
}

TEST(rollback__is_what_the_sentence_says) {
    scratch_in_memory();
    for (unsigned seed = 1; seed <= 10; seed++) {
        fixture f;
        model m = {.newest = 0};
        chance = seed * 77;
        fixture_make(&f);
        push_versions(&f, VERSIONS);
        for (int i = 0; i < STEPS; i++) {
            sw_model_row row;
            sw_revision revisions[STEPS + 1] = {{0}}, target = {0};
            REQUIRE_OK(sw_registry_get_model(&row, f.registry, SW_STR("fraud"), &f.arena, &f.error),
                       f.error);
            for (size_t k = 0; k < row.revision_count; k++)
                revisions[row.revisions[k].number] = row.revisions[k];
            uint32_t wanted = by_the_sentence(revisions, m.newest);
            sw_status status = sw_registry_rollback_target(&target, f.registry, SW_STR("fraud"), 0,
                                                           &f.arena, &f.error);
            CHECK_INT(sw_failed(status) ? 0 : target.number, wanted);
            uint32_t what = pick(10);
            what < 5   ? step_deploy(&f, &m)
            : what < 9 ? step_rollback(&f, &m)
                       : step_undeploy(&f, &m);
            sw_arena_reset(&f.arena);
        }
        fixture_end(&f);
    }
}

TEST_MAIN
