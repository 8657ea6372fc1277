/* SPDX-License-Identifier: Apache-2.0 */
#include "net/router_private.h"
#include "unit/test.h"

static void nothing(sw_exchange *exchange, void *context) {
    (void)exchange;
    (void)context;
}

#define ROUTE(method, pattern) \
    { method, pattern, nothing, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0 }
#define METHOD(pattern) \
    { SW_POST, pattern, nothing, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0 }

static const sw_route_entry routes[] = {
    ROUTE(SW_GET, "/"),
    ROUTE(SW_GET, "/v2"),
    ROUTE(SW_GET, "/v2/models/{model}"),
    ROUTE(SW_POST, "/v2/models/{model}/infer"),
    ROUTE(SW_POST, "/v2/models/{model}/versions/{version}/infer"),
    ROUTE(SW_GET, "/v2/models/stats"),
    ROUTE(SW_GET, "/assets/*"),
    ROUTE(SW_POST, "/assets/upload"),
    ROUTE(SW_GET, "/{a}/{b}/{c}/{d}"),
    ROUTE(SW_DELETE, "/v2/models/{model}"),
    METHOD("/p.S/M"),
};
enum { ROUTES = sizeof routes / sizeof *routes };

typedef struct row {
    sw_method method;
    bool grpc;
    const char *path;
    int match;
    const char *pattern; /* of the route found */
    const char *params;  /* joined by '|' */
} row;

static const row rows[] = {
    {SW_GET, false, "/", SW_MATCH_FOUND, "/", ""},
    {SW_GET, false, "/v2", SW_MATCH_FOUND, "/v2", ""},
    {SW_GET, false, "/v2/", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_GET, false, "/v2/models/m", SW_MATCH_FOUND, "/v2/models/{model}", "m"},
    {SW_DELETE, false, "/v2/models/m", SW_MATCH_FOUND, "/v2/models/{model}", "m"},
    {SW_GET, false, "/v2/models/stats", SW_MATCH_FOUND, "/v2/models/stats", ""},
    {SW_GET, false, "/v2/models/statss", SW_MATCH_FOUND, "/v2/models/{model}", "statss"},
    {SW_DELETE, false, "/v2/models/stats", SW_MATCH_FOUND, "/v2/models/{model}", "stats"},
    {SW_POST, false, "/v2/models/m/infer", SW_MATCH_FOUND, "/v2/models/{model}/infer", "m"},
    {SW_POST, false, "/v2/models/m/versions/3/infer", SW_MATCH_FOUND,
     "/v2/models/{model}/versions/{version}/infer", "m|3"},
    {SW_POST, false, "/v2/models/a%2Fb%20c/infer", SW_MATCH_FOUND, "/v2/models/{model}/infer",
     "a/b c"},
    {SW_POST, false, "/v2/%6dodels/m/infer", SW_MATCH_FOUND, "/v2/models/{model}/infer", "m"},
    {SW_POST, false, "/v2/models//infer", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, false, "/v2/models/m/infer/", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, false, "/v2/models/m%/infer", SW_MATCH_BAD_PATH, NULL, NULL},
    {SW_POST, false, "/v2/models/m%0/infer", SW_MATCH_BAD_PATH, NULL, NULL},
    {SW_POST, false, "/v2/models/m%00/infer", SW_MATCH_BAD_PATH, NULL, NULL},
    {SW_GET, false, "/assets/a/b.js", SW_MATCH_FOUND, "/assets/*", "a/b.js"},
    {SW_GET, false, "/assets/", SW_MATCH_FOUND, "/assets/*", ""},
    {SW_GET, false, "/assets", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, false, "/assets/a", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_GET, false, "/assets/upload", SW_MATCH_NO_METHOD, NULL, NULL},
    {SW_POST, false, "/assets/upload", SW_MATCH_FOUND, "/assets/upload", ""},
    {SW_GET, false, "/assets/upload/a", SW_MATCH_FOUND, "/assets/*", "upload/a"},
    {SW_GET, false, "/v2/models/m/infer", SW_MATCH_FOUND, "/{a}/{b}/{c}/{d}", "v2|models|m|infer"},
    {SW_PUT, false, "/v2", SW_MATCH_NO_METHOD, NULL, NULL},
    {SW_METHOD_OTHER, false, "/v2", SW_MATCH_NO_METHOD, NULL, NULL},
    {SW_HEAD, false, "/v2", SW_MATCH_FOUND, "/v2", ""},
    {SW_HEAD, false, "/v2/models/m/versions/3/infer", SW_MATCH_NO_METHOD, NULL, NULL},
    {SW_GET, false, "", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_GET, false, "*", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, true, "/p.S/M", SW_MATCH_FOUND, "/p.S/M", ""},
    {SW_POST, true, "/p.S/N", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, false, "/p.S/M", SW_MATCH_NO_PATH, NULL, NULL},
    {SW_POST, true, "/v2/models/m/infer", SW_MATCH_NO_PATH, NULL, NULL},
};

