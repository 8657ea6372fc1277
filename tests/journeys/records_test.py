# SPDX-License-Identifier: Apache-2.0
"""Named records: what application developers send."""

import csv
import json

import pytest
from harness import EXAMPLE, MODELS

with open(EXAMPLE / "test.csv") as file:
    RECORDS = [{k: float(v) for k, v in row.items() if k != "malignant"} for row in csv.DictReader(file)]


def predict(live, body, path="/models/cells/predict"):
    return live.http("POST", path, body)


def test_answers_one_object_with_one_prediction(live):
    told = predict(live, RECORDS[0]).json
    assert told["model"] == "cells" and str(told["version"]) == "1"
    assert set(told["prediction"]) == {"label", "probabilities"}
    assert abs(sum(told["prediction"]["probabilities"]) - 1) < 1e-5


def test_answers_a_list_with_a_list_in_any_order_of_keys(live):
    shuffled = [dict(reversed(list(r.items()))) for r in RECORDS[:20]]
    straight = predict(live, RECORDS[:20]).json["predictions"]
    assert straight == predict(live, shuffled).json["predictions"]
    assert straight == predict(live, {"instances": RECORDS[:20]}).json["predictions"]
    assert straight[3] == predict(live, RECORDS[3]).json["prediction"]


def test_agrees_with_the_tensors_of_the_protocol(live):
    told = live.get("/v2/models/cells")["inputs"][0]
    rows = [list(r.values()) for r in RECORDS[:10]]
    reply = live.http("POST", "/v2/models/cells/infer",
                      {"inputs": [{"name": told["name"], "shape": [10, 30], "datatype": "FP32", "data": rows}]}).json
    flat = reply["outputs"][1]["data"]
    named = predict(live, RECORDS[:10]).json["predictions"]
    assert [p for row in named for p in row["probabilities"]] == flat


def test_takes_a_version_or_an_alias_in_the_path(live):
    live.ok("alias", "set", "cells@1", "champion")
    for version in ("1", "champion"):
        assert predict(live, RECORDS[0], f"/models/cells/versions/{version}/predict").status == 200
    assert predict(live, RECORDS[0], "/models/cells/versions/2/predict").status == 404


def without(name):
    return {k: v for k, v in RECORDS[0].items() if k != name}


WRONG = {
    "a field that is missing": ([RECORDS[0], without("mean_area")], ["mean_area", "1"]),
    "a field that is unknown": ({**RECORDS[0], "mean_aera": 1}, ["mean_aera", "mean_area"]),
    "a string for a number": ({**RECORDS[0], "mean_area": "wide"}, ["mean_area"]),
    "null where a number must be": ({**RECORDS[0], "mean_area": None}, ["mean_area"]),
    "a list for a number": ({**RECORDS[0], "mean_area": [1]}, ["mean_area"]),
    "a key twice": (json.dumps(RECORDS[0])[:-1] + ', "mean_area": 3}', ["mean_area"]),
    "an empty list": ([], []),
    "a number": ("3", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize("case", WRONG)
def test_names_the_row_and_the_field(live, case):
    body, said = WRONG[case]
    reply = predict(live, body)
    assert reply.status == 400, reply.body
    for word in said:
        assert word in reply.error, reply.error


def test_tells_a_model_without_names_where_to_go(live):
    reply = live.http("POST", "/models/plain/predict", {"x0": 1})
    assert reply.status == 400 and "x1" in reply.error or "missing" in reply.error


@pytest.mark.runtime
def test_serves_many_inputs_of_one_column_with_strings(server):
    server.ok("push", "columns", MODELS / "columns.onnx")
    server.ok("deploy", "columns")
    inputs = server.get("/v2/models/columns")["inputs"]
    record = {i["name"]: "a" if i["datatype"] == "BYTES" else 1 for i in inputs}
    one = server.http("POST", "/models/columns/predict", record)
    assert one.status == 200, one.body
    many = server.http("POST", "/models/columns/predict", [record, record]).json["predictions"]
    assert many == [one.json["prediction"]] * 2
