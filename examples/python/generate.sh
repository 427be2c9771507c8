#!/bin/sh
# Generates the Python client from the proto files: generate.sh DIR. Needs grpcio-tools for $PYTHON.
set -eu
out=${1:?usage: generate.sh DIR}
proto=$(cd "$(dirname "$0")/../../proto" && pwd)
mkdir -p "$out"
exec "${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" \
  --python_out="$out" --grpc_python_out="$out" "$proto"/werkbuch/v1/*.proto
