/* SPDX-License-Identifier: Apache-2.0 */
#include "api/feed.h"

#include "base/mem.h"

enum { UNREAD_BYTES_MAX = 1 << 20, MEMBERS_MAX = 1024 };

typedef struct feed_local feed_local;
typedef struct member member;

struct member {
    member *next, *prev;
    feed_local *local;
    sw_exchange *exchange;
    sw_feed_kind kind;
};

struct feed_local {
    member *members;
    bool closed;
};

struct sw_feed {
    sw_loops *loops;
    uint32_t loop_count;
    _Atomic uint32_t counts[SW_FEED_KINDS];
    feed_local locals[];
};

/* A copy of a message on its way to one loop; without text: the feed closes. */
typedef struct post {
    sw_task task;
    sw_feed *feed;
    feed_local *local;
    sw_feed_kind kind;
    bool close;
    size_t len;
    char text[];
} post;

static sw_feed *feed_of(const member *m) {
    return m->exchange->owner;
}

static void leave(member *m) {
    atomic_fetch_sub_explicit(&feed_of(m)->counts[m->kind], 1, memory_order_relaxed);
    *(m->prev ? &m->prev->next : &m->local->members) = m->next;
    if (m->next)
        m->next->prev = m->prev;
}

static member *find(feed_local *local, const sw_exchange *exchange) {
    member *m = local->members;
    while (m && m->exchange != exchange)
        m = m->next;
    return m;
}

static void end(member *m) {
    sw_exchange *exchange = m->exchange;
    leave(m);
    exchange->on_gone = NULL;
    sw_exchange_stream_close(exchange, SW_OK, NULL);
}

static void on_gone(sw_exchange *exchange) {
    sw_feed *feed = exchange->owner;
    member *m = find(&feed->locals[sw_loop_index(exchange->loop)], exchange);
    if (m)
        end(m);
}

void sw_feed_join(sw_feed *feed, sw_exchange *exchange, sw_feed_kind kind) {
    feed_local *local = &feed->locals[sw_loop_index(exchange->loop)];
    member *m = sw_arena_zalloc(&exchange->arena, 1, sizeof *m);
    uint32_t others = 0;
    for (int i = 0; i < SW_FEED_KINDS; i++)
        others += sw_feed_members(feed, (sw_feed_kind)i);
    if (!m || local->closed || others >= MEMBERS_MAX) {
        sw_exchange_stream_close(exchange, (sw_status){SW_CODE_UNAVAILABLE}, NULL);
        return;
    }
    *m = (member){.next = local->members, .local = local, .exchange = exchange, .kind = kind};
    if (local->members)
        local->members->prev = m;
    local->members = m;
    exchange->owner = feed;
    exchange->on_gone = on_gone;
    atomic_fetch_add_explicit(&feed->counts[kind], 1, memory_order_relaxed);
}

static void deliver(sw_task *task) {
    post *p = SW_CONTAINER(task, post, task);
    p->local->closed = p->local->closed || p->close;
    for (member *m = p->local->members, *next; m; m = next) {
        next = m->next;
        if (p->close || sw_exchange_stream_pending(m->exchange) > UNREAD_BYTES_MAX)
            end(m);
        else if (m->kind == p->kind)
            sw_exchange_stream_send(m->exchange, (sw_str){p->text, p->len});
    }
    sw_mem_free(p);
}

static void post_to_all(sw_feed *feed, sw_feed_kind kind, sw_str message, bool close) {
    for (uint32_t i = 0; i < feed->loop_count; i++) {
        post *p = sw_mem_alloc(sizeof *p + message.len);
        if (!p)
            continue;
        *p = (post){.task.run = deliver,
                    .feed = feed,
                    .local = &feed->locals[i],
                    .kind = kind,
                    .close = close,
                    .len = message.len};
        if (message.len)
            memcpy(p->text, message.at, message.len);
        sw_loop_post(sw_loops_at(feed->loops, i), &p->task);
    }
}

void sw_feed_send(sw_feed *feed, sw_feed_kind kind, sw_str message) {
    if (sw_feed_members(feed, kind) > 0)
        post_to_all(feed, kind, message, false);
}

void sw_feed_close(sw_feed *feed) {
    post_to_all(feed, SW_FEED_NOTHING, (sw_str){0}, true);
}

uint32_t sw_feed_members(const sw_feed *feed, sw_feed_kind kind) {
    return atomic_load_explicit(&feed->counts[kind], memory_order_relaxed);
}

sw_status sw_feed_make(sw_feed **out, sw_loops *loops, sw_error *error) {
    uint32_t count = sw_loops_count(loops);
    sw_feed *feed = sw_mem_zalloc(1, sizeof *feed + count * sizeof(feed_local));
    if (!feed)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the live feed");
    feed->loops = loops;
    feed->loop_count = count;
    *out = feed;
    return SW_OK;
}

void sw_feed_free(sw_feed *feed) {
    sw_mem_free(feed);
}
