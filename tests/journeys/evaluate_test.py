# SPDX-License-Identifier: Apache-2.0
"""`slipway evaluate` from the outside: scikit-learn's figures on the same files, and what bad input is told."""
import csv
import json
import math
import subprocess

import numpy as np
import pytest
import sklearn.metrics as sk

from harness import BIN, DONE, FAILED, NOT_FOUND, ROOT, USAGE, clean_environment

CASES = ROOT / "tests/data/quality"


def run(*arguments):
    return subprocess.run([BIN, "evaluate", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env=clean_environment())


def evaluate(*arguments):
    done = run(*arguments, "--json")
    assert done.returncode == DONE, done.stderr
    return json.loads(done.stdout)


def refused(status, *arguments):
    done = run(*arguments)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def near(got, wanted, tolerance=1e-9):
    return got is not None and math.isclose(got, wanted, rel_tol=tolerance, abs_tol=tolerance)


@pytest.mark.parametrize("name", ["bin_tiny_5", "bin_calibrated", "bin_overconfident", "bin_imbalanced", "reg_gamma",
                                  "reg_constant_target", "multi_4"])
def test_evaluate_gives_every_figure_of_the_reference_case(name):
    case = json.loads((CASES / "expected.json").read_text())[name]
    options = {"binary": ["--score", "score"], "regression": ["--pred", "pred"],
               "multiclass": [f"--score=p{k}" for k in range(4)]}[case["type"]]
    ours = evaluate(CASES / case["input"], "--label", "label", *options)
    assert ours["task"] == case["type"] and ours["used"] == case["n"]
    for metric, wanted in case["result"].items():
        if metric == "confusion":
            assert ours["confusion"] == wanted
        elif metric == "cbpe_no_calibration":
            for part, value in wanted.items():
                got = ours[metric][part]
                assert got is None if value == "nan" else near(got, value), (metric, part)
        elif wanted == "nan":
            assert ours["metrics"][metric] is None and ours["undefined"][metric]
        else:
            assert near(ours["metrics"][metric], wanted), metric


@pytest.mark.parametrize("seed,rows,digits", [(1, 500, 6), (2, 300, 1), (3, 2000, 3), (4, 40, 2)])
def test_binary_is_scikit_learns(tmp_path, seed, rows, digits):
    rng = np.random.default_rng(seed)
    score = np.round(rng.beta(1.2, 3, rows), digits).clip(0, 1)
    label = (rng.random(rows) < score).astype(int)
    path = write(tmp_path / "b.csv", ["label", "score"], zip(label, score))
    ours = evaluate(path, "--label", "label", "--score", "score", "--threshold", "0.3")["metrics"]
    decided = score >= 0.3
    wanted = {"roc_auc": sk.roc_auc_score(label, score), "average_precision": sk.average_precision_score(label, score),
              "log_loss_clip_eps": sk.log_loss(label, score), "brier": sk.brier_score_loss(label, score),
              "accuracy": sk.accuracy_score(label, decided), "precision": sk.precision_score(label, decided),
              "recall": sk.recall_score(label, decided), "f1": sk.f1_score(label, decided),
              "mcc": sk.matthews_corrcoef(label, decided)}
    for metric, value in wanted.items():
        assert near(ours[metric], value), metric


def test_multiclass_is_scikit_learns_with_a_class_that_is_never_decided(tmp_path):
    rng = np.random.default_rng(8)
    names = np.array(["no", "maybe", "yes"])
    raw = rng.gamma(1.0, 1.0, (700, 3)) * [1, 0.05, 1.5]
    scores = raw / raw.sum(axis=1, keepdims=True)
    label = rng.integers(0, 3, 700)
    path = write(tmp_path / "m.csv", ["truth", *names], [[names[y], *row] for y, row in zip(label, scores)])
    options = [f"--score={name}={name}" for name in names]
    ours = evaluate(path, "--label", "truth", *options)["metrics"]
    decided = scores.argmax(axis=1)
    for average in ("macro", "micro", "weighted"):
        wanted = sk.precision_recall_fscore_support(label, decided, average=average, zero_division=0)
        for metric, value in zip(("precision", "recall", "f1"), wanted):
            assert near(ours[f"{average}_{metric}"], value), (average, metric)
    assert near(ours["log_loss"], sk.log_loss(label, scores))
    for average in ("macro", "weighted"):
        assert near(ours[f"roc_auc_ovr_{average}"], sk.roc_auc_score(label, scores, multi_class="ovr", average=average))
    assert near(ours["roc_auc_ovo_macro"], sk.roc_auc_score(label, scores, multi_class="ovo"))
    assert near(ours["kappa"], sk.cohen_kappa_score(label, decided))
    assert near(ours["mcc"], sk.matthews_corrcoef(label, decided))
    assert near(ours["balanced_accuracy"], sk.balanced_accuracy_score(label, decided))
    assert near(ours["top2"], sk.top_k_accuracy_score(label, scores, k=2))


def test_columns_of_an_output_name_their_classes(tmp_path):
    rng = np.random.default_rng(9)
    names = ["red", "green", "blue"]  # not as they sort
    scores = rng.dirichlet([1, 1, 1], 200)
    label = [names[y] for y in rng.integers(0, 3, 200)]
    plain = write(tmp_path / "p.csv", ["truth", *names], [[y, *row] for y, row in zip(label, scores)])
    exported = write(tmp_path / "e.csv", ["truth", *(f"p[{n}]" for n in names)], [[y, *row] for y, row in zip(label, scores)])
    wanted = evaluate(plain, "--label", "truth", *(f"--score={n}={n}" for n in names))
    got = evaluate(exported, "--label", "truth", *(f"--score=p[{n}]" for n in names))
    assert got["metrics"] == wanted["metrics"] and got["confusion"] == wanted["confusion"]
    # Labels that the columns do not name are of the classes in order, as ever.
    numbered = write(tmp_path / "n.csv", ["truth", "p[0]", "p[1]", "p[2]"],
                     [[y, *row] for y, row in zip(label, scores[:, [2, 1, 0]])])
    again = evaluate(numbered, "--label", "truth", *(f"--score=p[{k}]" for k in range(3)))["metrics"]
    assert all(near(again[m], value) for m, value in wanted["metrics"].items())


def test_regression_is_scikit_learns(tmp_path):
    rng = np.random.default_rng(9)
    label = rng.normal(50, 20, 600)
    pred = label + rng.normal(1, 5, 600)
    path = write(tmp_path / "r.csv", ["y", "p"], zip(label, pred))
    ours = evaluate(path, "--label", "y", "--pred", "p")["metrics"]
    wanted = {"mae": sk.mean_absolute_error, "mse": sk.mean_squared_error, "r2": sk.r2_score,
              "mape": sk.mean_absolute_percentage_error, "max_error": sk.max_error,
              "median_abs_error": sk.median_absolute_error}
    for metric, of in wanted.items():
        assert near(ours[metric], of(label, pred)), metric


def test_ranking_is_scikit_learns_query_by_query(tmp_path):
    rng = np.random.default_rng(10)
    rows, ndcg, ndcg_5, average = [], [], [], []
    for query in range(40):
        size = int(rng.integers(2, 30))
        gain = rng.integers(0, 4, size)
        gain[0] = 2
        score = np.round(rng.random(size), 1)  # many ties
        rows += [[f"q{query}", g, s] for g, s in zip(gain, score)]
        ndcg.append(sk.ndcg_score([gain], [score]))
        ndcg_5.append(sk.ndcg_score([gain], [score], k=5))
        average.append(sk.average_precision_score(gain > 0, score))
    rng.shuffle(rows)
    path = write(tmp_path / "q.csv", ["query", "gain", "score"], rows)
    ours = evaluate(path, "--query", "query", "--gain", "gain", "--score", "score")
    assert ours["task"] == "ranking" and ours["metrics"]["queries"] == 40
    assert near(ours["metrics"]["ndcg"], np.mean(ndcg))
    assert near(ours["metrics"]["ndcg@5"], np.mean(ndcg_5))
    assert near(ours["metrics"]["map"], np.mean(average))


def test_segments_and_a_baseline_stand_beside_the_whole(tmp_path):
    rows = [["yes", 0.9, "de"], ["no", 0.2, "de"], ["yes", 0.3, "fr"], ["no", 0.1, "fr"], ["no", 0.6, ""],
            ["", 0.5, "de"], ["yes", "", "fr"]]
    path = write(tmp_path / "s.csv", ["label", "score", "country"], rows)
    ours = evaluate(path, "--label", "label", "--score", "score", "--positive", "yes", "--segment", "country",
                    "--baseline", path)
    assert (ours["rows"], ours["used"], ours["dropped"]) == (7, 5, 2)
    assert ours["dropped_for"] == {"label": 1, "score": 1}
    assert ours["classes"] == ["no", "yes"] and ours["confusion"] == [[2, 1], [1, 1]]
    assert ours["baseline"]["metrics"] == ours["metrics"]
    by = {segment["value"]: segment for segment in ours["segments"]}
    assert {value: segment["used"] for value, segment in by.items()} == {"de": 2, "fr": 2, None: 1}
    assert by["de"]["metrics"]["accuracy"] == 1 and by["fr"]["metrics"]["roc_auc"] == 1
    assert by[None]["metrics"]["roc_auc"] is None and "one class" in by[None]["undefined"]["roc_auc"]


def test_json_lines_give_the_same_answer_as_csv(tmp_path):
    rows = [(1, 0.75), (0, 0.25), (1, 0.5), (0, 0.5)]
    table = write(tmp_path / "a.csv", ["label", "score"], rows)
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps({"score": s, "label": y}) + "\n" for y, s in rows))
    assert evaluate(table, "--label", "label", "--score", "score") == evaluate(lines, "--label", "label", "--score",
                                                                              "score")


