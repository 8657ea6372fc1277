/* SPDX-License-Identifier: Apache-2.0 */
#include "api/proto_wire.h"

#include <stdarg.h>
#include <stdio.h>

sw_wire_reader sw_wire_read(sw_str bytes, const char *message, sw_error *error) {
    const char *at = bytes.at ? bytes.at : "";
    return (sw_wire_reader){.at = at, .end = at + bytes.len, .message = message, .error = error};
}

bool sw_wire_fail(sw_wire_reader *in, const char *format, ...) {
    char reason[SW_ERROR_BYTES - 128];
    va_list args;
    if (sw_failed(in->status))
        return false;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    in->status = sw_fail(in->error, SW_CODE_INVALID, "%s: %s", in->message, reason);
    in->at = in->end;
    return false;
}

bool sw_wire_raw_varint(sw_wire_reader *in, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->at >= in->end)
            return sw_wire_fail(in, "the message ends within a number");
        uint8_t byte = (uint8_t)*in->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return sw_wire_fail(in, "a number of more than 64 bits");
}

bool sw_wire_raw_fixed(sw_wire_reader *in, void *out, size_t size) {
    if ((size_t)(in->end - in->at) < size)
        return sw_wire_fail(in, "the message ends within a number");
    memcpy(out, in->at, size);
    in->at += size;
    return true;
}

bool sw_wire_next(sw_wire_reader *in) {
    uint64_t tag;
    if (sw_failed(in->status) || in->at >= in->end || !sw_wire_raw_varint(in, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > 536870911)
        return sw_wire_fail(in, "no field has the number %llu: is this a protobuf message?",
                            (unsigned long long)(tag >> 3));
    in->field = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case SW_WIRE_VARINT:
    case SW_WIRE_FIXED64:
    case SW_WIRE_BYTES:
    case SW_WIRE_FIXED32: in->type = (sw_wire_type)(tag & 7); return true;
    default:
        return sw_wire_fail(in, "field %u has wire type %u, which is not supported", in->field,
                            (unsigned)(tag & 7));
    }
}

static bool is_type(sw_wire_reader *in, sw_wire_type type) {
    return in->type == type || sw_wire_fail(in, "field %u has wire type %d, not %d", in->field,
                                            (int)in->type, (int)type);
}

bool sw_wire_varint(sw_wire_reader *in, uint64_t *out) {
    return is_type(in, SW_WIRE_VARINT) && sw_wire_raw_varint(in, out);
}

bool sw_wire_bytes(sw_wire_reader *in, sw_str *out) {
    uint64_t len = 0;
    if (!is_type(in, SW_WIRE_BYTES) || !sw_wire_raw_varint(in, &len))
        return false;
    if (len > (uint64_t)(in->end - in->at))
        return sw_wire_fail(in, "field %u claims %llu bytes, but %zu are left", in->field,
                            (unsigned long long)len, (size_t)(in->end - in->at));
    *out = (sw_str){in->at, (size_t)len};
    in->at += len;
    return true;
}

bool sw_wire_string(sw_wire_reader *in, sw_str *out) {
    if (!sw_wire_bytes(in, out))
        return false;
    return sw_str_is_utf8(*out) ||
           sw_wire_fail(in, "field %u is a string that is not UTF-8", in->field);
}

bool sw_wire_skip(sw_wire_reader *in) {
    uint64_t number;
    sw_str bytes;
    switch (in->type) {
    case SW_WIRE_VARINT: return sw_wire_raw_varint(in, &number);
    case SW_WIRE_FIXED64: return sw_wire_raw_fixed(in, &number, 8);
    case SW_WIRE_FIXED32: return sw_wire_raw_fixed(in, &number, 4);
    case SW_WIRE_BYTES: return sw_wire_bytes(in, &bytes);
    }
    return false;
}

/* ---- Writing ---- */

enum { VARINT_BYTES_MAX = 10 };

static size_t encode(char *to, uint64_t value) {
    size_t len = 0;
    while (value >= 0x80) {
        to[len++] = (char)(value | 0x80);
        value >>= 7;
    }
    to[len++] = (char)value;
    return len;
}

void sw_wire_put_varint(sw_buf *out, uint64_t value) {
    if (!sw_buf_reserve(out, VARINT_BYTES_MAX))
        return;
    if (value < 0x80) /* nearly all: tags, lengths, small numbers */
        out->at[out->len++] = (char)value;
    else
        out->len += encode(out->at + out->len, value);
}

void sw_wire_put_tag(sw_buf *out, uint32_t field, sw_wire_type type) {
    sw_wire_put_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

void sw_wire_put_string(sw_buf *out, uint32_t field, sw_str value) {
    if (value.len == 0)
        return;
    if (field < 0x10 && value.len < 0x80 && sw_buf_reserve(out, value.len + 2)) {
        char *to = out->at + out->len;
        to[0] = (char)(field << 3 | SW_WIRE_BYTES); /* tag and length are a byte each */
        to[1] = (char)value.len;
        memcpy(to + 2, value.at, value.len);
        out->len += value.len + 2;
        return;
    }
    sw_wire_put_tag(out, field, SW_WIRE_BYTES);
    sw_wire_put_varint(out, value.len);
    sw_buf_add_str(out, value);
}

void sw_wire_put_number(sw_buf *out, uint32_t field, uint64_t value) {
    if (value == 0)
        return;
    sw_wire_put_tag(out, field, SW_WIRE_VARINT);
    sw_wire_put_varint(out, value);
}

/* One byte is kept for the length; a longer one pushes the contents on. */
size_t sw_wire_begin(sw_buf *out, uint32_t field) {
    sw_wire_put_tag(out, field, SW_WIRE_BYTES);
    sw_buf_add_char(out, '\0');
    return out->len;
}

void sw_wire_end(sw_buf *out, size_t began) {
    char length[VARINT_BYTES_MAX];
    if (out->failed)
        return;
    size_t len = out->len - began, more = encode(length, len) - 1;
    if (more && !sw_buf_reserve(out, more))
        return;
    if (more)
        memmove(out->at + began + more, out->at + began, len);
    memcpy(out->at + began - 1, length, more + 1);
    out->len += more;
}
