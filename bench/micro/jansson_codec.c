/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec's work done the usual way, by jansson: `read` makes a DOM and copies name, shape and
 * data out of it; `write` makes the reply's DOM and prints it.
 * Usage: jansson_codec read|write BODIES OUTPUTS.f32 SECONDS
 */
#include "micro.h"

#include <jansson.h>

enum { ELEMENTS_MAX = 4096, RANK_MAX = 8 };

static micro_line *bodies;
static size_t body_count;
static float *scores;
static size_t score_count;

static double read_one(size_t i) {
    static float values[ELEMENTS_MAX];
    int64_t shape[RANK_MAX];
    const micro_line *body = &bodies[i % body_count];
    json_t *root = json_loadb(body->at, body->len, 0, NULL);
    json_t *tensor = json_array_get(json_object_get(root, "inputs"), 0);
    const char *name = json_string_value(json_object_get(tensor, "name"));
    const char *datatype = json_string_value(json_object_get(tensor, "datatype"));
    json_t *dims = json_object_get(tensor, "shape");
    json_t *data = json_object_get(tensor, "data");
    size_t rank = json_array_size(dims);
    size_t count = json_array_size(data);
    micro_require(name && datatype && strcmp(datatype, "FP32") == 0 && rank <= RANK_MAX &&
                      count > 0 && count <= ELEMENTS_MAX,
                  "not a request");
    for (size_t at = 0; at < rank; at++)
        shape[at] = json_integer_value(json_array_get(dims, at));
    for (size_t at = 0; at < count; at++)
        values[at] = (float)json_number_value(json_array_get(data, at));
    double seen = values[0] + values[count - 1] + (double)shape[0] + name[0];
    json_decref(root);
    return seen;
}

static double write_one(size_t i) {
    static char reply[1024];
    json_t *root = json_pack("{s:s, s:s, s:[{s:s, s:[i,i], s:s, s:[f]}]}", "model_name", "logreg30",
                             "model_version", "1", "outputs", "name", "Y", "shape", 1, 1,
                             "datatype", "FP32", "data", (double)scores[i % score_count]);
    size_t size = json_dumpb(root, reply, sizeof reply, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    micro_require(size > 0 && size <= sizeof reply, "jansson did not write");
    return reply[size - 4];
}

int main(int argc, char **argv) {
    micro_require(argc == 5, "usage: jansson_codec read|write BODIES OUTPUTS SECONDS");
    size_t size;
    bodies = micro_lines(&body_count, argv[2], 0);
    scores = (float *)(void *)micro_read(&size, argv[3], 0);
    score_count = size / sizeof(float);
    micro_run(strcmp(argv[1], "read") == 0 ? read_one : write_one, atof(argv[4]));
    return 0;
}
