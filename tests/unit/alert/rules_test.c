/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/rules.h"
#include "alert/signal.h"
#include "base/mem.h"
#include "unit/test.h"

static sw_arena arena;
static sw_rules rules;
static sw_error why;

static bool reads(const char *yaml) {
    sw_rules_context context = {.allow_commands = true, .look_up = true};
    sw_arena_reset(&arena);
    *why.text = 0;
    return !sw_failed(sw_rules_read(&rules, sw_str_of(yaml), &context, &arena, &why));
}

static const sw_rule *rule(const char *name) {
    for (size_t i = 0; i < rules.count; i++)
        if (sw_str_is(rules.rules[i].name, name))
            return &rules.rules[i];
    return NULL;
}

static void refuses(const char *yaml, const char *reason) {
    CHECK(!reads(yaml));
    if (!strstr(why.text, reason))
        TEST_FAIL_("'%s' does not say '%s'", why.text, reason);
}

TEST(rules__need_none_to_begin_with) {
    REQUIRE(reads(""));
    static const char *const wanted[] = {"drift",      "data-quality", "decay",
                                         "errors",     "slow",         "no-traffic",
                                         "few-labels", "log-stopped",  "disk-full"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CHECK(rule(wanted[i]) && rule(wanted[i])->builtin);
}

TEST(rules__know_units) {
    REQUIRE(reads("defaults: false\nrules:\n"
                  "- {name: a, on: latency, above: 200ms}\n"
                  "- {name: b, on: latency, above: 1.5s, measure: p50, for: 2w}\n"
                  "- {name: c, on: error_rate, above: 5%}\n"
                  "- {name: d, on: traffic, measure: rate, below: 60/min}\n"
                  "- {name: e, on: disk, measure: free_bytes, below: 2GB, for: 90s}\n"));
    CHECK_INT(rules.count, 5);
    CHECK(rule("a")->limit == 200 && rule("a")->above);
    CHECK(rule("b")->limit == 1500 && strcmp(rule("b")->measure->name, "p50") == 0);
    CHECK_INT(rule("b")->for_ms, 14 * 86400000LL);
    CHECK(rule("c")->limit == 0.05);
    CHECK(rule("d")->limit == 1 && !rule("d")->above);
    CHECK(rule("e")->limit == 2e9);
    CHECK_INT(rule("e")->for_ms, 90000);
}

TEST(rules__replace_a_built_in_one_of_the_same_name) {
    REQUIRE(reads("rules:\n- {name: slow, on: latency, above: 5ms}\n"));
    CHECK(!rule("slow")->builtin && rule("slow")->limit == 5);
    CHECK(rule("errors") != NULL);
}

TEST(rules__say_where_and_what_is_wrong) {
    refuses("rules:\n- name: a\n  on: latency\n  above: 5 apples\n", "line 4, column 10");
    refuses("rules:\n- name: a\n  on: latency\n  above: 5 apples\n", "200ms");
    refuses("rules:\n- name: a\n  on: weather\n", "error_rate");
    refuses("rules:\n- name: a\n  on: latency\n", "above: or below:");
    refuses("rules:\n- name: a\n  on: latency\n  above: 1s\n  below: 2s\n", "not both");
    refuses("rules:\n- name: a\n  on: latency\n  abov: 1s\n", "'abov' is no field");
    refuses("rules:\n- {name: a, on: drift}\n- {name: a, on: drift}\n", "twice");
    refuses("rules:\n- {name: a, on: drift, notify: nobody}\n", "none of the notifiers");
    refuses("rules:\n- {name: a, on: drift, window: 5m}\n", "no meaning");
    refuses("rules:\n- {name: a, on: quality, above: 5ms}\n", "no share");
    refuses("rules: {}\n", "a list");
    refuses("every: 1ms\n", "every:");
    refuses("a: [", "no YAML");
    refuses("rules: 5\n", "line 1, column 8");
    refuses("rules:\n- {name: a, name: b, on: drift}\n", "twice");
    refuses("rules:\n- {name: a, on: error_rate, above: 5}\n", "500 %");
    refuses("rules:\n- {name: a, on: error_rate, above: -1%}\n", "0 to 100 %");
    refuses("rules:\n- {name: a, on: latency, above: -1s}\n", "less than nothing");
    refuses("rules:\n- {name: a, on: metric, below: 0.9}\n", "column: accuracy");
    refuses("rules:\n- {name: a, on: metric, column: acuracy, below: 0.9}\n",
            "line 2, column 33: column: 'acuracy' is no metric of labelled predictions; did you "
            "mean 'accuracy'? They are roc_auc, ");
    refuses("rules:\n- {name: a, on: metric, column: acuracy, below: 0.9}\n", "hit_rate@10");
    refuses("rules:\n- {name: a, on: metric, column: '*profit*', above: 1}\n", "predictions. They");
    refuses("every: 5s\n---\nevery: 6s\n", "line 2, column 1");
    refuses("every: 5s\n---\na: [\n", "no YAML");
}

TEST(rules__may_begin_and_end_as_documents_do) {
    CHECK(reads("---\nevery: 6s\n...\n") && rules.every_ms == 6000);
    CHECK(reads("# nothing\n") && rules.every_ms == 5000);
    CHECK(reads("rules:\n- {name: a, on: error_rate, above: 100%}\n"));
    CHECK(reads("rules:\n- {name: a, on: metric, column: ndcg@10, below: 0.5}\n"));
    CHECK(reads("rules:\n- {name: a, on: metric, column: macro_*, below: 0.5}\n"));
}

TEST(rules__keep_secrets_out_of_the_text) {
    setenv("TEST_SLACK", "https://hooks.example.org/T0/B0/secret", 1);
    refuses("notifiers: {ops: {slack: 'https://hooks.example.org/x'}}\n", "${NAME}");
    refuses("notifiers: {ops: {slack: '${TEST_NONE}'}}\n", "no such variable");
    refuses("notifiers: {h: {webhook: 'http://u:p@host/'}}\n", "do not stand in an address");
    refuses("notifiers: {h: {webhook: 'ftp://host/'}}\n", "http://");
    refuses("notifiers: {h: {webhook: 'http://host/', secret: plain}}\n", "${NAME}");
    refuses("notifiers: {h: {webhook: 'http://host/', secret: 'file:relative'}}\n", "whole path");
    REQUIRE(reads("notify: ops\nnotifiers: {ops: {slack: '${TEST_SLACK}'}}\n"));
    CHECK(sw_str_is(rules.notifiers[0].action.url, "https://hooks.example.org/T0/B0/secret"));
    CHECK_INT(rule("slow")->notify, 1);
}

TEST(rules__start_programs_only_where_that_is_allowed) {
    const char *yaml = "notifiers: {page: {command: [/bin/true]}}\n";
    sw_rules_context context = {.allow_commands = false, .look_up = true};
    sw_arena_reset(&arena);
    CHECK(sw_failed(sw_rules_read(&rules, sw_str_of(yaml), &context, &arena, &why)));
    CHECK(strstr(why.text, "--allow-commands") != NULL);
    REQUIRE(reads(yaml));
    CHECK(strcmp(rules.notifiers[0].action.argv[0], "/bin/true") == 0);
    refuses("notifiers: {page: {command: page}}\n", "whole path");
    refuses("rules:\n- {name: a, on: drift, action: {dance: yes}}\n", "by which way");
}

TEST(rules__have_actions_of_their_own) {
    REQUIRE(reads("rules:\n- {name: a, on: drift, action: {command: [/bin/true], timeout: 2s}}\n"));
    REQUIRE(rules.notifier_count == 1);
    CHECK_INT(rule("a")->notify, 1);
    CHECK_INT(rules.notifiers[0].wait_ms, 0);
    CHECK_INT(rules.notifiers[0].repeat_ms, 0);
    CHECK_INT(rules.notifiers[0].action.timeout_ms, 2000);
    CHECK(!rules.notifiers[0].action.send_resolved);
}

TEST(rules__match_patterns_without_backtracking_for_ever) {
    char text[2001], pattern[64] = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
    memset(text, 'a', 2000);
    text[2000] = 0;
    CHECK(!sw_glob_match(sw_str_of(pattern), sw_str_of(text)));
    CHECK(sw_glob_match(SW_STR("fraud*"), SW_STR("fraud-eu")));
    CHECK(!sw_glob_match(SW_STR("fraud"), SW_STR("fraud-eu")));
    CHECK(sw_glob_match(SW_STR("?b*"), SW_STR("abc")));
    CHECK(sw_glob_match(SW_STR("*"), SW_STR("")));
}

TEST(rules__survive_a_lack_of_memory) {
    const char *yaml = "notify: h\nnotifiers: {h: {webhook: 'http://h/'}}\n"
                       "inhibit:\n- {source: {severity: critical}, target: {severity: warning}}\n";
    for (size_t nth = 1; nth < 5000; nth++) {
        sw_arena_free(&arena);
        sw_mem_fail_at(nth);
        bool ok = reads(yaml);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        if (!failed) {
            CHECK(ok);
            break;
        }
        CHECK(!ok);
    }
    sw_arena_free(&arena);
}

TEST_MAIN
