# SPDX-License-Identifier: GPL-2.0
"""poll and epoll, level and edge; plain TCP is the oracle."""

import select
import socket
import struct

from lib.events import fill, poll_now, wait_for, wait_until
from lib.oracle import same_as_tcp

DONTWAIT = socket.MSG_DONTWAIT
IN, OUT, RDHUP, HUP = select.POLLIN, select.POLLOUT, select.POLLRDHUP, select.POLLHUP
EDGE = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


def drain(sock):
    """Reads until nothing is there, which is always reached."""
    try:
        while sock.recv(1 << 20, DONTWAIT):
            pass
    except BlockingIOError:
        pass
    return True


def watch(s, sock, events):
    watcher = s.case.keep(select.epoll())
    watcher.register(sock, events)
    return watcher


def happened(watcher, seconds=0.0):
    return [event for _, event in watcher.poll(seconds)]


@same_as_tcp(at="server")
def listener(s):
    sock = s.case.listen()
    s.server("idle", poll_now, sock)
    s.case.connect()
    s.server("client waits", wait_for, sock, IN)
    s.case.keep(sock.accept()[0])
    s.server("accepted", poll_now, sock)


@same_as_tcp()
def data(s):
    client, server = s.case.connect_pair()
    s.client("idle", poll_now, client)
    s.server("idle", poll_now, server)
    client.sendall(b"data")
    s.server("data waits", wait_for, server, IN)
    server.recv(2)
    s.server("part was read", poll_now, server)
    server.recv(2)
    s.server("all was read", poll_now, server)


@same_as_tcp(at="server")
def low_water_mark(s):
    client, server = s.case.connect_pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 10)
    client.sendall(b"12345")
    s.server("below the mark", poll_now, server, IN, 200)
    client.sendall(b"67890")
    s.server("at the mark", wait_for, server, IN)


@same_as_tcp()
def peer_shutdown(s):
    client, server = s.case.connect_pair()
    client.shutdown(socket.SHUT_WR)
    s.server("peer ended", wait_for, server, RDHUP)
    s.client("own half ended", poll_now, client)
    server.shutdown(socket.SHUT_WR)
    s.server("both ended", wait_for, server, HUP)
    s.client("both ended", wait_for, client, HUP)


@same_as_tcp()
def own_shutdown(s):
    client, server = s.case.connect_pair()
    client.shutdown(socket.SHUT_RD)
    s.client("no reading", poll_now, client)
    client.shutdown(socket.SHUT_WR)
    s.client("nothing", poll_now, client)
    s.server("peer ended", wait_for, server, RDHUP)


@same_as_tcp(at="client", needs_module=True)
def reset(s):
    client, server = s.case.connect_pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    s.client("after reset", wait_for, client, HUP)
    client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    s.client("after the error was read", poll_now, client)


@same_as_tcp(at="client")
def full_send_buffer(s):
    client, server = s.case.connect_pair()
    fill(client)
    s.client("full", poll_now, client, OUT)
    wait_until(lambda: drain(server) and poll_now(client, OUT), "room after the peer read")
    s.client("room again", poll_now, client, OUT)


@same_as_tcp(at="server")
def epoll_level(s):
    client, server = s.case.connect_pair()
    watcher = watch(s, server, select.EPOLLIN)
    s.server("idle", happened, watcher)
    client.sendall(b"xy")
    s.server("data", happened, watcher, 10)
    s.server("still data", happened, watcher)
    server.recv(10)
    s.server("read", happened, watcher)
    client.shutdown(socket.SHUT_WR)
    s.server("end", happened, watcher, 10)
    s.server("still the end", happened, watcher)


@same_as_tcp(at="server")
def epoll_edge(s):
    client, server = s.case.connect_pair()
    watcher = watch(s, server, EDGE)
    s.server("first", happened, watcher)
    s.server("nothing new", happened, watcher)
    client.sendall(b"one")
    s.server("data", happened, watcher, 10)
    s.server("told already", happened, watcher)
    client.sendall(b"two")
    s.server("more data", happened, watcher, 10)
    s.server("told already again", happened, watcher)
    client.shutdown(socket.SHUT_WR)
    s.server("end", happened, watcher, 10)


@same_as_tcp(at="client")
def epoll_edge_room(s):
    client, server = s.case.connect_pair()
    fill(client)
    watcher = watch(s, client, select.EPOLLOUT | select.EPOLLET)
    s.client("full", happened, watcher)
    wait_until(lambda: drain(server) and happened(watcher), "edge of room")


@same_as_tcp(at="server")
def epoll_one_shot(s):
    client, server = s.case.connect_pair()
    watcher = watch(s, server, select.EPOLLIN | select.EPOLLONESHOT)
    client.sendall(b"x")
    s.server("once", happened, watcher, 10)
    s.server("no more", happened, watcher)
    watcher.modify(server, select.EPOLLIN | select.EPOLLONESHOT)
    s.server("armed again", happened, watcher)


@same_as_tcp(at="client")
def epoll_connecting(s):
    """The edge of a connection that completes while it is watched."""
    s.case.listen()
    client = s.case.keep(s.case.client.new_socket())
    client.setblocking(False)
    watcher = watch(s, client, EDGE)
    s.client("not connected", happened, watcher)
    s.client("connect", client.connect, (s.case.server.address(), s.case.port))
    s.client("connected", happened, watcher, 10)
    s.client("connected once", happened, watcher)
