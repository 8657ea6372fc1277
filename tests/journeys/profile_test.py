# SPDX-License-Identifier: Apache-2.0
"""slipway profile: looking at a data file, without a server."""

import gzip
import json
import math
import random
import statistics
import subprocess

import pytest
from harness import BIN, DONE, EXAMPLE, FAILED, NOT_FOUND, USAGE, Server, clean_environment


def profile(*arguments, **env):
    return subprocess.run([BIN, "profile", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env=clean_environment(**env), stdin=subprocess.DEVNULL)


def columns_of(ran):
    assert ran.returncode == DONE, ran.stderr
    return {c["name"]: c for c in json.loads(ran.stdout)["profile"]["columns"]}


@pytest.fixture
def odd(tmp_path):
    random.seed(4)
    path = tmp_path / "odd.csv"
    with open(path, "w") as f:
        f.write(",id,same,gone,rare,country,x\n")
        for i in range(2000):
            f.write(f"{i},{i},7,,{int(i % 100 == 0)},{random.choice(['DE', 'FR', 'NA'])},{random.gauss(3, 2)!r}\n")
    return path


def test_every_column_is_described_and_the_odd_ones_are_pointed_out(odd):
    ran = profile(odd)
    assert ran.returncode == DONE, ran.stderr
    lines = {line.split()[0]: line for line in ran.stdout.splitlines()[3:] if line}
    assert "2,000 rows, 6 columns" in ran.stdout
    assert "all distinct: an id?" in lines["id"]
    assert "constant" in lines["same"]
    assert "all missing" in lines["gone"]
    assert "99 % are 0" in lines["rare"]
    assert "category" in lines["country"]
    assert lines["x"].rstrip()[-1] in "▁▂▃▄▅▆▇█"


def test_figures_are_those_of_pythons_statistics(odd):
    columns = columns_of(profile(odd, "--json"))
    rows = [line.split(",") for line in odd.read_text().splitlines()[1:]]
    x = [float(row[6]) for row in rows]
    made = columns["x"]
    assert made["min"] == min(x) and made["max"] == max(x) and made["distinct"] == len(set(x))
    assert made["median"] == pytest.approx(statistics.median(x), rel=1e-15)
    assert made["mean"] == pytest.approx(statistics.fmean(x), rel=1e-13)
    assert made["stddev"] == pytest.approx(statistics.pstdev(x), rel=1e-12)
    cuts = [-math.inf, *made["cuts"], math.inf]
    assert made["counts"][2:-1] == [sum(low <= v < high for v in x) for low, high in zip(cuts, cuts[1:])]
    assert columns["country"]["missing"] == sum(row[5] == "NA" for row in rows)


def test_a_profile_is_written_and_is_what_json_shows(odd, tmp_path):
    out = tmp_path / "profile.json"
    ran = profile(odd, "-o", out, "--json")
    assert ran.returncode == DONE, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["profile"] == json.loads(out.read_text())
    assert {"column": "same", "warning": "constant"} in answer["warnings"]


def test_json_lines_give_the_profile_of_the_same_csv(odd, tmp_path):
    path = tmp_path / "odd.jsonl"
    with open(path, "w") as f:
        for line in odd.read_text().splitlines()[1:]:
            _, i, same, _, rare, country, x = line.split(",")
            f.write(json.dumps({"id": int(i), "same": int(same), "gone": None, "rare": int(rare),
                                "country": None if country == "NA" else country, "x": float(x)}) + "\n")
    assert columns_of(profile(path, "--json")) == columns_of(profile(odd, "--json"))


def test_a_models_features_alone_as_its_inputs_hold_them(tmp_path):
    server = Server(tmp_path)
    try:
        server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
        signature = server.ok_json("versions", "cells")["versions"][0]["signature"]
        ran = profile(EXAMPLE / "train.csv", "--model", "cells@1", "--json", "--server", server.url)
    finally:
        server.stop()
    made = columns_of(ran)
    assert list(made) == [f["name"] for f in signature["features"]]
    (tmp_path / "signature.json").write_text(json.dumps(signature))
    assert columns_of(profile(EXAMPLE / "train.csv", "--signature", tmp_path / "signature.json", "--json")) == made


def test_what_is_wrong_is_said(odd, tmp_path):
    assert profile(tmp_path / "no.csv").returncode == NOT_FOUND
    packed = tmp_path / "odd.csv.gz"
    packed.write_bytes(gzip.compress(odd.read_bytes()))
    ran = profile(packed)
    assert ran.returncode == FAILED and "gzip" in ran.stderr and "unpack" in ran.stderr
    short = tmp_path / "short.csv"
    short.write_text("a,b\n1,2\n3\n")
    ran = profile(short)
    assert ran.returncode == FAILED and "line 3 has 1 field, the header has 2" in ran.stderr
    (tmp_path / "x.parquet").write_bytes(b"PAR1....PAR1")
    ran = profile(tmp_path / "x.parquet", SLIPWAY_DUCKDB="none")
    assert ran.returncode == FAILED and "DuckDB" in ran.stderr and "CSV" in ran.stderr
    assert profile(odd, "--model", "a", "--signature", "b").returncode == USAGE
