#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Laws that no compiler knows: banned calls, where SQL and system calls may stand, licence lines."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof)\s*\(": "is banned: use sw_str, snprintf or sw_num",
    r"\b(malloc|calloc|realloc|strdup)\s*\(": "goes past sw_mem, so no test can make it fail",
}
MEM_FREE = {"src/base/mem.c"}
SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE)\s', re.I)
SYSTEM = re.compile(r"#include <(sys/socket|netinet|sys/epoll|fcntl|sys/stat|dirent)")
SYSTEM_FLOORS = {"io", "net", "store", "cli"}

wrong = []
files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "src"], cwd=root,
                       capture_output=True, text=True, check=True).stdout.split()
for name in sorted(files):
    if not name.endswith((".c", ".h", ".def")):
        continue
    lines = (root / name).read_text().splitlines()
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        wrong.append(f"{name}:1: the first line must be the SPDX line")
    for number, text in enumerate(lines, 1):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', text.split("/*")[0])
        for pattern, why in BANNED.items():
            found = re.search(pattern, code)
            if found and name not in MEM_FREE:
                wrong.append(f"{name}:{number}: {found[1]} {why}")
        if SQL.search(text) and not name.startswith("src/store/") and not name.endswith("_store.c") and \
                name != "src/data/frame_parquet.c":  # asks DuckDB, of a file
            wrong.append(f"{name}:{number}: SQL stands only in *_store.c")
        if SYSTEM.search(text) and name.split("/")[1] not in SYSTEM_FLOORS:
            wrong.append(f"{name}:{number}: only io/, net/, store/ and cli/ talk to the system")
print("\n".join(wrong) or f"laws: {len(files)} files keep them")
sys.exit(bool(wrong))
