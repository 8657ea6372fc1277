#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, with every warning an error: headers.py BUILD_FOLDER"""
import json
import pathlib
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
commands = json.loads((pathlib.Path(sys.argv[1]) / "compile_commands.json").read_text())
flags = {"-I" + str(root / "src")}
for entry in commands:
    words = entry["command"].split()
    for i, word in enumerate(words):
        if word == "-isystem":
            flags.add("-isystem" + words[i + 1])
failed = []
headers = sorted((root / "src").glob("*/*.h"))
for header in headers:
    run = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-DSW_VERSION=\"0\"", "-DSW_FAULTS", "-Wall", "-Wextra",
                          "-Wconversion", "-Wshadow", "-Werror", "-Wno-unused-function", *sorted(flags), "-fsyntax-only",
                          "-x", "c", "-include", str(header), "/dev/null"], capture_output=True, text=True)
    if run.returncode:
        failed.append(f"{header.relative_to(root)} does not compile alone:\n{run.stderr}")
print("\n".join(failed) or f"headers: {len(headers)} compile alone")
sys.exit(bool(failed))
