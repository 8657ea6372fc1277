# SPDX-License-Identifier: Apache-2.0
"""A browser deploys and rolls back by clicking; the screenshots are kept in build/screenshots."""

import csv
import os
import pathlib
import subprocess

import pytest
from harness import EXAMPLE, ROOT, clean_environment


@pytest.mark.browser
@pytest.mark.slow
def test_a_person_deploys_and_rolls_back_by_clicking(server):
    for file in ("linear.onnx", "linear-strict.onnx"):
        server.ok("push", "cells", EXAMPLE / file, "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    with open(EXAMPLE / "test.csv") as file:
        records = [{k: float(v) * (1.6 if k.startswith("mean_r") else 1) for k, v in row.items() if k != "malignant"}
                   for row in csv.DictReader(file)]
    for _ in range(6):
        assert server.http("POST", "/models/cells/predict", records).status == 200
    screenshots = ROOT / "build/screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(__file__).parent / "browser"
    done = subprocess.run(["node", "--test", "dashboard.test.mjs"], cwd=folder, capture_output=True, text=True,
                          timeout=300, env=clean_environment(SLIPWAY_URL=server.url, MODEL="cells",
                                                             SCREENSHOT_DIR=str(screenshots)))
    (screenshots / "output.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert len(os.listdir(screenshots)) > 4
