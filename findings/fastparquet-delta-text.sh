#!/usr/bin/env bash
# fastparquet 2026.9.0: a column of text whose pages are in the encoding
# DELTA_LENGTH_BYTE_ARRAY, which the format has for all texts and pyarrow writes on request,
# is refused, while numbers in DELTA_BINARY_PACKED are read.
# Needs Python 3.11 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check fastparquet==2026.9.0 pyarrow==25.0.0
cat >read.py <<'PY'
import fastparquet
import pyarrow
import pyarrow.parquet

columns = {"number": [7, 8, 9], "text": ["192.0.2.1", "198.51.100.2", "192.0.2.1"]}
for name, encoding in {"number": "DELTA_BINARY_PACKED", "text": "DELTA_LENGTH_BYTE_ARRAY"}.items():
    file = name + ".parquet"
    pyarrow.parquet.write_table(pyarrow.table({name: columns[name]}), file, use_dictionary=False, column_encoding={name: encoding})
    assert pyarrow.parquet.read_table(file)[name].to_pylist() == columns[name]
    try:
        print(encoding, "read", list(fastparquet.ParquetFile(file).to_pandas()[name]))
    except Exception as error:
        print(encoding, "refused", type(error).__name__)
PY
venv/bin/python read.py 2>errors | tee seen
diff seen - <<'SEEN' && echo "as seen"
DELTA_BINARY_PACKED read [7, 8, 9]
DELTA_LENGTH_BYTE_ARRAY refused NotImplementedError
SEEN
