/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/mem.h"
#include "unit/test.h"

#include <stdint.h>

TEST(pieces__are_aligned_and_do_not_overlap) {
    sw_arena arena = {0};
    unsigned char *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        pieces[i] = sw_arena_alloc(&arena, i);
        REQUIRE(pieces[i] != NULL);
        CHECK((uintptr_t)pieces[i] % 16 == 0);
        memset(pieces[i], (int)(i % 251), i);
    }
    size_t wrong = 0;
    for (size_t i = 0; i < 500; i++)
        for (size_t k = 0; k < i; k++)
            wrong += pieces[i][k] != i % 251;
    CHECK(wrong == 0);
    sw_arena_free(&arena);
}

TEST(reset__keeps_the_first_block_and_forgets_how_large_the_last_was) {
    sw_arena arena;
    sw_arena_init(&arena, 1024);
    void *first = sw_arena_alloc(&arena, 100);
    for (int i = 0; i < 10000; i++)
        REQUIRE(sw_arena_alloc(&arena, 1000) != NULL);
    size_t grown = arena.next_bytes;
    sw_arena_reset(&arena);
    CHECK(sw_arena_alloc(&arena, 100) == first);
    CHECK(arena.newest == arena.first);
    CHECK(grown == 1 << 20 && arena.next_bytes == 2048);
    sw_arena_free(&arena);
}

TEST(reset__of_one_that_began_with_a_large_piece_does_not_grow_beyond_the_largest_block) {
    sw_arena arena = {0};
    REQUIRE(sw_arena_alloc(&arena, (size_t)5 << 20) != NULL);
    sw_arena_reset(&arena);
    CHECK(arena.next_bytes == 1 << 20);
    sw_arena_free(&arena);
}

TEST(zalloc__clears_and_refuses_what_overflows) {
    sw_arena arena = {0};
    memset(sw_arena_alloc(&arena, 512), 0xff, 512);
    sw_arena_reset(&arena);
    const char *zeros = sw_arena_zalloc(&arena, 64, 8);
    for (int i = 0; i < 512; i++)
        CHECK(zeros[i] == 0);
    CHECK(sw_arena_zalloc(&arena, SIZE_MAX / 4, 8) == NULL);
    CHECK(sw_arena_alloc(&arena, SIZE_MAX - 8) == NULL);
    sw_arena_free(&arena);
}

TEST(texts__end_in_a_nul) {
    sw_arena arena = {0};
    sw_str copy = sw_arena_copy(&arena, SW_STR("fraud")),
           said = sw_arena_printf(&arena, "%s@%d", "fraud", 3);
    CHECK_STR(copy, "fraud");
    CHECK_STR(said, "fraud@3");
    CHECK(copy.at[copy.len] == 0 && said.at[said.len] == 0);
    sw_arena_free(&arena);
}

TEST(memory_that_is_out__is_null_and_leaves_the_rest) {
    sw_arena arena = {0};
    char *kept = sw_arena_alloc(&arena, 8);
    REQUIRE(kept != NULL);
    memcpy(kept, "kept", 5);
    sw_mem_fail_at(1);
    CHECK(sw_arena_alloc(&arena, 1 << 16) == NULL);
    sw_mem_fail_at(0);
    CHECK_TEXT(kept, "kept");
    CHECK(sw_arena_alloc(&arena, 1 << 16) != NULL);
    sw_arena_free(&arena);
}

TEST_MAIN
