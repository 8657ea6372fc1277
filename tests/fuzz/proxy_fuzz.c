/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what went by a proxy: the first zero byte parts the client's from the upstream's. What
 * is captured is made observations of, by tensors and as plain JSON. */
#include "fuzz/infer_check.h"
#include "proxy/extract.h"
#include "proxy/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sw_feature features[] = {{.name = {"a", 1}, .input = 0}, {.name = {"b", 1}, .input = 1}};
static sw_tensor_spec inputs[] = {
    {.name = {"a", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 1}},
    {.name = {"b", 1}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}}};
static sw_tensor_spec outputs[] = {{.name = {"y", 1}, .dtype = SW_FP32, .rank = 1, .shape = {-1}}};
static const sw_signature signature = {.inputs = inputs,
                                       .input_count = 2,
                                       .outputs = outputs,
                                       .output_count = 1,
                                       .features = features,
                                       .feature_count = 2};

static void take(sw_capture *capture, void *context) {
    static const char *const pointers[][2] = {{NULL, NULL}, {"/x", "/*/0"}, {"/*/f", ""}};
    (void)context;
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        const sw_extract_rules rules = {&signature, pointers[i][0], pointers[i][1]};
        sw_arena arena = {0};
        sw_buf lines = {0};
        sw_error error = {{0}};
        size_t rows;
        if (sw_failed(sw_extract(&lines, &rows, capture, &rules, &arena, &error)))
            must(error.text[0] && lines.len == 0);
        sw_buf_free(&lines);
        sw_arena_free(&arena);
    }
    sw_capture_free(capture);
}

static const sw_sniff_rules rules = {
    .host = {"up", 2}, .prefix = {"/p", 2}, .model = {"m", 1}, .id_header = "x-id", .take = take};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t asked = zero ? (size_t)(zero - data) : size, said = zero ? size - asked - 1 : 0;
    sw_sniff sniff;
    sw_sniff_counts counts = {0};
    sw_buf out = {0};
    sw_sniff_init(&sniff, &rules, &counts);
    for (size_t at = 0, n; at < asked; at += n) {
        n = asked - at < 37 ? asked - at : 37;
        sw_sniff_request(&sniff, (sw_str){(const char *)data + at, n}, &out);
    }
    for (size_t at = 0, n; at < said; at += n) {
        n = said - at < 23 ? said - at : 23;
        sw_sniff_reply(&sniff, (sw_str){(const char *)data + asked + 1 + at, n});
    }
    sw_sniff_reply_end(&sniff);
    must(counts.requests >= counts.captured);
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
    return 0;
}
