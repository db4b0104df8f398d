"""The command flowfast-cicflowmeter: the arguments of the Python cicflowmeter's.

    flowfast-cicflowmeter -f capture.pcap -c flows.csv

Columns have the names and units (seconds) of version 0.5.0; the values are those
of the profile cicflowmeter. ``docs/profiles.md`` of the project has its rules.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import Error
from .._read import stream

if TYPE_CHECKING:
    import pyarrow

# Names of the Python program, and the columns of the profile cicflowmeter.
_NAMES = {
    "src_ip": "Src IP",
    "dst_ip": "Dst IP",
    "src_port": "Src Port",
    "dst_port": "Dst Port",
    "protocol": "Protocol",
    "timestamp": "default:start_time",
    "flow_duration": "Flow Duration",
    "flow_byts_s": "Flow Bytes/s",
    "flow_pkts_s": "Flow Packets/s",
    "fwd_pkts_s": "Fwd Packets/s",
    "bwd_pkts_s": "Bwd Packets/s",
    "tot_fwd_pkts": "Total Fwd Packet",
    "tot_bwd_pkts": "Total Bwd packets",
    "totlen_fwd_pkts": "Total Length of Fwd Packet",
    "totlen_bwd_pkts": "Total Length of Bwd Packet",
    "fwd_pkt_len_max": "Fwd Packet Length Max",
    "fwd_pkt_len_min": "Fwd Packet Length Min",
    "fwd_pkt_len_mean": "Fwd Packet Length Mean",
    "fwd_pkt_len_std": "Fwd Packet Length Std",
    "bwd_pkt_len_max": "Bwd Packet Length Max",
    "bwd_pkt_len_min": "Bwd Packet Length Min",
    "bwd_pkt_len_mean": "Bwd Packet Length Mean",
    "bwd_pkt_len_std": "Bwd Packet Length Std",
    "pkt_len_max": "Packet Length Max",
    "pkt_len_min": "Packet Length Min",
    "pkt_len_mean": "Packet Length Mean",
    "pkt_len_std": "Packet Length Std",
    "pkt_len_var": "Packet Length Variance",
    "fwd_header_len": "Fwd Header Length",
    "bwd_header_len": "Bwd Header Length",
    "fwd_seg_size_min": "Fwd Seg Size Min",
    "fwd_act_data_pkts": "Fwd Act Data Pkts",
    "flow_iat_mean": "Flow IAT Mean",
    "flow_iat_max": "Flow IAT Max",
    "flow_iat_min": "Flow IAT Min",
    "flow_iat_std": "Flow IAT Std",
    "fwd_iat_tot": "Fwd IAT Total",
    "fwd_iat_max": "Fwd IAT Max",
    "fwd_iat_min": "Fwd IAT Min",
    "fwd_iat_mean": "Fwd IAT Mean",
    "fwd_iat_std": "Fwd IAT Std",
    "bwd_iat_tot": "Bwd IAT Total",
    "bwd_iat_max": "Bwd IAT Max",
    "bwd_iat_min": "Bwd IAT Min",
    "bwd_iat_mean": "Bwd IAT Mean",
    "bwd_iat_std": "Bwd IAT Std",
    "fwd_psh_flags": "Fwd PSH Flags",
    "bwd_psh_flags": "Bwd PSH Flags",
    "fwd_urg_flags": "Fwd URG Flags",
    "bwd_urg_flags": "Bwd URG Flags",
    "fin_flag_cnt": "FIN Flag Count",
    "syn_flag_cnt": "SYN Flag Count",
    "rst_flag_cnt": "RST Flag Count",
    "psh_flag_cnt": "PSH Flag Count",
    "ack_flag_cnt": "ACK Flag Count",
    "urg_flag_cnt": "URG Flag Count",
    "ece_flag_cnt": "ECE Flag Count",
    "down_up_ratio": "Down/Up Ratio",
    "pkt_size_avg": "Average Packet Size",
    "init_fwd_win_byts": "FWD Init Win Bytes",
    "init_bwd_win_byts": "Bwd Init Win Bytes",
    "active_max": "Active Max",
    "active_min": "Active Min",
    "active_mean": "Active Mean",
    "active_std": "Active Std",
    "idle_max": "Idle Max",
    "idle_min": "Idle Min",
    "idle_mean": "Idle Mean",
    "idle_std": "Idle Std",
    "fwd_byts_b_avg": "Fwd Bytes/Bulk Avg",
    "fwd_pkts_b_avg": "Fwd Packet/Bulk Avg",
    "bwd_byts_b_avg": "Bwd Bytes/Bulk Avg",
    "bwd_pkts_b_avg": "Bwd Packet/Bulk Avg",
    "fwd_blk_rate_avg": "Fwd Bulk Rate Avg",
    "bwd_blk_rate_avg": "Bwd Bulk Rate Avg",
    "fwd_seg_size_avg": "Fwd Segment Size Avg",
    "bwd_seg_size_avg": "Bwd Segment Size Avg",
    "cwr_flag_count": "CWR Flag Count",
    "subflow_fwd_pkts": "Subflow Fwd Packets",
    "subflow_bwd_pkts": "Subflow Bwd Packets",
    "subflow_fwd_byts": "Subflow Fwd Bytes",
    "subflow_bwd_byts": "Subflow Bwd Bytes",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="flowfast-cicflowmeter",
        description="Flows of captures as CSV with the columns of the Python cicflowmeter, by flowfast.",
    )
    inputs = parser.add_mutually_exclusive_group(required=True)
    inputs.add_argument("-i", "--interface", help="not done here: flowfast reads captures")
    inputs.add_argument("-f", "--file", help="read the capture FILE, - for standard input")
    inputs.add_argument("-d", "--directory", help="read all .pcap and .pcapng files in DIRECTORY")
    outputs = parser.add_mutually_exclusive_group(required=True)
    outputs.add_argument("-c", "--csv", action="store_true", help="write CSV")
    outputs.add_argument("-u", "--url", action="store_true", help="not done here")
    parser.add_argument("output", help="name of the output file, or of the folder with -d")
    parser.add_argument("--fields", help="names of columns with commas between (default all)")
    parser.add_argument("--merge", action="store_true", help="with -d, write one file, merged_output.csv")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what is read and written")
    given = parser.parse_args(arguments)
    if given.interface is not None:
        parser.error("flowfast reads captures: tcpdump -i %s -w - | flowfast-cicflowmeter -f - -c %s" % (given.interface, given.output))
    if given.url:
        parser.error("flowfast sends nothing to a URL: want -c")
    if given.merge and given.directory is None:
        parser.error("--merge can only be used with -d/--directory mode")
    fields = list(_NAMES) if given.fields is None else [name.strip() for name in given.fields.split(",")]
    for name in fields:
        if name not in _NAMES:
            parser.error(f"--fields: no column {name!r}; there are {', '.join(_NAMES)}")
    try:
        jobs = _jobs(given.file, given.directory, given.output, given.merge)
    except OSError as error:
        parser.error(str(error))
    status = 0
    for captures, output in jobs:
        try:
            rows = _write(captures, output, fields)
        except (Error, OSError) as error:
            print(f"flowfast-cicflowmeter: {error}", file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            return 130
        else:
            if given.verbose:
                print(f"{', '.join(captures)} -> {output}: {rows} flows", file=sys.stderr)
    return status


def _jobs(file: str | None, directory: str | None, output: str, merge: bool) -> list[tuple[list[str], str]]:
    """Return captures and the file for their rows."""
    if file is not None:
        return [([file], output)]
    folder = Path(directory or "")
    captures = sorted(str(p) for p in folder.iterdir() if p.suffix in (".pcap", ".pcapng"))
    if not captures:
        raise FileNotFoundError(f"no .pcap or .pcapng files in {folder}")
    os.makedirs(output, exist_ok=True)
    if merge:
        return [(captures, os.path.join(output, "merged_output.csv"))]
    return [([c], os.path.join(output, Path(c).stem + ".csv")) for c in captures]


def _write(captures: list[str], output: str, fields: list[str]) -> int:
    """Write the rows of captures. The file has its name when it is complete."""
    from pyarrow import csv

    temporary = output if os.path.exists(output) and not os.path.isfile(output) else f"{output}.{os.getpid()}.tmp"
    total = 0
    failed: Error | None = None
    try:
        with open(temporary, "wb") as file:
            file.write((",".join(fields) + "\n").encode())
            with stream(captures[0] if len(captures) == 1 else captures, profile="cicflowmeter", columns=_wanted(fields)) as batches:
                writer = None
                try:
                    for batch in batches:
                        table = _renamed(batch, fields)
                        if writer is None:
                            sink: Any = file
                            writer = csv.CSVWriter(sink, table.schema, write_options=csv.WriteOptions(include_header=False))
                        writer.write(table)
                        total += table.num_rows
                except Error as error:  # the rows before it stand
                    failed = error
                if writer is not None:
                    writer.close()
        if failed is None or total > 0:
            if temporary != output:
                os.replace(temporary, output)
    finally:
        if temporary != output:
            with contextlib.suppress(FileNotFoundError):
                os.remove(temporary)
    if failed is not None:
        raise failed
    return total


def _wanted(fields: list[str]) -> list[str]:
    return [_NAMES[name] for name in fields]


def _renamed(batch: pyarrow.RecordBatch, fields: list[str]) -> pyarrow.Table:
    """Return a batch with the names and units of the Python program's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: list[Any] = []
    for k, name in enumerate(fields):
        column: Any = batch.column(k)
        unit = (batch.schema.field(k).metadata or {}).get(b"unit", b"")
        if name == "timestamp":
            column = pa.array([t.astimezone().strftime("%Y-%m-%d %H:%M:%S") for t in _moments(column)], pa.string())
        elif unit == b"microseconds":
            column = pc.divide(pc.cast(column, pa.float64()), 1e6)
        columns.append(column)
    return pa.table(columns, names=fields)


def _moments(column: Any) -> list[Any]:
    """Return times of day to the second, which Python has."""
    import pyarrow as pa

    listed: list[Any] = column.cast(pa.timestamp("s", "UTC"), safe=False).to_pylist()
    return listed


if __name__ == "__main__":
    sys.exit(main())
