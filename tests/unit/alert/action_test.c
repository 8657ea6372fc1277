/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/action.h"

#include "alert/message.h"
#include "io/command.h"
#include "unit/test.h"

#include <signal.h>

TEST(signature__is_hmac_sha256_of_time_and_body) {
    char hex[65];
    /* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret */
    sw_action_sign(hex, SW_STR("secret"), 1700000000, SW_STR("{\"a\":1}"));
    CHECK(strcmp(hex, "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686") == 0);
    char other[65];
    sw_action_sign(other, SW_STR("secret"), 1700000001, SW_STR("{\"a\":1}"));
    CHECK(strcmp(hex, other) != 0);
}

TEST(backoff__grows_and_is_bounded) {
    int64_t before = 0;
    for (uint32_t attempt = 2; attempt < 40; attempt++) {
        int64_t whole = sw_action_backoff_ms(attempt, 0),
                least = sw_action_backoff_ms(attempt, 0.999999);
        CHECK(whole >= before && whole <= 300000);
        CHECK(least >= whole / 2 && least <= whole);
        before = whole;
    }
    CHECK_INT(sw_action_backoff_ms(2, 0), 1000);
    CHECK_INT(before, 300000);
}

static sw_str a_message(sw_buf *out, const sw_action_kind *kind, sw_str column) {
    static sw_rules rules;
    sw_notifier n = {.action = {.name = SW_STR("ops"), .kind = kind}, .repeat_ms = 60000};
    sw_alert a = {.id = 12,
                  .rule = SW_STR("drift"),
                  .model = SW_STR("fraud"),
                  .version = 2,
                  .column = column,
                  .kind = SW_SIGNAL_DRIFT,
                  .measure = SW_STR("psi"),
                  .severity = SW_WARNING,
                  .state = SW_ALERT_FIRING,
                  .fired_ms = 1700000000123,
                  .summary = column,
                  .labels_json = SW_STR("{\"team\":\"risk\"}")};
    const sw_alert *alerts[] = {&a};
    sw_notification to = {
        .notifier = &n, .group_key = SW_STR("ops\nmodel=fraud"), .alerts = alerts, .firing = 1};
    sw_message_write(out, &to, &rules, 1700000060000);
    return sw_buf_str(out);
}

static bool has(const sw_buf *text, const char *what) {
    return memmem(text->at, text->len, what, strlen(what)) != NULL;
}

TEST(messages__say_the_same_to_each_kind_of_receiver) {
    sw_error why;
    sw_buf json = {0}, out = {0};
    sw_str message = a_message(&json, &sw_action_kinds[0], SW_STR("a<b> & c"));
    CHECK(has(&json, "\"group\":{\"model\":\"fraud\"}"));
    CHECK(!sw_failed(sw_message_slack(&out, message, &why)));
    CHECK(has(&out, "FIRING: a&lt;b&gt; &amp; c"));
    CHECK(has(&out, "slipway explain 12"));
    sw_buf_clear(&out);
    CHECK(!sw_failed(sw_message_alertmanager(&out, message, &why)));
    CHECK(has(&out, "\"alertname\":\"drift\""));
    CHECK(has(&out, "\"team\":\"risk\""));
    CHECK(has(&out, "\"startsAt\":\"2023-11-14T22:13:20.123Z\""));
    CHECK(has(&out, "\"endsAt\":\"2023-11-14T22:19:20.000Z\""));
    sw_buf_free(&json);
    sw_buf_free(&out);
}

/* A column's name comes from a stranger's file: it must not become a header. */
TEST(mail__has_no_headers_but_its_own) {
    sw_error why;
    sw_buf json = {0}, out = {0};
    sw_str to[] = {SW_STR("ops@example.org")};
    sw_action action = {.from = SW_STR("slipway@example.org"), .to = to, .to_count = 1};
    sw_str message =
        a_message(&json, &sw_action_kinds[0], SW_STR("x\r\nBcc: evil@example.org\n.\r\n"));
    CHECK(!sw_failed(sw_message_mail(&out, message, &action, SW_STR("k"), 1700000000000, &why)));
    CHECK(has(&out, "To: <ops@example.org>\r\n"));
    CHECK(has(&out, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
    CHECK(!has(&out, "\nBcc:"));
    CHECK(!has(&out, "\n.\r"));
    for (size_t i = 0, column = 0; i < out.len; i++) {
        CHECK((unsigned char)out.at[i] < 0x80);
        CHECK(out.at[i] != '\n' || (i && out.at[i - 1] == '\r'));
        column = out.at[i] == '\n' ? 0 : column + 1;
        CHECK(column <= 998);
    }
    sw_buf_free(&json);
    sw_buf_free(&out);
}

static sw_status run(int *status, char output[SW_COMMAND_OUTPUT_BYTES], const char *script,
                     sw_str input, int64_t timeout_ms, sw_error *why) {
    char *const argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    sw_command command = {.argv = argv, .input = input, .timeout_ms = timeout_ms};
    return sw_command_run(status, output, &command, why);
}

TEST(command__gets_its_input_and_gives_its_output) {
    int status = -1;
    char output[SW_COMMAND_OUTPUT_BYTES];
    sw_error why;
    CHECK(!sw_failed(run(&status, output, "cat; exit 3", SW_STR("hello"), 5000, &why)));
    CHECK_INT(status, 3);
    CHECK(strcmp(output, "hello") == 0);
}

TEST(command__that_reads_nothing_or_writes_for_ever_does_no_harm) {
    static char big[300000];
    signal(SIGPIPE, SIG_IGN);
    int status = -1;
    char output[SW_COMMAND_OUTPUT_BYTES];
    sw_error why;
    memset(big, 'x', sizeof big);
    CHECK(!sw_failed(run(&status, output, "exit 0", (sw_str){big, sizeof big}, 5000, &why)));
    CHECK_INT(status, 0);
    CHECK(!sw_failed(run(&status, output, "cat", (sw_str){big, sizeof big}, 5000, &why)));
    CHECK_INT(strlen(output), SW_COMMAND_OUTPUT_BYTES - 1);
    CHECK_INT(run(&status, output, "yes", SW_STR(""), 300, &why).code, SW_CODE_DEADLINE);
    CHECK_INT(run(&status, output, "sleep 60 & sleep 60", SW_STR(""), 300, &why).code,
              SW_CODE_DEADLINE);
}

TEST(command__that_is_not_there_says_so) {
    int status;
    char output[SW_COMMAND_OUTPUT_BYTES];
    char *const argv[] = {"/nonexistent/program", NULL};
    sw_command command = {.argv = argv, .timeout_ms = 1000};
    sw_error why;
    CHECK_INT(sw_command_run(&status, output, &command, &why).code, SW_CODE_NOT_FOUND);
    CHECK(strstr(why.text, "/nonexistent/program") != NULL);
}

TEST_MAIN
