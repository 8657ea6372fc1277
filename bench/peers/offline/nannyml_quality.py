# SPDX-License-Identifier: Apache-2.0
"""NannyML's realised performance of one CSV file (label, score): prints ROC AUC and F1."""
import sys
import warnings

import nannyml
import pandas

warnings.filterwarnings("ignore")
data = pandas.read_csv(sys.argv[1])
data["prediction"] = (data["score"] >= 0.5).astype(int)
calculator = nannyml.PerformanceCalculator(
    y_true="label", y_pred="prediction", y_pred_proba="score", metrics=["roc_auc", "f1"],
    problem_type="classification_binary", chunk_number=1)
found = calculator.fit(data).calculate(data).filter(period="analysis").to_df()
print(found[("roc_auc", "value")].iloc[0], found[("f1", "value")].iloc[0])
