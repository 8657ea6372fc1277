/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the tour: each does its part against the server and says what came of it. */
#include "base/clock.h"
#include "cli/demo_private.h"

#include <math.h>
#include <stdarg.h>
#include <time.h>

#define MODEL_PATH "/api/v1/models/" SW_DEMO_MODEL
#define AGREE_WITHIN 1e-5

enum {
    CHECK_ROWS_MAX = 64,
    BATCH_ROWS = 142,       /* half of the unseen rows */
    REAL_BATCHES = 6,       /* 852 rows: a verdict needs 500 */
    DRIFT_BATCHES_MAX = 40, /* 5,680 rows at most until the watch must have said so */
    COUNTED_WITHIN_S = 10,
    LOAD_ANSWERS_MIN = 200, /* of a version, before the next swap */
    LOAD_WITHIN_S = 20
};

static void say(sw_demo_tour *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(sw_demo_tour *demo, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(demo->text, sizeof demo->text, format, args);
    va_end(args);
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static sw_status fail(sw_demo_tour *demo, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static sw_status fail(sw_demo_tour *demo, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(demo->cli->error.text, sizeof demo->cli->error.text, format, args);
    va_end(args);
    return (sw_status){SW_CODE_INTERNAL};
}

sw_status sw_demo_post(sw_reply *reply, sw_demo_tour *demo, const char *path, const char *type,
                       sw_str body) {
    sw_client *client;
    SW_TRY(sw_cli_client(&client, demo->cli));
    sw_request request = {.method = "POST", .path = path, .type = type, .body = body};
    SW_TRY(sw_client_do(reply, client, &request, &demo->cli->error));
    return sw_cli_judge(demo->cli, reply);
}

static sw_status upload(json_t *body, const char *key, sw_demo_tour *demo, const char *file) {
    sw_reply reply = {0};
    sw_status status =
        sw_demo_post(&reply, demo, "/api/v1/blobs", "application/octet-stream", sw_demo_file(file));
    if (!sw_failed(status)) {
        json_t *answer = json_loadb(reply.body.at, reply.body.len, 0, NULL);
        json_object_set(body, key, json_object_get(answer, "sha256"));
        json_decref(answer);
    }
    sw_reply_free(&reply);
    return status;
}

/* ---- The steps ---- */

static sw_status start(sw_demo_tour *demo) {
    sw_cli *cli = demo->cli;
    json_t *answer = NULL;
    uint64_t began_ns = sw_clock_ns();
    SW_TRY(sw_demo_server_start(&demo->server, sw_cli_value(cli, "listen"),
                                sw_cli_value(cli, "data"), &cli->error));
    double ready_s = (double)(sw_clock_ns() - began_ns) / 1e9;
    SW_TRY(sw_client_make(&cli->client, demo->server.url, NULL, NULL, &cli->error));
    SW_TRY(sw_cli_ask(&answer, cli, NULL, "GET", NULL, "/api/v1/status"));
    const char *version = sw_js_text(json_object_get(answer, "onnxruntime"), "version");
    demo->boosted = *version != 0;
    say(demo, "ready in %s on %s · %s%s", sw_text_duration(ready_s).at, demo->server.url,
        demo->boosted ? "ONNX Runtime " : "no ONNX Runtime here: the native engine alone", version);
    json_decref(answer);
    return SW_OK;
}

/* Push with its profile and check rows; `what` says what kind of model it is. */
static sw_status push(sw_demo_tour *demo, const char *model, const char *check, const char *what) {
    json_t *body = json_object(), *answer = NULL;
    uint64_t began_ns = sw_clock_ns();
    sw_status status = upload(body, "artifact", demo, model);
    if (!sw_failed(status))
        status = upload(body, "profile", demo, "train.csv");
    if (!sw_failed(status))
        status = upload(body, "check", demo, check);
    json_object_set_new(body, "note", json_string(what));
    if (!sw_failed(status))
        status = sw_cli_ask(&answer, demo->cli, NULL, "POST", body, MODEL_PATH "/versions");
    json_decref(body);
    SW_TRY(status);
    const json_t *signature = json_object_get(answer, "signature");
    say(demo, SW_DEMO_MODEL "@%lld: %s · %s · %s · profile of %s · %s",
        (long long)sw_js_integer(answer, "version"), what,
        sw_text_plural(json_array_size(json_object_get(signature, "features")), "feature").at,
        sw_text_bytes((uint64_t)sw_js_integer(json_object_get(answer, "artifact"), "size_bytes"))
            .at,
        sw_text_plural((uint64_t)sw_js_integer(json_object_get(answer, "profile"), "rows"), "row")
            .at,
        sw_text_duration((double)(sw_clock_ns() - began_ns) / 1e9).at);
    json_decref(answer);
    return SW_OK;
}

static sw_status push_first(sw_demo_tour *demo) {
    return push(demo, "linear.onnx", "check-linear.csv", "logistic regression");
}

static sw_status push_second(sw_demo_tour *demo) {
    return demo->boosted
               ? push(demo, "boosted.onnx", "check-boosted.csv", "boosted trees")
               : push(demo, "linear-strict.onnx", "check-linear-strict.csv", "stricter regression");
}

/* The server replays the check rows on the way. */
static sw_status deploy(sw_demo_tour *demo, const char *version) {
    json_t *body = json_pack("{s:s}", "version", version), *answer = NULL;
    sw_status status =
        sw_cli_ask(&answer, demo->cli, NULL, "POST", body, MODEL_PATH "/deployments");
    json_decref(body);
    SW_TRY(status);
    say(demo, SW_DEMO_MODEL "@%lld live in %s · %s · check rows agree",
        (long long)sw_js_integer(answer, "version"),
        sw_text_duration(sw_js_number(answer, "took_ms") / 1e3).at, sw_js_text(answer, "engine"));
    bool live = strcmp(sw_js_text(answer, "state"), "live") == 0;
    json_decref(answer);
    return live ? SW_OK : fail(demo, "version %s did not go live", version);
}

static sw_status deploy_first(sw_demo_tour *demo) {
    return deploy(demo, "1");
}

/* Holds what came back against what the training code said. */
static sw_status compare(sw_demo_tour *demo, const double *got, const char *protocol,
                         double seconds) {
    double worst = 0;
    for (size_t i = 0; i < demo->check.count; i++) {
        double off = fabs(got[i] - demo->check.expected[i]);
        worst = off > worst || isnan(off) ? off : worst;
    }
    if (!(worst <= AGREE_WITHIN))
        return fail(demo, "over %s a prediction is off by %g from what the training code said",
                    protocol, worst);
    say(demo, "%zu rows over %s in %s · off from the training code by %.0e at most",
        demo->check.count, protocol, sw_text_duration(seconds).at, worst);
    return SW_OK;
}

static sw_status score_rest(sw_demo_tour *demo) {
    double got[CHECK_ROWS_MAX];
    sw_buf body = {0};
    sw_reply reply = {0};
    sw_demo_write_infer(&body, &demo->check, 0, demo->check.count);
    sw_status status =
        sw_demo_post(&reply, demo, "/v2/models/" SW_DEMO_MODEL "/infer", NULL, sw_buf_str(&body));
    if (!sw_failed(status))
        status =
            sw_demo_read_infer(got, demo->check.count, sw_buf_str(&reply.body), &demo->cli->error);
    if (!sw_failed(status))
        status = compare(demo, got, "REST", reply.seconds);
    sw_reply_free(&reply);
    sw_buf_free(&body);
    return status;
}

static sw_status score_records(sw_demo_tour *demo) {
    double got[CHECK_ROWS_MAX];
    sw_buf body = {0};
    sw_reply reply = {0};
    sw_demo_write_records(&body, &demo->check, 0, demo->check.count);
    sw_status status =
        sw_demo_post(&reply, demo, "/models/" SW_DEMO_MODEL "/predict", NULL, sw_buf_str(&body));
    if (!sw_failed(status))
        status = sw_demo_read_records(got, demo->check.count, sw_buf_str(&reply.body),
                                      &demo->cli->error);
    if (!sw_failed(status))
        status = compare(demo, got, "named records", reply.seconds);
    sw_reply_free(&reply);
    sw_buf_free(&body);
    return status;
}

/* A connection of its own, which speaks HTTP/2 from the first byte. */
static sw_status score_grpc(sw_demo_tour *demo) {
    double got[CHECK_ROWS_MAX];
    sw_buf body = {0};
    sw_reply reply = {0};
    sw_client *client = NULL;
    SW_TRY(sw_client_make(&client, demo->server.url, NULL, NULL, &demo->cli->error));
    sw_demo_write_grpc(&body, &demo->check, 0, demo->check.count);
    sw_request request = {.method = "POST",
                          .path = "/inference.GRPCInferenceService/ModelInfer",
                          .type = "application/grpc",
                          .body = sw_buf_str(&body),
                          .http2 = true};
    sw_status status = sw_client_do(&reply, client, &request, &demo->cli->error);
    if (!sw_failed(status))
        status = sw_demo_read_grpc(got, demo->check.count, sw_buf_str(&reply.body),
                                   sw_buf_str(&reply.trailers), &demo->cli->error);
    if (!sw_failed(status))
        status = compare(demo, got, "gRPC", reply.seconds);
    sw_client_free(client);
    sw_reply_free(&reply);
    sw_buf_free(&body);
    return status;
}

/* One batch as named records; `right` counts the predictions that match the diagnosis. */
static sw_status send(sw_demo_tour *demo, const sw_demo_rows *rows, size_t batch, size_t *right) {
    double got[BATCH_ROWS];
    sw_buf body = {0};
    sw_reply reply = {0};
    size_t first = batch * BATCH_ROWS;
    sw_demo_write_records(&body, rows, first, BATCH_ROWS);
    sw_status status =
        sw_demo_post(&reply, demo, "/models/" SW_DEMO_MODEL "/predict", NULL, sw_buf_str(&body));
    if (!sw_failed(status))
        status = sw_demo_read_records(got, BATCH_ROWS, sw_buf_str(&reply.body), &demo->cli->error);
    for (size_t i = 0; i < BATCH_ROWS && !sw_failed(status); i++)
        *right += (got[i] > 0.5) == (rows->label[(first + i) % rows->count] > 0.5);
    demo->rows_sent += BATCH_ROWS;
    sw_reply_free(&reply);
    sw_buf_free(&body);
    return status;
}

/* Loops hand their counts over once a second: asks until the rows sent so far have arrived. */
static sw_status ask_watch(json_t **out, sw_demo_tour *demo) {
    uint64_t until_ns = sw_clock_ns() + COUNTED_WITHIN_S * SW_NS_PER_S;
    for (;;) {
        SW_TRY(sw_cli_ask(out, demo->cli, NULL, "GET", NULL, MODEL_PATH "/watch?minutes=15"));
        long long rows = (long long)sw_js_integer(*out, "rows");
        if ((uint64_t)rows >= demo->rows_sent)
            return SW_OK;
        json_decref(*out);
        *out = NULL;
        if (*demo->interrupted || sw_clock_ns() > until_ns)
            return fail(demo, "the watch has counted %lld of %llu rows", rows,
                        (unsigned long long)demo->rows_sent);
        pause_ms(50);
    }
}

static size_t count_state(const json_t *watch, const char *state) {
    size_t i, count = 0;
    json_t *column;
    json_array_foreach(json_object_get(watch, "features"), i, column) {
        count += strcmp(sw_js_text(column, "state"), state) == 0;
    }
    return count;
}

static sw_status send_real(sw_demo_tour *demo) {
    size_t right = 0, sent = 0;
    json_t *watch = NULL;
    demo->rows_sent = 3 * demo->check.count;
    for (size_t batch = 0; batch < REAL_BATCHES; batch++, sent += BATCH_ROWS)
        SW_TRY(send(demo, &demo->test, batch, &right));
    SW_TRY(ask_watch(&watch, demo));
    const char *state = sw_js_text(watch, "state");
    bool calm = strcmp(state, "same") == 0 || strcmp(state, "moved") == 0;
    say(demo, "%s as they are, %s right · watch: %zu of %zu features drifted",
        sw_text_plural(sent, "unseen row").at, sw_text_percent((double)right / (double)sent).at,
        count_state(watch, "drifted"), json_array_size(json_object_get(watch, "features")));
    sw_status status =
        calm ? SW_OK : fail(demo, "the watch says '%s' of rows like the training data", state);
    json_decref(watch);
    return status;
}

static sw_status send_drifted(sw_demo_tour *demo) {
    size_t right = 0, sent = 0, drifted = 0;
    bool said = false;
    for (size_t batch = 0; batch < DRIFT_BATCHES_MAX && !said && !*demo->interrupted; batch++) {
        json_t *watch = NULL;
        SW_TRY(send(demo, &demo->drifted, batch, &right));
        sent += BATCH_ROWS;
        if (batch % 4 != 3)
            continue;
        SW_TRY(ask_watch(&watch, demo));
        said = strcmp(sw_js_text(watch, "state"), "drifted") == 0;
        drifted = count_state(watch, "drifted");
        json_decref(watch);
    }
    if (!said)
        return fail(demo, "the watch has not noticed %zu rows with lengths × %.1f", sent,
                    SW_DEMO_STRETCH);
    say(demo, "%s with lengths × %.1f, %s right · watch: drifted, %zu of %d features",
        sw_text_plural(sent, "row").at, SW_DEMO_STRETCH,
        sw_text_percent((double)right / (double)sent).at, drifted, SW_DEMO_COLUMNS);
    return SW_OK;
}

/* Waits until the callers have had that many answers from `version`. */
static sw_status wait_answers(sw_demo_tour *demo, unsigned version) {
    uint64_t until_ns = sw_clock_ns() + LOAD_WITHIN_S * SW_NS_PER_S;
    unsigned long long before = sw_demo_load_answers(&demo->load, version);
    while (sw_demo_load_answers(&demo->load, version) < before + LOAD_ANSWERS_MIN) {
        if (*demo->interrupted || sw_clock_ns() > until_ns)
            return fail(demo, "the callers get no answers of version %u", version);
        pause_ms(5);
    }
    return SW_OK;
}

static sw_status deploy_under_load(sw_demo_tour *demo) {
    SW_TRY(sw_demo_load_start(&demo->load, demo->server.url, &demo->drifted, &demo->cli->error));
    SW_TRY(wait_answers(demo, 1));
    SW_TRY(deploy(demo, "2"));
    return wait_answers(demo, 2);
}

static sw_status rollback_under_load(sw_demo_tour *demo) {
    json_t *answer = NULL;
    SW_TRY(sw_cli_ask(&answer, demo->cli, NULL, "POST", NULL, MODEL_PATH "/rollback"));
    long long version = (long long)sw_js_integer(answer, "version");
    say(demo, SW_DEMO_MODEL "@%lld live again in %s · revision %lld", version,
        sw_text_duration(sw_js_number(answer, "took_ms") / 1e3).at,
        (long long)sw_js_integer(answer, "revision"));
    json_decref(answer);
    if (version != 1)
        return fail(demo, "the rollback went to version %lld, not to version 1", version);
    return wait_answers(demo, 1);
}

static sw_status count_failures(sw_demo_tour *demo) {
    unsigned long long requests = 0, failures = 0;
    double slowest_s = 0;
    const char *first = "";
    sw_demo_load_stop(&demo->load);
    for (size_t i = 0; i < demo->load.count; i++) {
        sw_demo_caller *caller = &demo->load.callers[i];
        requests += atomic_load(&caller->requests);
        failures += atomic_load(&caller->failures);
        slowest_s = caller->slowest_s > slowest_s ? caller->slowest_s : slowest_s;
        if (*caller->first_failure)
            first = caller->first_failure;
    }
    if (failures)
        return fail(demo, "%llu of %llu requests failed during the swaps: %s", failures, requests,
                    first);
    say(demo, "%s by %d callers through both swaps · %s failed · slowest %s",
        sw_text_plural(requests, "request").at, SW_DEMO_CALLERS, sw_text_count(failures).at,
        sw_text_duration(slowest_s).at);
    return SW_OK;
}

const sw_demo_step sw_demo_steps[] = {
    {"server", start},
    {"push", push_first},
    {"push", push_second},
    {"deploy", deploy_first},
    {"score", score_rest},
    {"score", score_records},
    {"score", score_grpc},
    {"real rows", send_real},
    {"drift", send_drifted},
    {"deploy", deploy_under_load},
    {"rollback", rollback_under_load},
    {"load", count_failures},
    {0},
};
