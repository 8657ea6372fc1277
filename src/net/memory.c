/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's free lists. A list that did not run low during a whole second holds more than the load
 * needs: half of what lay unused is given back then, so that a burst leaves no mark.
 */
#include "net/net_private.h"

#include "base/mem.h"

enum { KEPT_ALWAYS = 8, BUF_KEPT_BYTES = 64 * 1024 };

static const size_t body_bytes_max = (size_t)1 << 30;

sw_chunk *sw_net_take_chunk(sw_net *net, size_t cap) {
    sw_chunk *chunk = net->free_chunks;
    if (cap <= SW_NET_CHUNK_BYTES && chunk) {
        net->free_chunks = chunk->next;
        if (--net->free_chunk_count < net->free_chunk_low)
            net->free_chunk_low = net->free_chunk_count;
        chunk->users = 1;
        return chunk;
    }
    if (cap < SW_NET_CHUNK_BYTES)
        cap = SW_NET_CHUNK_BYTES;
    bool large = cap > SW_NET_CHUNK_BYTES;
    if (large && !sw_net_charge(net, cap))
        return NULL;
    chunk = cap < SIZE_MAX - sizeof *chunk ? sw_mem_alloc(sizeof *chunk + cap) : NULL;
    if (chunk)
        *chunk = (sw_chunk){.cap = cap, .users = 1};
    else if (large)
        sw_net_discharge(net, cap);
    return chunk;
}

void sw_net_drop_chunk(sw_net *net, sw_chunk *chunk) {
    if (!chunk || --chunk->users > 0)
        return;
    if (chunk->cap > SW_NET_CHUNK_BYTES) {
        sw_net_discharge(net, chunk->cap);
        sw_mem_free(chunk);
        return;
    }
    chunk->next = net->free_chunks;
    net->free_chunks = chunk;
    net->free_chunk_count++;
}

bool sw_net_take_out(sw_net *net, sw_buf *out) {
    if (!net->free_outs)
        return sw_buf_reserve(out, SW_NET_CHUNK_BYTES);
    *out = (sw_buf){.at = net->free_outs, .cap = SW_NET_CHUNK_BYTES};
    memcpy(&net->free_outs, out->at, sizeof net->free_outs);
    if (--net->free_out_count < net->free_out_low)
        net->free_out_low = net->free_out_count;
    return true;
}

void sw_net_give_out(sw_net *net, sw_buf *out) {
    if (out->cap < SW_NET_CHUNK_BYTES || out->cap > (size_t)2 * SW_NET_CHUNK_BYTES) {
        sw_buf_free(out);
        return;
    }
    memcpy(out->at, &net->free_outs, sizeof net->free_outs);
    net->free_outs = out->at;
    net->free_out_count++;
    *out = (sw_buf){0};
}

static void recycle_buf(sw_buf *buf) {
    if (buf->cap > BUF_KEPT_BYTES)
        sw_buf_free(buf);
    sw_buf_clear(buf);
}

/* All of a call but its large parts goes back to zero. */
static void reset_call(sw_call *call) {
    sw_arena arena = call->pub.arena;
    sw_buf head = call->head, in = call->in, out = call->out;
    memset(&call->pub, 0, sizeof call->pub);
    memset(&call->conn, 0, offsetof(sw_call, headers) - offsetof(sw_call, conn));
    memset(&call->header_count, 0, sizeof *call - offsetof(sw_call, header_count));
    call->pub.arena = arena;
    call->head = head;
    call->in = in;
    call->out = out;
}

sw_call *sw_net_take_call(sw_net *net) {
    sw_call *call = net->free_calls;
    if (!call) {
        call = sw_mem_zalloc(1, sizeof *call);
        if (call)
            sw_arena_init(&call->pub.arena, 4096 - 64);
        return call;
    }
    net->free_calls = call->next;
    if (--net->free_call_count < net->free_call_low)
        net->free_call_low = net->free_call_count;
    reset_call(call);
    return call;
}

static void free_call(sw_call *call) {
    sw_arena_free(&call->pub.arena);
    sw_buf_free(&call->head);
    sw_buf_free(&call->in);
    sw_buf_free(&call->out);
    sw_mem_free(call);
}

void sw_net_give_call(sw_net *net, sw_call *call) {
    if (call->in.cap > SW_NET_CHUNK_BYTES)
        sw_net_discharge(net, call->in.cap);
    if (call->in.cap > SW_NET_CHUNK_BYTES)
        sw_buf_free(&call->in);
    recycle_buf(&call->head);
    recycle_buf(&call->in);
    recycle_buf(&call->out);
    sw_arena_reset(&call->pub.arena);
    call->next = net->free_calls;
    net->free_calls = call;
    net->free_call_count++;
}

static void drop_free_call(sw_net *net) {
    sw_call *call = net->free_calls;
    net->free_calls = call->next;
    net->free_call_count--;
    free_call(call);
}

static void drop_free_chunk(sw_net *net) {
    sw_chunk *chunk = net->free_chunks;
    net->free_chunks = chunk->next;
    net->free_chunk_count--;
    sw_mem_free(chunk);
}

static void drop_free_out(sw_net *net) {
    char *out = net->free_outs;
    memcpy(&net->free_outs, out, sizeof net->free_outs);
    net->free_out_count--;
    sw_mem_free(out);
}

static uint32_t surplus(uint32_t low) {
    return low > KEPT_ALWAYS ? (low - KEPT_ALWAYS + 1) / 2 : 0;
}

void sw_net_trim(sw_net *net) {
    for (uint32_t n = surplus(net->free_call_low); n > 0; n--)
        drop_free_call(net);
    for (uint32_t n = surplus(net->free_chunk_low); n > 0; n--)
        drop_free_chunk(net);
    for (uint32_t n = surplus(net->free_out_low); n > 0; n--)
        drop_free_out(net);
    sw_net_trim_blocks(net);
    net->free_call_low = net->free_call_count;
    net->free_chunk_low = net->free_chunk_count;
    net->free_out_low = net->free_out_count;
}

void sw_net_free_lists(sw_net *net) {
    while (net->free_calls)
        drop_free_call(net);
    while (net->free_chunks)
        drop_free_chunk(net);
    while (net->free_outs)
        drop_free_out(net);
    sw_net_free_blocks(net);
}

bool sw_net_charge(sw_net *net, size_t bytes) {
    size_t before = atomic_fetch_add(&net->server->body_bytes, bytes);
    if (bytes <= body_bytes_max && before <= body_bytes_max - bytes)
        return true;
    atomic_fetch_sub(&net->server->body_bytes, bytes);
    return false;
}

void sw_net_discharge(sw_net *net, size_t bytes) {
    atomic_fetch_sub(&net->server->body_bytes, bytes);
}
