/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tensor.h"

#include "unit/test.h"

TEST(tensor__datatypes_have_the_names_of_the_inference_protocol) {
    CHECK_STR(sw_dtype_name(SW_FP32), "FP32");
    CHECK_STR(sw_dtype_name(SW_BYTES), "BYTES");
    for (int i = 0; i < SW_DTYPE_COUNT; i++) {
        sw_dtype back = SW_DTYPE_COUNT;
        CHECK(sw_dtype_parse(&back, sw_dtype_name((sw_dtype)i)));
        CHECK_INT(back, i);
    }
    sw_dtype unchanged = SW_INT8;
    CHECK(!sw_dtype_parse(&unchanged, SW_STR("fp32")));
    CHECK(!sw_dtype_parse(&unchanged, SW_STR("")));
    CHECK_INT(unchanged, SW_INT8);
}

TEST(tensor__elements_have_their_size) {
    static const size_t sizes[SW_DTYPE_COUNT] = {
        1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, sizeof(sw_str)};
    for (int i = 0; i < SW_DTYPE_COUNT; i++)
        CHECK_INT(sw_dtype_size((sw_dtype)i), sizes[i]);
}

TEST(tensor__counts_the_elements_of_a_shape) {
    size_t count = 99;
    CHECK(sw_shape_count(&count, NULL, 0));
    CHECK_INT(count, 1);
    CHECK(sw_shape_count(&count, (const int64_t[]){3, 0, 4}, 3));
    CHECK_INT(count, 0);
    CHECK(sw_shape_count(&count, (const int64_t[]){3, 5}, 2));
    CHECK_INT(count, 15);
}

TEST(tensor__refuses_shapes_that_overflow_or_are_negative) {
    size_t count;
    CHECK(!sw_shape_count(&count, (const int64_t[]){2, -1}, 2));
    CHECK(!sw_shape_count(&count, (const int64_t[]){INT64_MAX, 3}, 2));
    CHECK(!sw_shape_count(&count, (const int64_t[]){INT64_MAX, INT64_MAX, 0}, 3));
    CHECK(!sw_shape_count(&count, (const int64_t[]){0, INT64_MIN}, 2));
}

TEST(tensor__halves_come_back_from_floats_unchanged) {
    for (uint32_t half = 0; half <= 0xFFFF; half++) {
        float wide = sw_fp16_to_f32((uint16_t)half);
        uint16_t back = sw_fp16_from_f32(wide);
        if (isnan(wide))
            CHECK((back & 0x7C00) == 0x7C00 && (back & 0x3FF) != 0);
        else
            CHECK_INT(back, half);
    }
}

#if defined(__FLT16_MAX__)
TEST(tensor__halves_round_as_the_compiler_rounds) {
    uint32_t state = 1;
    for (int i = 0; i < 2000000; i++) {
        state = state * 1664525U + 1013904223U;
        float value;
        memcpy(&value, &state, sizeof value);
        if (isnan(value))
            continue;
        _Float16 wanted = (_Float16)value;
        uint16_t bits;
        memcpy(&bits, &wanted, sizeof bits);
        if (sw_fp16_from_f32(value) != bits) {
            CHECK_INT(sw_fp16_from_f32(value), bits);
            return;
        }
    }
}
#endif

TEST(tensor__halves_round_ties_to_even_and_overflow_to_infinity) {
    CHECK_INT(sw_fp16_from_f32(1), 0x3C00);
    CHECK_INT(sw_fp16_from_f32(1 + 0x1p-11F), 0x3C00);
    CHECK_INT(sw_fp16_from_f32(1 + 3 * 0x1p-11F), 0x3C02);
    CHECK_INT(sw_fp16_from_f32(65504), 0x7BFF);
    CHECK_INT(sw_fp16_from_f32(65520), 0x7C00);
    CHECK_INT(sw_fp16_from_f32(-1e9F), 0xFC00);
    CHECK_INT(sw_fp16_from_f32(0x1p-25F), 0);
    CHECK_INT(sw_fp16_from_f32(0x1.8p-25F), 1);
    CHECK_INT(sw_fp16_from_f32(-0.0F), 0x8000);
}

TEST(tensor__gives_any_element_as_a_double) {
    int64_t whole[] = {-5, 7};
    uint8_t flags[] = {0, 1};
    uint16_t halves[] = {0x3800};
    sw_str text[] = {SW_STR("3")};
    CHECK(sw_tensor_f64(&(sw_tensor){.dtype = SW_INT64, .data = whole}, 0) == -5);
    CHECK(sw_tensor_f64(&(sw_tensor){.dtype = SW_BOOL, .data = flags}, 1) == 1);
    CHECK(sw_tensor_f64(&(sw_tensor){.dtype = SW_FP16, .data = halves}, 0) == 0.5);
    CHECK(isnan(sw_tensor_f64(&(sw_tensor){.dtype = SW_BYTES, .data = text}, 0)));
}

TEST_MAIN
