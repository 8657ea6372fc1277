# SPDX-License-Identifier: Apache-2.0
"""Open Inference Protocol v2 over REST, as clients of Triton, KServe and MLServer speak it."""

import json
import socket
import subprocess

import numpy as np
import pytest
from harness import MODELS

ROWS = np.fromfile(MODELS / "rows30.in.f32", dtype="<f4").reshape(-1, 30)
EXPECTED = np.fromfile(MODELS / "logreg30.out.f32", dtype="<f4").reshape(-1, 1)


def numbers(reply, output=0):
    assert reply.status == 200, reply.body
    found = reply.json["outputs"][output]
    return np.array(found["data"], dtype=np.float64).reshape(found["shape"])


def body(rows, **more):
    return {"inputs": [{"name": "X", "shape": list(rows.shape), "datatype": "FP32",
                        "data": [float(v) for v in rows.reshape(-1)]}], **more}


def test_answers_what_the_training_code_said(live):
    for at in range(0, 16, 5):
        got = numbers(live.infer("plain", ROWS[at:at + 5]))
        assert np.abs(got - EXPECTED[at:at + 5]).max() < 1e-5


def test_gives_name_version_and_id_back(live):
    reply = live.infer("plain", ROWS[:1], id="seven").json
    assert (reply["model_name"], reply["model_version"], reply["id"]) == ("plain", "1", "seven")
    assert reply["outputs"][0]["datatype"] == "FP32"
    assert reply["outputs"][0]["shape"] == [1, 1]


def test_takes_nested_data(live):
    nested = {"inputs": [{"name": "X", "shape": [2, 30], "datatype": "FP32", "data": ROWS[:2].tolist()}]}
    got = numbers(live.http("POST", "/v2/models/plain/infer", nested))
    assert np.abs(got - EXPECTED[:2]).max() < 1e-5


def test_takes_a_version_in_the_path_and_a_query_string(live):
    for path in ("/v2/models/plain/versions/1/infer", "/v2/models/plain/infer?test_1=1"):
        assert live.http("POST", path, body(ROWS[:1])).status == 200
    reply = live.http("POST", "/v2/models/plain/versions/9/infer", body(ROWS[:1]))
    assert reply.status == 404 and "version" in reply.error


