#!/usr/bin/env python3
"""Small conversations that show one thing each.

    talk.py serve                    echo on TCP and UDP port 7000 (v4 and v6), until killed;
                                     port 7001 answers one request and closes first
    talk.py chat ADDRESS             a few lines over TCP, a few datagrams over UDP
    talk.py reuse ADDRESS            one source port for several connections; pauses
    talk.py flags ADDRESS            urgent data, reset, half-close, refused connection
    talk.py together MINE PEER       simultaneous open: run it on both ends
    talk.py datagrams ADDRESS        UDP datagrams from 1 byte to the longest
    talk.py stream ADDRESS BYTES     TCP: send so many bytes, read them back
    talk.py options ADDRESS          IPv4 options or IPv6 extension headers
    talk.py self                     a TCP connection and a UDP socket connected to themselves
"""
import socket
import struct
import sys
import threading
import time

TEXT = b"the quick brown fox jumps over the lazy dog\n"
IPV6_HOPOPTS, IPV6_DSTOPTS, IPV6_RTHDRDSTOPTS = 54, 59, 55


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def exactly(s, n):
    got = 0
    while got < n and (b := s.recv(min(65536, n - got))):
        got += len(b)
    return got


def serve():
    def echo(c):
        with c:
            try:
                while b := c.recv(65536):
                    c.sendall(b)
            except OSError:
                pass

    def once(c):
        with c:
            try:
                c.sendall(c.recv(65536).upper())
                c.shutdown(socket.SHUT_WR)
                while c.recv(65536):
                    pass
            except OSError:
                pass

    def accept(port, answer):
        l = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
        while True:
            c, _ = l.accept()
            threading.Thread(target=answer, args=(c,), daemon=True).start()

    for port, answer in ((7000, echo), (7001, once)):
        threading.Thread(target=accept, args=(port, answer), daemon=True).start()
    u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    u.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    u.bind(("::", 7000))
    u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    while True:  # answer from the address that was asked
        b, info, _, peer = u.recvmsg(65536, 256)
        info = [(level, kind, data[:16] + bytes(4)) for level, kind, data in info]
        try:
            u.sendmsg([b], info, 0, peer)
        except OSError:
            pass


def tcp(address, port, source=None, reset=False):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.settimeout(20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if source:
        s.bind(("::" if ":" in address else "0.0.0.0", source))
    if reset:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.connect((address, port))
    return s


def udp(address, wait=1.5):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.settimeout(wait)
    s.connect((address, 7000))
    return s


def ask(s, b):
    try:
        s.send(b)
        return s.recv(65536)
    except OSError:  # no answer in time, refused, or longer than the path takes
        return b""


def chat(address):
    with tcp(address, 7000) as s:
        for n in (1, 4, 30):
            s.sendall(TEXT * n)
            exactly(s, len(TEXT) * n)
            time.sleep(0.05)
    with udp(address) as s:
        for n in (1, 3, 20):
            ask(s, TEXT * n)


def reuse(address):
    for i in range(4):  # the server closes first, so that the port is free again at once
        with tcp(address, 7001, 40001) as s:
            ask(s, TEXT)
            while s.recv(4096):
                pass
        time.sleep((0.02, 2.5, 0.02, 0)[i])
    for i in range(3):  # ended by a reset
        with tcp(address, 7000, 40002, reset=True) as s:
            ask(s, TEXT)
        time.sleep((0.02, 1.6, 0)[i])
    with tcp(address, 7000) as s:  # one connection with silences in it
        for gap in (0.3, 1.4, 0.9, 2.2, 0):
            ask(s, TEXT)
            time.sleep(gap)
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:  # the same for UDP
        s.settimeout(1.5)
        s.bind(("::" if ":" in address else "0.0.0.0", 40003))
        s.connect((address, 7000))
        for gap in (0.2, 1.5, 0.2, 2.5, 0):
            ask(s, TEXT)
            time.sleep(gap)


def flags(address):
    with tcp(address, 7000) as s:
        ask(s, TEXT)
        s.send(b"!", socket.MSG_OOB)
        time.sleep(0.05)
        ask(s, TEXT)
    with tcp(address, 7000, reset=True) as s:
        s.sendall(TEXT * 10)
    with tcp(address, 7000) as s:
        s.sendall(TEXT * 3)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    for port in (9, 1009):
        try:
            tcp(address, port).close()
        except OSError:
            pass


def together(mine, peer):
    s = socket.socket(family(mine), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(5)
    s.bind((mine, 40100))
    now = time.time()
    time.sleep(2 - now % 2)  # both ends start at the same even second
    s.connect((peer, 40100))
    ask(s, TEXT)
    time.sleep(0.1)
    s.close()


def datagrams(address):
    with udp(address, 0.7) as s:
        for n in (1, 18, 100, 1200, 1472, 1473, 3000, 4000, 9000, 20000, 65000):
            ask(s, (TEXT * 1500)[:n])
            time.sleep(0.05)


def stream(address, n):
    with tcp(address, 7000) as s:
        b = (TEXT * (n // len(TEXT) + 1))[:n]
        threading.Thread(target=s.sendall, args=(b,), daemon=True).start()
        exactly(s, n)


def options(address):
    option = lambda n: bytes((0x1E, n - 2)) + bytes(n - 2)  # RFC 4727: experimental, skip if unknown
    if family(address) == socket.AF_INET:
        sets = [[(socket.IPPROTO_IP, socket.IP_OPTIONS, o)] for o in (
            bytes((1, 1, 1, 0)),                             # no-operation, end
            bytes((7, 39, 4)) + bytes(36) + b"\0",           # record route
            bytes((68, 36, 5, 0)) + bytes(32),               # timestamps
            bytes((148, 4, 0, 0)),                           # router alert
        )]
    else:
        header = lambda n: bytes((0, n // 8 - 1)) + option(n - 2)
        h = [(socket.IPPROTO_IPV6, IPV6_HOPOPTS, header(8))]
        d = [(socket.IPPROTO_IPV6, IPV6_DSTOPTS, header(24))]
        sets = [h, d, h + d, [(socket.IPPROTO_IPV6, IPV6_HOPOPTS, header(64))] + d]
    for set_ in sets:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family(address), kind) as s:
                s.settimeout(2)
                for o in set_:
                    s.setsockopt(*o)
                try:
                    s.connect((address, 7000))
                    ask(s, TEXT)
                    if kind == socket.SOCK_DGRAM:
                        ask(s, TEXT * 60)  # longer than the MTU
                except OSError as e:
                    print("talk: options:", e, file=sys.stderr)


def itself():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 40200))
        s.connect(("127.0.0.1", 40200))
        ask(s, TEXT)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::1", 40200))
        s.connect(("::1", 40200))
        ask(s, TEXT)


def main():
    what, *rest = sys.argv[1:]
    if what == "serve":
        serve()
    elif what == "together":
        together(*rest)
    elif what == "stream":
        stream(rest[0], int(rest[1]))
    elif what == "self":
        itself()
    else:
        {"chat": chat, "reuse": reuse, "flags": flags, "datagrams": datagrams, "options": options}[what](*rest)


main()
