#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small models of this folder (Debian package python3-onnx).

Every file is checked in; run this again after a change, in this folder. The other models here
(logreg30*, mlp30, xgb100_d6, cnn28) were trained elsewhere and come with rows and expected outputs.
"""
import os
import random

import onnx
from onnx import TensorProto as T
from onnx import helper as h

ONNX15 = h.make_opsetid("", 15)
ML3 = h.make_opsetid("ai.onnx.ml", 3)
ML1 = h.make_opsetid("ai.onnx.ml", 1)
NO_BATCH_NAME = None


def tensor(name, values, dims, dtype=T.FLOAT):
    return h.make_tensor(name, dtype, dims, values)


def value(name, dtype, shape):
    return h.make_tensor_value_info(name, dtype, shape)


def maps(name, key):
    info = onnx.ValueInfoProto()
    info.name = name
    element = info.type.sequence_type.elem_type.map_type
    element.key_type = key
    element.value_type.tensor_type.elem_type = T.FLOAT
    element.value_type.tensor_type.shape.SetInParent()
    return info


def save(name, nodes, inputs, outputs, weights=(), opsets=(ONNX15, ML3), check=True, ir=8):
    graph = h.make_graph(nodes, name, inputs, outputs, list(weights))
    model = h.make_model(graph, opset_imports=list(opsets), producer_name="slipway-tests")
    model.ir_version = ir
    if check:
        onnx.checker.check_model(model)
    onnx.save(model, name + ".onnx")
    return model


def numbers(count, seed):
    rng = random.Random(seed)
    return [round(rng.uniform(-1.5, 1.5), 3) for _ in range(count)]


# ---- Linear models: both engines take them ----

save("softmax3",
     [h.make_node("MatMul", ["X", "W"], ["z"]), h.make_node("Add", ["z", "b"], ["s"]),
      h.make_node("Softmax", ["s"], ["probabilities"], axis=-1),
      h.make_node("ArgMax", ["s"], ["label"], axis=1, keepdims=0)],
     [value("X", T.FLOAT, ["batch", 5])],
     [value("label", T.INT64, ["batch"]), value("probabilities", T.FLOAT, ["batch", 3])],
     [tensor("W", numbers(15, 1), [5, 3]), tensor("b", numbers(3, 2), [3])])

save("scaled_classifier",
     [h.make_node("Scaler", ["X"], ["scaled"], domain="ai.onnx.ml", offset=numbers(4, 3),
                  scale=[0.5, 2.0, 1.25, 0.8]),
      h.make_node("LinearClassifier", ["scaled"], ["label", "scores"], domain="ai.onnx.ml",
                  classlabels_strings=["setosa", "versicolor", "virginica"], coefficients=numbers(12, 4),
                  intercepts=numbers(3, 5), multi_class=1, post_transform="SOFTMAX"),
      h.make_node("Normalizer", ["scores"], ["probabilities"], domain="ai.onnx.ml", norm="L1"),
      h.make_node("Identity", ["label"], ["output_label"]),
      h.make_node("ZipMap", ["probabilities"], ["output_probability"], domain="ai.onnx.ml",
                  classlabels_strings=["setosa", "versicolor", "virginica"])],
     [value("X", T.FLOAT, [NO_BATCH_NAME, 4])],
     [value("output_label", T.STRING, [None]), maps("output_probability", T.STRING)])

for transform in ("NONE", "LOGISTIC"):
    save("one_row_" + transform.lower(),
         [h.make_node("LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml",
                      classlabels_ints=[-1, 7], coefficients=numbers(6, 6), intercepts=[0.25],
                      post_transform=transform)],
         [value("X", T.FLOAT, [None, 6])],
         [value("label", T.INT64, [None]), value("scores", T.FLOAT, [None, 2])])

for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
    save("classifier_" + transform.lower(),
         [h.make_node("LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml",
                      classlabels_ints=[3, 1, 4], coefficients=numbers(18, 7),
                      intercepts=numbers(3, 8), multi_class=1, post_transform=transform)],
         [value("X", T.FLOAT, [None, 6])],
         [value("label", T.INT64, [None]), value("scores", T.FLOAT, [None, 3])])

save("regressor",
     [h.make_node("LinearRegressor", ["X"], ["linear"], domain="ai.onnx.ml",
                  coefficients=numbers(6, 9), intercepts=[12.5], targets=1),
      h.make_node("Reshape", ["linear", "shape"], ["variable"])],
     [value("X", T.FLOAT, [None, 6])], [value("variable", T.FLOAT, [None, 1])],
     [tensor("shape", [-1, 1], [2], T.INT64)])

save("min_max_gemm",
     [h.make_node("Sub", ["X", "low"], ["a"]), h.make_node("Div", ["a", "span"], ["b"]),
      h.make_node("Mul", ["two", "b"], ["c"]), h.make_node("Sub", ["one", "c"], ["d"]),
      h.make_node("Gemm", ["d", "W", "C"], ["e"], alpha=0.5, beta=2.0, transB=1),
      h.make_node("Sigmoid", ["e"], ["Y"])],
     [value("X", T.FLOAT, ["N", 6])], [value("Y", T.FLOAT, ["N", 2]), value("e", T.FLOAT, ["N", 2])],
     [tensor("low", numbers(6, 10), [6]), tensor("span", [1.0, 2.0, 0.5, 4.0, 0.25, 3.0], [1, 6]),
      tensor("two", [2.0], []), tensor("one", [1.0], [1]), tensor("W", numbers(12, 11), [2, 6]),
      tensor("C", numbers(2, 12), [1, 2])])

save("weights_as_inputs",
     [h.make_node("Gemm", ["X", "W", "b"], ["Y"])],
     [value("X", T.FLOAT, ["N", 3]), value("W", T.FLOAT, [3, 2]), value("b", T.FLOAT, [2])],
     [value("Y", T.FLOAT, ["N", 2])],
     [tensor("W", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]), tensor("b", [0.5, -0.5], [2])],
     opsets=(h.make_opsetid("", 8),), ir=3)

save("two_copies",
     [h.make_node("Identity", ["X"], ["same"]), h.make_node("Gemm", ["X", "W"], ["Y"]),
      h.make_node("Identity", ["Y"], ["again"])],
     [value("X", T.FLOAT, ["N", 2])],
     [value("same", T.FLOAT, ["N", 2]), value("Y", T.FLOAT, ["N", 9]), value("again", T.FLOAT, ["N", 9])],
     [tensor("W", numbers(18, 13), [2, 9])])

# ---- Models for ONNX Runtime ----

save("strings",
     [h.make_node("LabelEncoder", ["city"], ["country"], domain="ai.onnx.ml",
                  keys_strings=["Paris", "Genève", "München"], values_strings=["FR", "CH", "DE"],
                  default_string="??"),
      h.make_node("LabelEncoder", ["city"], ["number"], domain="ai.onnx.ml",
                  keys_strings=["Paris", "Genève", "München"], values_int64s=[33, 41, 49],
                  default_int64=0)],
     [value("city", T.STRING, [None, 1])],
     [value("country", T.STRING, [None, 1]), value("number", T.INT64, [None, 1])])

# Refuses categories that it does not know: no made-up value will do.
save("strict_one_hot",
     [h.make_node("OneHotEncoder", ["city"], ["city_3d"], domain="ai.onnx.ml",
                  cats_strings=["Paris", "Rome", "Oslo"], zeros=0),
      h.make_node("Flatten", ["city_3d"], ["place"])],
     [value("city", T.STRING, ["n", 1])], [value("place", T.FLOAT, ["n", 3])])

# Each row depends on its company, which rows that are all alike do not show.
save("from_the_mean",
     [h.make_node("ReduceMean", ["X"], ["mean"], axes=[0]), h.make_node("Sub", ["X", "mean"], ["Y"])],
     [value("X", T.FLOAT, ["n", 2])], [value("Y", T.FLOAT, ["n", 2])])

COLUMNS = [h.make_node("Cast", ["visits"], ["visits_f"], to=T.FLOAT),
           h.make_node("OneHotEncoder", ["city"], ["city_3d"], domain="ai.onnx.ml",
                       cats_strings=["Paris", "Rome"], zeros=1),
           h.make_node("Reshape", ["city_3d", "flat"], ["city_f"]),
           h.make_node("Concat", ["age", "visits_f", "city_f"], ["all"], axis=1),
           h.make_node("LinearClassifier", ["all"], ["label", "scores"], domain="ai.onnx.ml",
                       classlabels_ints=[0, 1],
                       coefficients=[-0.02, -0.3, -1.0, 0.5, 0.02, 0.3, 1.0, -0.5],
                       intercepts=[0.5, -0.5], post_transform="LOGISTIC"),
           h.make_node("ZipMap", ["scores"], ["output_probability"], domain="ai.onnx.ml",
                       classlabels_int64s=[0, 1])]
save("columns", COLUMNS,
     [value("age", T.FLOAT, [None, 1]), value("visits", T.INT64, [None, 1]),
      value("city", T.STRING, [None, 1])],
     [value("label", T.INT64, [None]), maps("output_probability", T.INT64)],
     [tensor("flat", [-1, 2], [2], T.INT64)])

save("shared_zipmap",
     [h.make_node("LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml",
                  classlabels_ints=[0, 1], coefficients=[1.0, 2.0, -1.0, -2.0], intercepts=[0.0, 0.0]),
      h.make_node("Relu", ["scores"], ["positive"]),
      h.make_node("ZipMap", ["positive"], ["zipped"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])],
     [value("X", T.FLOAT, [None, 2])],
     [value("positive", T.FLOAT, [None, 2]), maps("zipped", T.INT64)])

save("two_dynamic",
     [h.make_node("MatMul", ["a", "b"], ["product"]), h.make_node("Shape", ["product"], ["shape"])],
     [value("a", T.FLOAT, ["n", "k"]), value("b", T.FLOAT, ["k", "m"])],
     [value("product", T.FLOAT, ["n", "m"]), value("shape", T.INT64, [2])])

# One value for all rows together.
save("sum_of_all", [h.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
     [value("x", T.FLOAT, [None, 3])], [value("y", T.FLOAT, [])])

# It needs nothing to say the same.
save("no_inputs", [h.make_node("Constant", [], ["y"], value=tensor("one_two", [1.0, 2.0], [2]))],
     [], [value("y", T.FLOAT, [2])])

# The first dimension looks like the batch and is not.
save("fewer_rows",
     [h.make_node("Greater", ["x", "zero"], ["keep2"]), h.make_node("Squeeze", ["keep2", "one"], ["keep"]),
      h.make_node("Compress", ["x", "keep"], ["y"], axis=0)],
     [value("x", T.FLOAT, [None, 1])], [value("y", T.FLOAT, [None, 1])],
     [tensor("zero", [0.0], [1]), tensor("one", [1], [1], T.INT64)])

DTYPES = [("bool", T.BOOL), ("uint8", T.UINT8), ("uint16", T.UINT16), ("uint32", T.UINT32),
          ("uint64", T.UINT64), ("int8", T.INT8), ("int16", T.INT16), ("int32", T.INT32),
          ("int64", T.INT64), ("fp16", T.FLOAT16), ("fp32", T.FLOAT), ("fp64", T.DOUBLE),
          ("bytes", T.STRING)]
save("every_dtype", [h.make_node("Identity", [n], [n + "_out"]) for n, _ in DTYPES],
     [value(n, t, [None, 2]) for n, t in DTYPES], [value(n + "_out", t, [None, 2]) for n, t in DTYPES])

# Multiplies a matrix with itself `turns` times: takes as long as wished.
body = h.make_graph(
    [h.make_node("MatMul", ["m_in", "m_in"], ["p"]), h.make_node("Tanh", ["p"], ["m_out"]),
     h.make_node("Identity", ["go_in"], ["go_out"])], "body",
    [value("i", T.INT64, []), value("go_in", T.BOOL, []), value("m_in", T.FLOAT, [64, 64])],
    [value("go_out", T.BOOL, []), value("m_out", T.FLOAT, [64, 64])])
save("endless",
     [h.make_node("Loop", ["turns", "", "m"], ["result"], body=body)],
     [value("turns", T.INT64, []), value("m", T.FLOAT, [64, 64])], [value("result", T.FLOAT, [64, 64])])

sequence = onnx.ValueInfoProto()
sequence.name = "pieces"
sequence.type.sequence_type.elem_type.tensor_type.elem_type = T.FLOAT
save("sequence", [h.make_node("SplitToSequence", ["x"], ["pieces"], axis=0)],
     [value("x", T.FLOAT, [None, 2])], [sequence])

save("bfloat16", [h.make_node("Cast", ["x"], ["y"], to=T.BFLOAT16)],
     [value("x", T.FLOAT, [None, 2])], [value("y", T.BFLOAT16, [None, 2])])

save("no_rank", [h.make_node("Relu", ["x"], ["y"])],
     [value("x", T.FLOAT, None)], [value("y", T.FLOAT, None)], check=False)

# Its output is twice as wide as the number of labels says: loads, and fails when it runs.
save("fails_at_run",
     [h.make_node("Relu", ["x"], ["r"]), h.make_node("Reshape", ["r", "shape"], ["y"])],
     [value("x", T.FLOAT, ["n", "k"])], [value("y", T.FLOAT, ["n", 7])],
     [tensor("shape", [-1, 7], [2], T.INT64)])

external = save("external", [h.make_node("Gemm", ["X", "W"], ["Y"])], [value("X", T.FLOAT, ["N", 2])],
                [value("Y", T.FLOAT, ["N", 2])], [tensor("W", [1.0, 2.0, 3.0, 4.0], [2, 2])])
external.graph.initializer[0].raw_data = b"\0" * 16
onnx.external_data_helper.set_external_data(external.graph.initializer[0], "weights.bin")
external.graph.initializer[0].ClearField("float_data")
with open("external.onnx", "wb") as out:
    out.write(external.SerializeToString())

print(sum(os.path.getsize(f) for f in os.listdir(".") if f.endswith(".onnx")), "bytes")