def test_takes_chunks_and_no_content_type(live):
    text = json.dumps(body(ROWS[:1])).encode()
    with socket.create_connection(("127.0.0.1", live.port)) as s:
        s.sendall(b"POST /v2/models/plain/infer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(text), 50):
            piece = text[at:at + 50]
            s.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        s.sendall(b"0\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 200")


def test_mixes_json_and_binary_tensors_both_ways(live):
    header = json.dumps({"inputs": [{"name": "X", "shape": [3, 30], "datatype": "FP32",
                                     "parameters": {"binary_data_size": 3 * 30 * 4}}],
                         "outputs": [{"name": "Y", "parameters": {"binary_data": True}}]}).encode()
    reply = live.http("POST", "/v2/models/plain/infer", header + ROWS[:3].tobytes(),
                      {"Inference-Header-Content-Length": str(len(header)),
                       "Content-Type": "application/octet-stream"})
    assert reply.status == 200, reply.body
    split = int(reply.headers["Inference-Header-Content-Length"])
    told = json.loads(reply.body[:split])
    got = np.frombuffer(reply.body[split:], dtype="<f4").reshape(told["outputs"][0]["shape"])
    assert told["outputs"][0]["parameters"]["binary_data_size"] == 12
    assert np.abs(got - EXPECTED[:3]).max() < 1e-5


def test_takes_a_body_that_is_one_raw_input(live):
    reply = live.http("POST", "/v2/models/plain/infer", ROWS[:2].tobytes(),
                      {"Inference-Header-Content-Length": "0"})
    split = int(reply.headers["Inference-Header-Content-Length"])
    assert np.abs(np.frombuffer(reply.body[split:], dtype="<f4") - EXPECTED[:2, 0]).max() < 1e-5


def test_tells_of_server_and_model(live):
    told = live.get("/v2")
    assert told["name"] == "slipway" and "binary_tensor_data" in told["extensions"]
    told = live.get("/v2/models/plain")
    assert told["versions"] == ["1"]
    assert told["inputs"] == [{"name": "X", "datatype": "FP32", "shape": [-1, 30]}]
    assert live.http("GET", "/v2/health/live").status == 200
    assert live.http("GET", "/v2/health/ready").status == 200
    assert live.http("GET", "/v2/models/plain/ready").status == 200
    assert live.http("GET", "/v2/models/nobody/ready").status == 404


def test_gives_each_output_that_is_asked_for(live):
    told = live.get("/v2/models/cells")
    name = told["inputs"][0]["name"]
    request = body(ROWS[:2])
    request["inputs"][0]["name"] = name
    both = live.http("POST", "/v2/models/cells/infer", request).json["outputs"]
    assert [o["name"] for o in both] == [o["name"] for o in told["outputs"]]
    request["outputs"] = [{"name": told["outputs"][1]["name"]}]
    one = live.http("POST", "/v2/models/cells/infer", request).json["outputs"]
    assert len(one) == 1 and one[0] == both[1]


WRONG = {
    "no JSON": (b"{", "JSON"),
    "empty": (b"", ""),
    "a list": (b"[]", ""),
    "no inputs": ({"inputs": []}, "input 'X' is missing"),
    "an unknown input": ({"inputs": [{"name": "Z", "shape": [1, 30], "datatype": "FP32", "data": [0] * 30}]}, "Z"),
    "a wrong shape": ({"inputs": [{"name": "X", "shape": [1, 29], "datatype": "FP32", "data": [0] * 29}]}, "[1,29]"),
    "too few values": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0] * 29}]}, "29"),
    "too many values": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0] * 31}]}, "30"),
    "a wrong datatype": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "INT64", "data": [0] * 30}]}, "INT64"),
    "no datatype of the protocol": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FLOAT", "data": [0] * 30}]}, "FLOAT"),
    "a string among numbers": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0] * 29 + ["a"]}]}, ""),
    "a negative dimension": ({"inputs": [{"name": "X", "shape": [-1, 30], "datatype": "FP32", "data": [0] * 30}]}, "-1"),
    "a huge dimension": ({"inputs": [{"name": "X", "shape": [1 << 62, 1 << 62], "datatype": "FP32", "data": []}]}, ""),
    "a number beyond its type": (b'{"inputs":[{"name":"X","shape":[1,30],"datatype":"FP32","data":[1e999' + b",0" * 29 + b"]}]}", ""),
    "a key twice": (b'{"inputs":[{"name":"X","name":"X","shape":[1,1],"datatype":"FP32","data":[0]}]}', "name"),
    "an input twice": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0] * 30}] * 2}, "X"),
    "an output that is not there": (body(ROWS[:1], outputs=[{"name": "W"}]), "W"),
    "ten thousand levels": (b'{"inputs":' + b"[" * 10000 + b"]" * 10000 + b"}", ""),
    "invalid UTF-8": (b'{"id":"\xff","inputs":[]}', "UTF-8"),
    "a binary size that is not there": ({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "parameters": {"binary_data_size": 4294967295}}]}, ""),
    "an empty batch": ({"inputs": [{"name": "X", "shape": [0, 30], "datatype": "FP32", "data": []}]}, ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_says_what_is_wrong_and_goes_on(live, case):
    sent, said = WRONG[case]
    reply = live.http("POST", "/v2/models/plain/infer", sent)
    assert reply.status == 400, reply.body
    assert said in reply.error and len(reply.error) > 10
    assert np.abs(numbers(live.infer("plain", ROWS[:1])) - EXPECTED[:1]).max() < 1e-5


def test_answers_an_unknown_model_with_404(live):
    reply = live.infer("nobody", ROWS[:1])
    assert reply.status == 404 and "unknown model: 'nobody'" in reply.error


def test_takes_nan_and_infinity(live):
    text = json.dumps(body(np.full((1, 30), np.nan, dtype="f4")))
    assert live.http("POST", "/v2/models/plain/infer", text).status == 200
    text = json.dumps(body(np.full((1, 30), np.inf, dtype="f4")))
    assert live.http("POST", "/v2/models/plain/infer", text).status == 200


def test_answers_curl(live):
    done = subprocess.run(["curl", "-sS", "-d", json.dumps(body(ROWS[:1])),
                           f"{live.url}/v2/models/plain/infer"], capture_output=True, text=True, check=True)
    assert abs(json.loads(done.stdout)["outputs"][0]["data"][0] - EXPECTED[0][0]) < 1e-5
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_version}", "-d",
                           json.dumps(body(ROWS[:1])), f"{live.url}/v2/models/plain/infer"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.endswith("2")
    done = subprocess.run(["curl", "-sS", "--unix-socket", str(live.socket), "-d", json.dumps(body(ROWS[:1])),
                           "http://localhost/v2/models/plain/infer"], capture_output=True, text=True, check=True)
    assert "outputs" in done.stdout


def test_keeps_the_connection_through_many_requests(live):
    """Pipelined: a hundred requests in one write, a hundred answers in order."""
    one = json.dumps(body(ROWS[:1], id="%d")).encode()
    requests = b"".join(
        b"POST /v2/models/plain/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
        for text in (one.replace(b"%d", str(i).encode()) for i in range(100)))
    with socket.create_connection(("127.0.0.1", live.port)) as s:
        s.settimeout(10)
        s.sendall(requests)
        got = b""
        while got.count(b"HTTP/1.1 200") < 100 or not got.endswith(b"}"):
            piece = s.recv(1 << 20)
            assert piece, got[-300:]
            got += piece
    ids = [int(part.split(b'"', 1)[0]) for part in got.split(b'"id":"')[1:]]
    assert ids == list(range(100))
