/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num_row.h"

#include "unit/test.h"

#include <inttypes.h>

static uint64_t random_state = 88172645463325252U;

static uint64_t random_64(void) {
    uint64_t z = random_state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/* A number as people write it: up to `digits` digits, maybe a sign, a point, an exponent. */
static size_t put_number(char *to, int digits, bool fraction, bool exponent) {
    char *p = to;
    if (random_64() % 3 == 0)
        *p++ = '-';
    int before = 1 + (int)(random_64() % (uint64_t)digits), behind = digits - before;
    if (random_64() % 4 == 0) {
        *p++ = '0';
    } else {
        *p++ = (char)('1' + random_64() % 9);
        for (int i = 1; i < before; i++)
            *p++ = (char)('0' + random_64() % 10);
    }
    if (fraction && behind > 0 && random_64() % 8) {
        *p++ = '.';
        for (int i = 0; i < behind; i++)
            *p++ = (char)('0' + random_64() % 10);
    }
    if (exponent && random_64() % 8 == 0)
        p += sprintf(p, "e%d", (int)(random_64() % 40) - 20);
    return (size_t)(p - to);
}

enum { NUMBERS = 200, TEXT = NUMBERS * 48, LEAD = 24 };

/* What stands before the numbers: their reader looks back a little. */
static size_t put_lead(char *to) {
    memcpy(to, "{\"name\":\"X\", \"data\" : [", LEAD);
    return LEAD;
}

/* The text stands at the very end of its block, so that a read behind it is seen by the sanitizer.
 */
static char *exact(const char *text, size_t len) {
    char *block = malloc(len);
    memcpy(block, text, len);
    return block;
}

TEST(num_row__reads_what_one_by_one_reads) {
    char text[TEXT];
    double wanted_f64[NUMBERS], got_f64[NUMBERS];
    float wanted_f32[NUMBERS], got_f32[NUMBERS];
    for (int round = 0; round < 20000; round++) {
        size_t len = 0, count = 1 + random_64() % (round % 10 ? 12 : NUMBERS);
        bool space = round & 1;
        len = put_lead(text);
        for (size_t i = 0; i < count; i++) {
            if (i) {
                text[len++] = ',';
                if (space)
                    text[len++] = ' ';
            }
            size_t number = put_number(text + len, 1 + (int)(random_64() % (round % 3 ? 8 : 20)),
                                       true, round % 5 == 0);
            char copy[64];
            memcpy(copy, text + len, number);
            copy[number] = '\0';
            wanted_f64[i] = strtod(copy, NULL);
            wanted_f32[i] = strtof(copy, NULL);
            len += number;
        }
        text[len++] = ']';
        text[len++] = '}';
        char *block = exact(text, len);
        const char *at = block + LEAD;
        CHECK_INT(sw_num_row(SW_NUM_F64, got_f64, count + 1, &at, block, block + len), count);
        CHECK(at == block + len - 2);
        CHECK(memcmp(got_f64, wanted_f64, count * sizeof(double)) == 0);
        at = block + LEAD;
        CHECK_INT(sw_num_row(SW_NUM_F32, got_f32, count, &at, block, block + len), count);
        CHECK(at == block + len - 2);
        CHECK(memcmp(got_f32, wanted_f32, count * sizeof(float)) == 0);
        free(block);
    }
}

/* 17 to 20 characters, as doubles that are printed in full; and what only looks like them. */
TEST(num_row__long_numbers) {
    static const char characters[] = "0123456789012345678901234567890123456789..-e ";
    char text[80];
    for (int i = 0; i < 400000; i++) {
        int len = LEAD, count = 15 + (int)(random_64() % 8);
        memset(text, ' ', LEAD);
        text[len++] = i & 1 ? '-' : '[';
        for (int k = 0; k < count; k++)
            text[len++] = i % 4 == 0       ? characters[random_64() % (sizeof characters - 1)]
                          : k == 1 + i % 3 ? '.'
                                           : (char)('0' + random_64() % 10);
        text[len++] = ']';
        text[len++] = '}';
        text[len] = '\0';
        const char *from = text + LEAD + !(i & 1), *at = from, *behind = from;
        double wanted = 0, got = 0;
        float wanted_f32 = 0, got_f32 = 0;
        bool good = sw_num_scan_f64(&wanted, &behind, text + len) == SW_NUM_FITS && *behind == ']';
        if ((sw_num_row(SW_NUM_F64, &got, 1, &at, text, text + len) == 1 && *at == ']') != good ||
            (good && memcmp(&got, &wanted, sizeof got) != 0))
            TEST_FAIL_("%s reads as %.17g", from, got);
        at = behind = from;
        good = sw_num_scan_f32(&wanted_f32, &behind, text + len) == SW_NUM_FITS && *behind == ']';
        if ((sw_num_row(SW_NUM_F32, &got_f32, 1, &at, text, text + len) == 1 && *at == ']') !=
                good ||
            (good && memcmp(&got_f32, &wanted_f32, sizeof got_f32) != 0))
            TEST_FAIL_("%s reads as %.9g", from, (double)got_f32);
    }
}

TEST(num_row__rounds_floats_once) {
    float got;
    char text[128];
    for (int i = 0; i < 200000; i++) {
        /* Up to sixteen characters near the middle of two floats. */
        float low = (float)(random_64() % 100000) / 64.0F;
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        int len = (int)put_lead(text);
        len +=
            snprintf(text + len, sizeof text - LEAD, "%.*f]}", 8 + (int)(random_64() % 3), middle);
        const char *at = text + LEAD;
        CHECK_INT(sw_num_row(SW_NUM_F32, &got, 1, &at, text, text + len), 1);
        float wanted = strtof(text + LEAD, NULL);
        if (memcmp(&got, &wanted, sizeof got) != 0)
            TEST_FAIL_("%s reads as %.9g, not %.9g", text, (double)got, (double)wanted);
    }
}

TEST(num_row__whole_numbers_keep_to_their_type) {
    static const struct {
        sw_num_type type;
        const char *good, *bad;
    } cases[] = {
        {SW_NUM_U8, "255", "256"},
        {SW_NUM_U8, "0", "-1"},
        {SW_NUM_I8, "-128", "-129"},
        {SW_NUM_I8, "127", "128"},
        {SW_NUM_U16, "65535", "65536"},
        {SW_NUM_I16, "-32768", "-32769"},
        {SW_NUM_U32, "4294967295", "4294967296"},
        {SW_NUM_I32, "2147483647", "2147483648"},
        {SW_NUM_I64, "9223372036854775807", "9223372036854775808"},
        {SW_NUM_I64, "-9223372036854775808", "-9223372036854775809"},
        {SW_NUM_U64, "18446744073709551615", "18446744073709551616"},
        {SW_NUM_U64, "1e3", "-1"},
        {SW_NUM_I32, "3.0", "3.5"},
        {SW_NUM_I32, "-0", "1e10"},
    };
    char text[128];
    uint64_t out[2];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int len = snprintf(text, sizeof text, "                       [%s,%s]}", cases[i].good,
                           cases[i].bad);
        const char *at = text + LEAD;
        CHECK_INT(sw_num_row(cases[i].type, out, 2, &at, text, text + len), 1);
        CHECK(at == text + LEAD + strlen(cases[i].good));
    }
    int64_t wide[3];
    const char *row = "                       [9007199254740993,-9223372036854775808,5]}";
    const char *at = row + LEAD;
    CHECK_INT(sw_num_row(SW_NUM_I64, wide, 3, &at, row, row + strlen(row)), 3);
    CHECK(wide[0] == 9007199254740993 && wide[1] == INT64_MIN && wide[2] == 5);
}

