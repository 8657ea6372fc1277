/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard_private.h"

#include <arpa/inet.h>

static bool is_ip_literal(sw_str name) {
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* A configured name may stand with or without its port. */
static bool is_configured(const sw_guard *guard, sw_str host, sw_str name) {
    for (const char *const *at = guard->hosts; at && *at; at++)
        if (sw_str_eq_nocase(sw_str_of(*at), host) || sw_str_eq_nocase(sw_str_of(*at), name))
            return true;
    return false;
}

bool sw_guard_host_ok(const sw_guard *guard, sw_str host) {
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};
    sw_str name, port;
    if (!sw_str_split_host(&name, &port, host))
        return false;
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++)
        if (sw_str_eq_nocase(name, sw_str_of(loopback[i])))
            return true;
    return sw_str_eq_nocase(name, sw_str_of(guard->listen_host)) ||
           is_configured(guard, host, name) || (guard->beyond_loopback && is_ip_literal(name));
}

static sw_str without_default_port(sw_str host, bool secure) {
    sw_str name, port;
    if (sw_str_split_host(&name, &port, host) && port.at && sw_str_is(port, secure ? "443" : "80"))
        host.len -= port.len + 1;
    return host;
}

bool sw_guard_origin_ok(const sw_guard *guard, sw_str origin, sw_str host, bool secure) {
    sw_str scheme = secure ? SW_STR("https://") : SW_STR("http://");
    sw_str any = origin;
    const char *slashes = any.len ? memchr(any.at, '/', any.len) : NULL;
    if (!slashes || origin.len - (size_t)(slashes - origin.at) < 3)
        return false; /* "null", or no origin at all */
    any = (sw_str){slashes + 2, origin.len - (size_t)(slashes - origin.at) - 2};
    sw_str name, port;
    if (sw_str_split_host(&name, &port, any) && is_configured(guard, any, name))
        return true;
    if (!sw_str_starts(origin, scheme))
        return false;
    sw_str theirs = {origin.at + scheme.len, origin.len - scheme.len};
    return sw_str_eq_nocase(without_default_port(theirs, secure),
                            without_default_port(host, secure));
}
