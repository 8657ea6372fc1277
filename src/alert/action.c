/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/action.h"

#include "alert/message.h"
#include "alert/transfer_private.h"
#include "io/command.h"
#include "store/sha256.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { HASH_BLOCK_BYTES = 64, BACKOFF_MS = 1000, BACKOFF_MS_MAX = 300000, HEADER_BYTES = 192 };

/* ---- Signing ---- */

/* RFC 2104. */
static bool hmac(uint8_t out[SW_SHA256_BYTES], sw_str key, sw_str text) {
    uint8_t block[HASH_BLOCK_BYTES] = {0}, outer[HASH_BLOCK_BYTES + SW_SHA256_BYTES];
    sw_buf inner = {0};
    if (key.len > sizeof block)
        sw_sha256_of(block, key);
    else if (key.len)
        memcpy(block, key.at, key.len);
    for (size_t i = 0; i < sizeof block; i++) {
        sw_buf_add_char(&inner, (char)(block[i] ^ 0x36));
        outer[i] = block[i] ^ 0x5c;
    }
    sw_buf_add_str(&inner, text);
    bool whole = !inner.failed;
    if (whole) {
        sw_sha256_of(outer + HASH_BLOCK_BYTES, sw_buf_str(&inner));
        sw_sha256_of(out, (sw_str){(const char *)outer, sizeof outer});
    }
    explicit_bzero(block, sizeof block);
    explicit_bzero(outer, HASH_BLOCK_BYTES);
    if (inner.at)
        explicit_bzero(inner.at, inner.len < HASH_BLOCK_BYTES ? inner.len : HASH_BLOCK_BYTES);
    sw_buf_free(&inner);
    return whole;
}

void sw_action_sign(char hex[65], sw_str secret, int64_t timestamp_s, sw_str body) {
    uint8_t digest[SW_SHA256_BYTES];
    sw_buf text = {0};
    sw_buf_printf(&text, "%" PRId64 ".", timestamp_s);
    sw_buf_add_str(&text, body);
    *hex = 0; /* an empty signature is refused by whoever checks it */
    if (!text.failed && hmac(digest, secret, sw_buf_str(&text)))
        for (size_t i = 0; i < sizeof digest; i++)
            snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    sw_buf_free(&text);
}

int64_t sw_action_backoff_ms(uint32_t attempt, double chance) {
    uint32_t doublings = attempt > 2 ? attempt - 2 : 0;
    int64_t whole = doublings > 8 ? BACKOFF_MS_MAX : (int64_t)BACKOFF_MS << doublings;
    whole = whole < BACKOFF_MS_MAX ? whole : BACKOFF_MS_MAX;
    return whole - (int64_t)floor(chance * (double)whole / 2);
}

/* ---- Kinds ---- */

/* What the receiver said goes into the reason, but none of our secrets that it may echo. */
static void add_reply(sw_error *error, const sw_action *action, char *reply) {
    const sw_str secrets[] = {action->secret, action->password, action->url, action->user};
    for (char *c = reply; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = ' ';
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (secrets[i].len && strstr(reply, secrets[i].at))
            return;
    sw_str said = sw_str_trim(sw_str_of(reply));
    size_t used = strlen(error->text);
    if (said.len)
        snprintf(error->text + used, sizeof error->text - used, ": %.*s",
                 (int)(said.len < 200 ? said.len : 200), said.at);
}

/* A client's mistake stays one; what timed out, is too busy or broken is tried again. */
static bool is_final(int status) {
    return status >= 300 && status < 500 && status != 408 && status != 429;
}

static sw_status transfer(sw_action_result *result, sw_transfer *t, sw_error *error) {
    char reply[SW_TRANSFER_REPLY_BYTES];
    sw_status status = sw_transfer_do(&result->status, reply, t, error);
    if (sw_failed(status) && !t->mail)
        add_reply(error, t->action, reply);
    /* Of SMTP 5yz is for good, 4yz for now: RFC 5321. */
    result->final =
        sw_failed(status) && (t->mail ? result->status >= 500 : is_final(result->status));
    return status;
}

static sw_status run_webhook(sw_action_result *result, const sw_action *action,
                             const sw_message *message, sw_error *error) {
    char key[HEADER_BYTES], stamp[HEADER_BYTES], signature[HEADER_BYTES], hex[65];
    int64_t now_s = message->wall_ms / 1000;
    sw_transfer t = {.action = action, .body = message->json, .stop = message->stop};
    snprintf(key, sizeof key, "Idempotency-Key: %.*s", SW_STR_ARG(message->key));
    snprintf(stamp, sizeof stamp, "X-Slipway-Timestamp: %" PRId64, now_s);
    t.headers[0] = "Content-Type: application/json";
    t.headers[1] = key;
    t.headers[2] = stamp;
    if (action->secret.len) {
        sw_action_sign(hex, action->secret, now_s, message->json);
        snprintf(signature, sizeof signature, "X-Slipway-Signature: v1=%s", hex);
        t.headers[3] = signature;
    }
    return transfer(result, &t, error);
}

static sw_status run_slack(sw_action_result *result, const sw_action *action,
                           const sw_message *message, sw_error *error) {
    sw_buf body = {0};
    sw_status status = sw_message_slack(&body, message->json, error);
    if (!sw_failed(status)) {
        sw_transfer t = {.action = action, .body = sw_buf_str(&body), .stop = message->stop};
        t.headers[0] = "Content-Type: application/json";
        status = transfer(result, &t, error);
    }
    sw_buf_free(&body);
    return status;
}

static sw_status run_alertmanager(sw_action_result *result, const sw_action *action,
                                  const sw_message *message, sw_error *error) {
    sw_buf body = {0};
    sw_status status = sw_message_alertmanager(&body, message->json, error);
    if (!sw_failed(status)) {
        sw_transfer t = {.action = action,
                         .path = "/api/v2/alerts",
                         .body = sw_buf_str(&body),
                         .stop = message->stop};
        t.headers[0] = "Content-Type: application/json";
        status = transfer(result, &t, error);
    }
    sw_buf_free(&body);
    return status;
}

static sw_status run_email(sw_action_result *result, const sw_action *action,
                           const sw_message *message, sw_error *error) {
    sw_buf body = {0};
    sw_status status =
        sw_message_mail(&body, message->json, action, message->key, message->wall_ms, error);
    if (!sw_failed(status)) {
        sw_transfer t = {
            .action = action, .body = sw_buf_str(&body), .stop = message->stop, .mail = true};
        status = transfer(result, &t, error);
    }
    sw_buf_free(&body);
    return status;
}

static sw_status run_command(sw_action_result *result, const sw_action *action,
                             const sw_message *message, sw_error *error) {
    char output[SW_COMMAND_OUTPUT_BYTES];
    sw_command command = {.argv = action->argv,
                          .input = message->json,
                          .timeout_ms = action->timeout_ms,
                          .stop = message->stop};
    SW_TRY(sw_command_run(&result->status, output, &command, error));
    if (result->status == 0)
        return SW_OK;
    sw_status status = sw_fail(error, SW_CODE_REFUSED, "it ended with status %d", result->status);
    add_reply(error, action, output);
    return status;
}

const sw_action_kind sw_action_kinds[] = {
    {"webhook", "secret user password ca_file", false, false, run_webhook},
    {"slack", "ca_file", false, false, run_slack},
    {"email", "from to user password tls ca_file", false, false, run_email},
    {"alertmanager", "user password ca_file", true, false, run_alertmanager},
    {"command", "", false, true, run_command},
};
const size_t sw_action_kind_count = sizeof sw_action_kinds / sizeof *sw_action_kinds;
