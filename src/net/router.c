/* SPDX-License-Identifier: Apache-2.0 */
#include "net/router_private.h"

#include "base/mem.h"

typedef struct node {
    sw_str name; /* of a literal segment */
    struct node *sibling, *literals, *capture, *rest;
    const sw_route_entry *by_method[SW_METHOD_OTHER];
    const sw_route_entry *grpc;
} node;

struct sw_router {
    sw_arena arena;
    node root;
};

static node *child_for(sw_router *router, node *parent, sw_str segment) {
    bool capture = segment.len >= 2 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
    bool rest = sw_str_is(segment, "*");
    node **slot = capture ? &parent->capture : rest ? &parent->rest : &parent->literals;
    while (*slot && !capture && !rest && !sw_str_eq((*slot)->name, segment))
        slot = &(*slot)->sibling;
    if (!*slot) {
        *slot = sw_arena_zalloc(&router->arena, 1, sizeof **slot);
        if (*slot)
            (*slot)->name = segment;
    }
    return *slot;
}

static sw_status add_route(sw_router *router, const sw_route_entry *entry, sw_error *error) {
    sw_str left = sw_str_of(entry->pattern);
    if (left.len == 0 || left.at[0] != '/' || (!entry->grpc && entry->method >= SW_METHOD_OTHER))
        return sw_fail(error, SW_CODE_INVALID, "route %s is malformed", entry->pattern);
    node *at = &router->root;
    uint32_t captures = 0;
    left = (sw_str){left.at + 1, left.len - 1};
    for (bool more = true; more && at;) {
        more = left.len && memchr(left.at, '/', left.len);
        sw_str segment = sw_str_split(&left, '/');
        captures += segment.len && (segment.at[0] == '{' || segment.at[0] == '*');
        at = child_for(router, at, segment);
    }
    if (captures > SW_PARAMS_MAX)
        return sw_fail(error, SW_CODE_INVALID, "route %s has more than %d captures", entry->pattern,
                       SW_PARAMS_MAX);
    if (!at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the routes");
    const sw_route_entry **slot = entry->grpc ? &at->grpc : &at->by_method[entry->method];
    if (*slot)
        return sw_fail(error, SW_CODE_INVALID, "route %s stands in the table twice",
                       entry->pattern);
    *slot = entry;
    return SW_OK;
}

sw_status sw_router_make(sw_router **out, const sw_route_entry *routes, size_t count,
                         sw_error *error) {
    *out = NULL;
    sw_router *router = sw_mem_zalloc(1, sizeof *router);
    if (!router)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the routes");
    sw_arena_init(&router->arena, 8192);
    for (size_t i = 0; i < count; i++) {
        sw_status status = add_route(router, &routes[i], error);
        if (sw_failed(status)) {
            sw_router_free(router);
            return status;
        }
    }
    *out = router;
    return SW_OK;
}

void sw_router_free(sw_router *router) {
    if (!router)
        return;
    sw_arena_free(&router->arena);
    sw_mem_free(router);
}

bool sw_percent_decode(char *out, size_t *out_len, sw_str s, bool plus) {
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '%') {
            int high = i + 2 < s.len ? sw_hex_value(s.at[i + 1]) : -1;
            int low = i + 2 < s.len ? sw_hex_value(s.at[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[len++] = c;
    }
    *out_len = len;
    return true;
}

/* One walk down the tree. */
typedef struct walk {
    sw_method method;
    bool grpc;
    bool any_method; /* stop at the first node that answers to anything */
    bool escapes;    /* the path has some */
    bool malformed;
    bool path_known; /* by more than a "*", which says nothing of what is there */
    sw_arena *arena;
    sw_str param[SW_PARAMS_MAX];
    uint32_t params;
    const node *found;
} walk;

static sw_str decoded(walk *w, sw_str raw) {
    if (!w->escapes || raw.len == 0 || !memchr(raw.at, '%', raw.len))
        return raw;
    char *text = sw_arena_alloc(w->arena, raw.len);
    size_t len = 0;
    if (!text || !sw_percent_decode(text, &len, raw, false)) {
        w->malformed = true;
        return (sw_str){0};
    }
    return (sw_str){text, len};
}

static const sw_route_entry *entry_of(const node *at, sw_method method, bool grpc) {
    if (grpc)
        return at->grpc;
    const sw_route_entry *entry = method < SW_METHOD_OTHER ? at->by_method[method] : NULL;
    return !entry && method == SW_HEAD ? at->by_method[SW_GET] : entry;
}

static bool answers_anything(const node *at) {
    for (int m = 0; m < SW_METHOD_OTHER; m++)
        if (at->by_method[m])
            return true;
    return false;
}

static bool settle(walk *w, const node *at) {
    w->path_known = w->path_known || answers_anything(at);
    if (w->any_method ? !answers_anything(at) : !entry_of(at, w->method, w->grpc))
        return false;
    w->found = at;
    return true;
}

static bool descend(walk *w, const node *at, sw_str left, bool end) {
    if (end)
        return settle(w, at);
    sw_str rest = left;
    bool last = !left.len || !memchr(left.at, '/', left.len);
    sw_str segment = decoded(w, sw_str_split(&rest, '/'));
    if (w->malformed)
        return false;
    for (const node *child = at->literals; child; child = child->sibling)
        if (sw_str_eq(child->name, segment) && descend(w, child, rest, last))
            return true;
    uint32_t params = w->params;
    if (at->capture && segment.len) {
        w->param[w->params++] = segment;
        if (descend(w, at->capture, rest, last))
            return true;
        w->params = params;
    }
    if (at->rest && !w->malformed && !w->path_known) {
        w->param[w->params++] = decoded(w, left);
        if (!w->malformed && entry_of(at->rest, w->method, w->grpc)) {
            w->found = at->rest;
            return true;
        }
        w->params = params;
    }
    return false;
}

static bool find(walk *w, const sw_router *router, sw_str path) {
    if (path.len == 0 || path.at[0] != '/')
        return false;
    w->escapes = memchr(path.at, '%', path.len) != NULL;
    return descend(w, &router->root, (sw_str){path.at + 1, path.len - 1}, false);
}

sw_match sw_router_find(sw_route *out, sw_str params[SW_PARAMS_MAX], bool *reusable,
                        const sw_router *router, sw_method method, bool grpc, sw_str path,
                        sw_arena *arena) {
    walk w = {.method = method, .grpc = grpc, .arena = arena};
    bool found = find(&w, router, path);
    if (w.malformed)
        return SW_MATCH_BAD_PATH;
    if (!found)
        return w.path_known && !grpc ? SW_MATCH_NO_METHOD : SW_MATCH_NO_PATH;
    *reusable = !w.escapes;
    *out = (sw_route){.entry = entry_of(w.found, method, grpc), .path_len = (uint32_t)path.len};
    for (uint32_t i = 0; i < w.params; i++) {
        params[i] = w.param[i];
        if (*reusable) {
            out->param[i].at = (uint32_t)(w.param[i].at - path.at);
            out->param[i].len = (uint32_t)w.param[i].len;
        }
    }
    return SW_MATCH_FOUND;
}

sw_str sw_router_allow(const sw_router *router, sw_str path, sw_arena *arena) {
    static const char *const names[SW_METHOD_OTHER] = {
        [SW_GET] = "GET",     [SW_HEAD] = "HEAD",     [SW_POST] = "POST",      [SW_PUT] = "PUT",
        [SW_PATCH] = "PATCH", [SW_DELETE] = "DELETE", [SW_OPTIONS] = "OPTIONS"};
    walk w = {.any_method = true, .arena = arena};
    if (!find(&w, router, path))
        return (sw_str){0};
    sw_str allow = {"", 0};
    for (int m = 0; m < SW_METHOD_OTHER; m++)
        if (entry_of(w.found, (sw_method)m, false))
            allow = sw_arena_printf(arena, "%.*s%s%s", SW_STR_ARG(allow), allow.len ? ", " : "",
                                    names[m]);
    return allow;
}