TEST(num_row__leaves_what_is_not_plain) {
    static const struct {
        const char *text;
        int taken, stands;
    } cases[] = {
        {"                        1,2,3", 2, 27}, /* the end is missing */
        {"                        1,NaN]}", 1, 25},  {"                        NaN,1]}", 0, 24},
        {"                        null,1]}", 0, 24}, {"                        1,,2]}", 1, 25},
        {"                        1,  2]}", 1, 25},  {"                        1 ,2]}", 1, 25},
        {"                        1.,2]}", 0, 24},   {"                        .5,2]}", 0, 24},
        {"                        01,2]}", 0, 24},   {"                        +1,2]}", 0, 24},
        {"                        --1,2]}", 0, 24},  {"                        -,2]}", 0, 24},
        {"                        1..5,2]}", 0, 24}, {"                        1/5,2]}", 0, 24},
        {"                        1,1e,2]}", 1, 25}, {"                        1,1e999,2]}", 1, 25},
        {"                        1,]}", 1, 25},     {"                        ]}", 0, 24},
        {"                        [1]}", 0, 24},     {"                        -0.5]}", 1, 28},
    };
    float out[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].text);
        char *block = exact(cases[i].text, len);
        const char *at = block + LEAD;
        CHECK_INT(sw_num_row(SW_NUM_F32, out, 4, &at, block, block + len), cases[i].taken);
        CHECK_INT(at - block, cases[i].stands);
        free(block);
    }
}

