"""Labels of random rule files beside those of a naive reference.

    labels.py FLOWFAST CAPTURES FOLDER SEED FILES

Makes FILES rule files about the flows of the captures under CAPTURES, from SEED on, has
flowfast label all flows by them, and labels the rows of its tables again, rule by rule,
by what docs/labels.md says. The files are JSON, which is YAML. Python's own library is
all that it takes. Prints a line for each row that differs, then how many were compared.
"""

import csv
import fnmatch
import ipaddress
import json
import os
import random
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = ("Europe/Berlin", "America/Halifax", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "-03:30", "+05:45")
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp", 47: "gre"}
WITH_PORTS = (6, 17, 33, 132, 136)
COLUMNS = "src_ip,src_port,dst_ip,dst_port,protocol,start_time,duration,vlan_ids,fwd_tot_pkt,bwd_tot_pkt,bwd_tot_byte,fwd_payload_pkt"
# An expression as flowfast takes it, and what it means.
WHERE = (
    ("fwd_payload_pkt > 0 and duration > 1", lambda r: int(r["fwd_payload_pkt"]) > 0 and float(r["duration"]) > 1),
    ("bwd_tot_pkt == 0", lambda r: int(r["bwd_tot_pkt"]) == 0),
    ("fwd_tot_pkt + bwd_tot_pkt >= 5 or not (protocol in [6, 17])",
     lambda r: int(r["fwd_tot_pkt"]) + int(r["bwd_tot_pkt"]) >= 5 or int(r["protocol"]) not in (6, 17)),
    ("src_port % 2 == 1 and dst_port < 1024", lambda r: int(r["src_port"]) % 2 == 1 and int(r["dst_port"]) < 1024),
    ('src_ip matches "^1" or vlan_ids != ""', lambda r: r["src_ip"].startswith("1") or r["vlan_ids"] != ""),
    ("bwd_tot_byte / fwd_tot_pkt > 100.5", lambda r: int(r["bwd_tot_byte"]) / int(r["fwd_tot_pkt"]) > 100.5),
    ("duration == 0 ? src_port > dst_port : duration * 2 < 0.5",
     lambda r: int(r["src_port"]) > int(r["dst_port"]) if float(r["duration"]) == 0 else float(r["duration"]) * 2 < 0.5),
)


def nanoseconds(text):
    whole, _, part = text.partition(".")
    value = abs(int(whole)) * 10**9 + int((part + "0" * 9)[:9])
    return -value if text.startswith("-") else value


