# SPDX-License-Identifier: Apache-2.0
"""What ONNX Runtime serves: every datatype, strings, open dimensions, and models too dear for a loop."""

import http.client
import json
import threading
import time

import numpy as np
import pytest
from harness import EXAMPLE, MODELS, Server

pytestmark = pytest.mark.runtime

ROWS = np.fromfile(MODELS / "rows30.in.f32", dtype="<f4").reshape(-1, 30)
REFERENCE = ("mlp30", "xgb100_d6", "logreg30", "logreg30_linearclassifier")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("runtime"), "--threads", "1", "--max-queue", "2")
    for name in (*REFERENCE, "cnn28", "every_dtype", "strings", "two_dynamic", "columns"):
        server.ok("push", name, MODELS / f"{name}.onnx")
        server.ok("deploy", name)
    yield server
    server.stop()


def tensor(rows, name="X"):
    return {"name": name, "shape": list(rows.shape), "datatype": "FP32", "data": [float(v) for v in rows.reshape(-1)]}


def infer(server, model, inputs, **headers):
    return server.http("POST", f"/v2/models/{model}/infer", {"inputs": inputs}, headers)


@pytest.mark.parametrize("name", ("mlp30", "xgb100_d6", "logreg30"))
def test_reproduces_the_reference(served, name):
    expected = np.fromfile(MODELS / f"{name}.out.f32", dtype="<f4").reshape(len(ROWS), -1)
    for size in (1, 3, 16):
        reply = infer(served, name, [tensor(ROWS[:size])])
        assert reply.status == 200, reply.body
        out = [o for o in reply.json["outputs"] if o["name"] == "Y"][0]
        assert np.abs(np.array(out["data"]).reshape(size, -1) - expected[:size]).max() < 1e-5


def test_reproduces_the_reference_of_images(served):
    images = np.fromfile(MODELS / "cnn28.in.f32", dtype="<f4").reshape(-1, 1, 28, 28)
    expected = np.fromfile(MODELS / "cnn28.out.f32", dtype="<f4").reshape(-1, 10)
    got = infer(served, "cnn28", [tensor(images)]).json["outputs"][0]
    assert np.abs(np.array(got["data"]).reshape(-1, 10) - expected).max() < 1e-5


def test_says_which_engine_serves_and_why(served):
    models = {m["name"]: m["deployment"] for m in served.get("/api/v1/models")["models"]}
    assert models["logreg30"]["engine"] == "native" and "linear" in models["logreg30"]["engine_why"]
    assert models["xgb100_d6"]["engine"] == "onnxruntime" and "Tree" in models["xgb100_d6"]["engine_why"]


def test_serves_a_linear_model_by_either_engine_alike(served):
    answers = []
    for engine in ("native", "onnxruntime"):
        served.ok("deploy", "logreg30_linearclassifier", "--engine", engine)
        answers.append(infer(served, "logreg30_linearclassifier", [tensor(ROWS)]).json["outputs"])
    for ours, theirs in zip(*answers):
        assert np.abs(np.array(ours["data"]) - np.array(theirs["data"])).max() < 1e-5
    served.refuses(1, "deploy", "xgb100_d6", "--engine", "native")


VALUES = {"BOOL": [True, False], "UINT8": [0, 255], "UINT16": [0, 65535], "UINT32": [0, 4294967295],
          "UINT64": [0, 18446744073709551615], "INT8": [-128, 127], "INT16": [-32768, 32767],
          "INT32": [-2147483648, 2147483647], "INT64": [-9223372036854775808, 9223372036854775807],
          "FP16": [0.5, -2.0], "FP32": [0.1, -3.5], "FP64": [0.1, 1e300], "BYTES": ["", "Genève"]}


def test_gives_every_datatype_back_unchanged(served):
    told = served.get("/v2/models/every_dtype")["inputs"]
    assert {i["datatype"] for i in told} == set(VALUES)
    inputs = []
    for one in told:
        shape = [2 if d < 0 else d for d in one["shape"]]
        count = int(np.prod(shape))
        data = (VALUES[one["datatype"]] * count)[:count]
        inputs.append({"name": one["name"], "shape": shape, "datatype": one["datatype"], "data": data})
    reply = infer(served, "every_dtype", inputs)
    assert reply.status == 200, reply.body
    by_name = {i["name"] + "_out": i for i in inputs}
    for output in reply.json["outputs"]:
        sent = by_name[output["name"]]
        got = [float(np.float32(v)) for v in output["data"]] if sent["datatype"] == "FP32" else output["data"]
        want = [float(np.float32(v)) for v in sent["data"]] if sent["datatype"] == "FP32" else sent["data"]
        assert got == want, sent["datatype"]


