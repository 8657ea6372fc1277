/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

#include "unit/test.h"

static const sw_cli_option own[] = {
    {"profile", 'p', "FILE", "a file"},
    {"follow", 'f', NULL, "a flag"},
    {"minutes", 'm', "N", "a number"},
    {"expires", 0, "TIME", "a duration"},
    {0},
};
static const sw_cli_command command = {
    .name = "try", .arguments = "A", .summary = "s", .options = own};

/* Parses the words behind the command's name. */
#define PARSE(cli, ...)                                                          \
    sw_cli_parse((cli), (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), \
                 (char *[]){__VA_ARGS__})

static sw_cli fresh(void) {
    return (sw_cli){.command = &command};
}

TEST(options__stand_anywhere_among_the_arguments) {
    sw_cli cli = fresh();
    REQUIRE_OK(PARSE(&cli, "one", "--profile", "x.csv", "two", "-f"), cli.error);
    CHECK_INT(cli.argument_count, 2);
    CHECK_TEXT(sw_cli_argument(&cli, 0), "one");
    CHECK_TEXT(sw_cli_argument(&cli, 1), "two");
    CHECK(sw_cli_argument(&cli, 2) == NULL);
    CHECK_TEXT(sw_cli_value(&cli, "profile"), "x.csv");
    CHECK(sw_cli_flag(&cli, "follow"));
    CHECK(!sw_cli_flag(&cli, "json"));
}

TEST(options__take_values_behind_an_equals_sign_or_a_letter) {
    sw_cli cli = fresh();
    REQUIRE_OK(PARSE(&cli, "--profile=a=b.csv", "-m7", "-fjq"), cli.error);
    CHECK_TEXT(sw_cli_value(&cli, "profile"), "a=b.csv");
    CHECK_TEXT(sw_cli_value(&cli, "minutes"), "7");
    CHECK(sw_cli_json(&cli) && sw_cli_quiet(&cli) && sw_cli_flag(&cli, "follow"));
}

TEST(options__end_at_two_dashes) {
    sw_cli cli = fresh();
    REQUIRE_OK(PARSE(&cli, "--", "--profile", "-"), cli.error);
    CHECK_INT(cli.argument_count, 2);
    CHECK_TEXT(sw_cli_argument(&cli, 0), "--profile");
    CHECK_TEXT(sw_cli_argument(&cli, 1), "-");
}

TEST(options__leave_negative_numbers_and_a_lone_dash_alone) {
    sw_cli cli = fresh();
    REQUIRE_OK(PARSE(&cli, "-", "-1.5,2", "--profile", "-3"), cli.error);
    CHECK_INT(cli.argument_count, 2);
    CHECK_TEXT(sw_cli_value(&cli, "profile"), "-3");
}

TEST(options__keep_the_last_value_and_number_the_repeated) {
    sw_cli cli = fresh();
    REQUIRE_OK(PARSE(&cli, "-p", "a", "-p", "b"), cli.error);
    CHECK_TEXT(sw_cli_value(&cli, "profile"), "b");
    CHECK_TEXT(sw_cli_value_at(&cli, "profile", 0), "a");
    CHECK_TEXT(sw_cli_value_at(&cli, "profile", 1), "b");
    CHECK(sw_cli_value_at(&cli, "profile", 2) == NULL);
}

TEST(options__suggest_what_was_meant) {
    sw_cli cli = fresh();
    CHECK_INT(PARSE(&cli, "--proflie", "x").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "did you mean --profile?");
    CHECK_INT(PARSE(&cli, "--min=3").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "did you mean --minutes?");
    CHECK_INT(PARSE(&cli, "--sever", "x").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "did you mean --server?");
    CHECK_INT(PARSE(&cli, "--xyzzyplugh").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "See: slipway try --help");
    CHECK_INT(PARSE(&cli, "-z").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "-z");
}

TEST(options__want_a_value_where_they_take_one_and_only_there) {
    sw_cli cli = fresh();
    CHECK_INT(PARSE(&cli, "--profile").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "--profile FILE");
    CHECK_INT(PARSE(&cli, "--follow=yes").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "takes no value");
}

TEST(options__refuse_a_token_in_the_arguments) {
    sw_cli cli = fresh();
    CHECK_INT(PARSE(&cli, "--token", "secret").code, SW_CODE_USAGE);
    CHECK_HAS(cli.error.text, "SLIPWAY_TOKEN");
    CHECK(strstr(cli.error.text, "secret") == NULL);
}

TEST(options__refuse_more_than_there_is_room_for) {
    sw_cli cli = fresh();
    char *words[SW_CLI_ARGUMENTS_MAX + 1], word[] = "w", flag[] = "-f";
    for (size_t i = 0; i <= SW_CLI_ARGUMENTS_MAX; i++)
        words[i] = word;
    CHECK_INT(sw_cli_parse(&cli, SW_CLI_ARGUMENTS_MAX + 1, words).code, SW_CODE_USAGE);
    cli = fresh();
    for (size_t i = 0; i <= SW_CLI_OPTIONS_MAX; i++)
        words[i] = flag;
    CHECK_INT(sw_cli_parse(&cli, SW_CLI_OPTIONS_MAX + 1, words).code, SW_CODE_USAGE);
}

