/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "unit/test.h"

static bool splits(const char *host, const char *name, const char *port) {
    sw_str is_name, is_port;
    return sw_str_split_host(&is_name, &is_port, sw_str_of(host)) && sw_str_is(is_name, name) &&
           (port ? is_port.at && sw_str_is(is_port, port) : !is_port.at);
}

static bool refused(const char *host) {
    sw_str name, port;
    return !sw_str_split_host(&name, &port, sw_str_of(host));
}

TEST(split_host__takes_the_port_from_behind_a_name_or_an_address) {
    CHECK(splits("example.org", "example.org", NULL));
    CHECK(splits("example.org:8080", "example.org", "8080"));
    CHECK(splits("127.0.0.1:0", "127.0.0.1", "0"));
    CHECK(splits("[::1]", "::1", NULL));
    CHECK(splits("[fe80::1]:65535", "fe80::1", "65535"));
}

TEST(split_host__refuses_what_names_no_host_or_no_port) {
    CHECK(refused(""));
    CHECK(refused(":80"));
    CHECK(refused("[]:80"));
    CHECK(refused("[::1"));
    CHECK(refused("[::1]80"));
    CHECK(refused("::1"));
    CHECK(refused("host:"));
    CHECK(refused("host:65536"));
    CHECK(refused("host:8o"));
}

TEST(is_loopback__goes_by_the_address_and_not_by_how_it_begins) {
    static const char *const own[] = {"127.0.0.1:8080", "127.0.0.1", "127.255.3.4:0",
                                      "localhost:80",   "LocalHost", "[::1]:8080",
                                      "[::1]"};
    static const char *const others[] = {"127.example.com:80",
                                         "127.0.0.1.example.com:80",
                                         "127.0.0.1.5:80",
                                         "127.0.0.1.:80",
                                         "127.0.0:80",
                                         "127..0.1:80",
                                         "127.0.0.256:80",
                                         "127.0.0.0001:80",
                                         "1270.0.0.1:80",
                                         "10.0.0.1:80",
                                         "0.0.0.0:80",
                                         "localhost.example:80",
                                         "[::]:80",
                                         "[::1]80",
                                         "::1",
                                         "[127.0.0.1]:80",
                                         "[::ffff:10.0.0.1]:1",
                                         "127.:80",
                                         "127.0.0.1:x",
                                         ""};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        CHECK(sw_str_is_loopback(sw_str_of(own[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(!sw_str_is_loopback(sw_str_of(others[i])));
}

TEST_MAIN
