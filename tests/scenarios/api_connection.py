# SPDX-License-Identifier: GPL-2.0
"""bind, listen, accept, connect and their errors, with plain TCP as the oracle."""

import fcntl
import os
import select
import socket
import struct

from lib import libc
from lib.network import filter_packets
from lib.oracle import same_as_tcp

V6 = socket.AF_INET6
ACCEPT_FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


def socket_error(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def poll_events(sock, milliseconds=5000, events=select.POLLIN | select.POLLOUT | select.POLLRDHUP):
    poll = select.poll()
    poll.register(sock, events)
    return [event for _, event in poll.poll(milliseconds)]


def host(address):
    return address[0] if isinstance(address, tuple) else address


def black_hole(case):
    """From now on the server's host answers nothing on this case's port."""
    filter_packets(case.server.namespace, "prerouting", f"tcp dport {case.port} drop")


@same_as_tcp(at="client")
def refused(s):
    sock = s.case.keep(s.case.client.new_socket())
    address = (s.case.server.address(), s.case.port)
    s.client("connect", sock.connect, address)
    s.client("SO_ERROR", socket_error, sock)
    s.client("connect again", sock.connect, address)
    s.client("recv", sock.recv, 1)
    s.client("getpeername", sock.getpeername)


@same_as_tcp(at="client", needs_module=True)
def refused_not_blocking(s):
    sock = s.case.keep(s.case.client.new_socket())
    sock.setblocking(False)
    s.client("connect", sock.connect, (s.case.server.address(), s.case.port))
    s.client("poll", poll_events, sock)
    s.client("SO_ERROR", socket_error, sock)
    s.client("SO_ERROR again", socket_error, sock)


@same_as_tcp(at="client")
def not_blocking(s):
    listener = s.case.listen()
    sock = s.case.keep(s.case.client.new_socket())
    sock.setblocking(False)
    address = (s.case.server.address(), s.case.port)
    s.client("connect", sock.connect, address)
    s.client("poll", poll_events, sock)
    s.client("SO_ERROR", socket_error, sock)
    s.client("connect again", sock.connect, address)
    s.client("connect a third time", sock.connect, address)
    accepted = s.case.keep(listener.accept()[0])
    accepted.sendall(b"word")
    s.client("poll with data", poll_events, sock)
    s.client("recv", sock.recv, 10)


@same_as_tcp(at="client")
def no_answer_not_blocking(s):
    black_hole(s.case)
    sock = s.case.keep(s.case.client.new_socket())
    sock.setblocking(False)
    address = (s.case.server.address(), s.case.port)
    s.client("connect", sock.connect, address)
    s.client("connect again", sock.connect, address)
    s.client("send", sock.send, b"x")
    s.client("recv", sock.recv, 1)
    s.client("getpeername", sock.getpeername)
    s.client("poll", poll_events, sock, 100)
    s.case.server.namespace.run("nft", "delete", "table", "inet", "scenario")


@same_as_tcp(at="client")
def no_answer_with_timeout(s):
    black_hole(s.case)
    sock = s.case.keep(s.case.client.new_socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 0, 300000))
    s.client("connect", libc.connect, sock, s.case.server.address(), s.case.port)
    s.client("connect again", libc.connect, sock, s.case.server.address(), s.case.port)
    s.case.server.namespace.run("nft", "delete", "table", "inet", "scenario")


@same_as_tcp(at="client")
def no_route(s):
    sock = s.case.keep(s.case.client.new_socket())
    s.client("connect", sock.connect, ("203.0.113.1", 9))
    s.client("SO_ERROR", socket_error, sock)


@same_as_tcp()
def connected_twice(s):
    client, server = s.case.connect_pair()
    address = (s.case.server.address(), s.case.port)
    s.client("connect", client.connect, address)
    s.server("connect", server.connect, address)
    s.client("send", client.send, b"still alive")
    s.server("recv", server.recv, 100)


