#!/usr/bin/env bash
# mlcroissant 1.1.1 (PyPI, the reader of Croissant data-set descriptions): fields of a JSON
# file are taken with one jsonPath each over the whole file and put together by position.
# Where as many records lack one field as another, values of different records come out as
# one, without a word: of flows {label x}, {port 2}, {port 3, label z} it makes
# {port 2, label x} and {port 3, label z}, which no flow had.
# Needs Python 3.10 to 3.13, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check mlcroissant==1.1.1 pandas==2.3.3 numpy==2.2.6

cat >flows.json <<'JSON'
[{"label": "x"}, {"port": 2}, {"port": 3, "label": "z"}]
JSON
cat >read.py <<'PY'
import hashlib
import json

import mlcroissant as mlc

with open("flows.json", "rb") as f:
    digest = hashlib.sha256(f.read()).hexdigest()
fields = [mlc.Field(
    id="flows/" + name, name="flows/" + name, data_types=kind,
    source=mlc.Source(file_object="file", extract=mlc.Extract(json_path="$[*]." + name)),
) for name, kind in (("port", mlc.DataType.INTEGER), ("label", mlc.DataType.TEXT))]
metadata = mlc.Metadata(
    name="flows", url="https://example.org/",
    distribution=[mlc.FileObject(id="file", name="file", content_url="flows.json",
                                 encoding_formats="application/json", sha256=digest)],
    record_sets=[mlc.RecordSet(id="flows", name="flows", fields=fields)],
)
with open("croissant.json", "w") as f:
    json.dump(metadata.to_json(), f, default=str)
for record in mlc.Dataset("croissant.json").records("flows"):
    print(record)
PY
venv/bin/python read.py 2>errors | tee seen
diff seen - <<'SEEN' && echo "as seen"
{'flows/port': 2, 'flows/label': b'x'}
{'flows/port': 3, 'flows/label': b'z'}
SEEN