TEST(num_row__may_leave_the_first_and_last_characters_of_the_text_alone) {
    const char *text = "1,2,3", *at = text;
    float out[4];
    size_t taken = sw_num_row(SW_NUM_F32, out, 4, &at, text, text + 5);
    CHECK(taken <= 2 && at == text + (taken ? 2 * taken - 1 : 0));
    CHECK(sw_num_next(SW_NUM_F32)(out, text + 4, text, text + 5) == text + 5 && out[0] == 3);
}

TEST(num_row__stops_at_its_limit) {
    const char *text = "                       [1,2,3,4,5,6,7,8,9]}", *at = text + LEAD;
    int32_t out[4] = {0, 0, 0, 77};
    CHECK_INT(sw_num_row(SW_NUM_I32, out, 3, &at, text, text + strlen(text)), 3);
    CHECK(out[2] == 3 && out[3] == 77 && *at == ',' && at[1] == '4');
    CHECK_INT(sw_num_row(SW_NUM_I32, out, 0, &at, text, text + strlen(text)), 0);
}

/* With names between them, from the text's first character on and up to its last but one. */
TEST(num_places__read_what_one_by_one_reads) {
    char text[TEXT];
    sw_num_place places[NUMBERS];
    float wanted[NUMBERS], got[NUMBERS];
    for (int round = 0; round < 20000; round++) {
        size_t len = 0, count = 1 + random_64() % 12, begins[12];
        for (size_t i = 0; i < count; i++) {
            begins[i] = len;
            len += put_number(text + len, 1 + (int)(random_64() % (round % 3 ? 8 : 24)), true,
                              round % 3 == 1);
            text[len] = '\0';
            wanted[i] = strtof(text + begins[i], NULL);
            len += (size_t)sprintf(text + len, ",\"%d\":", (int)(random_64() % 1000000));
        }
        char *block = exact(text, len);
        for (size_t i = 0; i < count; i++)
            places[i] = (sw_num_place){block + begins[i],
                                       strchr(text + begins[i], ',') - text + block, &got[i]};
        CHECK_INT(sw_num_places(SW_NUM_F32, places, count, block), count);
        CHECK(memcmp(got, wanted, count * sizeof(float)) == 0);
        free(block);
    }
}

TEST(num_places__stop_before_what_is_no_number) {
    static const char text[] = "1 22 -  0x1 01 1e5 1.5.5 333 3e99";
    static const struct {
        int at, end;
        size_t read;
    } cases[] = {{0, 1, 1},   {0, 2, 0},   {2, 4, 1},   {5, 6, 0},   {8, 11, 0},
                 {12, 14, 0}, {15, 18, 1}, {19, 24, 0}, {25, 28, 1}, {29, 33, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float out[2];
        sw_num_place places[] = {{text, text + 1, &out[0]},
                                 {text + cases[i].at, text + cases[i].end, &out[1]}};
        if (sw_num_places(SW_NUM_F32, places, 2, text) != 1 + cases[i].read)
            TEST_FAIL_("'%.*s'", cases[i].end - cases[i].at, text + cases[i].at);
    }
}

TEST_MAIN
