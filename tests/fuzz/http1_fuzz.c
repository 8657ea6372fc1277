/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an HTTP/1.1 conversation. However they are cut into reads, the same requests must be
 * seen: a difference would be a way to smuggle one past whoever reads in other pieces.
 */
#include "net_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATUSES_MAX = 4096, INPUT_BYTES_MAX = 16 * 1024 };

/* The status codes of all final answers, one behind the other. A 100 Continue only goes to a client
 * that has not begun its body, which depends on the reads. */
static size_t statuses(char out[STATUSES_MAX]) {
    size_t len = 0;
    static const char mark[] = "HTTP/1.1 ";
    for (size_t at = 0; at + sizeof mark + 2 < fuzz_answer_len && len + 3 < STATUSES_MAX; at++)
        if (memcmp(fuzz_answer + at, mark, sizeof mark - 1) == 0 &&
            fuzz_answer[at + sizeof mark - 1] != '1') {
            memcpy(out + len, fuzz_answer + at + sizeof mark - 1, 3);
            len += 3;
        }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char whole[STATUSES_MAX], pieces[STATUSES_MAX];
    if (size < 2 || size > INPUT_BYTES_MAX || memcmp(data + 1, "PRI", size < 4 ? size - 1 : 3) == 0)
        return 0;
    size_t cut = 1 + data[0] % 50;
    fuzz_converse(data + 1, size - 1, 0);
    must(fuzz_answer_len == 0 || memcmp(fuzz_answer, "HTTP/1.1 ", 9) == 0);
    size_t whole_len = statuses(whole);
    fuzz_converse(data + 1, size - 1, cut);
    size_t pieces_len = statuses(pieces);
    must(whole_len == pieces_len && memcmp(whole, pieces, whole_len) == 0);
    return 0;
}
