/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/events and the live stream of server-sent events. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"

enum { EVENTS_MAX = 500 };

static sw_status write_events(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    uint64_t limit, before;
    sw_event *events;
    size_t count;
    SW_TRY(sw_query_u64(&limit, exchange, "limit", 50, EVENTS_MAX, error));
    SW_TRY(sw_query_u64(&before, exchange, "before", 0, INT64_MAX, error));
    SW_TRY(sw_registry_list_events(&events, &count, app->registry,
                                   sw_exchange_query(exchange, "model"), (int64_t)before,
                                   (uint32_t)limit + 1, &exchange->arena, error));
    bool more = count > limit;
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_key(&w, "events");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < count - more; i++)
        sw_json_event(&w, &events[i]);
    sw_json_end_array(&w);
    sw_json_add_bool(&w, "more", more);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_events(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_events);
}

void sw_api_stream(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_exchange_add_header(exchange, "Cache-Control", SW_STR("no-store"));
    sw_exchange_stream_open(exchange, 200, "text/event-stream");
    sw_exchange_stream_send(exchange, SW_STR("retry: 1000\n\n"));
    sw_feed_join(app->feed, exchange, SW_FEED_EVENTS);
}
