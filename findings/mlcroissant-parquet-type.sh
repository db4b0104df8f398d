#!/usr/bin/env bash
# mlcroissant 1.1.1 (PyPI) reads a Parquet file whose encodingFormat is application/x-parquet,
# and raises an error where it is application/vnd.apache.parquet, the media type that IANA
# has registered for Parquet. Validation says nothing of either.
# Needs Python 3.10 to 3.13, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check \
	mlcroissant==1.1.1 pandas==2.3.3 numpy==2.2.6 pyarrow==21.0.0

cat >read.py <<'PY'
import hashlib
import json

import mlcroissant as mlc
import pandas as pd

pd.DataFrame({"packets": [1, 2]}).to_parquet("flows.parquet")
with open("flows.parquet", "rb") as f:
    digest = hashlib.sha256(f.read()).hexdigest()
for kind in "application/x-parquet", "application/vnd.apache.parquet":
    field = mlc.Field(id="flows/packets", name="flows/packets", data_types=mlc.DataType.INTEGER,
                      source=mlc.Source(file_object="file", extract=mlc.Extract(column="packets")))
    metadata = mlc.Metadata(
        name="flows", url="https://example.org/",
        distribution=[mlc.FileObject(id="file", name="file", content_url="flows.parquet",
                                     encoding_formats=kind, sha256=digest)],
        record_sets=[mlc.RecordSet(id="flows", name="flows", fields=[field])],
    )
    with open("croissant.json", "w") as f:
        json.dump(metadata.to_json(), f, default=str)
    try:
        print(kind, [record["flows/packets"] for record in mlc.Dataset("croissant.json").records("flows")])
    except Exception as error:  # a GenerationError, which mlcroissant does not export
        print(kind, type(error.__cause__).__name__)
PY
venv/bin/python read.py 2>errors | tee seen
diff seen - <<'SEEN' && echo "as seen"
application/x-parquet [1, 2]
application/vnd.apache.parquet ValueError
SEEN
