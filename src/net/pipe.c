/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded channel between a loop and a handler on a pool thread: the request's body one way, a
 * streamed reply the other. The thread waits; the loop never does, it stops reading instead.
 */
#include "net/net_private.h"

#include "base/mem.h"

#include <pthread.h>

struct sw_pipe {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    sw_call *call;
    char *ring; /* SW_NET_PIPE_BYTES of the body, or NULL */
    size_t at, len;
    size_t taken; /* since the loop was last told */
    bool ended, gone;
    sw_code why; /* OK: the body is complete */
    bool opened; /* the reply, and the loop does not know yet */
    sw_buf out;
    size_t out_at;
    bool posted;
    sw_task task;
};

bool sw_pipe_make(sw_call *call, bool with_body) {
    sw_pipe *pipe = sw_mem_zalloc(1, sizeof *pipe);
    char *ring = pipe && with_body ? sw_mem_alloc(SW_NET_PIPE_BYTES) : NULL;
    if (!pipe || (with_body && !ring)) {
        sw_mem_free(pipe);
        return false;
    }
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->moved, NULL);
    pipe->call = call;
    pipe->ring = ring;
    call->pipe = pipe;
    return true;
}

void sw_pipe_free(sw_call *call) {
    sw_pipe *pipe = call->pipe;
    if (!pipe)
        return;
    pthread_cond_destroy(&pipe->moved);
    pthread_mutex_destroy(&pipe->lock);
    sw_mem_free(pipe->ring);
    sw_buf_free(&pipe->out);
    sw_mem_free(pipe);
    call->pipe = NULL;
}

/* On the loop: what the thread has done since. */
static void serve(sw_task *task) {
    sw_pipe *pipe = SW_CONTAINER(task, sw_pipe, task);
    sw_call *call = pipe->call;
    pthread_mutex_lock(&pipe->lock);
    size_t taken = pipe->taken;
    bool opened = pipe->opened;
    pipe->taken = 0;
    pipe->opened = pipe->posted = false;
    pthread_mutex_unlock(&pipe->lock);
    if (call->gone)
        return;
    if (opened)
        call->conn->proto->stream_open(call, call->reply_status, call->reply_type);
    call->conn->proto->pipe_moved(call, taken);
}

/* With the lock held, on the thread. */
static void tell_loop(sw_pipe *pipe) {
    if (pipe->posted)
        return;
    pipe->posted = true;
    pipe->task.run = serve;
    sw_loop_post(pipe->call->net->loop, &pipe->task);
}

size_t sw_pipe_room(const sw_call *call) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    size_t room = pipe->ring ? SW_NET_PIPE_BYTES - pipe->len : 0;
    pthread_mutex_unlock(&pipe->lock);
    return room;
}

void sw_pipe_put(sw_call *call, const char *bytes, size_t len) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    if (len > SW_NET_PIPE_BYTES - pipe->len)
        len = SW_NET_PIPE_BYTES - pipe->len; /* the caller has asked for the room */
    size_t end = (pipe->at + pipe->len) % SW_NET_PIPE_BYTES;
    size_t first = SW_NET_PIPE_BYTES - end < len ? SW_NET_PIPE_BYTES - end : len;
    if (len) {
        memcpy(pipe->ring + end, bytes, first);
        memcpy(pipe->ring, bytes + first, len - first);
    }
    pipe->len += len;
    pthread_cond_signal(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
}

void sw_pipe_end(sw_call *call, sw_code code) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    if (!pipe->ended) {
        pipe->ended = true;
        pipe->why = code;
    }
    pthread_cond_signal(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
}

void sw_pipe_gone(sw_call *call) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    pipe->gone = true;
    pthread_cond_broadcast(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
}

size_t sw_pipe_pull(sw_call *call, sw_buf *into, size_t max) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    size_t len = pipe->out.len - pipe->out_at;
    if (len > max)
        len = max;
    sw_buf_add(into, pipe->out.at + pipe->out_at, len);
    pipe->out_at += len;
    if (pipe->out_at == pipe->out.len) {
        sw_buf_clear(&pipe->out);
        pipe->out_at = 0;
    } else if (pipe->out_at > pipe->out.len / 2) {
        pipe->out.len -= pipe->out_at;
        memmove(pipe->out.at, pipe->out.at + pipe->out_at, pipe->out.len);
        pipe->out_at = 0;
    }
    pthread_cond_signal(&pipe->moved);
    pthread_mutex_unlock(&pipe->lock);
    return len;
}

bool sw_pipe_has_reply(const sw_call *call) {
    return sw_pipe_pending(call) > 0;
}

size_t sw_pipe_pending(const sw_call *call) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    size_t len = pipe->out.len - pipe->out_at;
    pthread_mutex_unlock(&pipe->lock);
    return len;
}

static sw_status ended_status(const sw_pipe *pipe, sw_error *error) {
    if (pipe->gone)
        return sw_fail(error, SW_CODE_CANCELLED,
                       "the client went away before its body was complete");
    switch (pipe->why) {
    case SW_CODE_TIMEOUT:
        return sw_fail(error, pipe->why, "the client stopped sending before its body was complete");
    case SW_CODE_TOO_LARGE:
        return sw_fail(error, pipe->why,
                       "the body is larger than %zu bytes, the most that is taken here",
                       pipe->call->body_max);
    default: return (sw_status){pipe->why};
    }
}

sw_status sw_pipe_read(size_t *len, sw_call *call, void *buffer, size_t cap, sw_error *error) {
    sw_pipe *pipe = call->pipe;
    sw_status status = SW_OK;
    pthread_mutex_lock(&pipe->lock);
    while (pipe->len == 0 && !pipe->ended && !pipe->gone)
        pthread_cond_wait(&pipe->moved, &pipe->lock);
    bool broken = pipe->gone || (pipe->ended && pipe->why != SW_CODE_OK);
    if (broken || pipe->len == 0) {
        status = ended_status(pipe, error);
    } else {
        size_t take = pipe->len < cap ? pipe->len : cap;
        size_t first = SW_NET_PIPE_BYTES - pipe->at < take ? SW_NET_PIPE_BYTES - pipe->at : take;
        memcpy(buffer, pipe->ring + pipe->at, first);
        memcpy((char *)buffer + first, pipe->ring, take - first);
        pipe->at = (pipe->at + take) % SW_NET_PIPE_BYTES;
        pipe->len -= take;
        pipe->taken += take;
        *len = take;
        if (pipe->taken >= SW_NET_PIPE_BYTES / 4 || pipe->len == 0)
            tell_loop(pipe);
    }
    pthread_mutex_unlock(&pipe->lock);
    return status;
}

void sw_pipe_open(sw_call *call) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    pipe->opened = true;
    tell_loop(pipe);
    pthread_mutex_unlock(&pipe->lock);
}

bool sw_pipe_send(sw_call *call, sw_str a, sw_str b) {
    sw_pipe *pipe = call->pipe;
    pthread_mutex_lock(&pipe->lock);
    while (pipe->out.len - pipe->out_at >= SW_NET_PIPE_BYTES && !pipe->gone)
        pthread_cond_wait(&pipe->moved, &pipe->lock);
    bool ok = !pipe->gone;
    if (ok) {
        sw_buf_add_str(&pipe->out, a);
        sw_buf_add_str(&pipe->out, b);
        ok = !pipe->out.failed;
        tell_loop(pipe);
    }
    pthread_mutex_unlock(&pipe->lock);
    return ok;
}
