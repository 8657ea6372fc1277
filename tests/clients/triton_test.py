# SPDX-License-Identifier: Apache-2.0
"""Triton's own Python clients, over HTTP and gRPC, with JSON and with binary tensors."""

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from harness import MODELS
from tritonclient.utils import InferenceServerException

ROWS = np.fromfile(MODELS / "rows30.in.f32", dtype="<f4").reshape(-1, 30)
EXPECTED = np.fromfile(MODELS / "logreg30.out.f32", dtype="<f4").reshape(-1, 1)


@pytest.fixture(params=["http", "grpc"])
def client(request, live):
    module = triton_http if request.param == "http" else triton_grpc
    made = module.InferenceServerClient(f"127.0.0.1:{live.port}")
    made.module = module
    yield made
    made.close()


def tensor(client, rows, **more):
    made = client.module.InferInput("X", list(rows.shape), "FP32")
    made.set_data_from_numpy(rows, **more)
    return made


def test_infers(client):
    for size in (1, 2, 7, 16):
        reply = client.infer("plain", [tensor(client, ROWS[:size])])
        assert np.abs(reply.as_numpy("Y") - EXPECTED[:size]).max() < 1e-5


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_infers_with_json_and_binary_tensors(live, binary_in, binary_out):
    with triton_http.InferenceServerClient(f"127.0.0.1:{live.port}") as client:
        client.module = triton_http
        wanted = triton_http.InferRequestedOutput("Y", binary_data=binary_out)
        reply = client.infer("plain", [tensor(client, ROWS[:4], binary_data=binary_in)], outputs=[wanted],
                             request_id="4", query_params={"test_1": 1}, headers={"X-A": "b"})
        assert np.abs(reply.as_numpy("Y") - EXPECTED[:4]).max() < 1e-5
        assert reply.get_response()["id"] == "4"


def test_infers_asynchronously(live):
    with triton_http.InferenceServerClient(f"127.0.0.1:{live.port}", concurrency=8) as client:
        client.module = triton_http
        asked = [client.async_infer("plain", [tensor(client, ROWS[i:i + 1])]) for i in range(16)]
        for i, one in enumerate(asked):
            assert abs(one.get_result().as_numpy("Y")[0][0] - EXPECTED[i][0]) < 1e-5


def test_infers_asynchronously_over_grpc(live):
    import queue
    answers = queue.Queue()
    with triton_grpc.InferenceServerClient(f"127.0.0.1:{live.port}") as client:
        client.module = triton_grpc
        for i in range(32):
            client.async_infer("plain", [tensor(client, ROWS[i % 16:i % 16 + 1])], request_id=str(i % 16),
                               callback=lambda result, error: answers.put((result, error)))
        for _ in range(32):
            result, error = answers.get(timeout=20)
            assert error is None
            at = int(result.get_response().id)
            assert abs(result.as_numpy("Y")[0][0] - EXPECTED[at][0]) < 1e-5


def test_asks_for_health_and_metadata(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("plain")
    assert client.is_model_ready("plain", "1") and not client.is_model_ready("nobody")
    told = client.get_model_metadata("plain")
    inputs = told["inputs"] if isinstance(told, dict) else told.inputs
    name = inputs[0]["name"] if isinstance(told, dict) else inputs[0].name
    assert name == "X"
    assert client.get_server_metadata()


def test_gets_words_for_what_is_wrong(client):
    with pytest.raises(InferenceServerException, match="nobody"):
        client.infer("nobody", [tensor(client, ROWS[:1])])
    with pytest.raises(InferenceServerException, match="29"):
        client.infer("plain", [tensor(client, np.ascontiguousarray(ROWS[:1, :29]))])


def test_sends_a_token(tmp_path):
    from harness import Server
    server = Server(tmp_path)
    try:
        server.ok("push", "plain", MODELS / "logreg30.onnx")
        server.ok("deploy", "plain")
        server.token = server.ok_json("token", "create", "ada", "--scopes", "admin")["secret"]
        secret = server.ok_json("token", "create", "triton", "--scopes", "predict")["secret"]
        headers = {"authorization": f"Bearer {secret}"}
        for module in (triton_http, triton_grpc):
            with module.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
                client.module = module
                with pytest.raises(InferenceServerException):
                    client.infer("plain", [tensor(client, ROWS[:1])])
                reply = client.infer("plain", [tensor(client, ROWS[:1])], headers=dict(headers))
                assert abs(reply.as_numpy("Y")[0][0] - EXPECTED[0][0]) < 1e-5
    finally:
        server.stop()
