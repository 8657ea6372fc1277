/* SPDX-License-Identifier: Apache-2.0 */
#include "api/observations_proto.h"

#include "api/proto_wire.h"
#include "base/json.h"

static const char request_name[] = "ObserveRequest";

sw_status sw_observe_request_address(sw_str *model, sw_str *version, sw_str body, sw_error *error) {
    sw_wire_reader in = sw_wire_read(body, request_name, error);
    *model = *version = SW_STR("");
    while (sw_wire_next(&in)) {
        bool good = in.field == 1   ? sw_wire_string(&in, model)
                    : in.field == 2 ? sw_wire_string(&in, version)
                                    : sw_wire_skip(&in);
        if (!good)
            break;
    }
    return in.status;
}

sw_status sw_observe_request_each(sw_str body, sw_observe_visit *visit, void *context,
                                  sw_error *error) {
    sw_wire_reader in = sw_wire_read(body, request_name, error);
    while (sw_wire_next(&in)) {
        sw_str observation;
        if (in.field != 3) {
            if (!sw_wire_skip(&in))
                break;
            continue;
        }
        if (!sw_wire_bytes(&in, &observation))
            break;
        SW_TRY(visit(observation, context, error));
    }
    return in.status;
}

/* ---- To JSON ---- */

/* Hands a failure within the message to the reader of the message. */
static bool take_status(sw_wire_reader *in, sw_status status) {
    if (sw_failed(status) && !sw_failed(in->status))
        in->status = status;
    return !sw_failed(in->status);
}

static bool take_f64(sw_wire_reader *in, double *out) {
    if (in->type != SW_WIRE_FIXED64)
        return sw_wire_fail(in, "field %u should be a double", in->field);
    return sw_wire_raw_fixed(in, out, sizeof *out);
}

static sw_status write_scalar(sw_json *w, sw_wire_reader *in) {
    double number = 0;
    sw_str text = {0};
    uint64_t bits = 0;
    switch (in->field) {
    case 1:
        if (take_f64(in, &number))
            sw_json_f64(w, number);
        break;
    case 2:
        if (sw_wire_string(in, &text))
            sw_json_str(w, text);
        break;
    default:
        if (!sw_wire_varint(in, &bits))
            break;
        if (in->field == 3)
            sw_json_bool(w, bits != 0);
        else
            sw_json_i64(w, (int64_t)bits);
    }
    return in->status;
}

static sw_status write_list(sw_json *w, sw_str list, sw_error *error);

/* The last field of the message that is set is its value: so a oneof is to be read. */
static sw_status write_value(sw_json *w, sw_str value, bool lists, sw_error *error) {
    sw_wire_reader in = sw_wire_read(value, "Value", error), last = in;
    bool any = false;
    sw_str list;
    while (sw_wire_next(&in)) {
        if (in.field >= 1 && in.field <= 5) {
            last = in;
            any = true;
        }
        if (!sw_wire_skip(&in))
            break;
    }
    SW_TRY(in.status);
    if (!any) {
        sw_json_null(w);
        return SW_OK;
    }
    if (last.field != 5)
        return write_scalar(w, &last);
    if (!lists)
        sw_wire_fail(&last, "a list within a list, or of a feature: there can be none");
    else if (sw_wire_bytes(&last, &list))
        take_status(&last, write_list(w, list, error));
    return last.status;
}

static sw_status write_list(sw_json *w, sw_str list, sw_error *error) {
    sw_wire_reader in = sw_wire_read(list, "List", error);
    sw_str value;
    sw_json_begin_array(w);
    while (sw_wire_next(&in)) {
        bool good = in.field == 1 ? sw_wire_bytes(&in, &value) &&
                                        take_status(&in, write_value(w, value, false, error))
                                  : sw_wire_skip(&in);
        if (!good)
            break;
    }
    sw_json_end_array(w);
    return in.status;
}

