#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the models of this example and exports them to ONNX by hand.

Needs Debian's python3-sklearn and python3-onnx. Writes, beside itself:

  linear.onnx        version 1: logistic regression (the scaler folded into its weights)
  boosted.onnx       version 2: gradient-boosted trees
  linear-strict.onnx version 2 where no ONNX Runtime is at hand: a more strongly regularised
                     logistic regression
  train.csv          what all were trained on: 30 features and the label
  test.csv           what none has seen
  check-*.csv        rows with the answers of the training code itself (columns that begin with =)

The same input gives the same files, byte for byte.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).resolve().parent
LABEL = "malignant"
CHECK_ROWS = 24


def load():
    """The data as float32 (what a served model gets), named in identifiers; 1 = malignant."""
    data = load_breast_cancer()
    names = [name.replace(" ", "_") for name in data.feature_names]
    return data.data.astype(np.float32), 1 - data.target, names


def split(x, y):
    """Two halves that look alike: sorted by diagnosis and size, then dealt in turns.

    A random split of so few rows differs between its halves by as much as mild drift would.
    """
    size = PCA(n_components=1).fit_transform(StandardScaler().fit_transform(x))[:, 0]
    order = np.lexsort((size, y))
    turn = np.arange(len(order)) % 4
    train = np.sort(order[(turn == 0) | (turn == 3)])
    test = np.sort(order[(turn == 1) | (turn == 2)])
    return train, test


def save(path, nodes, outputs, doc):
    """Writes one model with a float input `features` of 30 columns."""
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 30])]
    graph = helper.make_graph(nodes, "breast_cancer", inputs, outputs)
    model = helper.make_model(
        graph,
        producer_name="slipway-example",
        doc_string=doc,
        opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 2)],
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def outputs():
    return [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2]),
    ]


def export_linear(path, pipeline, doc):
    """w·(x - mean)/scale + b is one linear form in x: the scaler needs no node of its own."""
    scaler, model = pipeline[0], pipeline[1]
    weights = model.coef_[0] / scaler.scale_
    bias = model.intercept_[0] - float(np.dot(weights, scaler.mean_))
    node = helper.make_node(
        "LinearClassifier",
        ["features"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        coefficients=[float(w) for w in np.concatenate([-weights, weights])],
        intercepts=[-bias, bias],
        classlabels_ints=[0, 1],
        multi_class=0,
        post_transform="LOGISTIC",
    )
    save(path, [node], outputs(), doc)


def float32_at_most(value):
    """The greatest float32 that is not above `value`: x <= it exactly where x <= value."""
    rounded = np.float32(value)
    if float(rounded) > value:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)


def export_boosted(path, model, doc):
    """scikit-learn's trees as one TreeEnsembleClassifier with a logistic link.

    With two labels and one column of weights, that column is the score of the second label.
    """
    node = {key: [] for key in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids",
                                "falsenodeids", "missing_value_tracks_true", "hitrates")}
    leaf = {key: [] for key in ("treeids", "nodeids", "ids", "weights")}
    for tree_id, stage in enumerate(model.estimators_[:, 0]):
        tree = stage.tree_
        for i in range(tree.node_count):
            is_leaf = tree.children_left[i] == -1
            node["treeids"].append(tree_id)
            node["nodeids"].append(i)
            node["featureids"].append(0 if is_leaf else int(tree.feature[i]))
            node["modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
            node["values"].append(0.0 if is_leaf else float32_at_most(tree.threshold[i]))
            node["truenodeids"].append(0 if is_leaf else int(tree.children_left[i]))
            node["falsenodeids"].append(0 if is_leaf else int(tree.children_right[i]))
            node["missing_value_tracks_true"].append(0)
            node["hitrates"].append(1.0)
            if is_leaf:
                leaf["treeids"].append(tree_id)
                leaf["nodeids"].append(i)
                leaf["ids"].append(0)
                leaf["weights"].append(float(model.learning_rate * tree.value[i, 0, 0]))
    prior = float(model.init_.class_prior_[1])
    attributes = {f"nodes_{key}": value for key, value in node.items()}
    attributes.update({f"class_{key}": value for key, value in leaf.items()})
    ensemble = helper.make_node(
        "TreeEnsembleClassifier",
        ["features"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        base_values=[float(np.log(prior / (1 - prior)))],
        classlabels_int64s=[0, 1],
        post_transform="LOGISTIC",
        **attributes,
    )
    save(path, [ensemble], outputs(), doc)


def number(value):
    """The shortest text that reads back as the same float32."""
    text = np.format_float_positional(np.float32(value), unique=True, trim="-")
    return text


def write_csv(path, names, x, extra_names=(), extra=()):
    with open(path, "w", encoding="ascii", newline="\n") as out:
        out.write(",".join([*names, *extra_names]) + "\n")
        for i, row in enumerate(x):
            out.write(",".join([*map(number, row), *(str(column[i]) for column in extra)]) + "\n")


def write_check(path, names, x, model):
    """Expected answers: =OUTPUT for an output of one column, =OUTPUT[K] for column K of more."""
    probability = model.predict_proba(x)[:, 1]
    write_csv(path, names, x, ("=label", "=probabilities[1]"),
              (model.predict(x), [f"{p:.9g}" for p in probability]))


def main():
    x, y, names = load()
    train, test = split(x, y)
    versions = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000)),
        "linear-strict": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
        "boosted": GradientBoostingClassifier(
            n_estimators=100, max_depth=3, learning_rate=0.1, subsample=0.5, max_features=6,
            random_state=1),
    }
    write_csv(HERE / "train.csv", names, x[train], (LABEL,), (y[train],))
    write_csv(HERE / "test.csv", names, x[test], (LABEL,), (y[test],))
    some = test[:: len(test) // CHECK_ROWS][:CHECK_ROWS]
    for name, model in versions.items():
        model.fit(x[train], y[train])
        right = model.score(x[test], y[test])
        doc = f"Breast cancer, {name}: {right:.1%} of {len(test)} unseen rows right."
        export = export_boosted if name == "boosted" else export_linear
        export(HERE / f"{name}.onnx", model, doc)
        write_check(HERE / f"check-{name}.csv", names, x[some], model)
        print(doc)


if __name__ == "__main__":
    sys.exit(main())
