"""Read what a data set says of itself with mlcroissant, and compare.

    croissant.py FOLDER [SPLIT...]

FOLDER is what flowfast -r --dataset has written. Its dataset.json must have no
errors, and no warnings but of what only a publisher can say; the records that
mlcroissant reads by it must be those that pyarrow reads of the parts, and those of
the manifest. Each SPLIT must have a folder of its own. Prints the number of records
compared.
"""

import hashlib
import json
import os
import sys

import mlcroissant
import pyarrow.compute
import pyarrow.parquet

# What only a publisher can say.
OPEN = {"citeAs", "datePublished", "license", "version"}


def main(folder, *splits):
    dataset = mlcroissant.Dataset(os.path.join(folder, "dataset.json"))
    issues = dataset.metadata.ctx.issues
    open_ = {text.split('"')[1].rsplit("/", 1)[1] for text in issues.warnings}
    assert not issues.errors and open_ == OPEN, issues.report()

    with open(os.path.join(folder, "dataset.json"), encoding="utf-8") as f:
        described = json.load(f)
    for file in described["distribution"]:
        if "sha256" in file:
            with open(os.path.join(folder, file["contentUrl"]), "rb") as f:
                content = f.read()
            assert hashlib.sha256(content).hexdigest() == file["sha256"] and len(content) == int(file["contentSize"]), file

    def records(name):
        for record in dataset.records(name):
            yield {k.removeprefix(name + "/"): v.decode() if isinstance(v, bytes) else v for k, v in record.items()}

    count = 0
    table = pyarrow.parquet.read_table(os.path.join(folder, "data"))
    for got, want in zip(records("flows"), table.to_pandas().to_dict("records"), strict=True):
        assert list(got) == table.column_names
        for key, value in want.items():
            assert list(got[key]) == list(value) if hasattr(value, "tolist") else got[key] == value, (key, got[key], value)
        count += 1
    if splits:
        assert sorted(os.listdir(os.path.join(folder, "data"))) == list(splits)
    rows = 0
    for split in splits:
        part = pyarrow.parquet.read_table(os.path.join(folder, "data", split))
        assert set(part["split"].to_pylist()) == {split} and part.equals(table.filter(pyarrow.compute.equal(table["split"], split)))
        rows += part.num_rows
    assert rows in (0, count), (rows, count)
    with open(os.path.join(folder, "flowfast-manifest.json"), encoding="utf-8") as f:
        manifest = json.load(f)["captures"]
    for got, want in zip(records("captures"), manifest, strict=True):
        assert got == {key: want[key] for key in got}, (got, want)
        count += 1
    labels = {}
    for capture in manifest:
        for label in capture.get("labels", []):
            labels[label["label"]] = labels.get(label["label"], 0) + label["flows"]
    assert {r["label"]: r["flows"] for r in records("labels")} == labels and labels
    print(f"{count} records compared")


main(*sys.argv[1:])
