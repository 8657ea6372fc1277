/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/extract.h"

#include "proxy/extract_private.h"

#include <stdio.h>

void sw_extract_begin_line(sw_json *w, sw_buf *lines) {
    *w = sw_json_to(lines);
    w->infinities = true;
    sw_json_begin_object(w);
    sw_json_key(w, "features");
    sw_json_begin_object(w);
}

void sw_extract_end_line(sw_json *w, const sw_capture *capture, size_t row, size_t rows) {
    char id[SW_CAPTURE_ID_BYTES + 24];
    if (rows > 1)
        snprintf(id, sizeof id, "%s.%zu", capture->id, row);
    else
        snprintf(id, sizeof id, "%s", capture->id);
    /* With a longer one the server takes no observation: it then counts without it. */
    if (capture->id[0] && strlen(id) < SW_CAPTURE_ID_BYTES)
        sw_json_add_text(w, "id", id);
    sw_json_add_i64(w, "at_ms", capture->at_ms);
    sw_json_add_f64(w, "latency_ms", capture->latency_ms);
    sw_json_end_object(w);
    sw_buf_add_char(w->out, '\n');
}

sw_status sw_extract_check_pointer(const char *pointer, const char *option, sw_error *error) {
    if (!pointer || !*pointer || *pointer == '/')
        return SW_OK;
    return sw_fail(error, SW_CODE_USAGE,
                   "%s %s: give a JSON pointer, such as /rows or /result/score: it begins with '/'",
                   option, pointer);
}

static bool is_oip(const sw_capture *capture) {
    sw_str path = sw_str_of(capture->path);
    static const sw_str infer = SW_STR("/infer");
    return sw_str_starts(path, SW_STR("/v2/models/")) && path.len > infer.len &&
           memcmp(path.at + path.len - infer.len, infer.at, infer.len) == 0;
}

sw_status sw_extract(sw_buf *lines, size_t *rows, const sw_capture *capture,
                     const sw_extract_rules *rules, sw_arena *arena, sw_error *error) {
    size_t before = lines->len;
    *rows = 0;
    sw_status status = is_oip(capture) && !rules->features && !rules->prediction
                           ? sw_extract_oip(lines, rows, capture, rules, arena, error)
                           : sw_extract_json(lines, rows, capture, rules, error);
    if (!sw_failed(status) && lines->failed)
        status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
    if (sw_failed(status))
        lines->len = before;
    return status;
}
