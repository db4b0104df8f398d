#!/usr/bin/env python3
"""Lets an interface pass TCP super-packets longer than 64 KiB ("BIG TCP"), for IPv4 and IPv6.

    raise.py INTERFACE BYTES

Sets IFLA_GSO_MAX_SIZE, IFLA_GRO_MAX_SIZE and their IPv4 twins by rtnetlink;
iproute2 before 6.3 knows only the first.
"""
import socket
import struct
import sys

RTM_SETLINK, NLM_F_REQUEST, NLM_F_ACK = 19, 1, 4
ATTRIBUTES = (41, 58, 63, 64)  # GSO_MAX_SIZE, GRO_MAX_SIZE, GSO_IPV4_MAX_SIZE, GRO_IPV4_MAX_SIZE


def main():
    index, size = socket.if_nametoindex(sys.argv[1]), int(sys.argv[2])
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    body = struct.pack("BBHiII", 0, 0, 0, index, 0, 0)
    for a in ATTRIBUTES:
        body += struct.pack("HHI", 8, a, size)
    s.send(struct.pack("IHHII", 16 + len(body), RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
    error = struct.unpack_from("i", s.recv(4096), 16)[0]
    if error:
        sys.exit(f"raise.py: {sys.argv[1]}: error {-error}")


main()
