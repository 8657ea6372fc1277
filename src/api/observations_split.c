/* SPDX-License-Identifier: Apache-2.0 */
#include "api/observations_split.h"

#include "base/json.h"

static void skip_space(sw_str *left) {
    while (left->len && sw_json_is_space(*left->at)) {
        left->at++;
        left->len--;
    }
}

static void cut(sw_str *left, size_t len) {
    left->at += len;
    left->len -= len;
}

static sw_status fail(const sw_split *split, sw_error *error, const char *what) {
    return sw_fail(error, SW_CODE_INVALID, "behind %llu observation%s %s",
                   (unsigned long long)split->count, split->count == 1 ? "" : "s", what);
}

/* ---- Lines ---- */

static void next_line(sw_str *piece, sw_split *split, sw_str *left, bool end) {
    while (left->len) {
        const char *newline = memchr(left->at, '\n', left->len);
        if (!newline && !end)
            return;
        size_t len = newline ? (size_t)(newline - left->at) : left->len;
        sw_str line = sw_str_trim((sw_str){left->at, len});
        cut(left, newline ? len + 1 : len);
        if (line.len) {
            *piece = line;
            split->count++;
            return;
        }
    }
}

/* ---- JSON ---- */

/* Length of the object that begins at `s`; 0 where its end is not there. */
static size_t object_len(sw_str s) {
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        switch (s.at[i]) {
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (--depth == 0)
                return i + 1;
            break;
        case '"':
            for (i++; i < s.len && s.at[i] != '"'; i++)
                i += s.at[i] == '\\';
            break;
        }
    }
    return 0;
}

typedef enum answer { NO, YES, UNKNOWN } answer;

/* Whether `s`, at a '{', begins {"observations": [ ; `*len` is the length of that. */
static answer is_wrapper(size_t *len, sw_str s) {
    static const sw_str tokens[] = {SW_STR("{"), SW_STR("\"observations\""), SW_STR(":"),
                                    SW_STR("[")};
    sw_str left = s;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        skip_space(&left);
        size_t there = left.len < tokens[i].len ? left.len : tokens[i].len;
        if (memcmp(left.at, tokens[i].at, there) != 0)
            return NO;
        if (there < tokens[i].len)
            return UNKNOWN;
        cut(&left, there);
    }
    *len = s.len - left.len;
    return YES;
}

static sw_status start(sw_split *split, sw_str *left, bool end, sw_error *error) {
    size_t len;
    if (*left->at == '[') {
        cut(left, 1);
        split->state = SW_SPLIT_FIRST;
        return SW_OK;
    }
    if (*left->at != '{')
        return fail(split, error, "comes no object and no list of them");
    answer wrapper = is_wrapper(&len, *left);
    if (wrapper == YES) {
        cut(left, len);
        split->wrapped = true;
        split->state = SW_SPLIT_FIRST;
    } else if (wrapper == NO || end) {
        split->state = SW_SPLIT_PLAIN;
    }
    return SW_OK;
}

static void close_list(sw_split *split, sw_str *left) {
    cut(left, 1);
    split->state = split->wrapped ? SW_SPLIT_TAIL : SW_SPLIT_DONE;
}

/* An object is due. */
static sw_status take_object(sw_str *piece, sw_split *split, sw_str *left, sw_error *error) {
    if (*left->at != '{')
        return fail(split, error, "comes something that is no object");
    size_t len = object_len(*left);
    if (len == 0)
        return SW_OK;
    *piece = (sw_str){left->at, len};
    cut(left, len);
    split->count++;
    if (split->state != SW_SPLIT_PLAIN)
        split->state = SW_SPLIT_NEXT;
    return SW_OK;
}

/* What stands at the front of `left`, which is no space. */
static sw_status step(sw_str *piece, sw_split *split, sw_str *left, bool end, sw_error *error) {
    char c = *left->at;
    switch (split->state) {
    case SW_SPLIT_START: return start(split, left, end, error);
    case SW_SPLIT_FIRST:
        if (c != ']')
            return take_object(piece, split, left, error);
        close_list(split, left);
        return SW_OK;
    case SW_SPLIT_NEXT:
        if (c == ']')
            close_list(split, left);
        else if (c != ',')
            return fail(split, error, "comes neither ',' nor ']'");
        else {
            cut(left, 1);
            split->state = SW_SPLIT_VALUE;
        }
        return SW_OK;
    case SW_SPLIT_TAIL:
        if (c != '}')
            return fail(split, error, "comes something beside \"observations\"");
        cut(left, 1);
        split->state = SW_SPLIT_DONE;
        return SW_OK;
    case SW_SPLIT_VALUE:
    case SW_SPLIT_PLAIN: return take_object(piece, split, left, error);
    case SW_SPLIT_DONE: break;
    }
    return fail(split, error, "the body should end, but goes on");
}

/* Moves on from `from` to `to`. */
static void pass(sw_json_place *place, const char *from, const char *to) {
    place->byte += (uint64_t)(to - from);
    place->from = to;
    for (const char *at; (at = memchr(from, '\n', (size_t)(to - from))); from = at + 1) {
        place->lines++;
        place->columns = 0;
    }
    place->columns += (uint64_t)(to - from);
}

static sw_status next(sw_str *piece, sw_split *split, sw_str *left, bool end, sw_error *error) {
    if (split->lines) {
        next_line(piece, split, left, end);
        return SW_OK;
    }
    for (;;) {
        skip_space(left);
        if (left->len == 0)
            break;
        size_t before = left->len;
        sw_split_state state = split->state;
        SW_TRY(step(piece, split, left, end, error));
        if (piece->len)
            return SW_OK;
        if (left->len == before && split->state == state)
            break; /* it needs more than is there */
    }
    bool whole =
        left->len == 0 && (split->state == SW_SPLIT_DONE || split->state == SW_SPLIT_PLAIN ||
                           split->state == SW_SPLIT_START);
    return end && !whole ? fail(split, error, "the body breaks off") : SW_OK;
}

sw_status sw_split_next(sw_str *piece, sw_split *split, sw_str *left, bool end, sw_error *error) {
    const char *from = left->at;
    *piece = (sw_str){0};
    SW_TRY(next(piece, split, left, end, error));
    if (piece->len) {
        pass(&split->gone, from, piece->at);
        split->place = split->gone;
        from = piece->at;
    }
    if (left->at > from)
        pass(&split->gone, from, left->at);
    return SW_OK;
}