@same_as_tcp(at="client")
def bad_addresses(s):
    sock = s.case.keep(s.case.client.new_socket())
    s.client("bind of 1 byte", libc.bind_raw, sock, b"\0")
    s.client("bind of a short address", libc.bind_raw, sock, b"\2\0\0\0")
    s.client("bind of a wrong family", libc.bind_raw, sock, struct.pack("=H26x", V6))
    s.client("bind to an address not ours", sock.bind, ("203.0.113.1", 0))
    s.client("connect of 1 byte", libc.connect_raw, sock, b"\0")
    s.client("connect of a short address", libc.connect_raw, sock, b"\2\0\0\0")
    s.client("connect of a wrong family", libc.connect_raw, sock, struct.pack("=H26x", V6))
    s.client("connect of no family", libc.connect_raw, sock, struct.pack("=H14x", 0))


@same_as_tcp(at="client")
def fresh_socket(s):
    sock = s.case.keep(s.case.client.new_socket())
    s.client("getsockname", sock.getsockname)
    s.client("getpeername", sock.getpeername)
    s.client("poll", poll_events, sock)
    s.client("recv", sock.recv, 1)
    s.client("send", libc.send, sock, b"x", socket.MSG_NOSIGNAL)
    s.client("accept", sock.accept)
    s.client("shutdown", sock.shutdown, socket.SHUT_WR)
    s.client("SO_ERROR", socket_error, sock)
    s.client("SO_TYPE", sock.getsockopt, socket.SOL_SOCKET, socket.SO_TYPE)
    s.client("SO_DOMAIN", sock.getsockopt, socket.SOL_SOCKET, socket.SO_DOMAIN)
    s.client("SO_ACCEPTCONN", sock.getsockopt, socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


@same_as_tcp(at="server")
def bind_in_use(s):
    s.case.listen()
    other = s.case.keep(s.case.server.new_socket())
    s.server("bind", other.bind, ("", s.case.port))
    s.server("bind elsewhere", other.bind, ("", s.case.port + 10))
    s.server("bind twice", other.bind, ("", s.case.port + 11))
    s.server("port", lambda: other.getsockname()[1] - s.case.port)


@same_as_tcp()
def bind_over_closing(s):
    """The server has closed and the client has not: the port is taken, unless it may be shared.

    Who keeps TIME_WAIT after both have closed is not the same in MPTCP and so not compared.
    """
    client, server = s.case.connect_pair()
    server.close()
    s.client("recv", client.recv, 1)
    plain = s.case.keep(s.case.server.new_socket())
    s.server("bind", plain.bind, ("", s.case.port))
    reusing = s.case.keep(s.case.server.new_socket())
    reusing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.server("bind with SO_REUSEADDR", reusing.bind, ("", s.case.port))
    s.server("listen", reusing.listen)


@same_as_tcp(at="server")
def listen_states(s):
    sock = s.case.keep(s.case.server.new_socket())
    s.server("listen without bind", sock.listen, 1)
    s.server("has a port", lambda: sock.getsockname()[1] > 0)
    s.server("listen again", sock.listen, 5)
    s.server("SO_ACCEPTCONN", sock.getsockopt, socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    s.server("connect", sock.connect, (s.case.server.address(), s.case.port + 20))
    s.server("recv", sock.recv, 1)
    s.server("send", libc.send, sock, b"x", socket.MSG_NOSIGNAL)
    s.server("getpeername", sock.getpeername)
    s.server("poll", poll_events, sock, 0)
    sock.setblocking(False)
    s.server("accept of nothing", sock.accept)
    s.server("shutdown", sock.shutdown, socket.SHUT_RDWR)
    s.server("accept after shutdown", sock.accept)
    s.server("poll after shutdown", poll_events, sock, 0)
    s.server("listen after shutdown", sock.listen, 1)


@same_as_tcp()
def listen_on_connected(s):
    client, server = s.case.connect_pair()
    s.client("listen", client.listen, 1)
    s.server("listen", server.listen, 1)
    s.client("accept", client.accept)
    s.client("bind", client.bind, ("", s.case.port + 10))


@same_as_tcp(at="server")
def accept_flags(s):
    listener = s.case.listen()
    for flags in (0, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC, ACCEPT_FLAGS):
        s.case.connect()
        fd = libc.accept4(listener, flags)
        s.note("server", "O_NONBLOCK", bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK))
        s.note("server", "FD_CLOEXEC", fcntl.fcntl(fd, fcntl.F_GETFD))
        os.close(fd)
    s.server("bad flags", libc.accept4, listener, 1)


@same_as_tcp(at="server", needs_module=True)
def accept_timeout(s):
    listener = s.case.listen()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, 100000))
    s.server("accept", libc.accept4, listener, 0)


