# SPDX-License-Identifier: Apache-2.0
"""Seeded streams of 20 features, with one fault each or none."""
from dataclasses import dataclass, field

import numpy

NUMBERS, WORDS = 16, 4
REFERENCE_ROWS, NULL_ROWS = 5000, 20000
ONSET, FAULTY_ROWS, SLOW_ROWS = 3000, 9000, 6000
LOST = 99  #: the number of a category that the reference does not know

FAULTS = {
    "a column goes missing": ["x0"],
    "a unit changes, ×100": ["x1"],
    "a category is renamed": ["c0"],
    "a slow shift, 1 sd in 6,000 rows": ["x2"],
    "two columns are swapped": ["x3", "x4"],
}


@dataclass
class Stream:
    name: str
    seed: int
    reference: tuple
    live: tuple
    onset: int | None = None  #: the first faulty row
    columns: list = field(default_factory=list)  #: that are faulty


def _rows(rng, count: int) -> tuple:
    """Numbers of several shapes (normal, skewed, few levels, zero-inflated) and categories."""
    x = rng.normal(size=(count, NUMBERS))
    x[:, 4] = 1 + 1.5 * x[:, 4]
    x[:, 5:8] = numpy.exp(x[:, 5:8])
    x[:, 8] = rng.integers(0, 2, count)
    x[:, 9] = rng.integers(0, 7, count)
    x[:, 10] = numpy.where(rng.random(count) < 0.9, 0, x[:, 10])
    x[:, 11] = rng.standard_t(3, count)
    x[rng.random(count) < 0.02, 12] = numpy.nan
    x[:, 13] = 0.9 * x[:, 0] + 0.4 * x[:, 13]
    words = numpy.stack([rng.choice(4, count, p=[0.4, 0.3, 0.2, 0.1]), rng.integers(0, 10, count),
                         numpy.minimum(rng.geometric(0.2, count), 40),
                         numpy.minimum(rng.zipf(1.6, count), 5000)], axis=1)
    return x, words


def null(seed: int) -> Stream:
    rng = numpy.random.default_rng([seed, 1])
    return Stream("null", seed, _rows(rng, REFERENCE_ROWS), _rows(rng, NULL_ROWS))


def faulty(fault: str, seed: int) -> Stream:
    rng = numpy.random.default_rng([seed, 2, list(FAULTS).index(fault)])
    reference, (x, words) = _rows(rng, REFERENCE_ROWS), _rows(rng, FAULTY_ROWS)
    late = slice(ONSET, None)
    if fault.startswith("a column"):
        x[late, 0] = numpy.nan
    elif fault.startswith("a unit"):
        x[late, 1] *= 100
    elif fault.startswith("a category"):
        words[late, 0][words[late, 0] == 1] = LOST
    elif fault.startswith("a slow"):
        x[late, 2] += numpy.minimum(numpy.arange(FAULTY_ROWS - ONSET) / SLOW_ROWS, 1)
    else:
        x[late, 3], x[late, 4] = x[late, 4].copy(), x[late, 3].copy()
    return Stream(fault, seed, reference, (x, words), ONSET, FAULTS[fault])


def header() -> str:
    return ",".join([f"x{i}" for i in range(NUMBERS)] + [f"c{i}" for i in range(WORDS)])


def write_csv(path, rows: tuple) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(header() + "\n")
        for numbers, words in zip(*rows):
            file.write(",".join(["" if v != v else f"{numpy.float32(v):.9g}" for v in numbers] +
                                [f"w{w}" for w in words]) + "\n")


def write_binary(path, rows: tuple) -> None:
    """As bench/micro/detect.c reads it."""
    out = numpy.empty(len(rows[0]), dtype=[("x", "<f4", NUMBERS), ("c", "<u4", WORDS)])
    out["x"], out["c"] = rows
    out.tofile(path)
