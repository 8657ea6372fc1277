# SPDX-License-Identifier: Apache-2.0
"""`slipway drift --compat evidently` and the real Evidently on the same files, column by column."""
import json
import math
import os
import subprocess
import warnings

os.environ["DO_NOT_TRACK"] = "1"  # before the import: it would call home
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402
from evidently import ColumnMapping  # noqa: E402
from evidently.metrics import ColumnDriftMetric, DataDriftTable  # noqa: E402
from evidently.report import Report  # noqa: E402

BIN = os.environ["SLIPWAY_BIN"]
NAMES = {
    "K-S p_value": "ks",
    "chi-square p_value": "chisquare",
    "Z-test p_value": "z",
    "Wasserstein distance (normed)": "wasserstein",
    "Jensen-Shannon distance": "jensenshannon",
}
NUMBER_TESTS = ["ks", "wasserstein", "jensenshannon", "kl_div", "psi", "hellinger", "cramer_von_mises", "mannw",
                "t_test", "ed"]
CATEGORY_TESTS = ["chisquare", "z", "jensenshannon", "kl_div", "psi", "hellinger"]


def number_columns(rng, rows, moved):
    values = {
        "normal": rng.normal(0.3 * moved, 1, rows),
        "skewed": rng.lognormal(0, 1 + 0.3 * moved, rows),
        "tied": rng.poisson(6 + moved, rows).astype(float),
        "bounded": rng.beta(2, 5 - moved, rows),
        "two": (rng.random(rows) < 0.3 + 0.1 * moved).astype(float),
        "five": np.floor(5 * rng.random(rows) ** (1 + 0.3 * moved)) + 0.5,
        "outlier": np.where(rng.random(rows) < 0.002, 1e9, rng.normal(size=rows)),
        "constant": np.full(rows, 0.1),
        "gaps": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(0.2 * moved, 1, rows)),
        "infinite": np.where(rng.random(rows) < 0.01, np.inf, rng.normal(size=rows)),
        "mode": np.where(rng.random(rows) < 0.5, -1, 1) * (1 + 0.2 * rng.normal(size=rows)) * (1 + moved),
        "tiny": rng.normal(size=rows) * 1e-6 + 1e-7 * moved,
    }
    return pd.DataFrame(values)


def category_columns(rng, rows, moved):
    words = np.array([f"c{i:02}" for i in range(60)])
    return pd.DataFrame({
        "yes_no": np.where(rng.random(rows) < 0.4 + 0.1 * moved, "yes", "no"),
        "four": words[np.floor(4 * rng.random(rows) ** (1 + 0.2 * moved)).astype(int)],
        "many": words[np.floor(60 * rng.random(rows) ** (2 + moved)).astype(int)],
        "new": words[np.minimum(np.floor(3 * rng.random(rows)) + (rng.random(rows) < 0.05 * moved) * 9, 59).astype(int)],
        "missing": np.where(rng.random(rows) < 0.1, None, np.where(rng.random(rows) < 0.5, "a", "b")),
    })


def table(seed, rows, moved):
    rng = np.random.default_rng(seed)
    return pd.concat([number_columns(rng, rows, moved), category_columns(rng, rows, moved)], axis=1)


def drift(tmp_path, reference, current, *options):
    reference.to_csv(tmp_path / "reference.csv", index=False)
    current.to_csv(tmp_path / "current.csv", index=False)
    done = subprocess.run([BIN, "drift", tmp_path / "reference.csv", tmp_path / "current.csv", "--compat", "evidently",
                           "--json", *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def cleaned(frame):
    """Infinities are missing to its tests; but its plots, made along the way, fail on them."""
    return frame.replace([np.inf, -np.inf], np.nan)


def mapping(frame):
    numbers = [name for name in frame if frame[name].dtype.kind == "f"]
    return ColumnMapping(target=None, prediction=None, numerical_features=numbers,
                         categorical_features=[name for name in frame if name not in numbers])


def same(ours, theirs):
    if math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-14):
        return True
    return 0 < theirs < 1e-100 and 0 < ours and math.isclose(math.log(ours), math.log(theirs), rel_tol=1e-9)


@pytest.mark.parametrize("moved", [0, 1])
@pytest.mark.parametrize("sizes", [(60, 40), (500, 500), (1000, 300), (1001, 300), (4000, 150), (300, 3000), (9, 7)])
def test_default_tests_scores_and_decisions_are_evidentlys(tmp_path, sizes, moved):
    reference, current = table(1, sizes[0], 0), table(2, sizes[1], moved)
    report = Report(metrics=[DataDriftTable()])
    report.run(reference_data=cleaned(reference), current_data=cleaned(current), column_mapping=mapping(reference))
    theirs = report.as_dict()["metrics"][0]["result"]
    ours = drift(tmp_path, reference, current)
    assert len(ours["columns"]) == len(reference.columns)
    for column in ours["columns"]:
        other = theirs["drift_by_columns"][column["column"]]
        assert column["test"] == NAMES[other["stattest_name"]], column["column"]
        assert same(column["score"], float(other["drift_score"])), (column, other["drift_score"])
        assert column["threshold"] == other["stattest_threshold"]
        assert column["drift"] == bool(other["drift_detected"]), column["column"]
    assert ours["dataset_drift"] == bool(theirs["dataset_drift"])
    assert math.isclose(ours["share"], theirs["share_of_drifted_columns"])


@pytest.mark.parametrize("sizes", [(400, 300), (2500, 700)])
@pytest.mark.parametrize("test", sorted(set(NUMBER_TESTS + CATEGORY_TESTS)))
def test_every_named_test_is_evidentlys(tmp_path, test, sizes):
    reference, current = table(3, sizes[0], 0), table(4, sizes[1], 1)
    columns = mapping(reference)
    names = [name for name in reference if test in
             (NUMBER_TESTS if name in columns.numerical_features else CATEGORY_TESTS)
             and not (test == "t_test" and name == "constant")]
    if test == "z":
        names = ["yes_no", "missing", "four"]
    report = Report(metrics=[ColumnDriftMetric(column_name=name, stattest=test) for name in names])
    report.run(reference_data=cleaned(reference), current_data=cleaned(current), column_mapping=columns)
    ours = {column["column"]: column for column in drift(tmp_path, reference, current, "--test", test)["columns"]}
    for metric in report.as_dict()["metrics"]:
        other = metric["result"]
        column = ours[other["column_name"]]
        # SciPy leaves terms below 1e-7 out of Cramér and von Mises' law, and near 0 only rounding is left
        slack = 1e-12 if test == "cramer_von_mises" else 0
        assert same(column["score"], float(other["drift_score"])) or \
            abs(column["score"] - other["drift_score"]) <= slack, (column["column"], column["score"], other["drift_score"])
        assert column["threshold"] == other["stattest_threshold"]
        assert column["drift"] == bool(other["drift_detected"]), column["column"]


def test_where_evidently_refuses_we_say_undefined(tmp_path):
    reference, current = table(5, 200, 0), table(6, 200, 0)
    current["gaps"] = np.nan
    report = Report(metrics=[DataDriftTable()])
    with pytest.raises(ValueError):
        report.run(reference_data=cleaned(reference), current_data=cleaned(current), column_mapping=mapping(reference))
        report.as_dict()
    ours = {column["column"]: column for column in drift(tmp_path, reference, current)["columns"]}
    assert ours["gaps"]["drift"] is None and "current" in ours["gaps"]["reason"]
    assert ours["normal"]["drift"] is not None
