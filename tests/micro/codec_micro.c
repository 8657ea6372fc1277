/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_micro: nanoseconds a body for the request and response codecs.
 *
 * Bodies rotate over BODIES different ones, so that no branch predictor learns them by heart. The
 * figure is the least of ROUNDS rounds: the machine's other work only ever adds.
 *
 *     codec_micro [part of a name]
 *
 * prints one line for each: name, bytes of the body, ns a body.
 */
#include "api/oip_json.h"
#include "api/oip_proto.h"
#include "base/json.h"
#include "serve/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BODIES = 1024, COLUMNS = 30, ROUNDS = 400 };

typedef struct bench {
    const char *name;
    sw_str bodies[BODIES];
    sw_arena *arena;
    const sw_records_plan *plan;
    const sw_infer_response *responses;
    const sw_infer_request *request;
    sw_buf out;
} bench;

static uint64_t random_state = 42;

static uint64_t random_64(void) {
    uint64_t z = random_state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(sw_status status, const sw_error *error) {
    if (sw_failed(status)) {
        fprintf(stderr, "%s\n", error->text);
        exit(1);
    }
}

static void report(const bench *b, double least) {
    size_t bytes = 0;
    for (size_t i = 0; i < BODIES; i++)
        bytes += b->bodies[i].len;
    printf("%-28s %6zu bytes %8.0f ns\n", b->name, b->out.len ? b->out.len : bytes / BODIES, least);
}

static void run(bench *b, void (*one)(bench *b, size_t i), const char *wanted) {
    double least = 1e18;
    if (wanted && !strstr(b->name, wanted))
        return;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (size_t i = 0; i < BODIES; i++)
            one(b, i);
        double each = (now_ns() - start) / BODIES;
        least = each < least ? each : least;
    }
    report(b, least);
}

/* ---- The bodies ---- */

typedef enum style { SHORT, PYTHON, REPR } style;

/* 0.1234 or -12.34; as Python writes a list of them; or all digits of a double. */
static void put_value(sw_buf *out, style how) {
    double unit = (double)(random_64() >> 11) * 0x1p-53;
    if (how == REPR) {
        sw_buf_reserve(out, SW_NUM_BYTES);
        out->len += sw_num_print_f64(out->at + out->len, unit * 10);
    } else {
        static const int decimals[] = {4, 3, 2, 4, 3};
        static const double sizes[] = {1, 10, 100, 1, 30};
        size_t k = random_64() % 5;
        sw_buf_printf(out, "%.*f", decimals[k], unit * sizes[k]);
    }
}

static void put_row(sw_buf *out, style how) {
    for (int i = 0; i < COLUMNS; i++) {
        if (i)
            sw_buf_add_str(out, how == SHORT ? SW_STR(",") : SW_STR(", "));
        put_value(out, how);
    }
}

static sw_str keep(sw_buf *buf) {
    sw_str kept = sw_buf_str(buf);
    *buf = (sw_buf){0};
    return kept;
}

static void fill_oip(bench *b, style how, int rows) {
    for (size_t i = 0; i < BODIES; i++) {
        sw_buf buf = {0};
        sw_buf_printf(
            &buf, "{\"inputs\":[{\"name\":\"X\",\"shape\":[%d,%d],\"datatype\":\"FP32\",\"data\":[",
            rows, COLUMNS);
        for (int row = 0; row < rows; row++) {
            if (row)
                sw_buf_add_char(&buf, ',');
            put_row(&buf, how);
        }
        sw_buf_add_lit(&buf, "]}]}");
        b->bodies[i] = keep(&buf);
    }
}

static void fill_records(bench *b, const char *const *names, style how) {
    for (size_t i = 0; i < BODIES; i++) {
        sw_buf buf = {0};
        for (int k = 0; k < COLUMNS; k++) {
            sw_buf_printf(&buf, how == SHORT ? "%s\"%s\":" : "%s\"%s\": ",
                          k == 0         ? "{"
                          : how == SHORT ? ","
                                         : ", ",
                          names[k]);
            put_value(&buf, how);
        }
        sw_buf_add_char(&buf, '}');
        b->bodies[i] = keep(&buf);
    }
}

/* ---- What is measured ---- */

static void one_oip(bench *b, size_t i) {
    sw_infer_request request = {0};
    sw_error error;
    sw_arena_reset(b->arena);
    must(sw_oip_json_parse(&request, b->bodies[i], SW_OIP_NO_HEADER, NULL, 0, b->arena, &error),
         &error);
}

static void one_proto(bench *b, size_t i) {
    sw_infer_request request = {0};
    sw_error error;
    sw_arena_reset(b->arena);
    must(sw_oip_proto_parse_infer(&request, b->bodies[i], b->arena, &error), &error);
}

static void one_record(bench *b, size_t i) {
    sw_records records;
    sw_error error;
    sw_arena_reset(b->arena);
    must(sw_records_parse(&records, b->plan, b->bodies[i], b->arena, &error), &error);
}

static void one_answer(bench *b, size_t i) {
    int64_t header;
    sw_error error;
    sw_buf_clear(&b->out);
    must(sw_oip_json_write(&b->out, &header, &b->responses[i], b->request, &error), &error);
}

static void one_record_answer(bench *b, size_t i) {
    sw_error error;
    sw_buf_clear(&b->out);
    must(sw_records_write(&b->out, &b->responses[i], 1, true, &error), &error);
}