def test_undefined_figures_are_null_with_a_reason_and_no_failure(tmp_path):
    one = write(tmp_path / "one.csv", ["y", "s"], [[1, 0.2], [1, 0.7]])
    ours = evaluate(one, "--label", "y", "--score", "s")
    assert ours["metrics"]["roc_auc"] is None and "one class" in ours["undefined"]["roc_auc"]
    assert ours["metrics"]["accuracy"] == 0.5 and "accuracy" not in ours["undefined"]
    none = write(tmp_path / "none.csv", ["y", "s"], [["", 0.2]])
    ours = evaluate(none, "--label", "y", "--score", "s")
    assert ours["used"] == 0 and ours["undefined"]["accuracy"] == "there are no rows"
    outside = write(tmp_path / "outside.csv", ["y", "s"], [[1, 3.5], [0, -1], [1, 0.5], [0, 0.1]])
    ours = evaluate(outside, "--label", "y", "--score", "s")
    assert ours["metrics"]["roc_auc"] == 1 and "outside of 0 to 1" in ours["undefined"]["brier"]
    assert "Row 1 has the score 3.5" in run(outside, "--label", "y", "--score", "s").stdout


def test_bad_input_is_told_where_it_is_and_what_to_do(tmp_path):
    text = write(tmp_path / "t.csv", ["y", "s"], [[1, 0.2], [0, "high"]])
    assert "row 2, column s: 'high' is not a number" in refused(FAILED, text, "--label", "y", "--score", "s")
    three = write(tmp_path / "3.csv", ["y", "s"], [["a", 0.2], ["b", 0.3], ["c", 0.4]])
    assert "--score CLASS=COLUMN" in refused(FAILED, three, "--label", "y", "--score", "s")
    two = write(tmp_path / "2.csv", ["y", "s"], [["good", 0.2], ["bad", 0.3]])
    assert "--positive VALUE" in refused(FAILED, two, "--label", "y", "--score", "s")
    assert "bad, good: none of them is --positive god" in refused(FAILED, two, "--label", "y", "--score", "s",
                                                                  "--positive", "god")
    gains = write(tmp_path / "g.csv", ["q", "g", "s"], [[1, 1, 0.2], [1, -1, 0.3]])
    assert "row 2, column g: the gain -1" in refused(FAILED, gains, "--query", "q", "--gain", "g", "--score", "s")
    assert "did you mean" in refused(NOT_FOUND, two, "--label", "yy", "--score", "s")
    refused(NOT_FOUND, tmp_path / "gone.csv", "--label", "y", "--score", "s")
    assert "--label" in refused(USAGE, two, "--score", "s")
    assert "--score" in refused(USAGE, two, "--label", "y")
    assert "not both" in refused(USAGE, two, "--label", "y", "--score", "s", "--pred", "s")
    assert "--gain" in refused(USAGE, gains, "--query", "q", "--score", "s")
    assert "--task" in refused(USAGE, two, "--label", "y", "--pred", "s", "--task", "guess")
    assert "number such as 0.5" in refused(USAGE, two, "--label", "y", "--score", "s", "--threshold", "high")


def test_the_table_for_people_has_matrix_and_reliability():
    done = run(CASES / "bin_calibrated.csv", "--label", "label", "--score", "score")
    assert done.returncode == DONE and "\x1b" not in done.stdout
    assert "roc_auc" in done.stdout and "0.7559" in done.stdout
    assert "Confusion" in done.stdout and "Reliability" in done.stdout and "without labels" in done.stdout


def test_a_pipe_is_evaluated_like_the_file(tmp_path):
    path = write(tmp_path / "rows.csv", ["y", "p"], [[i % 2, (i * 7 % 10) / 10] for i in range(50)])
    wanted = evaluate(path, "--label", "y", "--score", "p")
    done = subprocess.run([BIN, "evaluate", "-", "--label", "y", "--score", "p", "--json"], input=path.read_bytes(),
                          capture_output=True, timeout=60, env=clean_environment())
    assert json.loads(done.stdout) == wanted
