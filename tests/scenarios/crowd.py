# SPDX-License-Identifier: GPL-2.0
"""Many connections, one after the other and at the same time."""

import select
import socket

from lib.events import wait_until
from lib.programs import program
from lib.registry import scenario
from lib.transfer import (
    Task,
    check_stream,
    content,
    receive_exactly,
    receive_stream,
    send_stream,
)

REQUEST = 100
ANSWER = 1000


def serve(listener, total):
    """Answers every connection's request, `total` of them, and closes it."""
    answer = content(ANSWER)
    for _ in range(total):
        sock, _ = listener.accept()
        with sock:
            if receive_exactly(sock, REQUEST) != content(REQUEST):
                raise AssertionError("a request arrived differently")
            sock.sendall(answer)


@scenario(limit=300)
def short_in_sequence(case):
    """Connect, request, answer of 1 KB, close: 10 000 times for ours at both ends."""
    both_ours = case.client.stack.name == case.server.stack.name
    total = case.size(
        stock=10_000 if both_ours else 2_000, test=1_000 if both_ours else 300, brief=500
    )
    case.client.namespace.sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    tool, port = program("latency"), str(case.port)
    server = case.server.namespace.start(tool, "serve", str(case.server.stack.protocol), port)
    try:
        wait_until(lambda: is_listening(case), "the server's listening")
        words = ("fetch", str(case.client.stack.protocol), case.server.address(), port)
        # The program makes a tenth more connections before it starts its clock.
        each = case.client.namespace.run(tool, *words, str(total), str(ANSWER), limit=1000)
    finally:
        server.kill()
        server.wait(10)
    case.notes.append(f"{int(each) / 1000:.0f} microseconds per connection")
    case.expect_mptcp(connections=total + total // 10)


def is_listening(case):
    table = case.server.namespace.read("/proc/thread-self/net/tcp")
    return f":{case.port:04X} 00000000:0000 0A" in table


@scenario(limit=300, at_once=True)
def short_in_parallel(case):
    """Short connections, 32 under way at any time."""
    total = case.size(stock=1_000, test=200, brief=300)
    case.client.namespace.sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    listener = case.listen(backlog=512)
    servers = [Task(serve, listener, total // 4) for _ in range(4)]
    clients = FetchAll(case, total, 32)
    clients.run()
    for server in servers:
        server.result(30)
    case.expect_mptcp(connections=total)


class FetchAll:
    """A client of many connections that waits for all of them with one epoll."""

    def __init__(self, case, total, at_once):
        self.case = case
        self.left = total
        self.at_once = at_once
        self.epoll = case.keep(select.epoll())
        self.sockets = {}
        self.answers = {}

    def run(self):
        with self.case.client.namespace:
            while self.left or self.sockets:
                while self.left and len(self.sockets) < self.at_once:
                    self._open()
                for fd, event in self.epoll.poll(30) or self._stuck():
                    self._handle(fd, event)

    def _stuck(self):
        raise TimeoutError(f"no event for 30 s with {len(self.sockets)} connections open")

    def _open(self):
        sock = self.case.client.new_socket()
        sock.setblocking(False)
        sock.connect_ex((self.case.server.address(), self.case.port))
        self.sockets[sock.fileno()] = sock
        self.answers[sock.fileno()] = b""
        self.epoll.register(sock, select.EPOLLOUT)
        self.left -= 1

    def _handle(self, fd, event):
        sock = self.sockets[fd]
        if event & select.EPOLLOUT:
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "a connection failed")
            sock.sendall(content(REQUEST))
            self.epoll.modify(fd, select.EPOLLIN)
            return
        part = sock.recv(65536)
        self.answers[fd] += part
        if part:
            return
        if self.answers[fd] != content(ANSWER):
            raise AssertionError(f"an answer of {len(self.answers[fd])} bytes arrived differently")
        self.epoll.unregister(fd)
        del self.sockets[fd]
        sock.close()


@scenario(limit=300, at_once=True)
def parallel_streams(case):
    """100 connections at once, each with a stream of its own in both directions."""
    count = case.size(stock=100, test=30)
    size = case.size(stock=512, test=64, brief=128) << 10
    listener = case.listen(backlog=256)
    pairs = []
    for _ in range(count):
        client = case.connect()
        pairs.append((client, case.keep(listener.accept()[0])))
    tasks = []
    for number, (client, server) in enumerate(pairs):
        tasks.append((number, Task(send_stream, client, size, number), None))
        tasks.append((number, Task(send_stream, server, size, number + 1), None))
        tasks.append((number, Task(receive_stream, server), number))
        tasks.append((number, Task(receive_stream, client), number + 1))
    for number, task, seed in tasks:
        got = task.result(250)
        if seed is not None:
            check_stream(f"connection {number}", got, size, seed)
    case.expect_mptcp(connections=count)


@scenario(roles=(("ours", "ours"),))
def many_listeners_and_idle(case):
    """Hundreds of sockets that are opened, bound, listening or connected, then all closed."""
    listener = case.listen(backlog=512)
    for _ in range(200):
        case.connect()
        case.keep(listener.accept()[0])
    for offset in range(1, 100):
        other = case.keep(case.server.new_socket())
        other.bind(("", case.port + offset))
        other.listen()
    case.expect_mptcp(connections=200)


@scenario()
def closed_before_accept(case):
    """Connections that wait in the accept queue when the listener is closed are reset."""
    listener = case.listen()
    clients = [case.connect() for _ in range(10)]
    for client in clients:
        client.sendall(b"never read")
    listener.close()
    for client in clients:
        try:
            end = client.recv(1)
        except ConnectionResetError:
            end = b""
        case.expect(end == b"", "data came from a closed listener")
