#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/oip_proto/*.bin from the texts beside them, with protoc.
set -eu
cd "$(dirname "$0")/../tests/data"
for text in oip_proto/*.txt; do
    name=$(basename "$text" .txt)
    type=$(sed -n 's/^# message: //p' "$text")
    protoc --deterministic_output --encode="inference.$type" open_inference.proto <"$text" >"oip_proto/$name.bin"
done
