/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "cli/cli_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

enum { TOKEN_BYTES_MAX = 512, PATH_BYTES = 2048, DEPTH_MAX = 512 };

static const char url_default[] = "http://127.0.0.1:8080";

sw_status sw_cli_spec_parse(sw_cli_spec *out, const char *text, sw_error *error) {
    const char *at = strchr(text, '@');
    size_t name_len = at ? (size_t)(at - text) : strlen(text);
    const char *version = at ? at + 1 : "";
    bool fits = name_len && name_len < sizeof out->name && strlen(version) < sizeof out->version;
    if (!fits || (at && !*version) || strchr(version, '@'))
        return sw_fail(error, SW_CODE_USAGE,
                       "'%.200s' names no model: write NAME, NAME@VERSION or NAME@ALIAS", text);
    memcpy(out->name, text, name_len);
    out->name[name_len] = 0;
    snprintf(out->version, sizeof out->version, "%s", version);
    return SW_OK;
}

static sw_status read_token_file(char *token, size_t size, const char *path, sw_error *error) {
    FILE *file = fopen(path, "re");
    if (!file)
        return sw_fail(error, errno == ENOENT ? SW_CODE_NOT_FOUND : SW_CODE_IO,
                       "the token file %s: %s", path, strerror(errno));
    size_t len = fread(token, 1, size - 1, file);
    fclose(file);
    token[len] = 0;
    sw_str trimmed = sw_str_trim((sw_str){token, len});
    memmove(token, trimmed.at ? trimmed.at : token, trimmed.len);
    token[trimmed.len] = 0;
    if (!*token)
        return sw_fail(error, SW_CODE_USAGE, "the token file %s is empty", path);
    return SW_OK;
}

sw_status sw_cli_another_client(sw_client **out, sw_cli *cli) {
    char token[TOKEN_BYTES_MAX] = "";
    const char *url = sw_cli_value(cli, "server"), *file = sw_cli_value(cli, "token-file");
    const char *given = getenv("SLIPWAY_TOKEN");
    if (!url)
        url = getenv("SLIPWAY_URL");
    if (file)
        SW_TRY(read_token_file(token, sizeof token, file, &cli->error));
    else if (given)
        snprintf(token, sizeof token, "%s", given);
    if (strpbrk(token, "\r\n \t"))
        return sw_fail(&cli->error, SW_CODE_USAGE, "the token holds blanks or line breaks");
    return sw_client_make(out, url && *url ? url : url_default, *token ? token : NULL,
                          getenv("SLIPWAY_CA_FILE"), &cli->error);
}

sw_status sw_cli_client(sw_client **out, sw_cli *cli) {
    if (!cli->client)
        SW_TRY(sw_cli_another_client(&cli->client, cli));
    *out = cli->client;
    return SW_OK;
}

