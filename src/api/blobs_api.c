/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/blobs: files on their way to becoming versions. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/mem.h"

enum { PIECE_BYTES = 256 * 1024 };
static const int64_t unused_ms_max = 3600 * 1000;

/* ---- Upload ---- */

static sw_status receive(sw_blob_writer *writer, sw_exchange *exchange, sw_error *error) {
    char *piece = sw_mem_alloc(PIECE_BYTES);
    if (!piece)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the upload");
    sw_status status;
    size_t len;
    do {
        status = sw_exchange_read(&len, exchange, piece, PIECE_BYTES, error);
        if (!sw_failed(status) && len)
            status = sw_blob_add(writer, (sw_str){piece, len}, error);
    } while (!sw_failed(status) && len);
    sw_mem_free(piece);
    return status;
}

static sw_status upload(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_blob_writer *writer;
    sw_blob_id id;
    uint64_t size_bytes;
    SW_TRY(sw_blob_begin(&writer, app->parts.blobs, error));
    sw_status status = receive(writer, exchange, error);
    if (sw_failed(status)) {
        sw_blob_abort(writer);
        return status;
    }
    SW_TRY(sw_blob_finish(&id, &size_bytes, writer, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "sha256", id.hex);
    sw_json_add_u64(&w, "size_bytes", size_bytes);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_blob_upload(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 201, upload);
}

void sw_api_blob_head(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    sw_blob_id id;
    uint64_t size_bytes;
    sw_status status = sw_blob_id_parse(&id, exchange->params[0])
                           ? sw_blob_size(&size_bytes, app->parts.blobs, &id, &error)
                           : sw_fail(&error, SW_CODE_INVALID, "give a SHA-256 in lower-case hex");
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    else
        sw_exchange_reply(exchange, 200, "application/octet-stream", (sw_str){0});
}

/* ---- What nobody came back for ---- */

static void sweep(const sw_blob_id *id, int64_t modified_ms, void *context) {
    sw_app *app = context;
    sw_error ignored;
    bool used, removed;
    int64_t before_ms = sw_clock_wall_ms() - unused_ms_max;
    if (modified_ms >= before_ms ||
        sw_failed(sw_registry_uses_blob(&used, app->registry, id, &ignored)) || used)
        return;
    if (sw_failed(sw_blob_remove_older(&removed, app->parts.blobs, id, before_ms, &ignored)))
        return; /* the next sweep tries again */
}

void sw_app_sweep_blobs(sw_app *app) {
    sw_error ignored;
    if (sw_failed(sw_blobs_each(app->parts.blobs, sweep, app, &ignored)))
        return; /* likewise */
}