def zone_of(name):
    if name[0] in "+-":
        hours, minutes = name[1:].split(":")
        return timezone((1 if name[0] == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
    return ZoneInfo(name)


def instant(wall, zone, end):
    """Return nanoseconds since 1970 when clocks show a time, None if they never do."""
    at = wall.replace(tzinfo=zone, fold=int(end))
    if at.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) != wall:
        return None
    return (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1) * 1000


class Rule:
    """A random rule about what is near a row."""

    def __init__(self, r, row, number, zone):
        self.zone, self.said, self.windows = zone, {"label": f"L{number % 17}"}, None
        self.when, self.where, self.glob = "overlaps", None, None
        kinds = r.sample(("ends", "ends", "ports", "protocols", "time", "time", "time", "where", "vlans", "capture"), r.choice((1, 2, 3, 3, 4)))
        self.src = self.dst = self.between = self.ports = self.src_ports = self.dst_ports = self.protocols = self.vlans = None
        for kind in dict.fromkeys(kinds):
            getattr(self, "ask_" + kind)(r, row)

    def near(self, r, text):
        """Return prefixes of which one has the address, mostly."""
        address = ipaddress.ip_address(text)
        lengths = (8, 16, 24, 31, 32) if address.version == 4 else (0, 32, 48, 64, 127, 128)
        prefixes = [ipaddress.ip_network((address, r.choice(lengths)), strict=False)]
        if r.random() < 0.4:
            prefixes.append(ipaddress.ip_network("198.51.100.0/24" if address.version == 4 else "2001:db8::/33"))
        if r.random() < 0.1:
            prefixes = [ipaddress.ip_network((address + 1 if int(address) < 2**31 else address - 1, address.max_prefixlen))]
        return prefixes

    def ask_ends(self, r, row):
        text = lambda prefixes: [str(p if p.num_addresses > 1 else p.network_address) for p in prefixes]
        which = r.choice(("src", "dst", "both", "between", "between", "any"))
        a, b = self.near(r, row["src_ip"]), self.near(r, row["dst_ip"])
        if which in ("src", "both"):
            self.src, self.said["src"] = a, text(a)
        if which in ("dst", "both"):
            self.dst, self.said["dst"] = b, text(b)
        if which == "between":
            self.between = (a, b) if r.random() < 0.5 else (b, a)
            self.said["between"] = [text(side) for side in self.between]
        if which == "any":
            self.between, self.said["between"] = (None, b), ["any", text(b)]

    def ask_ports(self, r, row):
        if self.protocols is not None and not self.protocols & set(WITH_PORTS):
            return
        def near(port):
            low = max(0, int(port) - r.choice((0, 0, 3, 500)))
            high = min(65535, int(port) + r.choice((0, 0, 2, 1000)))
            return [(low, high)] + ([(40, 60)] if r.random() < 0.2 else [])
        for name in r.choice((("ports",), ("src_ports",), ("dst_ports",), ("src_ports", "dst_ports"))):
            ranges = near(row["src_port"] if name == "src_ports" or name == "ports" and r.random() < 0.5 else row["dst_port"])
            setattr(self, name, ranges)
            self.said[name] = [f"{a}-{b}" if a < b else a for a, b in ranges]

    def ask_protocols(self, r, row):
        number = int(row["protocol"])
        chosen = {number, r.choice((6, 17, 47))}
        if (self.ports or self.src_ports or self.dst_ports) and not chosen & set(WITH_PORTS):
            return
        self.protocols = chosen
        self.said["protocols"] = [NAMES[p] if p in NAMES and r.random() < 0.7 else p for p in sorted(chosen)]

    def ask_vlans(self, r, row):
        tag = int(row["vlan_ids"].split()[0]) if row["vlan_ids"] else r.randrange(1, 100)
        self.vlans, self.said["vlans"] = (max(0, tag - 2), tag), f"{max(0, tag - 2)}-{tag}"

    def ask_where(self, r, row):
        text, self.where = r.choice(WHERE)
        self.said["where"] = text

    def ask_capture(self, r, row):
        self.glob = r.choice((row["capture"], row["capture"][:6] + "*", "*" + row["capture"][-8:], "?" + row["capture"][1:]))
        if "[" in self.glob or "\\" in self.glob:
            self.glob = "*"
        self.said["capture"] = self.glob

    def ask_time(self, r, row):
        self.when = r.choice(("overlaps", "starts", "inside"))
        start, last = row["start"], row["last"]
        near = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=start // 1000)
        if not datetime(1980, 1, 1, tzinfo=timezone.utc) < near < datetime(2035, 1, 1, tzinfo=timezone.utc):
            near = datetime(2020, 3, 1, tzinfo=timezone.utc)
        wall = near.astimezone(self.zone).replace(tzinfo=None)
        if r.random() < 0.4:  # times of day on dates
            first = wall.date() - timedelta(days=r.choice((0, 0, 1, 200)))
            days = [first + timedelta(days=k) for k in range((wall.date() - first).days + r.choice((1, 2, 200)))]
            begin = (wall - timedelta(minutes=r.randrange(90))).replace(microsecond=0)
            end = begin + timedelta(minutes=r.randrange(1, 120))
            if begin.date() != end.date() or (end - begin) < timedelta(minutes=1):
                return
            windows = [(instant(datetime.combine(d, begin.time()), self.zone, False), instant(datetime.combine(d, end.time()), self.zone, True)) for d in days]
            if any(a is None or b is None or a >= b for a, b in windows):
                return
            self.said.update(dates=f"{days[0]}..{days[-1]}", **{"from": begin.time().isoformat(), "to": end.time().isoformat()})
        else:  # moments, which can be months apart, with another offset of the zone
            begin = wall - timedelta(days=r.choice((0, 0, 0, 1, 180)), seconds=r.randrange(20))
            end = wall + timedelta(days=r.choice((0, 0, 0, 1, 180)), seconds=r.randrange(1, 30), microseconds=r.randrange(10))
            windows = [(instant(begin, self.zone, False), instant(end, self.zone, True))]
            if None in windows[0] or windows[0][0] >= windows[0][1]:
                return
            begin_text, end_text = begin.isoformat(sep=" "), end.isoformat(sep=" ")
            if r.random() < 0.5 and start >= 10**18:  # at the first or the last packet, or beside it
                at = (r.choice((start, start, start + 1, last)), r.choice((start, start + 1, last, last, last + 1)))
                if at[0] < at[1]:
                    windows = [at]
                    begin_text, end_text = (f"{t // 10**9}.{t % 10**9:09d}" for t in at)
            self.said.update({"from": begin_text, "to": end_text})
        self.windows, self.said["when"] = windows, self.when

    def takes(self, row):
        inside = lambda prefixes, address: prefixes is None or any(address in p for p in prefixes if p.version == address.version)
        among = lambda ranges, port: ranges is None or any(a <= port <= b for a, b in ranges)
        src, dst, start, last = row["src"], row["dst"], row["start"], row["last"]
        source, destination, protocol = int(row["src_port"]), int(row["dst_port"]), int(row["protocol"])
        if self.protocols is not None and protocol not in self.protocols:
            return False
        if self.ports_asked() and not (
            protocol in WITH_PORTS and among(self.src_ports, source) and among(self.dst_ports, destination)
            and (among(self.ports, source) or among(self.ports, destination))
        ):
            return False
        if not (inside(self.src, src) and inside(self.dst, dst)):
            return False
        if self.between is not None:
            a, b = self.between
            if not (inside(a, src) and inside(b, dst) or inside(a, dst) and inside(b, src)):
                return False
        if self.vlans is not None and not any(self.vlans[0] <= int(v) <= self.vlans[1] for v in row["vlan_ids"].split()):
            return False
        if self.glob is not None and not fnmatch.fnmatchcase(row["capture"], self.glob):
            return False
        tests = {
            "overlaps": lambda a, b: start < b and a <= last,
            "starts": lambda a, b: a <= start < b,
            "inside": lambda a, b: a <= start and last < b,
        }
        if self.windows is not None and not any(tests[self.when](a, b) for a, b in self.windows):
            return False
        return self.where is None or self.where(row)

    def ports_asked(self):
        return self.ports is not None or self.src_ports is not None or self.dst_ports is not None


def run(flowfast, captures, out, *more):
    command = [flowfast, "-q", "-r", "--overwrite", "--protocols", "all", "--columns", COLUMNS, *more, captures, out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or "--labels" in done.stderr:  # 1: some captures are damaged
        sys.exit(done.stderr)


def rows(out):
    with open(os.path.join(out, "flowfast-manifest.json"), encoding="utf-8") as f:
        entries = json.load(f)["captures"]
    for entry in entries:
        path = os.path.join(out, entry["output"])
        if not os.path.exists(path):
            continue
        with open(path, newline="", encoding="utf-8") as f:
            for row in csv.DictReader(f):
                row["capture"], row["start"] = os.path.basename(entry["path"]), nanoseconds(row["start_time"])
                row["last"] = row["start"] + nanoseconds(row["duration"])
                row["src"], row["dst"] = ipaddress.ip_address(row["src_ip"]), ipaddress.ip_address(row["dst_ip"])
                yield row


def main(flowfast, captures, folder, seed, files):
    out = os.path.join(folder, "out")
    run(flowfast, captures, out)
    known = list(rows(out))
    count = matched = differ = 0
    for n in range(int(seed), int(seed) + int(files)):
        r = random.Random(n)
        name = ZONES[n % len(ZONES)]
        rules = [Rule(r, r.choice(known), k, zone_of(name)) for k in range((400, 40, 1)[n % 3])]
        rules.sort(key=lambda rule: -len(rule.said))  # broad ones would leave nothing to others
        file = os.path.join(folder, "rules.yaml")
        with open(file, "w", encoding="utf-8") as f:
            json.dump({"zone": name, "default": "none", "rules": [rule.said for rule in rules]}, f)
        run(flowfast, captures, out, "--labels", file)
        for row in rows(out):
            number = next((k for k, rule in enumerate(rules) if rule.takes(row)), None)
            want = ("none", "") if number is None else (rules[number].said["label"], f"rules#{number + 1}")
            count += 1
            matched += number is not None
            if (row["label"], row["label_rule"]) != want:
                differ += 1
                if differ <= 10:
                    print(f"seed {n}: {row} by {want[1] and rules[number].said}")
    print(f"{count} labels compared, {matched} by a rule, {differ} differ")


main(*sys.argv[1:])
