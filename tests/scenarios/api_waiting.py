# SPDX-License-Identifier: GPL-2.0
"""Signals and timeouts that end a wait; plain TCP is the oracle."""

import signal
import socket
import struct
import threading
import time
from contextlib import contextmanager

from lib import libc
from lib.events import fill
from lib.network import filter_packets
from lib.oracle import same_as_tcp
from lib.transfer import Task

TIMEOUT = struct.pack("@ll", 0, 200000)


@contextmanager
def alarm_after(seconds, restart=False):
    """A signal whose handler does nothing, with or without SA_RESTART."""
    old = signal.signal(signal.SIGUSR2, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR2, not restart)
    waiter = threading.get_ident()

    def fire():
        time.sleep(seconds)
        signal.pthread_kill(waiter, signal.SIGUSR2)

    task = Task(fire)
    try:
        yield
    finally:
        task.result(10)
        signal.signal(signal.SIGUSR2, old)


def timed(function, *arguments):
    """The outcome, and whether at least the timeout of 0.2 seconds went by."""
    started = time.monotonic()
    try:
        value = function(*arguments)
    except OSError as error:
        value = error.errno
    return value, time.monotonic() - started >= 0.19


@same_as_tcp(at="server")
def signal_ends_recv(s):
    client, server = s.case.connect_pair()
    with alarm_after(0.2):
        s.server("recv", libc.recv, server, 10)
    client.sendall(b"later")
    s.server("recv after", libc.recv, server, 10)


@same_as_tcp(at="server")
def signal_after_part(s):
    """MSG_WAITALL with a part received gives the part."""
    client, server = s.case.connect_pair()
    client.sendall(b"part")
    with alarm_after(0.3):
        s.server("recv", libc.recv, server, 10, socket.MSG_WAITALL)


@same_as_tcp(at="server")
def signal_restarts_recv(s):
    client, server = s.case.connect_pair()
    late = Task(lambda: (time.sleep(0.5), client.sendall(b"late")))
    with alarm_after(0.2, restart=True):
        s.server("recv", libc.recv, server, 10)
    late.result(10)


@same_as_tcp(at="server")
def signal_with_timeout(s):
    """A receive timeout turns the restart off."""
    _, server = s.case.connect_pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 20, 0))
    with alarm_after(0.2, restart=True):
        s.server("recv", libc.recv, server, 10)


@same_as_tcp(at="server")
def signal_ends_accept(s):
    listener = s.case.listen()
    with alarm_after(0.2):
        s.server("accept", libc.accept4, listener, 0)


@same_as_tcp(at="client")
def signal_ends_send(s):
    client, _ = s.case.connect_pair()
    fill(client)
    with alarm_after(0.3):
        s.client("send", libc.send, client, bytes(10))


@same_as_tcp(at="client")
def signal_ends_connect(s):
    filter_packets(s.case.server.namespace, "prerouting", f"tcp dport {s.case.port} drop")
    sock = s.case.keep(s.case.client.new_socket())
    with alarm_after(0.2):
        s.client("connect", libc.connect, sock, s.case.server.address(), s.case.port)
    s.client("SO_ERROR", sock.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)
    s.case.server.namespace.run("nft", "delete", "table", "inet", "scenario")


@same_as_tcp(at="server")
def receive_timeout(s):
    client, server = s.case.connect_pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, TIMEOUT)
    s.server("recv", timed, libc.recv, server, 1)
    client.sendall(b"part")
    s.server("MSG_WAITALL", timed, libc.recv, server, 10, socket.MSG_WAITALL)
    s.server("recv after", timed, libc.recv, server, 1)


@same_as_tcp(at="client")
def send_timeout(s):
    client, _ = s.case.connect_pair()
    fill(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, TIMEOUT)
    s.client("send", timed, libc.send, client, b"x")


@same_as_tcp(at="client")
def send_timeout_after_part(s):
    client, _ = s.case.connect_pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, TIMEOUT)
    size = 64 << 20
    s.client("a part was sent", lambda: 0 < libc.send(client, bytes(size)) < size)


@same_as_tcp(at="server")
def recv_woken_by_shutdown(s):
    """A reader blocked in recv is woken by shutdown in another thread."""
    _, server = s.case.connect_pair()
    reader = Task(libc.recv, server, 10)
    time.sleep(0.2)
    server.shutdown(socket.SHUT_RDWR)
    s.server("recv", reader.result, 10)


@same_as_tcp(at="server")
def accept_woken_by_shutdown(s):
    listener = s.case.listen()
    waiting = Task(libc.accept4, listener, 0)
    time.sleep(0.2)
    listener.shutdown(socket.SHUT_RDWR)
    s.server("accept", waiting.result, 10)