static void one_proto_answer(bench *b, size_t i) {
    sw_error error;
    sw_buf_clear(&b->out);
    must(sw_oip_proto_write_infer(&b->out, &b->responses[i], b->request, &error), &error);
}

/* ---- Setting up ---- */

static const char *const short_names[COLUMNS] = {
    "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",
    "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19",
    "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29"};
static const char *const long_names[COLUMNS] = {"mean radius",      "mean texture",
                                                "mean perimeter",   "mean area",
                                                "mean smoothness",  "mean compactness",
                                                "mean concavity",   "mean concave points",
                                                "mean symmetry",    "mean fractal dimension",
                                                "radius error",     "texture error",
                                                "perimeter error",  "area error",
                                                "smoothness error", "compactness error",
                                                "concavity error",  "concave points error",
                                                "symmetry error",   "fractal dimension error",
                                                "worst radius",     "worst texture",
                                                "worst perimeter",  "worst area",
                                                "worst smoothness", "worst compactness",
                                                "worst concavity",  "worst concave points",
                                                "worst symmetry",   "worst fractal dimension"};

static const sw_records_plan *make_plan(sw_arena *arena, const char *const *names) {
    sw_signature *signature = sw_arena_zalloc(arena, 1, sizeof *signature);
    sw_records_plan *plan;
    sw_error error;
    signature->input_count = 1;
    signature->inputs = sw_arena_zalloc(arena, 1, sizeof *signature->inputs);
    signature->inputs[0] =
        (sw_tensor_spec){.name = SW_STR("X"), .dtype = SW_FP32, .rank = 2, .shape = {-1, COLUMNS}};
    signature->feature_count = COLUMNS;
    signature->features = sw_arena_zalloc(arena, COLUMNS, sizeof *signature->features);
    for (uint32_t i = 0; i < COLUMNS; i++)
        signature->features[i] = (sw_feature){.name = sw_str_of(names[i]), .column = i};
    must(sw_records_plan_make(&plan, signature, arena, &error), &error);
    return plan;
}

static void fill_proto(bench *b, sw_arena *arena) {
    for (size_t i = 0; i < BODIES; i++) {
        /* An answer and a request agree in nearly all field numbers, so write the request by hand.
         */
        sw_buf buf = {0};
        float row[COLUMNS];
        for (int k = 0; k < COLUMNS; k++)
            row[k] = (float)(random_64() >> 40);
        sw_buf_add_lit(&buf, "\x0A\x06"
                             "logreg"
                             "\x2A\x0E\x0A\x01X\x12\x04"
                             "FP32"
                             "\x1A\x02\x01\x1E\x3A\x78");
        buf.at[9] = 13;
        sw_buf_add(&buf, row, sizeof row);
        b->bodies[i] = keep(&buf);
    }
    (void)arena;
}

static sw_infer_response *make_responses(sw_arena *arena) {
    sw_infer_response *all = sw_arena_zalloc(arena, BODIES, sizeof *all);
    for (size_t i = 0; i < BODIES; i++) {
        sw_tensor *t = sw_arena_zalloc(arena, 1, sizeof *t);
        float *data = sw_arena_alloc(arena, 2 * sizeof *data);
        data[0] = (float)(random_64() >> 40) * 0x1p-24F;
        data[1] = 1 - data[0];
        *t = (sw_tensor){.name = SW_STR("probabilities"),
                         .dtype = SW_FP32,
                         .rank = 2,
                         .shape = {1, 2},
                         .count = 2,
                         .data = data};
        all[i] = (sw_infer_response){
            .model = SW_STR("logreg"), .version = SW_STR("1"), .outputs = t, .output_count = 1};
    }
    return all;
}

int main(int argc, char **argv) {
    const char *wanted = argc > 1 ? argv[1] : NULL;
    static bench b;
    sw_arena keeping = {0}, arena = {0};
    sw_arena_init(&arena, 16384);
    b.arena = &arena;
    static const sw_infer_request plain, raw = {.raw = true};

    fill_oip(&b, SHORT, 1);
    b.name = "oip_json/30_short";
    run(&b, one_oip, wanted);
    fill_oip(&b, PYTHON, 1);
    b.name = "oip_json/30_spaced";
    run(&b, one_oip, wanted);
    fill_oip(&b, REPR, 1);
    b.name = "oip_json/30_all_digits";
    run(&b, one_oip, wanted);
    fill_oip(&b, SHORT, 32);
    b.name = "oip_json/32_rows";
    run(&b, one_oip, wanted);
    fill_proto(&b, &keeping);
    b.name = "oip_proto/30_raw";
    run(&b, one_proto, wanted);
    b.plan = make_plan(&keeping, short_names);
    fill_records(&b, short_names, SHORT);
    b.name = "records/30_short_names";
    run(&b, one_record, wanted);
    b.plan = make_plan(&keeping, long_names);
    fill_records(&b, long_names, SHORT);
    b.name = "records/30_long_names";
    run(&b, one_record, wanted);
    fill_records(&b, long_names, PYTHON);
    b.name = "records/30_long_names_spaced";
    run(&b, one_record, wanted);
    b.responses = make_responses(&keeping);
    b.request = &plain;
    b.name = "oip_json/answer";
    run(&b, one_answer, wanted);
    b.name = "records/answer";
    run(&b, one_record_answer, wanted);
    b.request = &raw;
    b.name = "oip_proto/answer";
    run(&b, one_proto_answer, wanted);
    return 0;
}
