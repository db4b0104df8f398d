from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_example(tmp_path: Path) -> None:
    """Run the example of docs/labels.md, and want it to print what stands there, about."""
    page = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```\n\n((?:    .*\n)+)", page, re.DOTALL)
    assert found
    script, printed = found.groups()
    assert script.count("\n") < 40
    (tmp_path / "example.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, str(tmp_path / "example.py")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    want, got = (re.findall(r"accuracy ([0-9.]+)", text) for text in (printed, done.stdout))
    assert len(got) == 2
    assert float(got[0]) > 0.95 and float(got[1]) < 0.7  # what leaks
    assert all(abs(float(a) - float(b)) < 0.05 for a, b in zip(want, got, strict=True)), done.stdout
    counts = [[int(n) for n in re.findall(r"[0-9]+", text.split("found")[1])] for text in (printed, done.stdout)]
    assert counts[0][1::2] == counts[1][1::2], done.stdout  # flows of each attack do not depend on the library
