# SPDX-License-Identifier: GPL-2.0
"""What recvmsg tells beside the data; plain TCP is the oracle."""

import socket
import time

from lib.events import SIOCINQ, queued, wait_until
from lib.oracle import same_as_tcp

TCP, SOL = socket.IPPROTO_TCP, socket.SOL_SOCKET
TCP_INQ = 36
SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPNS_NEW = 29, 35, 64


def arrived(sock, size):
    """Waits until so many bytes can be received."""
    wait_until(lambda: queued(sock, SIOCINQ) >= size, f"arrival of {size} bytes")


def told(sock, size, flags=0):
    """How many bytes a receive gave, and level, type and value of all that was told with them."""
    data, ancillary, _, _ = sock.recvmsg(size, 200, flags)
    return len(data), ancillary


@same_as_tcp(plain=True)
def bytes_left(s):
    """TCP_INQ: how much more there is, from the listener on, and after the end."""
    listener = s.case.listen()
    for value in (2, -1, 1):
        s.server(f"TCP_INQ {value}", listener.setsockopt, TCP, TCP_INQ, value)
    client = s.case.connect()
    server = s.case.keep(listener.accept()[0])
    s.server("inherited", server.getsockopt, TCP, TCP_INQ)
    client.sendall(bytes(1000))
    arrived(server, 1000)
    s.server("part", told, server, 300)
    s.server("looked at", told, server, 300, socket.MSG_PEEK)
    s.server("rest", told, server, 1000)
    s.server("nothing", told, server, 1000, socket.MSG_DONTWAIT)
    server.setsockopt(TCP, TCP_INQ, 0)
    client.sendall(bytes(10))
    s.server("not asked for", told, server, 10)
    server.setsockopt(TCP, TCP_INQ, 1)
    client.shutdown(socket.SHUT_WR)
    s.server("end", told, server, 10)


@same_as_tcp(needs_module=True, plain=True)
def arrival(s):
    """SO_TIMESTAMP and SO_TIMESTAMPNS: when the last byte came, by level, type and a time that can be."""
    client, server = s.case.connect_pair()

    def kind_of_time(size, flags=0):
        since = time.time()
        client.sendall(bytes(size))
        arrived(server, size)
        until = time.time()
        count, ancillary = told(server, size, flags)
        kinds = [(level, kind, len(value)) for level, kind, value in ancillary]
        times = [int.from_bytes(value[:8], "little") for _, _, value in ancillary]
        return count, kinds, [int(since) <= seconds <= until for seconds in times]

    s.server("not asked for", kind_of_time, 100)
    for name, option in (
        ("SO_TIMESTAMP", SO_TIMESTAMP),
        ("SO_TIMESTAMPNS", SO_TIMESTAMPNS),
        ("SO_TIMESTAMPNS_NEW", SO_TIMESTAMPNS_NEW),
    ):
        server.setsockopt(SOL, option, 1)
        # The kernel begins to note times by deferred work.
        time.sleep(0.2)
        s.server(name, kind_of_time, 100)
        s.server(f"{name}, looked at", kind_of_time, 100, socket.MSG_PEEK)
        server.recv(1000)
        server.setsockopt(SOL, option, 0)
