/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prediction_id: names for predictions whose client gave none.
 *
 * Twenty letters and digits: twelve of chance (60 bits, drawn anew by each loop of each start, so
 * that replicas and restarts never meet) and eight that count. Counting is done in the text itself:
 * a new id costs one increment and a copy, and takes no lock.
 *
 * Threads: each maker by one thread.
 * Layer:   decay.
 */
#ifndef SW_DECAY_PREDICTION_ID_H
#define SW_DECAY_PREDICTION_ID_H

#include "base/status.h"
#include "base/str.h"

enum { SW_PREDICTION_ID_BYTES = 20, SW_PREDICTION_ID_CHANCE = 12 };

typedef struct sw_id_maker {
    char next[SW_PREDICTION_ID_BYTES];
} sw_id_maker;

SW_MUST_USE sw_status sw_id_maker_init(sw_id_maker *out, sw_error *error);

/* The digits and letters but i, l, o and u, in the order of ASCII (Crockford's base 32). */
static inline char sw_id_digit_after(char digit) {
    switch (digit) {
    case '9': return 'a';
    case 'h': return 'j';
    case 'k': return 'm';
    case 'n': return 'p';
    case 't': return 'v';
    case 'z': return '0';
    default: return (char)(digit + 1);
    }
}

static inline void sw_id_make(char to[SW_PREDICTION_ID_BYTES], sw_id_maker *maker) {
    memcpy(to, maker->next, SW_PREDICTION_ID_BYTES);
    for (size_t i = SW_PREDICTION_ID_BYTES; i-- > SW_PREDICTION_ID_CHANCE;) {
        maker->next[i] = sw_id_digit_after(maker->next[i]);
        if (maker->next[i] != '0')
            break;
    }
}

#endif /* SW_DECAY_PREDICTION_ID_H */
