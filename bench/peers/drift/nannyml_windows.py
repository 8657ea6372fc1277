# SPDX-License-Identifier: Apache-2.0
"""NannyML's default univariate drift on one chunk after the other.

Usage: nannyml_windows.py REFERENCE.csv LIVE.csv WINDOW. Prints a JSON list: for each chunk the
columns with an alert of drift or of missing values, or why there is no answer.
"""
import json
import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import pandas  # noqa: E402


def alerts(result, columns: list[str]) -> list[list[str]]:
    """Of each chunk: (column, "alert") for missing values, (column, method, "alert") for drift."""
    frame = result.filter(period="analysis").to_df()
    told = [key for key in frame.columns if key[-1] == "alert" and key[0] in columns]
    return [[key[0] for key in told if row[key]] for _, row in frame.iterrows()]


def main() -> None:
    reference, live = (pandas.read_csv(path) for path in sys.argv[1:3])
    window = int(sys.argv[3])
    columns = list(reference)
    live = live.iloc[:len(live) // window * window]
    drift = nannyml.UnivariateDriftCalculator(column_names=columns, chunk_size=window)
    missing = nannyml.MissingValuesCalculator(column_names=columns, chunk_size=window)
    windows = [set() for _ in range(len(live) // window)]
    error = None
    for calculator in (drift, missing):
        try:
            for seen, found in zip(windows, alerts(calculator.fit(reference).calculate(live), columns)):
                seen.update(found)
        except Exception as failure:  # whatever it raises is what its user would see
            error = f"{type(failure).__name__}: {failure}"[:200]
    print(json.dumps([{"columns": sorted(seen), "dataset": False, **({"error": error} if error else {})}
                      for seen in windows]))


main()
