# SPDX-License-Identifier: Apache-2.0
"""The rows that every benchmark rotates over, in each protocol's clothes.

1,024 rows of 30 features and the model's answers to them come with the model. Load bodies carry
the rows at three or four decimals, which makes an Open Inference request 280 bytes on average;
answers are checked on the exact rows.
"""
import array
import json
import struct

from .place import BENCH, OUT

FEATURES = 30
MODEL = BENCH / "data" / "logreg30.onnx"
WEIGHTS = BENCH / "data" / "logreg30.weights.json"
REST_PATH = "/v2/models/logreg30/infer"
RECORDS_PATH = "/models/logreg30/predict"
GRPC_PATH = "/inference.GRPCInferenceService/ModelInfer"

FILES = OUT / "data"
PROFILE = FILES / "profile.csv"
OIP_BODIES = FILES / "oip.jsonl"
RECORD_BODIES = FILES / "records.jsonl"
GRPC_MESSAGES = FILES / "messages.grpc"
GRPC_EXACT = FILES / "exact.grpc"

#: Features from this one on carry three decimals, those before it four.
SHORT_FROM = 18


def _floats(name: str) -> array.array:
    values = array.array("f")
    values.frombytes((BENCH / "data" / name).read_bytes())
    return values


def exact_rows() -> list[list[float]]:
    flat = _floats("logreg30.in.f32")
    return [list(flat[i:i + FEATURES]) for i in range(0, len(flat), FEATURES)]


def expected() -> list[float]:
    return list(_floats("logreg30.out.f32"))


def _texts(row: list[float]) -> list[str]:
    return [f"{value:.{4 if i < SHORT_FROM else 3}f}" for i, value in enumerate(row)]


def oip_body(numbers: list[str]) -> str:
    return ('{"inputs":[{"name":"X","shape":[1,30],"datatype":"FP32","data":['
            + ",".join(numbers) + "]}]}")


def record_body(numbers: list[str]) -> str:
    return "{" + ",".join(f'"f{i}":{text}' for i, text in enumerate(numbers)) + "}"


def exact_oip_body(row: list[float]) -> str:
    return oip_body([repr(value) for value in row])


# Protobuf, as much of it as a ModelInfer call needs.

def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def framed(message: bytes) -> bytes:
    """gRPC's length prefix: one byte of compression flag, four of length."""
    return struct.pack(">BI", 0, len(message)) + message


def grpc_message(row: list[float]) -> bytes:
    tensor = (_field(1, b"X") + _field(2, b"FP32") + _field(3, _varint(1) + _varint(FEATURES)))
    return framed(_field(1, b"logreg30") + _field(5, tensor)
                  + _field(7, struct.pack(f"<{FEATURES}f", *row)))


def grpc_reply() -> bytes:
    """A reply of the right shape, for when there is no server of ours to take one from."""
    tensor = _field(1, b"Y") + _field(2, b"FP32") + _field(3, _varint(1) + _varint(1))
    return framed(_field(1, b"logreg30") + _field(2, b"1") + _field(5, tensor)
                  + _field(6, struct.pack("<f", expected()[0])))


def _fields(message: bytes):
    """(number, payload) of each length-delimited field; other wire types are skipped."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            varint()
        elif tag & 7 == 2:
            size = varint()
            yield tag >> 3, message[at:at + size]
            at += size
        else:
            at += 8 if tag & 7 == 1 else 4


def grpc_score(message: bytes) -> float:
    """The first output element of a ModelInferResponse, raw or typed."""
    for number, payload in _fields(message):
        if number == 6:
            return struct.unpack_from("<f", payload)[0]
    for number, output in _fields(message):
        for inner, contents in _fields(output) if number == 5 else ():
            for kind, packed in _fields(contents) if inner == 5 else ():
                if kind == 6:
                    return struct.unpack_from("<f", packed)[0]
    raise ValueError("no output in the reply")


def rest_reply() -> bytes:
    return json.dumps({"model_name": "logreg30", "model_version": "1", "outputs": [
        {"name": "Y", "shape": [1, 1], "datatype": "FP32", "data": [round(expected()[0], 9)]}]},
        separators=(",", ":")).encode()


def write_all() -> None:
    FILES.mkdir(parents=True, exist_ok=True)
    exact = exact_rows()
    texts = [_texts(row) for row in exact]
    PROFILE.write_text("\n".join(
        [",".join(f"f{i}" for i in range(FEATURES))]
        + [",".join(repr(v) for v in row) for row in exact]) + "\n", encoding="utf-8")
    OIP_BODIES.write_text("\n".join(map(oip_body, texts)) + "\n", encoding="utf-8")
    RECORD_BODIES.write_text("\n".join(map(record_body, texts)) + "\n", encoding="utf-8")
    GRPC_MESSAGES.write_bytes(b"".join(grpc_message([float(t) for t in row]) for row in texts))
    GRPC_EXACT.write_bytes(b"".join(map(grpc_message, exact)))


def one_message(index: int):
    """A file with one message, for h2load, which knows only one body a run."""
    path = FILES / f"message-{index}.grpc"
    row = exact_rows()[index]
    path.write_bytes(grpc_message([float(text) for text in _texts(row)]))
    return path
