/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/sniff.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>

enum { PENDING_MAX = 64 };

/* A request whose reply is not complete. */
struct sw_sniff_pending {
    sw_sniff_pending *next;
    sw_capture *capture; /* NULL: not wanted */
    uint64_t began_ns;
    bool head;                     /* its reply has no body */
    bool request_done, reply_done; /* freed once both are */
};

void sw_capture_free(sw_capture *capture) {
    if (!capture)
        return;
    sw_buf_free(&capture->request);
    sw_buf_free(&capture->reply);
    sw_mem_free(capture);
}

static void drop_capture(sw_sniff_pending *p) {
    sw_capture_free(p->capture);
    p->capture = NULL;
}

static void free_pending(sw_sniff_pending *p) {
    drop_capture(p);
    sw_mem_free(p);
}

/* From here on bytes go by unread. */
static void go_opaque(sw_sniff *s) {
    s->opaque = true;
    if (s->asking && s->asking->reply_done)
        free_pending(s->asking); /* in no list any more */
    s->asking = NULL;
    while (s->oldest) {
        sw_sniff_pending *next = s->oldest->next;
        free_pending(s->oldest);
        s->oldest = next;
    }
    s->newest = NULL;
    s->pending_count = 0;
}

/* ---- Headers of both sides ---- */

static void begin_side(sw_sniff_side *side) {
    side->name_len = side->value_len = 0;
    side->name_done = side->encoded = false;
    side->json_bytes = -1;
}

/* A name that does not fit becomes one that is none of ours. */
static void add_name(sw_sniff_side *side, const char *at, size_t len) {
    if (side->name_done) {
        side->name_done = false;
        side->name_len = side->value_len = 0;
    }
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        if (side->name_len < sizeof side->name - 1)
            side->name[side->name_len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        else
            side->name[0] = '?';
    }
    side->name[side->name_len] = '\0';
}

static void add_value(sw_sniff_side *side, const char *at, size_t len) {
    side->name_done = true;
    size_t room = sizeof side->value - side->value_len;
    len = len < room ? len : room;
    memcpy(side->value + side->value_len, at, len);
    side->value_len += len;
}

static sw_str value_of(const sw_sniff_side *side) {
    return sw_str_trim((sw_str){side->value, side->value_len});
}

static void end_header(sw_sniff_side *side) {
    uint64_t bytes;
    side->name_done = true;
    if (strcmp(side->name, "inference-header-content-length") == 0)
        side->json_bytes = sw_str_to_u64(&bytes, value_of(side), INT64_MAX) ? (int64_t)bytes : -1;
    else if (strcmp(side->name, "content-encoding") == 0)
        side->encoded = !sw_str_eq_nocase(value_of(side), SW_STR("identity"));
}

/* ---- The request ---- */

static sw_sniff *request_of(llhttp_t *parser) {
    return parser->data;
}

/* Passes on what was read so far, then `instead` of the next `len` bytes. */
static void replace(sw_sniff *s, const char *at, size_t len, sw_str instead) {
    sw_buf_add(s->out, s->from, (size_t)(at - s->from));
    sw_buf_add_str(s->out, instead);
    s->from = at + len;
}

/* Appends what was held back, which came before what is at hand. */
static void let_go(sw_sniff *s) {
    sw_buf_add_str(s->out, sw_buf_str(&s->held));
    sw_buf_clear(&s->held);
    s->holding = false;
}

static int on_request_begin(llhttp_t *parser) {
    sw_sniff *s = request_of(parser);
    sw_sniff_pending *p = s->pending_count < PENDING_MAX ? sw_mem_zalloc(1, sizeof *p) : NULL;
    if (!p)
        return -1; /* to whom a reply belongs can no longer be told */
    p->began_ns = sw_clock_ns();
    *(s->newest ? &s->newest->next : &s->oldest) = p;
    s->newest = s->asking = p;
    s->pending_count++;
    s->counts->requests++;
    begin_side(&s->request);
    s->path_len = 0;
    s->path_begun = s->host_done = false;
    s->id[0] = '\0';
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len) {
    sw_sniff *s = request_of(parser);
    if (!s->path_begun && *at == '/' && s->rules->prefix.len)
        replace(s, at, 0, s->rules->prefix);
    s->path_begun = true;
    size_t room = sizeof s->path - 1 - s->path_len;
    memcpy(s->path + s->path_len, at, len < room ? len : room);
    s->path_len += len < room ? len : room;
    return 0;
}

