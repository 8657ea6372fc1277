# SPDX-License-Identifier: Apache-2.0
"""Evidently's default drift tests on one window after the other.

Usage: evidently_windows.py REFERENCE.csv LIVE.csv WINDOW. Prints a JSON list: for each window the
columns called drifted, whether the dataset was, or why there is no answer.
"""
import json
import sys
import warnings

import pandas

warnings.filterwarnings("ignore")

from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402


def judge(reference: Dataset, live: pandas.DataFrame, definition: DataDefinition) -> dict:
    """An exception of the library is an answer too: that window has none."""
    try:
        current = Dataset.from_pandas(live, data_definition=definition)
        snapshot = Report([DataDriftPreset()]).run(current, reference).dict()
    except Exception as error:  # whatever it raises is what its user would see
        return {"columns": [], "dataset": False, "error": f"{type(error).__name__}: {error}"[:200]}
    columns, dataset = [], False
    for metric in snapshot["metrics"]:
        config, value = metric["config"], metric["value"]
        if config["type"].endswith("ValueDrift"):
            threshold = config["threshold"]
            is_p_value = "p_value" in config["method"]
            if (value < threshold) if is_p_value else (value >= threshold):
                columns.append(config["column"])
        elif config["type"].endswith("DriftedColumnsCount"):
            dataset = value["share"] >= config["drift_share"]
    return {"columns": columns, "dataset": bool(dataset)}


def main() -> None:
    reference, live = (pandas.read_csv(path) for path in sys.argv[1:3])
    window = int(sys.argv[3])
    definition = DataDefinition(
        numerical_columns=[c for c in reference if c.startswith("x")],
        categorical_columns=[c for c in reference if c.startswith("c")])
    known = Dataset.from_pandas(reference, data_definition=definition)
    print(json.dumps([judge(known, live.iloc[at:at + window], definition)
                      for at in range(0, len(live) - window + 1, window)]))


main()
