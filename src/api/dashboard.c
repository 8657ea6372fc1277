/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard's files, out of the binary. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "base/embedded.h"

extern const sw_embedded sw_dashboard_files[];

static const char content_policy[] =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'";

static const sw_embedded *find(sw_str path) {
    for (const sw_embedded *file = sw_dashboard_files; file->name; file++)
        if (sw_str_is(path, file->name))
            return file;
    return NULL;
}

static bool accepts(const sw_exchange *exchange, const char *header, const char *word) {
    sw_str value = sw_exchange_header(exchange, header);
    return value.len && memmem(value.at, value.len, word, strlen(word)) != NULL;
}

static sw_str slice(sw_embedded_bytes bytes) {
    return (sw_str){bytes.at, (size_t)(bytes.end - bytes.at)};
}

static void add_security_headers(sw_exchange *exchange) {
    sw_exchange_add_header(exchange, "Content-Security-Policy", sw_str_of(content_policy));
    sw_exchange_add_header(exchange, "X-Content-Type-Options", SW_STR("nosniff"));
    sw_exchange_add_header(exchange, "Referrer-Policy", SW_STR("no-referrer"));
}

static void send_file(sw_exchange *exchange, int status, const sw_embedded *file) {
    bool hashed = sw_str_starts(sw_str_of(file->name), SW_STR("/assets/"));
    bool gzip = file->gzip.at && accepts(exchange, "accept-encoding", "gzip");
    add_security_headers(exchange);
    sw_exchange_add_header(exchange, "Cache-Control",
                           hashed ? SW_STR("public, max-age=31536000, immutable")
                                  : SW_STR("no-cache"));
    sw_exchange_add_header(exchange, "Vary", SW_STR("Accept-Encoding"));
    if (gzip)
        sw_exchange_add_header(exchange, "Content-Encoding", SW_STR("gzip"));
    sw_exchange_reply(exchange, status, file->content_type, slice(gzip ? file->gzip : file->plain));
}

bool sw_dashboard_reply_page(sw_exchange *exchange, int status) {
    const sw_embedded *page = find(SW_STR("/index.html"));
    if (!page || !accepts(exchange, "accept", "text/html"))
        return false;
    send_file(exchange, status, page);
    return true;
}

/* A path of the dashboard's own, such as /models/fraud, gets its page; everything else is unknown.
 */
void sw_api_dashboard(sw_exchange *exchange, void *context) {
    (void)context;
    sw_error error;
    const sw_embedded *file = find(exchange->path);
    if (file)
        send_file(exchange, 200, file);
    else if (!sw_dashboard_reply_page(exchange, 200))
        sw_exchange_fail(
            exchange,
            sw_fail(&error, SW_CODE_NOT_FOUND,
                    "there is nothing at %.*s. The API is described at /api/v1/openapi.json",
                    SW_STR_ARG(exchange->path)),
            &error);
}

extern const sw_embedded sw_openapi_files[];

void sw_api_openapi(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "application/json", slice(sw_openapi_files[0].plain));
}
