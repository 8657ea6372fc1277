/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: skipping and walking must agree, and what is written back must read the same.
 */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
    if (!condition)
        abort();
}

/* Copies one plain value, or opens a container. */
static bool step(sw_json_reader *in, sw_json *w, sw_json_kind kind) {
    sw_str s;
    const char *at;
    bool yes;
    switch (kind) {
    case SW_JSON_OBJECT: sw_json_begin_object(w); return sw_json_read_object(in);
    case SW_JSON_ARRAY: sw_json_begin_array(w); return sw_json_read_array(in);
    case SW_JSON_STRING:
        if (!sw_json_read_str(in, &s))
            return false;
        must(sw_str_is_utf8(s));
        sw_json_str(w, s);
        return true;
    case SW_JSON_NUMBER:
        at = in->at;
        if (!sw_json_read_skip(in))
            return false;
        sw_json_raw(w, (sw_str){at, (size_t)(in->at - at)});
        return true;
    case SW_JSON_TRUE:
    case SW_JSON_FALSE:
        if (!sw_json_read_bool(in, &yes))
            return false;
        sw_json_bool(w, yes);
        return true;
    case SW_JSON_NULL: sw_json_null(w); return sw_json_read_null(in);
    case SW_JSON_NOTHING: break;
    }
    return sw_json_read_skip(in); /* fails, and says why */
}

static sw_status walk(sw_str text, sw_buf *out, sw_arena *arena, sw_error *error) {
    bool object[SW_JSON_DEPTH_MAX + 1];
    sw_json_reader in;
    sw_json w = sw_json_to(out);
    sw_str key;
    sw_json_read_init(&in, text, arena, error);
    do {
        sw_json_kind kind = sw_json_read_peek(&in);
        if (!step(&in, &w, kind))
            break;
        if (kind == SW_JSON_OBJECT || kind == SW_JSON_ARRAY)
            object[in.depth] = kind == SW_JSON_OBJECT;
        while (in.depth) {
            uint32_t depth = in.depth;
            bool more = object[depth] ? sw_json_read_key(&in, &key) : sw_json_read_item(&in);
            if (more && object[depth])
                sw_json_key_of(&w, key);
            if (more || sw_failed(in.status))
                break;
            if (object[depth])
                sw_json_end_object(&w);
            else
                sw_json_end_array(&w);
        }
    } while (in.depth && !sw_failed(in.status));
    return sw_json_read_end(&in);
}

static sw_status skip(sw_str text, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_json_read_init(&in, text, arena, error);
    (void)sw_json_read_skip(&in);
    return sw_json_read_end(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_buf once = {0}, twice = {0};
    sw_error error = {{0}}, other = {{0}};
    sw_str text = {(const char *)data, size};
    sw_status status = skip(text, &arena, &error);
    must(walk(text, &once, &arena, &other).code == status.code);
    if (!sw_failed(status)) {
        must(!sw_failed(walk(sw_buf_str(&once), &twice, &arena, &error)));
        must(sw_str_eq(sw_buf_str(&once), sw_buf_str(&twice)));
    } else {
        must(error.text[0] && other.text[0]);
    }
    sw_buf_free(&once);
    sw_buf_free(&twice);
    sw_arena_free(&arena);
    return 0;
}
