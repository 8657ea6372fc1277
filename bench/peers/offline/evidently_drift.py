# SPDX-License-Identifier: Apache-2.0
"""Evidently's data drift preset on two CSV files: prints how many columns drifted."""
import sys
import warnings

import pandas
from evidently import Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
reference, current = (pandas.read_csv(path) for path in sys.argv[1:3])
result = Report([DataDriftPreset()]).run(current, reference).dict()
print(int(next(m["value"]["count"] for m in result["metrics"] if "count" in m["value"])))
