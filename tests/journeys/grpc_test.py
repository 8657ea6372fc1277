# SPDX-License-Identifier: Apache-2.0
"""Open Inference Protocol v2 over gRPC and grpc.health.v1, by Debian's grpcio."""

import pathlib
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
from harness import MODELS, ROOT

ROWS = np.fromfile(MODELS / "rows30.in.f32", dtype="<f4").reshape(-1, 30)
EXPECTED = np.fromfile(MODELS / "logreg30.out.f32", dtype="<f4").reshape(-1, 1)
SERVICE = "/inference.GRPCInferenceService/"


@pytest.fixture(scope="module")
def pb(tmp_path_factory):
    """The messages, compiled from the protocol's field numbers."""
    out = tmp_path_factory.mktemp("pb")
    subprocess.run(["protoc", f"--proto_path={ROOT}/tests/data", f"--python_out={out}", "open_inference.proto"],
                   check=True)
    sys.path.insert(0, str(out))
    import open_inference_pb2
    yield open_inference_pb2
    sys.path.remove(str(out))


class Stub:
    def __init__(self, channel, pb):
        self.channel, self.pb = channel, pb

    def call(self, name, request, reply, service=SERVICE, **more):
        return self.channel.unary_unary(service + name, request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=reply.FromString)(request, **more)

    def infer(self, request, **more):
        return self.call("ModelInfer", request, self.pb.ModelInferResponse, **{"timeout": 10, **more})


@pytest.fixture
def stub(live, pb):
    with grpc.insecure_channel(f"127.0.0.1:{live.port}") as channel:
        yield Stub(channel, pb)


def request(pb, rows, model="plain", raw=False, **more):
    made = pb.ModelInferRequest(model_name=model, **more)
    tensor = made.inputs.add(name="X", datatype="FP32", shape=list(rows.shape))
    if raw:
        made.raw_input_contents.append(rows.tobytes())
    else:
        tensor.contents.fp32_contents.extend(float(v) for v in rows.reshape(-1))
    return made


def test_answers_typed_contents_with_typed_and_raw_with_raw(stub, pb):
    typed = stub.infer(request(pb, ROWS[:4], id="a"))
    got = np.array(typed.outputs[0].contents.fp32_contents).reshape(-1, 1)
    assert np.abs(got - EXPECTED[:4]).max() < 1e-5
    assert (typed.model_name, typed.model_version, typed.id) == ("plain", "1", "a")
    raw = stub.infer(request(pb, ROWS[:4], raw=True))
    got = np.frombuffer(raw.raw_output_contents[0], dtype="<f4").reshape(-1, 1)
    assert np.abs(got - EXPECTED[:4]).max() < 1e-5


def test_tells_of_server_and_model(stub, pb):
    assert stub.call("ServerLive", pb.ServerLiveRequest(), pb.ServerLiveResponse).live
    assert stub.call("ServerReady", pb.ServerReadyRequest(), pb.ServerReadyResponse).ready
    assert stub.call("ModelReady", pb.ModelReadyRequest(name="plain"), pb.ModelReadyResponse).ready
    assert stub.call("ServerMetadata", pb.ServerMetadataRequest(), pb.ServerMetadataResponse).name == "slipway"
    told = stub.call("ModelMetadata", pb.ModelMetadataRequest(name="plain", version="1"), pb.ModelMetadataResponse)
    assert list(told.versions) == ["1"] and list(told.inputs[0].shape) == [-1, 30]
    assert told.inputs[0].datatype == "FP32" and told.outputs[0].name == "Y"


def fails(code, call):
    with pytest.raises(grpc.RpcError) as failed:
        call()
    assert failed.value.code() == code, failed.value
    return failed.value.details()


def test_says_what_is_wrong_by_status(stub, pb):
    assert "nobody" in fails(grpc.StatusCode.NOT_FOUND, lambda: stub.infer(request(pb, ROWS[:1], model="nobody")))
    fails(grpc.StatusCode.NOT_FOUND, lambda: stub.infer(request(pb, ROWS[:1], model="")))
    assert "[1,29]" in fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: stub.infer(request(pb, ROWS[:1, :29])))
    short = request(pb, ROWS[:1], raw=True)
    short.raw_input_contents[0] = short.raw_input_contents[0][:-1]
    fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: stub.infer(short))
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: stub.call("Nothing", pb.ServerLiveRequest(), pb.ServerLiveResponse))


def test_serves_health_to_check_and_to_watch(live, stub, pb):
    service = "/grpc.health.v1.Health/"
    told = stub.call("Check", pb.HealthCheckRequest(), pb.HealthCheckResponse, service)
    assert told.status == 1
    fails(grpc.StatusCode.NOT_FOUND, lambda: stub.call("Check", pb.HealthCheckRequest(service="x"),
                                                       pb.HealthCheckResponse, service))
    watch = stub.channel.unary_stream(service + "Watch", request_serializer=lambda m: m.SerializeToString(),
                                      response_deserializer=pb.HealthCheckResponse.FromString)
    stream = watch(pb.HealthCheckRequest())
    assert next(stream).status == 1
    stream.cancel()


@pytest.mark.concurrent
def test_answers_many_streams_at_once_each_with_its_own(live, pb):
    wrong = []

    def ask(seed):
        with grpc.insecure_channel(f"127.0.0.1:{live.port}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            stub = Stub(channel, pb)
            call = channel.unary_unary(SERVICE + "ModelInfer", request_serializer=lambda m: m.SerializeToString(),
                                       response_deserializer=pb.ModelInferResponse.FromString)
            for turn in range(10):
                picks = [(seed * 7 + turn * 3 + i) % len(ROWS) for i in range(32)]
                futures = [call.future(request(pb, ROWS[p:p + 1], id=str(p)), timeout=20) for p in picks]
                for p, future in zip(picks, futures):
                    answer = future.result()
                    if answer.id != str(p) or abs(answer.outputs[0].contents.fp32_contents[0] - EXPECTED[p][0]) > 1e-5:
                        wrong.append(p)
            assert stub

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_answers_grpc_js(live):
    folder = pathlib.Path(__file__).parent / "grpc_js"
    done = subprocess.run(["node", "client.mjs", f"127.0.0.1:{live.port}"], cwd=folder, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
