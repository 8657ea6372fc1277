#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json describes just the routes that src/api/routes.c has (gRPC and the dashboard aside)."""
import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
table = (root / "src/api/routes.c").read_text()
routes = {(m.lower(), path) for m, path in re.findall(r'(?:LOOP|POOL|STREAM)\(SW_([A-Z]+), "([^"]+)"', table)} - {("get", "/*")}
document = json.loads((root / "docs/openapi.json").read_text())
told = {(method, path) for path, operations in document["paths"].items() for method in operations}
wrong = [f"openapi.json lacks {m} {p}" for m, p in sorted(routes - told)]
wrong += [f"openapi.json has {m} {p}, which is no route" for m, p in sorted(told - routes)]
print("\n".join(wrong) or f"openapi: {len(told)} operations, one for each route")
sys.exit(bool(wrong))
