#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every #include of one floor by another is an edge that docs/layers.txt allows."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
allowed = {}
for line in (root / "docs/layers.txt").read_text().splitlines():
    if line and not line.startswith("#"):
        floor, _, below = line.partition(":")
        allowed[floor] = set(below.split()) | {floor}

wrong = []
for path in sorted((root / "src").glob("*/*.[ch]")):
    floor = path.parent.name
    for number, text in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include "([a-z]+)/([^"]+)"', text)
        if not found or not (root / "src" / found[1]).is_dir():
            continue
        where = f"{path.relative_to(root)}:{number}"
        if found[1] not in allowed.get(floor, set()):
            wrong.append(f"{where}: {floor}/ may not include {found[1]}/ (docs/layers.txt)")
        if found[2].endswith("_private.h") and found[1] != floor:
            wrong.append(f"{where}: {found[2]} is private to {found[1]}/")
print("\n".join(wrong) or f"layers: {len(allowed)} floors, every include goes down")
sys.exit(bool(wrong))