/* One entry of a map<string, Value>. */
static sw_status write_entry(sw_json *w, sw_str entry, bool lists, sw_error *error) {
    sw_wire_reader in = sw_wire_read(entry, "an entry of a map", error);
    sw_str key = SW_STR(""), value = SW_STR("");
    while (sw_wire_next(&in)) {
        bool good = in.field == 1   ? sw_wire_string(&in, &key)
                    : in.field == 2 ? sw_wire_bytes(&in, &value)
                                    : sw_wire_skip(&in);
        if (!good)
            break;
    }
    SW_TRY(in.status);
    sw_json_key_of(w, key);
    return write_value(w, value, lists, error);
}

/* All entries of map number `field` of the observation. */
static sw_status write_map(sw_json *w, bool *any, uint32_t field, sw_str observation,
                           sw_error *error) {
    sw_wire_reader in = sw_wire_read(observation, "Observation", error);
    sw_str entry;
    *any = false;
    while (sw_wire_next(&in)) {
        if (in.field != field) {
            if (!sw_wire_skip(&in))
                break;
            continue;
        }
        if (!sw_wire_bytes(&in, &entry))
            break;
        if (!*any)
            sw_json_begin_object(w);
        *any = true;
        if (!take_status(&in, write_entry(w, entry, field == 3, error)))
            break;
    }
    if (*any)
        sw_json_end_object(w);
    return in.status;
}

static sw_status write_rest(sw_json *w, bool has_outputs, sw_str observation, sw_error *error) {
    sw_wire_reader in = sw_wire_read(observation, "Observation", error);
    sw_str bytes, id = {0}, prediction = {0};
    uint64_t at_ms = 0;
    double latency_ms = 0;
    while (sw_wire_next(&in)) {
        bool good = in.field == 2              ? sw_wire_bytes(&in, &prediction)
                    : in.field == 4            ? sw_wire_string(&in, &id)
                    : in.field == 5            ? sw_wire_varint(&in, &at_ms)
                    : in.field == 6            ? take_f64(&in, &latency_ms)
                    : in.type == SW_WIRE_BYTES ? sw_wire_bytes(&in, &bytes)
                                               : sw_wire_skip(&in);
        if (!good)
            break;
    }
    SW_TRY(in.status);
    if (prediction.at && has_outputs)
        return sw_fail(error, SW_CODE_INVALID,
                       "Observation: give \"prediction\" or \"outputs\", not both");
    if (prediction.at) {
        sw_json_key(w, "prediction");
        SW_TRY(write_value(w, prediction, true, error));
    }
    if (id.len)
        sw_json_add_str(w, "id", id);
    if (at_ms)
        sw_json_add_i64(w, "at_ms", (int64_t)at_ms);
    if (latency_ms != 0)
        sw_json_add_f64(w, "latency_ms", latency_ms);
    return SW_OK;
}

sw_status sw_observation_proto_to_json(sw_buf *json, sw_str observation, sw_error *error) {
    sw_json w = sw_json_to(json);
    bool any;
    w.infinities = true;
    sw_json_begin_object(&w);
    sw_json_key(&w, "features");
    SW_TRY(write_map(&w, &any, 1, observation, error));
    if (!any)
        sw_json_raw(&w, SW_STR("{}"));
    size_t before = json->len;
    sw_json_key(&w, "prediction");
    SW_TRY(write_map(&w, &any, 3, observation, error));
    if (!any) { /* the key was for nothing */
        json->len = before;
        w.comma = true;
    }
    SW_TRY(write_rest(&w, any, observation, error));
    sw_json_end_object(&w);
    return SW_OK;
}

/* ---- The answer ---- */

void sw_observe_response_begin(sw_buf *out, uint64_t accepted, uint64_t rejected) {
    sw_wire_put_number(out, 1, accepted);
    sw_wire_put_number(out, 2, rejected);
}

void sw_observe_response_add(sw_buf *out, uint64_t index, sw_str error) {
    size_t began = sw_wire_begin(out, 3);
    sw_wire_put_number(out, 1, index);
    sw_wire_put_string(out, 2, error);
    sw_wire_end(out, began);
}