static int on_request_name(llhttp_t *parser, const char *at, size_t len) {
    add_name(&request_of(parser)->request, at, len);
    return 0;
}

static bool is_wanted_path(const sw_sniff_rules *rules, sw_str path) {
    static const sw_str oip = SW_STR("/v2/models/"), infer = SW_STR("/infer");
    if (rules->path.len)
        return sw_str_eq(path, rules->path);
    if (!sw_str_starts(path, SW_STR("/v2/")))
        return true;
    if (!sw_str_starts(path, oip) || path.len < infer.len ||
        memcmp(path.at + path.len - infer.len, infer.at, infer.len) != 0)
        return false;
    sw_str rest = {path.at + oip.len, path.len - oip.len};
    return sw_str_eq(sw_str_split(&rest, '/'), rules->model);
}

/* POST, to a path that is wanted. */
static bool is_wanted(const sw_sniff *s) {
    sw_str rest = {s->path, s->path_len};
    return s->request.parser.method == HTTP_POST && s->path_len < sizeof s->path - 1 &&
           is_wanted_path(s->rules, sw_str_split(&rest, '?'));
}

/* ---- Accept-Encoding ---- */

/* "; q=0", "; q=0.000" */
static bool is_refused(sw_str parameters) {
    while (parameters.len) {
        sw_str one = sw_str_trim(sw_str_split(&parameters, ';'));
        if (one.len < 3 || (one.at[0] | 0x20) != 'q' || one.at[1] != '=')
            continue;
        size_t zeros = 2;
        while (zeros < one.len && (one.at[zeros] == '0' || one.at[zeros] == '.'))
            zeros++;
        return zeros == one.len;
    }
    return false;
}

/* Whether a reply may be compressed, and also need not be (RFC 9110, 12.5.3). */
static bool leaves_the_choice(sw_str value) {
    bool compressed = false, plain = true, plain_named = false;
    while (value.len) {
        sw_str rest = sw_str_split(&value, ',');
        sw_str coding = sw_str_trim(sw_str_split(&rest, ';'));
        bool refused = is_refused(rest);
        if (coding.len == 0)
            continue;
        if (sw_str_eq_nocase(coding, SW_STR("identity"))) {
            plain_named = true;
            plain = !refused;
        } else if (refused && sw_str_is(coding, "*")) {
            plain = plain_named && plain;
        } else if (!refused) {
            compressed = true;
        }
    }
    return compressed && plain;
}

static bool is_accept_encoding(const sw_sniff *s) {
    return strcmp(s->request.name, "accept-encoding") == 0;
}

/* It is passed on when it is known as a whole, and as it came where it is longer than that. */
static void hold_value(sw_sniff *s, const char *at, size_t len) {
    bool fits = s->request.value_len + len <= sizeof s->request.value;
    if (s->holding && !fits) {
        let_go(s);
    } else if (fits && s->request.value_len == 0 && !s->holding) {
        replace(s, at, 0, SW_STR(""));
        s->holding = true;
    }
}

static void end_held(sw_sniff *s) {
    sw_str held = sw_buf_str(&s->held), value = {s->request.value, s->request.value_len};
    if (!s->holding)
        return;
    if (leaves_the_choice(value)) {
        sw_buf_add_lit(s->out, "identity");
        size_t there = held.len < value.len ? held.len : value.len;
        sw_buf_add(s->out, held.at + there, held.len - there);
        s->from += value.len - there;
        sw_buf_clear(&s->held);
    }
    let_go(s);
}

static int on_request_value(llhttp_t *parser, const char *at, size_t len) {
    sw_sniff *s = request_of(parser);
    if (strcmp(s->request.name, "host") == 0) {
        replace(s, at, len, s->host_done ? SW_STR("") : s->rules->host);
        s->host_done = true;
    } else if (is_accept_encoding(s) && is_wanted(s)) {
        hold_value(s, at, len);
    }
    add_value(&s->request, at, len);
    return 0;
}