static sw_code code_of(long http) {
    static const sw_code codes[] = {
        SW_CODE_UNAUTHENTICATED, SW_CODE_DENIED,   SW_CODE_NOT_FOUND,   SW_CODE_METHOD,
        SW_CODE_TIMEOUT,         SW_CODE_CONFLICT, SW_CODE_TOO_LARGE,   SW_CODE_MEDIA,
        SW_CODE_REFUSED,         SW_CODE_BUSY,     SW_CODE_UNSUPPORTED, SW_CODE_UNAVAILABLE,
        SW_CODE_DEADLINE,
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (sw_code_http(codes[i]) == http)
            return codes[i];
    return http >= 500 ? SW_CODE_INTERNAL : SW_CODE_INVALID;
}

sw_status sw_cli_judge(sw_cli *cli, const sw_reply *reply) {
    if (reply->http < 400)
        return SW_OK;
    sw_code code = code_of(reply->http);
    json_t *json = json_loadb(reply->body.at, reply->body.len, JSON_DECODE_INT_AS_REAL, NULL);
    const char *why = sw_js_text(json, "error");
    sw_status status;
    if (!*why)
        status = sw_fail(&cli->error, code,
                         "%s answered %ld to a request of this program: is it a Slipway server?",
                         sw_client_url(cli->client), reply->http);
    else if (reply->http == 401 && !strstr(why, "SLIPWAY_TOKEN"))
        status =
            sw_fail(&cli->error, code, "%s. Give a token by SLIPWAY_TOKEN or --token-file", why);
    else
        status = sw_fail(&cli->error, code, "%s", why);
    json_decref(json);
    return status;
}

static sw_status read_answer(json_t **out, sw_cli *cli, const sw_reply *reply) {
    SW_TRY(sw_cli_judge(cli, reply));
    if (reply->http == 204 || reply->body.len == 0) {
        *out = json_object();
        return SW_OK;
    }
    json_error_t why;
    *out = json_loadb(reply->body.at, reply->body.len, JSON_DECODE_ANY, &why);
    if (!*out)
        return sw_fail(&cli->error, SW_CODE_INTERNAL,
                       "%s gave an answer that is no JSON (%s): is it a Slipway server?",
                       sw_client_url(cli->client), why.text);
    return SW_OK;
}

sw_status sw_cli_ask(json_t **out, sw_cli *cli, const char *waiting, const char *method,
                     const json_t *body, const char *path_format, ...) {
    char path[PATH_BYTES];
    va_list args;
    va_start(args, path_format);
    vsnprintf(path, sizeof path, path_format, args);
    va_end(args);
    sw_client *client;
    SW_TRY(sw_cli_client(&client, cli));
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (body && !text)
        return sw_fail(&cli->error, SW_CODE_INVALID, "an argument is no UTF-8");
    sw_progress progress;
    sw_progress_begin(&progress, sw_cli_quiet(cli) ? NULL : waiting);
    sw_request request = {
        .method = method, .path = path, .body = sw_str_of(text), .progress = &progress};
    sw_status status = sw_client_do(sw_client_reply(client), client, &request, &cli->error);
    sw_progress_end(&progress);
    free(text);
    SW_TRY(status);
    return read_answer(out, cli, sw_client_reply(client));
}

void sw_cli_print_answer(const sw_cli *cli) {
    sw_str body = sw_str_trim(sw_buf_str(&sw_client_reply(cli->client)->body));
    if (body.len)
        printf("%.*s\n", SW_STR_ARG(body));
    else
        puts("{}");
}

const char *sw_js_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double sw_js_number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

int64_t sw_js_integer(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_real(value) ? (int64_t)json_real_value(value) : json_integer_value(value);
}

bool sw_js_bool(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

bool sw_js_is_number(const json_t *object, const char *key) {
    return json_is_number(json_object_get(object, key));
}

/* jansson writes reals with a fixed number of digits; here they are as short as they read back. */
static void write_json(FILE *out, json_t *value, unsigned depth) {
    char digits[SW_NUM_BYTES];
    const char *key;
    json_t *member;
    size_t i;
    bool first = true;
    if (depth > DEPTH_MAX) {
        fputs("null", out);
    } else if (json_is_object(value)) {
        fputc('{', out);
        json_object_foreach(value, key, member) {
            json_t *name = json_string(key);
            fputs(first ? "" : ",", out);
            json_dumpf(name, out, JSON_ENCODE_ANY);
            json_decref(name);
            fputc(':', out);
            write_json(out, member, depth + 1);
            first = false;
        }
        fputc('}', out);
    } else if (json_is_array(value)) {
        fputc('[', out);
        json_array_foreach(value, i, member) {
            fputs(i ? "," : "", out);
            write_json(out, member, depth + 1);
        }
        fputc(']', out);
    } else if (json_is_real(value)) {
        fprintf(out, "%.*s", (int)sw_num_print_f64(digits, json_real_value(value)), digits);
    } else {
        json_dumpf(value, out, JSON_ENCODE_ANY);
    }
}

void sw_cli_print_json(json_t *value) {
    write_json(stdout, value, 0);
    fputc('\n', stdout);
}
