#!/usr/bin/env bash
# Writes the expected rows and class counts of the captures of this folder, by the reference.
#
#     testdata/expect.sh ORACLE [NAME...]      or ORACLE=path testdata/expect.sh [NAME...]
#
# ORACLE is the path of oracle.py; NAME the captures' names up to the first dot (default: all).
# For NAME.pcap, NAME.pcapng or the same with .zst it writes
#     NAME.t600.csv    rows at an idle timeout of 600 s
#     NAME.t1.csv      rows at 1 s
#     NAME.counts.json packets read, how many fell in each class, flows at both timeouts
# A table over 200 KB is compressed: NAME.t600.csv.zst. Needs tshark 4.0, Python 3.9, zstd.
set -euo pipefail

if [[ -n ${ORACLE-} ]]; then oracle=$ORACLE; else oracle=${1-}; shift $(($# > 0)); fi
[[ -f $oracle ]] || { echo "expect.sh: usage: expect.sh ORACLE [NAME...]" >&2; exit 2; }
oracle=$(realpath "$oracle")
cd "$(dirname "$0")"
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# count NAME FILE: a number from the reference's closing line.
count() { grep -o "\<$1=[0-9]*" "$2" | tail -1 | cut -d= -f2; }

for capture in *.pcap *.pcap.zst *.pcapng *.pcapng.zst; do
    [[ -f $capture ]] || continue
    name=${capture%%.*}
    if (($#)) && [[ " $* " != *" $name "* ]]; then continue; fi
    plain=$temporary/${capture%.zst}
    if [[ $capture == *.zst ]]; then zstd -q -d -f "$capture" -o "$plain"; else cp "$capture" "$plain"; fi
    rm -f "$name".t*.csv "$name".t*.csv.zst
    for t in 600 1; do
        table=$name.t$t.csv
        python3 "$oracle" "$plain" --timeout $t >"$table" 2>"$temporary/$t"
        grep -v '^read=' "$temporary/$t" >&2 || true
        if (($(stat -c %s "$table") > 200000)); then zstd -q -19 --rm "$table"; fi
    done
    cat >"$name.counts.json" <<END
{
  "capture": "$capture",
  "read": $(count read "$temporary/600"),
  "counted": $(count counted "$temporary/600"),
  "not_ip": $(count not_ip "$temporary/600"),
  "other_protocol": $(count other_protocol "$temporary/600"),
  "orphan_fragment_or_other": $(count orphan_fragment_or_other "$temporary/600"),
  "truncated": $(count truncated "$temporary/600"),
  "flows_t600": $(count flows "$temporary/600"),
  "flows_t1": $(count flows "$temporary/1")
}
END
    rm -f "$plain"
    echo "$name: $(tr -d '\n{}" ' <"$name.counts.json")"
done
