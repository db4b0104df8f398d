"""Community IDs of all flows beside those of the reference implementation.

    community.py FLOWFAST CAPTURES FOLDER

Prints a line for each that differs, then how many were compared.
"""

import csv
import glob
import os
import subprocess
import sys

import communityid

COLUMNS = "src_ip,src_port,dst_ip,dst_port,protocol,community_id"
TPL = communityid.FlowTuple


def main(flowfast, captures, folder):
    out = os.path.join(folder, "out")
    done = subprocess.run([flowfast, "-q", "-r", "--protocols", "all", "--columns", COLUMNS, captures, out], capture_output=True, check=False)
    if done.returncode not in (0, 1):  # 1: some captures are damaged
        sys.exit(done.stderr)
    reference = communityid.CommunityID()
    count = differ = 0
    for path in glob.glob(os.path.join(out, "**", "*.csv"), recursive=True):
        with open(path, newline="", encoding="utf-8") as f:
            for row in csv.DictReader(f):
                protocol = int(row["protocol"])
                with_ports = protocol in (1, 6, 17, 58, 132)
                ports = (int(row["src_port"]), int(row["dst_port"])) if with_ports else (None, None)
                want = reference.calc(TPL(protocol, row["src_ip"], row["dst_ip"], *ports))
                count += 1
                if row["community_id"] != want:
                    differ += 1
                    print(path, row, want)
    print(f"{count} compared, {differ} differ")


main(*sys.argv[1:])