TEST(router__finds_the_route_and_its_captures) {
    sw_router *router;
    sw_error error = {.text = ""};
    sw_arena arena;
    sw_arena_init(&arena, 1024);
    REQUIRE_OK(sw_router_make(&router, routes, ROUTES, &error), error);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *r = &rows[i];
        sw_route route = {0};
        bool reusable;
        sw_str params[SW_PARAMS_MAX] = {{0}};
        sw_match match = sw_router_find(&route, params, &reusable, router, r->method, r->grpc,
                                        sw_str_of(r->path), &arena);
        if ((int)match != r->match) {
            TEST_FAIL_("%s: match %d, not %d", r->path, (int)match, r->match);
            continue;
        }
        if (match != SW_MATCH_FOUND)
            continue;
        char joined[200] = "";
        for (int p = 0; p < SW_PARAMS_MAX && params[p].at; p++)
            sprintf(joined + strlen(joined), "%s%.*s", p ? "|" : "", SW_STR_ARG(params[p]));
        CHECK_TEXT(route.entry->pattern, r->pattern);
        CHECK_TEXT(joined, r->params);
        CHECK_INT(reusable, strchr(r->path, '%') == NULL);
        for (int p = 0; reusable && p < SW_PARAMS_MAX && params[p].at; p++)
            CHECK(params[p].at == r->path + route.param[p].at &&
                  params[p].len == route.param[p].len);
    }
    sw_str allow = sw_router_allow(router, SW_STR("/v2/models/m"), &arena);
    CHECK_STR(allow, "GET, HEAD, DELETE");
    sw_arena_free(&arena);
    sw_router_free(router);
}

TEST(router__refuses_malformed_tables) {
    static const sw_route_entry bad[][2] = {
        {ROUTE(SW_GET, "/a"), ROUTE(SW_GET, "/a")},
        {ROUTE(SW_GET, "/a/{x}"), ROUTE(SW_GET, "/a/{y}")},
        {ROUTE(SW_GET, "a"), ROUTE(SW_GET, "/b")},
        {ROUTE(SW_METHOD_OTHER, "/a"), ROUTE(SW_GET, "/b")},
        {ROUTE(SW_GET, "/{a}/{b}/{c}/{d}/{e}"), ROUTE(SW_GET, "/b")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sw_router *router;
        sw_error error = {.text = ""};
        CHECK_INT(sw_router_make(&router, bad[i], 2, &error).code, SW_CODE_INVALID);
        CHECK(error.text[0] != '\0');
    }
}

TEST(router__decodes_percent_escapes) {
    char out[32];
    size_t len;
    CHECK(sw_percent_decode(out, &len, SW_STR("a%20b+c%C3%a9"), true));
    CHECK(len == 7 && memcmp(out, "a b c\xc3\xa9", 7) == 0);
    CHECK(sw_percent_decode(out, &len, SW_STR("a+b"), false) && len == 3 && out[1] == '+');
    CHECK(!sw_percent_decode(out, &len, SW_STR("%"), false));
    CHECK(!sw_percent_decode(out, &len, SW_STR("%1"), false));
    CHECK(!sw_percent_decode(out, &len, SW_STR("%g0"), false));
    CHECK(!sw_percent_decode(out, &len, SW_STR("%00"), false));
}

#ifdef SW_FAULTS
#include "base/mem.h"

TEST(router__survives_each_allocation_that_fails) {
    for (size_t nth = 1; nth < 100; nth++) {
        sw_router *router = NULL;
        sw_error error = {.text = ""};
        sw_mem_fail_at(nth);
        sw_status status = sw_router_make(&router, routes, ROUTES, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        sw_router_free(router);
        if (!failed)
            return;
    }
    CHECK(false);
}
#endif

TEST_MAIN
