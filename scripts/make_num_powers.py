#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/base/num_powers.inc: the powers of ten as 128-bit binary fractions.

Entry q is 10^q = 2^e * m with m's top bit set, cut to 128 bits. For -27 <= q < 0 it is rounded up
instead, as the proof of the parser's rounding needs (D. Lemire, "Number parsing at a gigabyte per
second", Software: Practice and Experience 51(8), 2021, section 7).
"""
import sys

LOWEST, HIGHEST = -342, 324


def entry(q):
    if q >= 0:
        value = 5**q
        bits = value.bit_length()
        return value << (128 - bits) if bits <= 128 else value >> (bits - 128)
    power = 5**-q
    scale = 127 + power.bit_length() if power & (power - 1) else 126 + power.bit_length()
    cut = 2**scale // power
    while cut >= 1 << 128:
        scale -= 1
        cut = 2**scale // power
    return cut + 1 if q >= -27 else cut


def main(out):
    out.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
    out.write("/* Made by scripts/make_num_powers.py: do not edit. Upper and lower half of 10^q. */\n")
    out.write("/* clang-format off */\n")
    out.write("enum { POWER_LOWEST = %d, POWER_HIGHEST = %d };\n\n" % (LOWEST, HIGHEST))
    out.write("static const uint64_t powers[POWER_HIGHEST - POWER_LOWEST + 1][2] = {\n")
    for q in range(LOWEST, HIGHEST + 1):
        m = entry(q)
        assert m >> 127 == 1, q
        # The printer adds one to the lower half; it must not carry.
        assert m & (2**64 - 1) != 2**64 - 1, q
        out.write("    {0x%016xU, 0x%016xU}, /* %d */\n" % (m >> 64, m & (2**64 - 1), q))
    out.write("};\n/* clang-format on */\n")


main(open(sys.argv[1], "w") if len(sys.argv) > 1 else sys.stdout)
