/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/models/{model}/observations, and the same by gRPC. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/observations_proto.h"
#include "api/observations_split.h"
#include "api/reply.h"
#include "base/mem.h"
#include "serve/observations.h"

enum {
    PIECE_BYTES = 256 * 1024,
    OBSERVATION_BYTES_MAX = 4 << 20,
    REJECTED_MAX = 100, /* reasons that an answer lists */
};

/* ---- Taking them, and what became of them ---- */

typedef struct rejection {
    uint64_t index;
    sw_str why;
} rejection;

typedef struct intake {
    sw_observations *all;
    sw_arena *arena; /* the exchange's */
    uint64_t taken, rejected;
    rejection rejections[REJECTED_MAX];
} intake;

static sw_status begin(intake *in, sw_app *app, sw_str model, sw_str version, sw_error *error) {
    sw_served *served;
    SW_TRY(sw_live_hold(&served, app->parts.live, model, version, error));
    return sw_observations_begin(&in->all, served, error);
}

/* Only what is wrong with all of them fails. */
static sw_status take(intake *in, sw_str json, const sw_json_place *place, sw_error *error) {
    uint64_t index = in->taken + in->rejected;
    sw_status status = sw_observations_add(in->all, json, index, place, error);
    if (!sw_failed(status)) {
        in->taken++;
        return SW_OK;
    }
    if (status.code != SW_CODE_INVALID)
        return status;
    if (in->rejected < REJECTED_MAX)
        in->rejections[in->rejected] =
            (rejection){index, sw_arena_copy(in->arena, sw_str_of(error->text))};
    in->rejected++;
    return SW_OK;
}

/* What was taken counts, whatever came behind it; a failure says how many those were. */
static sw_status end(intake *in, sw_status status, sw_error *error) {
    sw_error why;
    sw_status ended = sw_observations_end(in->all, &why);
    if (!sw_failed(status) && sw_failed(ended)) {
        *error = why;
        return ended;
    }
    if (sw_failed(status) && in->taken)
        return sw_fail_within(status, error, "%llu observations were taken, then",
                              (unsigned long long)in->taken);
    if (!sw_failed(status) && in->rejected && !in->taken)
        return sw_fail(error, SW_CODE_INVALID,
                       "none of %llu observation%s was taken; the first: %.*s",
                       (unsigned long long)in->rejected, in->rejected == 1 ? "" : "s",
                       SW_STR_ARG(in->rejections[0].why));
    return status;
}

static size_t listed(const intake *in) {
    return in->rejected < REJECTED_MAX ? (size_t)in->rejected : REJECTED_MAX;
}

/* ---- HTTP ---- */

static bool is_lines(const sw_exchange *exchange) {
    sw_str rest = sw_exchange_header(exchange, "content-type");
    sw_str type = sw_str_trim(sw_str_split(&rest, ';'));
    static const sw_str names[] = {SW_STR("application/x-ndjson"), SW_STR("application/ndjson"),
                                   SW_STR("application/jsonl"), SW_STR("application/x-jsonlines")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sw_str_eq_nocase(type, names[i]))
            return true;
    return false;
}

/* Takes all whole observations of the buffer, and leaves the rest at its front. */
static sw_status take_all(intake *in, sw_split *split, sw_buf *buf, bool ended, sw_error *error) {
    sw_str left = sw_buf_str(buf), piece;
    sw_status status;
    do {
        status = sw_split_next(&piece, split, &left, ended, error);
        if (!sw_failed(status) && piece.len)
            status = take(in, piece, &split->place, error);
    } while (!sw_failed(status) && piece.len);
    sw_error flush_error;
    sw_status flushed = sw_observations_flush(in->all, &flush_error);
    if (!sw_failed(status) && sw_failed(flushed)) {
        *error = flush_error;
        status = flushed;
    }
    if (left.len)
        memmove(buf->at, left.at, left.len);
    buf->len = left.len;
    if (!sw_failed(status) && buf->len >= OBSERVATION_BYTES_MAX)
        return sw_fail(error, SW_CODE_TOO_LARGE, "one observation is larger than %d MiB",
                       OBSERVATION_BYTES_MAX >> 20);
    return status;
}

