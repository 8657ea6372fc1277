/* SPDX-License-Identifier: Apache-2.0 */
/* A message for Slack, for Alertmanager, as mail. */
#include "alert/message.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

enum { SHOWN_MAX = 20, LINE_MAX_BYTES = 72, REFRESH_MS = 300000 };

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static sw_status read_message(json_t **out, sw_str json, sw_error *error) {
    json_error_t where;
    *out = json_loadb(json.at, json.len, 0, &where);
    if (*out && json_is_array(json_object_get(*out, "alerts")))
        return SW_OK;
    json_decref(*out);
    *out = NULL;
    return sw_fail(error, SW_CODE_INVALID, "this is no message about alerts");
}

static sw_status finish(const sw_buf *out, json_t *message, sw_error *error) {
    json_decref(message);
    return out->failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a message") : SW_OK;
}

/* On one line, whatever a column may be called. */
static void add_clean(sw_buf *out, const char *text) {
    for (; *text; text++)
        sw_buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

static void write_title(sw_buf *out, const json_t *m) {
    int64_t firing = number_of(m, "firing"), resolved = number_of(m, "resolved");
    const json_t *first = json_array_get(json_object_get(m, "alerts"), 0);
    if (firing + resolved == 1) {
        sw_buf_add_str(out, firing ? SW_STR("FIRING: ") : SW_STR("resolved: "));
        add_clean(out, text_of(first, "summary"));
    } else if (firing && resolved)
        sw_buf_printf(out, "%" PRId64 " FIRING, %" PRId64 " resolved", firing, resolved);
    else
        sw_buf_printf(out, "%" PRId64 " %s", firing ? firing : resolved,
                      firing ? "FIRING" : "resolved");
}

/* One line an alert, and where to look. */
static void write_lines(sw_buf *out, const json_t *m) {
    const json_t *alerts = json_object_get(m, "alerts"), *a;
    const char *url = text_of(m, "url");
    size_t i, total = json_array_size(alerts) + (size_t)number_of(m, "more");
    json_array_foreach(alerts, i, a) {
        if (i == SHOWN_MAX)
            break;
        sw_buf_printf(out, "[%s, %s] ", text_of(a, "state"), text_of(a, "severity"));
        add_clean(out, text_of(a, "summary"));
        sw_buf_printf(out, " (rule %s; slipway explain %" PRId64 ")\n", text_of(a, "rule"),
                      number_of(a, "id"));
    }
    if (total > SHOWN_MAX)
        sw_buf_printf(out, "and %zu more: slipway alerts\n", total - SHOWN_MAX);
    if (*url)
        sw_buf_printf(out, "%s/alerts\n", url);
}

/* ---- Slack ---- */

static sw_str escape_slack(sw_buf *out, sw_str text) {
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&': sw_buf_add_lit(out, "&amp;"); break;
        case '<': sw_buf_add_lit(out, "&lt;"); break;
        case '>': sw_buf_add_lit(out, "&gt;"); break;
        default: sw_buf_add_char(out, text.at[i]);
        }
    }
    return sw_buf_str(out);
}

sw_status sw_message_slack(sw_buf *out, sw_str json, sw_error *error) {
    json_t *m;
    sw_buf plain = {0}, escaped = {0};
    SW_TRY(read_message(&m, json, error));
    write_title(&plain, m);
    sw_buf_add_char(&plain, '\n');
    write_lines(&plain, m);
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "text", escape_slack(&escaped, sw_buf_str(&plain)));
    sw_json_end_object(&w);
    out->failed = out->failed || plain.failed || escaped.failed;
    sw_buf_free(&plain);
    sw_buf_free(&escaped);
    return finish(out, m, error);
}

/* ---- Alertmanager: POST /api/v2/alerts ---- */

static void add_rfc3339(sw_json *w, const char *key, int64_t ms) {
    char text[64];
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    gmtime_r(&seconds, &parts);
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    len += (size_t)snprintf(text + len, sizeof text - len, ".%03dZ", (int)(ms % 1000));
    sw_json_add_str(w, key, (sw_str){text, len});
}