static int on_request_header(llhttp_t *parser) {
    sw_sniff *s = request_of(parser);
    end_header(&s->request);
    end_held(s);
    sw_str value = value_of(&s->request);
    if (s->rules->id_header && strcmp(s->request.name, s->rules->id_header) == 0 &&
        value.len < sizeof s->id)
        snprintf(s->id, sizeof s->id, "%.*s", SW_STR_ARG(value));
    return 0;
}

/* NULL where it is not wanted, or memory is out. */
static sw_capture *begin_capture(sw_sniff *s) {
    sw_str rest = {s->path, s->path_len};
    sw_str path = sw_str_split(&rest, '?');
    if (!is_wanted(s))
        return NULL;
    if (s->request.encoded) {
        s->counts->encoded++;
        return NULL;
    }
    sw_capture *capture = sw_mem_zalloc(1, sizeof *capture);
    if (!capture)
        return NULL;
    memcpy(capture->path, path.at, path.len);
    memcpy(capture->id, s->id, sizeof capture->id);
    capture->request_json_bytes = s->request.json_bytes;
    return capture;
}

static int on_request_headers(llhttp_t *parser) {
    sw_sniff *s = request_of(parser);
    if (!s->asking)
        return 0;
    s->asking->head = parser->method == HTTP_HEAD;
    if (!s->asking->reply_done)
        s->asking->capture = begin_capture(s);
    return 0;
}

static void add_body(sw_sniff *s, sw_sniff_pending *p, sw_buf *body, const char *at, size_t len) {
    if (body->len + len <= SW_CAPTURE_BYTES_MAX) {
        sw_buf_add(body, at, len);
        if (!body->failed)
            return;
    }
    s->counts->too_large++;
    drop_capture(p);
}

static int on_request_body(llhttp_t *parser, const char *at, size_t len) {
    sw_sniff *s = request_of(parser);
    if (s->asking && s->asking->capture)
        add_body(s, s->asking, &s->asking->capture->request, at, len);
    return 0;
}

static int on_request_end(llhttp_t *parser) {
    sw_sniff *s = request_of(parser);
    sw_sniff_pending *p = s->asking;
    s->asking = NULL;
    if (!p)
        return 0;
    p->request_done = true;
    if (p->reply_done)
        free_pending(p);
    return 0;
}

/* ---- The reply ---- */

static int on_reply_begin(llhttp_t *parser) {
    begin_side(&((sw_sniff *)parser->data)->reply);
    return 0;
}

static int on_reply_name(llhttp_t *parser, const char *at, size_t len) {
    add_name(&((sw_sniff *)parser->data)->reply, at, len);
    return 0;
}

static int on_reply_value(llhttp_t *parser, const char *at, size_t len) {
    add_value(&((sw_sniff *)parser->data)->reply, at, len);
    return 0;
}

static int on_reply_header(llhttp_t *parser) {
    sw_sniff *s = parser->data;
    sw_capture *capture = s->oldest ? s->oldest->capture : NULL;
    end_header(&s->reply);
    sw_str value = value_of(&s->reply);
    if (capture && !capture->id[0] && s->rules->id_header &&
        strcmp(s->reply.name, s->rules->id_header) == 0 && value.len < sizeof capture->id)
        snprintf(capture->id, sizeof capture->id, "%.*s", SW_STR_ARG(value));
    return 0;
}

/* 1: no body follows, whatever the headers say. */
static int on_reply_headers(llhttp_t *parser) {
    sw_sniff *s = parser->data;
    sw_sniff_pending *p = s->oldest;
    if (!p)
        return 0;
    int status = parser->status_code;
    if (p->capture && status >= 200) {
        p->capture->reply_json_bytes = s->reply.json_bytes;
        s->counts->failed += status > 299;
        s->counts->encoded += status <= 299 && s->reply.encoded;
        if (status > 299 || s->reply.encoded)
            drop_capture(p);
    }
    return p->head && status >= 200;
}

static int on_reply_body(llhttp_t *parser, const char *at, size_t len) {
    sw_sniff *s = parser->data;
    if (s->oldest && s->oldest->capture)
        add_body(s, s->oldest, &s->oldest->capture->reply, at, len);
    return 0;
}

