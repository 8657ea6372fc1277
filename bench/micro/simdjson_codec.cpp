/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec's work done by simdjson on demand: its fastest interface, on bodies that already have
 * the padding it wants (a server would have to provide that). Fields are taken in the order in
 * which they stand, duplicates go unnoticed. Usage: simdjson_codec BODIES SECONDS
 */
#include "micro.h"

#include <simdjson.h>

using namespace simdjson;

static micro_line *bodies;
static size_t body_count;
static ondemand::parser parser;

static double one(size_t i) {
    static float values[4096];
    const micro_line *body = &bodies[i % body_count];
    auto document = parser.iterate(body->at, body->len, body->len + SIMDJSON_PADDING);
    double seen = 0;
    for (auto input : document.find_field("inputs").get_array()) {
        ondemand::object tensor = input.get_object();
        std::string_view name = tensor.find_field("name");
        for (auto dim : tensor.find_field("shape").get_array())
            seen += (double)dim.get_int64().value();
        std::string_view datatype = tensor.find_field("datatype");
        size_t count = 0;
        for (auto value : tensor.find_field("data").get_array())
            values[count++ & 4095] = (float)value.get_double().value();
        micro_require(datatype == "FP32" && count > 0, "not a request");
        seen += values[0] + values[count - 1] + name[0];
    }
    return seen;
}

int main(int argc, char **argv) {
    micro_require(argc == 3, "usage: simdjson_codec BODIES SECONDS");
    bodies = micro_lines(&body_count, argv[1], SIMDJSON_PADDING);
    micro_run(one, atof(argv[2]));
    return 0;
}