@same_as_tcp(at="server")
def accept_inherits(s):
    buffers = {(socket.SOL_SOCKET, socket.SO_RCVBUF): 50000, (6, socket.TCP_NODELAY): 1}
    listener = s.case.listen(before_bind=buffers)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.case.connect()
    server = s.case.keep(listener.accept()[0])
    for level, name in [*buffers, (socket.SOL_SOCKET, socket.SO_KEEPALIVE)]:
        s.server(f"option {level}/{name}", server.getsockopt, level, name)


@same_as_tcp(at="server", needs_module=True)
def accept_of_gone_client(s):
    """A client that came and reset before accept: accept still gives its socket."""
    listener = s.case.listen()
    client = s.case.connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    s.server("poll", poll_events, listener)
    server = s.case.keep(listener.accept()[0])
    s.server("recv", server.recv, 1)
    s.server("recv again", server.recv, 1)
    s.server("getpeername", server.getpeername)


@same_as_tcp()
def names_v4(s):
    client, server = s.case.connect_pair()
    record_names(s, client, server)


@same_as_tcp()
def names_v6(s):
    client, server = s.case.connect_pair(V6)
    record_names(s, client, server)


def record_names(s, client, server):
    s.client("getsockname", lambda: host(client.getsockname()))
    s.client("getpeername", lambda: host(client.getpeername()))
    s.server("getsockname", lambda: host(server.getsockname()))
    s.server("getpeername", lambda: host(server.getpeername()))
    s.client("ports agree", lambda: client.getsockname()[1] == server.getpeername()[1])
    s.server("port", lambda: server.getsockname()[1] - s.case.port)
    s.client("SO_DOMAIN", client.getsockopt, socket.SOL_SOCKET, socket.SO_DOMAIN)
    s.server("SO_DOMAIN", server.getsockopt, socket.SOL_SOCKET, socket.SO_DOMAIN)


@same_as_tcp()
def names_v4_mapped(s):
    """An IPv4 client of a dual-stack listener, and an IPv6 socket that connects to IPv4."""
    listener = s.case.listen(V6, address="::")
    plain = s.case.connect()
    one = s.case.keep(listener.accept()[0])
    record_names(s, plain, one)
    mapped = s.case.keep(s.case.client.new_socket(V6))
    target = ("::ffff:" + s.case.server.address(), s.case.port)
    s.client("connect to ::ffff:", mapped.connect, target)
    other = s.case.keep(listener.accept()[0])
    record_names(s, mapped, other)
    mapped.sendall(b"through the mapped address")
    s.server("recv", other.recv, 100)


@same_as_tcp()
def v6_only(s):
    s.case.listen(V6, address="::", before_bind={(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY): 1})
    over_v4 = s.case.keep(s.case.client.new_socket())
    s.client("connect over v4", over_v4.connect, (s.case.server.address(), s.case.port))
    over_v6 = s.case.keep(s.case.client.new_socket(V6))
    s.client("connect over v6", over_v6.connect, (s.case.server.address(V6), s.case.port))
    late = s.case.keep(s.case.server.new_socket(V6))
    s.server("default", late.getsockopt, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    late.bind(("::", 0))
    s.server("after bind", late.setsockopt, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


@same_as_tcp(at="client")
def bind_before_connect(s):
    s.case.listen()
    sock = s.case.keep(s.case.client.new_socket())
    sock.bind((s.case.client.address(), s.case.port + 100))
    sock.connect((s.case.server.address(), s.case.port))
    s.client("own name", lambda: (host(sock.getsockname()), sock.getsockname()[1] - s.case.port))


@same_as_tcp(at="server")
def backlog_full(s):
    """More clients than the backlog holds: those that fit connect, accept gives them in order."""
    listener = s.case.listen(backlog=2)
    clients = [s.case.connect() for _ in range(3)]
    for number, client in enumerate(clients):
        client.sendall(bytes([number]))
    for _ in clients:
        accepted = s.case.keep(listener.accept()[0])
        s.server("recv", accepted.recv, 10)
