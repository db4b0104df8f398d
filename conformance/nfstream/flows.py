"""Runs NFStream on captures and writes its flows as JSON, one line for each capture.

    python flows.py CAPTURE...

A line holds the path of the capture, and the names of NFStream's columns and its
flows, or the error where NFStream refuses the capture. Flows that it gave out
before an error are kept.
"""

import json
import sys

from nfstream import NFStreamer


def flows(path):
    columns, rows, error = [], [], ""
    try:
        for flow in NFStreamer(
            source=path,
            statistical_analysis=True,
            splt_analysis=10,
            n_dissections=0,
            decode_tunnels=False,
            accounting_mode=0,
            n_meters=1,
        ):
            columns = flow.keys()
            rows.append(flow.values())
    except ValueError as e:
        error = str(e)
    return {"capture": path, "columns": columns, "rows": rows, "error": error}


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(json.dumps(flows(path)), flush=True)
