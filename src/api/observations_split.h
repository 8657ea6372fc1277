/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observations_split: a body of observations, of any length, into one observation after the other.
 *
 * Takes a single object, a list, {"observations": [list]}, objects one behind the other, and lines
 * (NDJSON). What is within an object is not looked at but for its end; of lines not even that, so
 * that one broken line is one broken observation.
 *
 * Threads: one at a time.
 * Layer:   api.
 */
#ifndef SW_API_OBSERVATIONS_SPLIT_H
#define SW_API_OBSERVATIONS_SPLIT_H

#include "base/json.h"

typedef enum sw_split_state {
    SW_SPLIT_START,
    SW_SPLIT_FIRST, /* behind '[' */
    SW_SPLIT_VALUE, /* behind ',' */
    SW_SPLIT_NEXT,  /* behind an element */
    SW_SPLIT_TAIL,  /* behind the list: the wrapper's '}' is due */
    SW_SPLIT_PLAIN, /* behind an object that is in no list */
    SW_SPLIT_DONE,
} sw_split_state;

typedef struct sw_split {
    bool lines;
    sw_split_state state;
    bool wrapped;
    uint64_t count;      /* pieces so far */
    sw_json_place place; /* of the piece that was given last */
    sw_json_place gone;  /* of what follows what was cut off */
} sw_split;

/*
 * The next piece of `left`, which begins where the last call stopped and is cut off to what follows
 * the piece. `*piece` empty: there is none in `left` yet (or, with `end`, no more at all). INVALID
 * where the body is none of the above; nothing can be read after that.
 */
SW_MUST_USE sw_status sw_split_next(sw_str *piece, sw_split *split, sw_str *left, bool end,
                                    sw_error *error);

#endif /* SW_API_OBSERVATIONS_SPLIT_H */
