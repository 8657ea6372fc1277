/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnx: a look at a model file before anything is built from it.
 *
 * The scan walks the protobuf wire format without unpacking it: it finds what is truncated, too
 * deep or absurd, and notes what the choice of an engine needs to know. Weights are stepped over,
 * so a file of gigabytes costs no more than its nodes. Only what has passed the scan is handed to
 * protobuf-c (whose unpacking recurses without a limit of its own) or to ONNX Runtime.
 *
 * Memory:  sw_onnx_close what sw_onnx_open mapped; lists live in the arena, texts in the mapping.
 * Threads: one at a time for each file.
 * Layer:   model. Source: onnx.proto (IR versions to 8, later ones read alike) and the protobuf
 *          encoding.
 */
#ifndef SW_MODEL_ONNX_H
#define SW_MODEL_ONNX_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

enum {
    SW_ONNX_OPS_MAX = 64,         /* kinds of operators that are noted */
    SW_ONNX_ZIPMAPS_MAX = 64,     /* a model has at most one for each of its classifiers */
    SW_ONNX_VALUES_MAX = 1 << 16, /* inputs (weights may be listed among them) or outputs */
    SW_ONNX_DEPTH_MAX = 48,       /* messages within messages; a graph within a graph costs three */
    SW_ONNX_PARTS_MAX = 1 << 20   /* nodes, attributes, tensors, names */
};

typedef struct sw_onnx {
    const char *path;
    sw_str bytes;         /* the whole file */
    sw_str graph;         /* the field of bytes that holds it, tag included */
    uint32_t graph_count; /* 1, but for files that were concatenated */
    sw_str producer;
    int64_t ir_version;
    sw_str ops[SW_ONNX_OPS_MAX]; /* the main graph's operators, each once, in order */
    uint32_t op_count;
    bool more_ops;                       /* than are noted */
    sw_str zipmaps[SW_ONNX_ZIPMAPS_MAX]; /* ZipMap nodes: their fields within graph, tag included */
    uint32_t zipmap_count;
    sw_str *inputs, *outputs; /* the main graph's: their fields within graph, tag included */
    uint32_t input_count, output_count;
} sw_onnx;

/* INVALID: no ONNX model, with what is wrong and at which byte. UNSUPPORTED: weights in other
 * files. */
SW_MUST_USE sw_status sw_onnx_scan(sw_onnx *out, sw_str bytes, sw_arena *arena, sw_error *error);

/* Maps the file and scans it. The file must not shrink until sw_onnx_close. */
SW_MUST_USE sw_status sw_onnx_open(sw_onnx *out, const char *path, sw_arena *arena,
                                   sw_error *error);
void sw_onnx_close(sw_onnx *onnx);

/* Whether the model says how many dimensions its input has (a scalar's shape is there, and empty).
 */
bool sw_onnx_input_has_shape(const sw_onnx *onnx, sw_str input);

/* A field's payload: what stands behind its tag and length. */
sw_str sw_onnx_payload(sw_str field_bytes);

/*
 * The same model without its ZipMaps, each of which makes a list of maps out of a plain [N,
 * classes] tensor that costs more than most models do. Where output i is such a list,
 * plain[i].tensor names the tensor that now is output i, and plain[i].labels its columns' classes
 * (numbers as text); else plain[i].tensor is empty. `plain` has output_count elements.
 */
typedef struct sw_onnx_plain {
    sw_str name; /* as the file calls the output */
    sw_str tensor;
    const sw_str *labels;
    uint32_t label_count;
} sw_onnx_plain;

SW_MUST_USE sw_status sw_onnx_without_zipmaps(sw_buf *model, sw_onnx_plain **plain,
                                              const sw_onnx *onnx, sw_arena *arena,
                                              sw_error *error);

#endif /* SW_MODEL_ONNX_H */
