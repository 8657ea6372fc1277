/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_graph: what the builder of a linear program knows of the graph while it walks the nodes.
 *
 * Every name in the graph is a value: a constant, a matrix of floats in a slot, or a column of
 * labels in a slot. The functions here fail with UNSUPPORTED and a reason that names the operator.
 *
 * Memory:  lives for the building only; weights are copied into the arena.
 * Layer:   model.
 */
#ifndef SW_MODEL_NATIVE_GRAPH_PRIVATE_H
#define SW_MODEL_NATIVE_GRAPH_PRIVATE_H

#include "model/native_private.h"
#include "onnx.pb-c.h"

enum { SW_NATIVE_NODES_MAX = 64, SW_NATIVE_VALUES_MAX = 512 };

typedef enum sw_native_kind {
    SW_NATIVE_CONSTANT,
    SW_NATIVE_FLOATS,
    SW_NATIVE_LABELS
} sw_native_kind;

typedef struct sw_native_value {
    const char *name;
    sw_native_kind kind;
    const Onnx__TensorProto *constant;
    sw_dtype dtype;
    uint8_t rank;   /* 1: [N], 2: [N, width] */
    uint32_t width; /* 0: not known yet (the input alone) */
    uint32_t slot;
    bool curved; /* behind a Sigmoid, Softmax or Normalizer */
    const sw_str *labels;
    uint32_t label_count;
} sw_native_value;

typedef struct sw_native_builder {
    sw_native_program *program;
    sw_arena *arena;
    sw_error *error;
    const Onnx__GraphProto *graph;
    const Onnx__NodeProto *node; /* the one at hand */
    int64_t opset;
    uint32_t input_width; /* 0 until the model or its weights have told */
    sw_native_value values[SW_NATIVE_VALUES_MAX];
    uint32_t value_count;
    bool shared[SW_NATIVE_SLOTS_MAX]; /* slots that are read under several names: not to be
                                         overwritten */
} sw_native_builder;

/* "operator X …": why the graph is not for us. */
sw_status sw_native_refuse(sw_native_builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
sw_status sw_native_no_memory(sw_native_builder *b);

SW_MUST_USE sw_status sw_native_add_value(sw_native_builder *b, sw_native_value value);
/* A node's input or output; a missing, unknown or optional-and-empty one is refused. */
SW_MUST_USE sw_status sw_native_input(sw_native_value **out, sw_native_builder *b, size_t index);
SW_MUST_USE sw_status sw_native_floats_input(sw_native_value **out, sw_native_builder *b,
                                             size_t index);
const char *sw_native_output(const sw_native_builder *b, size_t index);
/* Readers of a name: nodes and graph outputs. */
size_t sw_native_uses(const sw_native_builder *b, const char *name);

SW_MUST_USE sw_status sw_native_new_slot(uint32_t *out, sw_native_builder *b, size_t row_bytes);
/* Where an element-wise step on `from` may write: its own slot where nobody else reads that. */
SW_MUST_USE sw_status sw_native_slot_after(uint32_t *out, sw_native_builder *b,
                                           const sw_native_value *from);
SW_MUST_USE sw_status sw_native_add_step(sw_native_builder *b, sw_native_step step);

/* Attributes of the node at hand. Lists are borrowed from the graph. */
int64_t sw_native_int(const sw_native_builder *b, const char *name, int64_t otherwise);
float sw_native_float(const sw_native_builder *b, const char *name, float otherwise);
bool sw_native_text_is(const sw_native_builder *b, const char *name, const char *otherwise,
                       const char *wanted);
const Onnx__AttributeProto *sw_native_attribute(const sw_native_builder *b, const char *name);

/* The elements of a constant, copied. */
SW_MUST_USE sw_status sw_native_constant_floats(float **out, size_t *count, sw_native_builder *b,
                                                const sw_native_value *value);
SW_MUST_USE sw_status sw_native_constant_ints(int64_t out[8], size_t *count, sw_native_builder *b,
                                              const sw_native_value *value);

/* Adds the steps and values of the node at hand. */
typedef sw_status (*sw_native_operator)(sw_native_builder *b);
/* NULL where the operator is not linear. */
sw_native_operator sw_native_find_operator(sw_str op);

#endif /* SW_MODEL_NATIVE_GRAPH_PRIVATE_H */
