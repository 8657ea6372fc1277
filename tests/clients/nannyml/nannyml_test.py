# SPDX-License-Identifier: Apache-2.0
"""`slipway evaluate` and NannyML on the same files: realised figures, and the estimate without labels."""
import json
import os
import subprocess
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # before the import: it would call home
warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

BIN = os.environ["SLIPWAY_BIN"]
BINARY = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"]
ESTIMATED = ["roc_auc", "f1", "precision", "recall", "specificity", "accuracy"]
SLACK = 1e-9


def evaluate(*arguments):
    done = subprocess.run([BIN, "evaluate", *map(str, arguments), "--json"], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def scored(seed, rows, *, rate=0.0, confidence=1.0, digits=6):
    """Scores whose truth is drawn from a logit that is `confidence` times flatter."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(rate, 1.5, rows)
    truth = 1 / (1 + np.exp(-logit / confidence))
    score = np.round(1 / (1 + np.exp(-logit)), digits)
    return pd.DataFrame({"label": (rng.random(rows) < truth).astype(int), "score": score,
                         "pred": (score >= 0.5).astype(int)})


def only_value(result, metric):
    frame = result.to_df()
    return float(frame[(metric, "value")].iloc[-1])


CASES = {
    "balanced": dict(rows=1000),
    "imbalanced": dict(rows=3000, rate=-2.0),
    "overconfident": dict(rows=2000, confidence=3.0),
    "many_ties": dict(rows=1500, digits=1),
    "mostly_positive": dict(rows=1200, rate=1.5),
    "small": dict(rows=60),
}


@pytest.fixture(params=CASES, scope="module")
def binary(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    reference, current = scored(1, **CASES[request.param]), scored(2, **CASES[request.param])
    reference.to_csv(folder / "reference.csv", index=False)
    current.to_csv(folder / "current.csv", index=False)
    ours = evaluate(folder / "current.csv", "--label", "label", "--score", "score", "--baseline",
                    folder / "reference.csv")
    return request.param, reference, current, ours


def test_realised_figures_are_nannymls(binary):
    name, reference, current, ours = binary
    peer = nannyml.PerformanceCalculator(problem_type="classification_binary", y_true="label", y_pred="pred",
                                         y_pred_proba="score", metrics=BINARY, chunk_number=1)
    result = peer.fit(reference).calculate(current).filter(period="analysis")
    for metric in BINARY:
        assert ours["metrics"][metric] == pytest.approx(only_value(result, metric), abs=SLACK), (name, metric)


def test_cbpe_without_calibration_is_nannymls(binary):
    from nannyml.performance_estimation.confidence_based import metrics as peer
    name, _, current, ours = binary
    score, pred = current["score"], current["pred"]
    for metric, value in {"roc_auc": peer.estimate_roc_auc(score, score), "f1": peer.estimate_f1(pred, score),
                          "precision": peer.estimate_precision(pred, score),
                          "recall": peer.estimate_recall(pred, score),
                          "specificity": peer.estimate_specificity(pred, score),
                          "accuracy": peer.estimate_accuracy(pred, score)}.items():
        assert ours["cbpe_no_calibration"][metric] == pytest.approx(float(value), abs=SLACK), (name, metric)


def test_cbpe_as_nannyml_does_it_calibrated_where_that_helps(binary):
    name, reference, current, ours = binary
    peer = nannyml.CBPE(problem_type="classification_binary", y_true="label", y_pred="pred", y_pred_proba="score",
                        metrics=ESTIMATED, chunk_number=1)
    peer.fit(reference)
    if name == "overconfident":
        assert peer.needs_calibration and ours["cbpe"]["calibrated"]
    # Whether it helps is tried on folds that they draw and we deal, so where it hardly matters the two may part:
    # the figures are compared on our choice.
    peer.needs_calibration = ours["cbpe"]["calibrated"]
    peer.calibrator.fit(reference["score"].to_numpy(), reference["label"].to_numpy())
    result = peer.estimate(current).filter(period="analysis")
    for metric in ESTIMATED:
        assert ours["cbpe"][metric] == pytest.approx(only_value(result, metric), abs=SLACK), (name, metric)


def test_the_estimate_is_near_the_truth_that_comes_later(binary):
    name, _, current, ours = binary
    slack = 4 * 0.5 / np.sqrt(len(current)) + 0.02
    assert abs(ours["cbpe"]["accuracy"] - ours["metrics"]["accuracy"]) < slack, name


def test_regression_figures_are_nannymls(tmp_path):
    rng = np.random.default_rng(5)
    frames = []
    for _ in range(2):
        label = rng.gamma(2.0, 20.0, 800) + 0.5
        frames.append(pd.DataFrame({"x": rng.normal(size=800), "label": label,
                                    "pred": label * rng.normal(1, 0.1, 800).clip(0.1)}))
    frames[1].to_csv(tmp_path / "current.csv", index=False)
    ours = evaluate(tmp_path / "current.csv", "--label", "label", "--pred", "pred")
    metrics = ["mae", "mape", "mse", "msle", "rmse"]
    peer = nannyml.PerformanceCalculator(problem_type="regression", y_true="label", y_pred="pred", metrics=metrics,
                                         chunk_number=1)
    result = peer.fit(frames[0]).calculate(frames[1]).filter(period="analysis")
    for metric in metrics:
        assert ours["metrics"][metric] == pytest.approx(only_value(result, metric), rel=1e-9), metric


NAMES = ["ant", "bee", "cat"]
PROBA = {name: f"p_{name}" for name in NAMES}
MACRO = {"roc_auc": "roc_auc_ovr_macro", "f1": "macro_f1", "precision": "macro_precision", "recall": "macro_recall",
         "accuracy": "accuracy"}


@pytest.fixture(params={"sure": 1.0, "overconfident": 2.5}.items(), ids=lambda p: p[0], scope="module")
def multiclass(request, tmp_path_factory):
    """Scores of three classes, sharpened by so much beyond what the labels are drawn from."""
    folder, sharper = tmp_path_factory.mktemp(request.param[0]), request.param[1]
    rng, frames = np.random.default_rng(6), []
    for _ in range(2):
        raw = rng.gamma(1.2, 1.0, (900, 3))
        truth, scores = (r / r.sum(axis=1, keepdims=True) for r in (raw, raw ** sharper))
        labels = [NAMES[rng.choice(3, p=row)] for row in truth]
        frame = pd.DataFrame({"label": labels, "pred": [NAMES[i] for i in scores.argmax(axis=1)]})
        for k, column in enumerate(PROBA.values()):
            frame[column] = scores[:, k]
        frames.append(frame)
    frames[0].to_csv(folder / "reference.csv", index=False)
    frames[1].to_csv(folder / "current.csv", index=False)
    ours = evaluate(folder / "current.csv", "--label", "label", "--baseline", folder / "reference.csv",
                    *[part for name in NAMES for part in ("--score", f"{name}={PROBA[name]}")])
    return request.param[0], *frames, ours


def test_multiclass_figures_are_nannymls(multiclass):
    _, reference, current, ours = multiclass
    peer = nannyml.PerformanceCalculator(problem_type="classification_multiclass", y_true="label", y_pred="pred",
                                         y_pred_proba=PROBA, metrics=list(MACRO), chunk_number=1)
    result = peer.fit(reference).calculate(current).filter(period="analysis")
    for theirs, mine in MACRO.items():
        assert ours["metrics"][mine] == pytest.approx(only_value(result, theirs), abs=SLACK), theirs


def test_multiclass_cbpe_is_nannymls(multiclass):
    name, reference, current, ours = multiclass
    peer = nannyml.CBPE(problem_type="classification_multiclass", y_true="label", y_pred="pred", y_pred_proba=PROBA,
                        metrics=list(MACRO), chunk_number=1)
    peer.fit(reference)
    assert ours["cbpe"]["calibrated"] == (name == "overconfident")
    if name == "sure":  # where it hardly matters folds decide: the figures are compared on our choice
        peer._calibrators = {c: nannyml.calibration.NoopCalibrator() for c in NAMES}
    result = peer.estimate(current).filter(period="analysis")
    for theirs, mine in MACRO.items():
        assert ours["cbpe"][mine] == pytest.approx(only_value(result, theirs), abs=SLACK), (name, theirs)
        if name == "sure":
            assert ours["cbpe_no_calibration"][mine] == pytest.approx(ours["cbpe"][mine], abs=SLACK)
    assert abs(ours["cbpe"]["accuracy"] - ours["metrics"]["accuracy"]) < 0.05
