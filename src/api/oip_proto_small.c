/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_proto.h"
#include "api/proto_wire.h"

sw_status sw_oip_proto_parse_model(sw_str *name, sw_str *version, sw_str body, sw_error *error) {
    sw_wire_reader in = sw_wire_read(body, "the request for a model", error);
    *name = *version = SW_STR("");
    while (sw_wire_next(&in)) {
        bool good = in.field == 1   ? sw_wire_string(&in, name)
                    : in.field == 2 ? sw_wire_string(&in, version)
                                    : sw_wire_skip(&in);
        if (!good)
            break;
    }
    return in.status;
}

sw_status sw_oip_proto_parse_health(sw_str *service, sw_str body, sw_error *error) {
    sw_wire_reader in = sw_wire_read(body, "HealthCheckRequest", error);
    *service = SW_STR("");
    while (sw_wire_next(&in))
        if (!(in.field == 1 ? sw_wire_string(&in, service) : sw_wire_skip(&in)))
            break;
    return in.status;
}

void sw_oip_proto_write_yes_no(sw_buf *out, bool yes) {
    sw_wire_put_number(out, 1, yes);
}

/* Elements of a repeated field are written even where they are empty. */
static void put_strings(sw_buf *out, uint32_t field, const sw_str *strings, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sw_wire_put_tag(out, field, SW_WIRE_BYTES);
        sw_wire_put_varint(out, strings[i].len);
        sw_buf_add_str(out, strings[i]);
    }
}

void sw_oip_proto_write_server(sw_buf *out, sw_str name, sw_str version, const sw_str *extensions,
                               size_t extension_count) {
    sw_wire_put_string(out, 1, name);
    sw_wire_put_string(out, 2, version);
    put_strings(out, 3, extensions, extension_count);
}

static void put_specs(sw_buf *out, uint32_t field, const sw_tensor_spec *specs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t began = sw_wire_begin(out, field);
        sw_wire_put_string(out, 1, specs[i].name);
        sw_wire_put_string(out, 2, sw_dtype_name(specs[i].dtype));
        if (specs[i].rank) {
            size_t shape = sw_wire_begin(out, 3);
            for (size_t k = 0; k < specs[i].rank; k++)
                sw_wire_put_varint(out, (uint64_t)specs[i].shape[k]);
            sw_wire_end(out, shape);
        }
        sw_wire_end(out, began);
    }
}

void sw_oip_proto_write_model(sw_buf *out, const sw_oip_model *model) {
    sw_wire_put_string(out, 1, model->name);
    put_strings(out, 2, model->versions, model->version_count);
    sw_wire_put_string(out, 3, model->platform);
    put_specs(out, 4, model->inputs, model->input_count);
    put_specs(out, 5, model->outputs, model->output_count);
}

void sw_oip_proto_write_health(sw_buf *out, sw_health health) {
    sw_wire_put_number(out, 1, (uint64_t)health);
}
