#!/usr/bin/env python3
"""A slow-header client: many connections that never finish their request.

    slow.py ADDRESS PORT CONNECTIONS INTERVAL SECONDS

Opens the connections, then sends one header line on each about every INTERVAL
seconds, and opens a connection again when the server has closed it.
"""
import random
import socket
import sys
import time


def connect(address, port):
    s = socket.create_connection((address, port), timeout=4)
    s.sendall(b"GET /?%d HTTP/1.1\r\nHost: www.example.com\r\n" % random.randrange(10000))
    s.setblocking(False)
    return s


def closed(s):
    try:
        while True:
            if not s.recv(4096):
                return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    n, interval, seconds = int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
    random.seed(7)
    end = time.monotonic() + seconds
    due = []
    for _ in range(n):
        due.append([time.monotonic() + random.random() * interval, connect(address, port)])
        time.sleep(0.01)
    while time.monotonic() < end:
        for item in due:
            if item[0] > time.monotonic():
                continue
            item[0] += interval * random.uniform(0.7, 1.3)
            s = item[1]
            if closed(s):
                s.close()
                item[1] = connect(address, port)
                continue
            try:
                s.send(b"X-a: %d\r\n" % random.randrange(10000))
            except OSError:
                pass
        time.sleep(0.02)
    for _, s in due:
        s.close()


main()