static void hand_over(sw_sniff *s, sw_sniff_pending *p) {
    sw_capture *capture = p->capture;
    p->capture = NULL;
    capture->at_ms = sw_clock_wall_ms();
    capture->latency_ms = (double)(sw_clock_ns() - p->began_ns) / (double)SW_NS_PER_MS;
    s->counts->captured++;
    s->rules->take(capture, s->rules->context);
}

static int on_reply_end(llhttp_t *parser) {
    sw_sniff *s = parser->data;
    sw_sniff_pending *p = s->oldest;
    if (!p || parser->status_code < 200)
        return 0; /* an interim answer: the real one follows */
    s->oldest = p->next;
    if (!s->oldest)
        s->newest = NULL;
    s->pending_count--;
    p->reply_done = true;
    if (p->capture && p->request_done)
        hand_over(s, p);
    if (p->request_done)
        free_pending(p);
    else
        drop_capture(p); /* it was answered before it was read */
    return 0;
}

/* ---- Feeding ---- */

static const llhttp_settings_t request_calls = {
    .on_message_begin = on_request_begin,
    .on_url = on_url,
    .on_header_field = on_request_name,
    .on_header_value = on_request_value,
    .on_header_value_complete = on_request_header,
    .on_headers_complete = on_request_headers,
    .on_body = on_request_body,
    .on_message_complete = on_request_end,
};

static const llhttp_settings_t reply_calls = {
    .on_message_begin = on_reply_begin,
    .on_header_field = on_reply_name,
    .on_header_value = on_reply_value,
    .on_header_value_complete = on_reply_header,
    .on_headers_complete = on_reply_headers,
    .on_body = on_reply_body,
    .on_message_complete = on_reply_end,
};

void sw_sniff_init(sw_sniff *s, const sw_sniff_rules *rules, sw_sniff_counts *counts) {
    *s = (sw_sniff){.rules = rules, .counts = counts};
    llhttp_init(&s->request.parser, HTTP_REQUEST, &request_calls);
    llhttp_init(&s->reply.parser, HTTP_RESPONSE, &reply_calls);
    s->request.parser.data = s->reply.parser.data = s;
    begin_side(&s->request);
    begin_side(&s->reply);
}

void sw_sniff_free(sw_sniff *s) {
    go_opaque(s);
    sw_buf_free(&s->held);
}

/* False where the parser can go no further. A request may ask for another protocol: whether it gets
 * that, the reply says. */
static bool feed(llhttp_t *parser, sw_str bytes, bool request) {
    const char *at = bytes.at, *end = bytes.at + bytes.len;
    while (at < end) {
        llhttp_errno_t error = llhttp_execute(parser, at, (size_t)(end - at));
        if (error == HPE_OK)
            return true;
        if (error != HPE_PAUSED_UPGRADE || !request || parser->method == HTTP_CONNECT)
            return false;
        at = llhttp_get_error_pos(parser);
        llhttp_resume_after_upgrade(parser);
    }
    return true;
}

void sw_sniff_request(sw_sniff *s, sw_str bytes, sw_buf *out) {
    s->from = bytes.at;
    s->out = out;
    if (!s->opaque && bytes.len && !feed(&s->request.parser, bytes, true))
        go_opaque(s);
    sw_buf *to = out;
    if (s->holding && s->opaque)
        let_go(s);
    else if (s->holding)
        to = &s->held;
    sw_buf_add(to, s->from, (size_t)(bytes.at + bytes.len - s->from));
    out->failed = out->failed || s->held.failed;
    s->out = NULL;
}

void sw_sniff_reply(sw_sniff *s, sw_str bytes) {
    if (!s->opaque && bytes.len && !feed(&s->reply.parser, bytes, false))
        go_opaque(s);
}

void sw_sniff_reply_end(sw_sniff *s) {
    if (!s->opaque && llhttp_finish(&s->reply.parser) != HPE_OK)
        go_opaque(s);
}

bool sw_sniff_is_idle(const sw_sniff *s) {
    return !s->opaque && !s->asking && !s->oldest;
}

bool sw_sniff_may_refuse(const sw_sniff *s) {
    return !s->opaque && s->oldest;
}