static sw_status receive(intake *in, sw_exchange *exchange, sw_error *error) {
    sw_split split = {.lines = is_lines(exchange)};
    sw_buf buf = {0};
    sw_status status;
    size_t len;
    do {
        len = 0;
        status = sw_buf_reserve(&buf, PIECE_BYTES)
                     ? sw_exchange_read(&len, exchange, buf.at + buf.len, PIECE_BYTES, error)
                     : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
        buf.len += len;
        if (!sw_failed(status))
            status = take_all(in, &split, &buf, len == 0, error);
    } while (!sw_failed(status) && len);
    sw_buf_free(&buf);
    if (!sw_failed(status) && split.count == 0)
        status = sw_fail(error, SW_CODE_INVALID,
                         "the body holds no observation: send {\"features\": {…}, \"prediction\": "
                         "…}, a list of them, or one a line");
    return status;
}

static void write_intake(sw_buf *json, const intake *in) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "accepted", in->taken);
    sw_json_add_u64(&w, "rejected_count", in->rejected);
    sw_json_key(&w, "rejected");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < listed(in); i++) {
        sw_json_begin_object(&w);
        sw_json_add_u64(&w, "index", in->rejections[i].index);
        sw_json_add_str(&w, "error", in->rejections[i].why);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    sw_json_end_object(&w);
}

static sw_status observe(sw_buf *json, sw_exchange *exchange, void *app, sw_error *error) {
    intake in = {.arena = &exchange->arena};
    sw_str version = sw_exchange_query(exchange, "version");
    SW_TRY(begin(&in, app, exchange->params[0], version, error));
    SW_TRY(end(&in, receive(&in, exchange, error), error));
    write_intake(json, &in);
    return SW_OK;
}

void sw_api_observe(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, observe);
}

/* ---- gRPC ---- */

enum { MESSAGES_AT_A_TIME = 256 };

typedef struct grpc_taking {
    intake *in;
    sw_buf json;
    sw_arena texts; /* of the messages since the last flush */
    uint32_t held;
} grpc_taking;

static sw_status take_message(sw_str observation, void *context, sw_error *error) {
    grpc_taking *t = context;
    sw_buf_clear(&t->json);
    SW_TRY(sw_observation_proto_to_json(&t->json, observation, error));
    sw_str text = t->json.failed ? (sw_str){0} : sw_arena_copy(&t->texts, sw_buf_str(&t->json));
    if (!text.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
    SW_TRY(take(t->in, text, NULL, error));
    if (++t->held < MESSAGES_AT_A_TIME)
        return SW_OK;
    SW_TRY(sw_observations_flush(t->in->all, error));
    sw_arena_reset(&t->texts);
    t->held = 0;
    return SW_OK;
}

static sw_status observe_grpc(sw_buf *out, sw_exchange *exchange, sw_app *app, sw_error *error) {
    intake in = {.arena = &exchange->arena};
    grpc_taking taking = {.in = &in};
    sw_str model, version;
    SW_TRY(sw_observe_request_address(&model, &version, exchange->body, error));
    SW_TRY(begin(&in, app, model, version, error));
    sw_status status = sw_observe_request_each(exchange->body, take_message, &taking, error);
    status = end(&in, status, error);
    sw_buf_free(&taking.json);
    sw_arena_free(&taking.texts);
    SW_TRY(status);
    sw_observe_response_begin(out, in.taken, in.rejected);
    for (size_t i = 0; i < listed(&in); i++)
        sw_observe_response_add(out, in.rejections[i].index, in.rejections[i].why);
    return SW_OK;
}

void sw_grpc_observe(sw_exchange *exchange, void *context) {
    sw_buf out = {0};
    sw_error error;
    sw_status status = observe_grpc(&out, exchange, context, &error);
    if (!sw_failed(status) && out.failed)
        status = sw_fail(&error, SW_CODE_NO_MEMORY, "out of memory for the answer");
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    else
        sw_exchange_reply(exchange, 200, "application/grpc", sw_buf_str(&out));
    sw_buf_free(&out);
}
