# SPDX-License-Identifier: Apache-2.0
"""`slipway drift` on files, as a person and as a pipeline uses it."""
import csv
import json
import pathlib
import random
import subprocess

import pytest
from harness import BIN

CASES = pathlib.Path(__file__).resolve().parents[1] / "data" / "drift"
EXPECTED = json.loads((CASES / "expected.json").read_text())["drift"]


def drift(*arguments, code=0):
    done = subprocess.run([BIN, "drift", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code > 1 else done.stdout


def write(path, columns):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows(zip(*columns.values()))
    return path


def sides(tmp_path, name):
    rows = list(csv.DictReader((CASES / f"{name}.csv").open()))
    return [write(tmp_path / f"{side}.csv", {"row": range(sum(r["side"] == side for r in rows)),
                                             "value": [r["value"] for r in rows if r["side"] == side]})
            for side in ("ref", "cur")]


@pytest.fixture
def files(tmp_path):
    pick = random.Random(7)

    def table(rows, moved):
        return {"amount": [f"{pick.gauss(10 + moved, 2):.4f}" for _ in range(rows)],
                "country": [pick.choice(["DE", "FR", "IT"]) for _ in range(rows)],
                "gone" if not moved else "added": range(rows),
                "age": ["" if moved and i % 4 == 0 else str(pick.randint(18, 80)) for i in range(rows)]}
    return write(tmp_path / "train.csv", table(800, 0)), write(tmp_path / "today.csv", table(600, 1))


@pytest.mark.parametrize("name", EXPECTED)
def test_reference_case(tmp_path, name):
    said = json.loads(drift(*sides(tmp_path, name), "--column", "value", "--compat", "evidently", "--json"))
    column, wanted = said["columns"][0], EXPECTED[name]["result"].get("evidently_default")
    if not wanted:
        assert column["drift"] is None and column["score"] is None and "no usable value" in column["reason"]
        assert said["dataset_drift"] is None and said["share"] is None
        return
    assert (column["test"], column["threshold"], column["drift"]) == (wanted["test"], wanted["threshold"], wanted["drift"])
    assert column["score"] == pytest.approx(wanted["score"], rel=1e-9)
    assert said["dataset_drift"] == wanted["drift"] and said["share"] == float(wanted["drift"])


def test_what_moved_is_told_worst_first(files):
    said = drift(*files)
    assert "800 rows of reference, 600 rows now" in said
    order = [line.split()[0] for line in said.splitlines() if "drifted" in line and line.startswith("  ")]
    assert order[0] == "gone" and set(order) == {"gone", "amount", "age"}
    assert "missing 0.0 % → 25 %" in said or "missing 0 % → 25 %" in said
    assert "added" in said and "country" in said
    assert "3 of 4 columns drifted" in said


def test_json_names_signals_and_a_file_against_itself_is_quiet(files):
    moved = json.loads(drift(*files, "--json"))
    signals = {c["column"]: [s["kind"] for s in c.get("signals", []) if s["drift"]] for c in moved["columns"]}
    assert signals["age"] == ["missing"] and "distribution" in signals["amount"] and signals["country"] == []
    assert moved["columns_added"] == ["added"] and moved["dataset_drift"] is True
    same = json.loads(drift(files[0], files[0], "--json", "--multivariate"))
    assert same["dataset_drift"] is False and same["share"] == 0 and same["multivariate"]["drift"] is False


def test_columns_and_whole_rows_share_alpha(files):
    assert json.loads(drift(*files, "--json"))["alpha"] == 0.05
    assert json.loads(drift(*files, "--json", "--multivariate"))["alpha"] == 0.025
    assert json.loads(drift(*files, "--json", "--multivariate", "--alpha", "0.1"))["alpha"] == 0.05
    assert "at most 2.5 % are false" in drift(*files, "--multivariate")


def test_a_pipeline_can_stop_on_drift(files):
    assert "drifted" in drift(*files, "--fail-on-drift", code=1)
    drift(files[0], files[0], "--fail-on-drift")
    assert "no column agee" in drift(*files, "--column", "agee", code=3)
    assert "--alpha" in drift(*files, "--alpha", "two", code=2)
    assert "ks, chisquare" in drift(*files, "--test", "kss", code=2)
    assert "nowhere.csv" in drift(files[0], "nowhere.csv", code=3)


def test_json_lines_against_csv(files, tmp_path):
    rows = list(csv.DictReader(files[0].open()))
    lines = tmp_path / "train.jsonl"
    lines.write_text("".join(json.dumps({"amount": float(r["amount"]), "country": r["country"], "gone": int(r["gone"]),
                                         "age": int(r["age"])}) + "\n" for r in rows))
    said = json.loads(drift(files[0], lines, "--json"))
    assert [c["drift"] for c in said["columns"]] == [False] * 4 and said["columns"][0]["score"] == 1


def piped(command, path, *arguments, code=0):
    done = subprocess.run([BIN, command, *map(str, arguments)], input=path.read_bytes(), capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode() if code == 0 else done.stderr.decode()


@pytest.mark.parametrize("side", [0, 1])
def test_a_pipe_is_read_like_the_file(files, side):
    beside = [str(file) for file in files]
    wanted = json.loads(drift(*beside, "--json"))
    beside[side] = "-"
    said = json.loads(piped("drift", files[side], *beside, "--json"))
    assert said["reference current".split()[side]]["file"] == "standard input"
    assert said["columns"] == wanted["columns"]
    beside[side] = "/dev/stdin"
    assert json.loads(piped("drift", files[side], *beside, "--json"))["columns"] == wanted["columns"]
    assert "only one" in drift("-", "-", code=2)


def test_what_is_wrong_in_a_pipe_is_told_by_its_place(files, tmp_path):
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("amount,age\n1,2\n3\n")
    assert "standard input, line 3 has 1 field" in piped("drift", ragged, files[0], "-", code=1)
    assert "standard input: line 3 has 1 field" in piped("profile", ragged, "-", code=1)


@pytest.mark.parametrize("text,words", [("a;b\n1;2\n", "semicolons"), ("a\tb\n1\t2\n", "tabs"),
                                        ("a,b\r1,2\r", "carriage returns")])
def test_another_separator_is_told_and_not_read_as_one_column(files, tmp_path, text, words):
    other = tmp_path / "other.csv"
    other.write_bytes(text.encode())
    assert words in piped("drift", other, files[0], other, code=1)
    assert f"{other}: line 1: " in piped("profile", other, other, code=1)


def test_rows_are_counted_also_where_no_column_is_shared(files, tmp_path):
    other = write(tmp_path / "other.csv", {"elsewhere": range(1500)})
    said = json.loads(drift(files[0], other, "--json"))
    assert said["current"]["rows"] == 1500 and all("gone" in column["reason"] for column in said["columns"])


def test_digits_are_numbers_to_evidently_where_one_file_has_them_as_texts(tmp_path):
    numbers = write(tmp_path / "numbers.csv", {"code": [i % 9 for i in range(200)]})
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"code": str(i % 9)}) + "\n" for i in range(200)))
    column = json.loads(drift(numbers, texts, "--compat", "evidently", "--json"))["columns"][0]
    assert (column["test"], column["score"], column["drift"]) == ("ks", 1, False)
    texts.write_text(texts.read_text() + '{"code": "none of these"}\n')
    column = json.loads(drift(numbers, texts, "--compat", "evidently", "--json"))["columns"][0]
    assert (column["kind"], column["test"], column["drift"]) == ("category", "chisquare", True)


def test_sizes_are_categories_to_evidently_where_one_file_has_numbers_alone(tmp_path):
    letters = write(tmp_path / "letters.csv", {"size": [("38", "40", "40.0", "XL")[i % 4] for i in range(40)]})
    digits = write(tmp_path / "digits.csv", {"size": [("38", "40")[i % 2] for i in range(20)]})
    column = json.loads(drift(letters, digits, "--compat", "evidently", "--json"))["columns"][0]
    assert (column["test"], column["kind"]) == ("chisquare", "category") and column["drift"]
    assert column["score"] == pytest.approx(0.00016974243555282632, rel=1e-9)  # (10, 10, 0, 0) where 5 each are expected
    assert {bin["label"] for bin in column["bins"]} == {"38", "40", "40.0", "XL"}
    back = json.loads(drift(digits, letters, "--compat", "evidently", "--json"))["columns"][0]
    assert (back["score"], back["drift"]) == (0, True)