static sw_code number_of(uint64_t *out, const char *text) {
    sw_cli cli = fresh();
    char word[64];
    snprintf(word, sizeof word, "--minutes=%s", text);
    sw_status status = PARSE(&cli, word);
    if (status.code == SW_CODE_OK)
        status = sw_cli_number(out, &cli, "minutes", 15, 1, 100);
    return status.code;
}

TEST(number__takes_whole_numbers_of_its_range) {
    uint64_t n = 0;
    CHECK_INT(number_of(&n, "100"), SW_CODE_OK);
    CHECK_INT(n, 100);
    CHECK_INT(number_of(&n, "0"), SW_CODE_USAGE);
    CHECK_INT(number_of(&n, "101"), SW_CODE_USAGE);
    CHECK_INT(number_of(&n, "1x"), SW_CODE_USAGE);
    CHECK_INT(number_of(&n, ""), SW_CODE_USAGE);
    CHECK_INT(number_of(&n, "99999999999999999999"), SW_CODE_USAGE);
    sw_cli cli = fresh();
    REQUIRE_OK(sw_cli_number(&n, &cli, "minutes", 15, 1, 100), cli.error);
    CHECK_INT(n, 15);
}

static sw_code seconds_of(uint64_t *out, const char *text) {
    sw_cli cli = fresh();
    char word[64];
    snprintf(word, sizeof word, "--expires=%s", text);
    sw_status status = PARSE(&cli, word);
    if (status.code == SW_CODE_OK)
        status = sw_cli_seconds(out, &cli, "expires", 0);
    return status.code;
}

TEST(seconds__takes_a_number_and_a_unit) {
    static const struct {
        const char *text;
        uint64_t seconds;
    } rows[] = {{"90s", 90},       {"15m", 900},    {"12h", 43200},
                {"30d", 2592000},  {"2w", 1209600}, {"1.5h", 5400},
                {"30 d", 2592000}, {"15min", 900},  {"1500ms", 2}};
    uint64_t s = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(seconds_of(&s, rows[i].text), SW_CODE_OK);
        CHECK_INT(s, rows[i].seconds);
    }
    static const char *const bad[] = {"", "d", "30", "0d", "0", "-1d", "30y", "1us", "1e9w"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(seconds_of(&s, bad[i]), SW_CODE_USAGE);
}

TEST(spec__parts_name_and_version) {
    sw_cli_spec spec;
    sw_error error;
    REQUIRE_OK(sw_cli_spec_parse(&spec, "fraud", &error), error);
    CHECK_TEXT(spec.name, "fraud");
    CHECK_TEXT(spec.version, "");
    REQUIRE_OK(sw_cli_spec_parse(&spec, "fraud@champion", &error), error);
    CHECK_TEXT(spec.name, "fraud");
    CHECK_TEXT(spec.version, "champion");
    static const char *const bad[] = {"", "@2", "fraud@", "fraud@2@3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(sw_cli_spec_parse(&spec, bad[i], &error).code, SW_CODE_USAGE);
}

TEST(find__knows_commands_by_their_other_names) {
    static const sw_cli_command table[] = {
        {.name = "models", .other_names = "list ls"}, {.name = "push"}, {0}};
    CHECK(sw_cli_find(table, "ls") == &table[0]);
    CHECK(sw_cli_find(table, "list") == &table[0]);
    CHECK(sw_cli_find(table, "push") == &table[1]);
    CHECK(sw_cli_find(table, "list ls") == NULL);
    CHECK(sw_cli_find(table, "pus") == NULL);
}

TEST(segment__encodes_what_a_path_must_not_hold) {
    CHECK_TEXT(sw_client_segment("fraud-2.x_y~").at, "fraud-2.x_y~");
    CHECK_TEXT(sw_client_segment("a/b?c#d e%").at, "a%2Fb%3Fc%23d%20e%25");
    CHECK_TEXT(sw_client_segment("ä").at, "%C3%A4");
    char longest[2000];
    memset(longest, '/', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    sw_segment segment = sw_client_segment(longest);
    CHECK(strlen(segment.at) < sizeof segment.at);
}

TEST(client__refuses_what_is_no_address) {
    static const char *const bad[] = {"", "ftp://x", "unix:relative", "http://a b", "x\ny"};
    sw_client *client = NULL;
    sw_error error;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(sw_client_make(&client, bad[i], NULL, NULL, &error).code, SW_CODE_USAGE);
    REQUIRE_OK(sw_client_make(&client, "127.0.0.1:9/", NULL, NULL, &error), error);
    CHECK_TEXT(sw_client_url(client), "http://127.0.0.1:9");
    sw_client_free(client);
}

TEST(client__says_where_no_server_is_and_what_to_do) {
    sw_client *client = NULL;
    sw_error error;
    sw_reply reply = {0};
    sw_request request = {.method = "GET", .path = "/"};
    REQUIRE_OK(sw_client_make(&client, "unix:/nowhere/at/all.sock", NULL, NULL, &error), error);
    CHECK_INT(sw_client_do(&reply, client, &request, &error).code, SW_CODE_UNREACHABLE);
    CHECK_HAS(error.text, "no server at unix:/nowhere/at/all.sock: start one with `slipway serve`");
    sw_reply_free(&reply);
    sw_client_free(client);
}

TEST_MAIN