def test_serves_dimensions_of_any_size(served):
    for n, k, m in ((2, 3, 1), (5, 1, 4), (1, 7, 2)):
        reply = infer(served, "two_dynamic", [tensor(np.ones((n, k), dtype="f4"), "a"),
                                              tensor(np.ones((k, m), dtype="f4"), "b")])
        assert reply.status == 200, reply.body
        product, shape = reply.json["outputs"]
        assert product["shape"] == [n, m] and product["data"] == [k] * n * m and shape["data"] == [n, m]
    reply = infer(served, "two_dynamic", [tensor(np.ones((2, 3), dtype="f4"), "a"),
                                          tensor(np.ones((4, 2), dtype="f4"), "b")])
    assert reply.status == 400 and "'k' is 3 in input 'a' and 4 in input 'b'" in reply.error


def test_serves_a_model_without_inputs(server):
    server.ok("push", "told", MODELS / "no_inputs.onnx", "--deploy")
    reply = infer(server, "told", [])
    assert reply.status == 200 and reply.json["outputs"][0]["data"] == [1.0, 2.0]
    reply = infer(server, "told", [tensor(ROWS[:1])])
    assert reply.status == 400 and "takes no inputs" in reply.error
    server.ok("push", "plain", MODELS / "logreg30.onnx", "--deploy")
    reply = infer(server, "plain", [])
    assert reply.status == 400 and "'X' is missing" in reply.error


def test_says_when_records_do_not_get_an_answer_each(server):
    server.ok("push", "sum", MODELS / "sum_of_all.onnx", "--deploy")
    row = {"x0": 1, "x1": 2, "x2": 3}
    assert server.http("POST", "/models/sum/predict", row).json["prediction"] == {"y": 6.0}
    reply = server.http("POST", "/models/sum/predict", [row, row])
    assert reply.status == 400 and "no row for each record" in reply.error


def test_refuses_check_rows_of_a_model_without_features(server, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("=Y[0]\n1\n")
    assert "named features" in server.refuses(1, "push", "cnn28", MODELS / "cnn28.onnx", "--check", rows)


# ---- Dear runs ----

def dear_body(images=3000):
    rows = np.zeros((images, 1, 28, 28), dtype="f4")
    header = json.dumps({"inputs": [{"name": "X", "shape": list(rows.shape), "datatype": "FP32",
                                     "parameters": {"binary_data_size": rows.nbytes}}],
                         "outputs": [{"name": "Y", "parameters": {"binary_data": True}}]}).encode()
    return header + rows.tobytes(), {"Inference-Header-Content-Length": str(len(header))}


def test_refuses_early_what_would_queue_too_long(served):
    body, headers = dear_body()
    replies = []

    def ask():
        replies.append(served.http("POST", "/v2/models/cnn28/infer", body, headers, timeout=60))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [r for r in replies if r.status == 200]
    busy = [r for r in replies if r.status == 429]
    assert len(good) + len(busy) == 10 and len(good) >= 2 and len(busy) >= 1, [r.status for r in replies]
    assert all(int(r.headers["Retry-After"]) >= 1 for r in busy)


def test_a_dear_model_delays_no_cheap_one(served):
    body, headers = dear_body()
    dear = threading.Thread(target=served.http, args=("POST", "/v2/models/cnn28/infer", body, headers),
                            kwargs={"timeout": 60})
    dear.start()
    answered = 0
    while dear.is_alive():
        assert infer(served, "logreg30", [tensor(ROWS[:1])]).status == 200
        answered += 1
    assert answered >= 10


def test_ends_a_run_at_its_deadline(served):
    body, headers = dear_body()
    infer(served, "cnn28", [tensor(np.zeros((1, 1, 28, 28), dtype="f4"))])
    start = time.monotonic()
    reply = served.http("POST", "/v2/models/cnn28/infer", body, {**headers, "Request-Timeout-Ms": "30"}, timeout=60)
    took = time.monotonic() - start
    assert reply.status in (429, 504), (reply.status, reply.body)
    whole = time.monotonic()
    assert served.http("POST", "/v2/models/cnn28/infer", body, headers, timeout=60).status == 200
    assert took < max(2.0, time.monotonic() - whole)


def test_drops_the_work_of_clients_that_leave(served):
    body, headers = dear_body()
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        connection.request("POST", "/v2/models/cnn28/infer", body, headers)
        time.sleep(0.02)
        connection.close()
    end = time.monotonic() + 20
    while "slipway_requests_in_flight 0\n" not in served.http("GET", "/metrics").body.decode():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_says_so_where_the_runtime_is_missing(tmp_path):
    server = Server(tmp_path, environment={"SLIPWAY_ORT": "none"})
    try:
        assert server.get("/api/v1/status")["onnxruntime"]["version"] is None
        assert "ONNX Runtime" in server.run("push", "trees", EXAMPLE / "boosted.onnx").stderr
        server.ok("push", "cells", EXAMPLE / "linear.onnx")
        server.ok("deploy", "cells")
    finally:
        server.stop()
