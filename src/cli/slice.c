/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/slice_private.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

static const char *skip_word(const char *at, const char *end) {
    while (at < end && !is_blank(*at) && *at != ',' && *at != ']' && *at != '}' && *at != ':')
        at++;
    return at;
}

const char *sw_slice_skip(const char *at, const char *end) {
    size_t depth = 0;
    at = skip_blanks(at, end);
    if (at >= end)
        return NULL;
    if (*at == '"')
        return skip_string(at, end);
    if (*at != '{' && *at != '[') {
        const char *behind = skip_word(at, end);
        return behind > at ? behind : NULL;
    }
    while (at && at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return NULL;
}

bool sw_slice_next(sw_str *key, sw_str *value, sw_str *rest) {
    const char *at = rest->at, *end = rest->at + rest->len;
    *key = (sw_str){NULL, 0};
    at = skip_blanks(at, end);
    if (at >= end || *at == ']' || *at == '}')
        return false;
    if (*at == '{' || *at == '[' || *at == ',')
        at = skip_blanks(at + 1, end);
    if (at >= end || *at == ']' || *at == '}')
        return false;
    const char *begin = at;
    at = sw_slice_skip(at, end);
    if (!at)
        return false;
    const char *colon = skip_blanks(at, end);
    if (*begin == '"' && colon < end && *colon == ':') {
        *key = (sw_str){begin + 1, (size_t)(at - begin) - 2};
        begin = skip_blanks(colon + 1, end);
        at = sw_slice_skip(begin, end);
        if (!at)
            return false;
    }
    *value = (sw_str){begin, (size_t)(at - begin)};
    *rest = (sw_str){at, (size_t)(end - at)};
    return true;
}

sw_str sw_slice_member(sw_str object, const char *key) {
    sw_str rest = object, name, value;
    while (sw_slice_next(&name, &value, &rest))
        if (name.at && sw_str_is(name, key))
            return value;
    return (sw_str){NULL, 0};
}