static void write_labels(sw_json *w, const json_t *a) {
    static const char *const names[] = {"model", "column",  "segment",
                                        "kind",  "measure", "severity"};
    char version[16];
    const char *key;
    const json_t *value;
    sw_json_key(w, "labels");
    sw_json_begin_object(w);
    sw_json_add_text(w, "alertname", text_of(a, "rule"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*text_of(a, names[i]))
            sw_json_add_text(w, names[i], text_of(a, names[i]));
    if (number_of(a, "version")) {
        snprintf(version, sizeof version, "%" PRId64, number_of(a, "version"));
        sw_json_add_text(w, "version", version);
    }
    json_object_foreach(json_object_get(a, "labels"), key, value) {
        bool ours = strcmp(key, "alertname") == 0 || strcmp(key, "version") == 0;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            ours = ours || strcmp(key, names[i]) == 0;
        if (!ours)
            sw_json_add_text(w, key, json_string_value(value));
    }
    sw_json_end_object(w);
}

static void write_annotations(sw_json *w, const json_t *a) {
    char line[64];
    snprintf(line, sizeof line, "slipway explain %" PRId64, number_of(a, "id"));
    sw_json_key(w, "annotations");
    sw_json_begin_object(w);
    sw_json_add_text(w, "summary", text_of(a, "summary"));
    sw_json_add_text(w, "explain", line);
    sw_json_end_object(w);
}

/* It ends what it does not hear of again by then. */
static int64_t ends_ms(const json_t *m, const json_t *a) {
    int64_t ended = number_of(a, "ended_ms"), keep = 4 * number_of(m, "repeat_ms");
    if (strcmp(text_of(a, "state"), "resolved") == 0 && ended)
        return ended;
    return number_of(m, "at_ms") + (keep > REFRESH_MS ? keep : REFRESH_MS);
}

sw_status sw_message_alertmanager(sw_buf *out, sw_str json, sw_error *error) {
    json_t *m;
    const json_t *a;
    size_t i;
    SW_TRY(read_message(&m, json, error));
    const char *url = text_of(m, "url");
    sw_json w = sw_json_to(out);
    sw_json_begin_array(&w);
    json_array_foreach(json_object_get(m, "alerts"), i, a) {
        sw_json_begin_object(&w);
        write_labels(&w, a);
        write_annotations(&w, a);
        add_rfc3339(&w, "startsAt", number_of(a, "fired_ms"));
        add_rfc3339(&w, "endsAt", ends_ms(m, a));
        if (*url)
            sw_json_add_text(&w, "generatorURL", url);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    return finish(out, m, error);
}

/* ---- Mail ---- */

static bool is_plain(unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '=' && c != '?' && c != '_';
}

static void add_quoted(sw_buf *out, unsigned char c) {
    sw_buf_printf(out, "=%02X", c);
}

/* RFC 2047, Q: words of at most 75 characters, none of which splits a character of UTF-8. */
static void add_subject(sw_buf *out, sw_str text) {
    size_t in_word = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool starts_character = (c & 0xc0) != 0x80;
        if (i == 0 || (in_word > 50 && starts_character)) {
            sw_buf_add_str(out, i ? SW_STR("?=\r\n =?utf-8?Q?") : SW_STR("=?utf-8?Q?"));
            in_word = 0;
        }
        if (c == ' ')
            sw_buf_add_char(out, '_');
        else if (is_plain(c))
            sw_buf_add_char(out, (char)c);
        else
            add_quoted(out, c);
        in_word += is_plain(c) || c == ' ' ? 1 : 3;
    }
    sw_buf_add_lit(out, "?=\r\n");
}

/* RFC 2045, quoted-printable. */
static void add_body(sw_buf *out, sw_str text) {
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '\n') {
            sw_buf_add_lit(out, "\r\n");
            column = 0;
            continue;
        }
        if (column >= LINE_MAX_BYTES) {
            sw_buf_add_lit(out, "=\r\n");
            column = 0;
        }
        bool last = i + 1 == text.len || text.at[i + 1] == '\n';
        bool plain = (c >= 0x21 && c < 0x7f && c != '=' && !(c == '.' && column == 0)) ||
                     (c == ' ' && !last);
        if (plain)
            sw_buf_add_char(out, (char)c);
        else
            add_quoted(out, c);
        column += plain ? 1 : 3;
    }
}

static void write_mail_head(sw_buf *out, const sw_action *action, sw_str key, int64_t wall_ms) {
    char date[64];
    struct tm parts;
    time_t seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &parts); /* the C locale's names */
    const char *at = memchr(action->from.at, '@', action->from.len);
    sw_str domain = {at + 1, action->from.len - (size_t)(at + 1 - action->from.at)};
    sw_buf_printf(out, "From: Slipway <%.*s>\r\n", SW_STR_ARG(action->from));
    for (size_t i = 0; i < action->to_count; i++)
        sw_buf_printf(out, "%s<%.*s>", i ? ",\r\n " : "To: ", SW_STR_ARG(action->to[i]));
    sw_buf_printf(out, "\r\nDate: %s\r\nMessage-ID: <%.*s@%.*s>\r\n", date, SW_STR_ARG(key),
                  SW_STR_ARG(domain));
    sw_buf_add_lit(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\nSubject: ");
}

sw_status sw_message_mail(sw_buf *out, sw_str json, const sw_action *action, sw_str key,
                          int64_t wall_ms, sw_error *error) {
    json_t *m;
    sw_buf title = {0}, lines = {0};
    SW_TRY(read_message(&m, json, error));
    sw_buf_add_lit(&title, "[slipway] ");
    write_title(&title, m);
    write_lines(&lines, m);
    write_mail_head(out, action, key, wall_ms);
    add_subject(out, sw_buf_str(&title));
    sw_buf_add_lit(out, "\r\n");
    add_body(out, sw_buf_str(&lines));
    out->failed = out->failed || title.failed || lines.failed;
    sw_buf_free(&title);
    sw_buf_free(&lines);
    return finish(out, m, error);
}
