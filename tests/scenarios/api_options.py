# SPDX-License-Identifier: GPL-2.0
"""Socket options set and read before and after the connection; plain TCP is the oracle."""

import socket
import struct

from lib import libc
from lib.oracle import same_as_tcp

SOL, TCP, IP, IPV6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
SO_SNDBUFFORCE = 32


def set_and_read(s, options):
    """Each option on a fresh socket, on a connected one and on an accepted one."""
    fresh = s.case.keep(s.case.client.new_socket())
    client, server = s.case.connect_pair()
    for name, level, option, value in options:
        for end, where, sock in (
            ("client", "fresh", fresh),
            ("client", "connected", client),
            ("server", "accepted", server),
        ):
            room = [len(value)] if isinstance(value, bytes) else []
            s.see(end, f"set {name} ({where})", sock.setsockopt, level, option, value)
            s.see(end, f"get {name} ({where})", sock.getsockopt, level, option, *room)


@same_as_tcp(needs_module=True, plain=True)
def buffers(s):
    set_and_read(
        s,
        [
            ("SO_SNDBUF", SOL, socket.SO_SNDBUF, 40000),
            ("SO_RCVBUF", SOL, socket.SO_RCVBUF, 40000),
            ("tiny SO_SNDBUF", SOL, socket.SO_SNDBUF, 1),
            ("tiny SO_RCVBUF", SOL, socket.SO_RCVBUF, 1),
            ("huge SO_SNDBUF", SOL, socket.SO_SNDBUF, 1 << 30),
            ("huge SO_RCVBUF", SOL, socket.SO_RCVBUF, 1 << 30),
            ("SO_SNDBUFFORCE", SOL, SO_SNDBUFFORCE, 9999999),
            ("SO_RCVLOWAT", SOL, socket.SO_RCVLOWAT, 100),
            ("SO_SNDLOWAT", SOL, socket.SO_SNDLOWAT, 100),
        ],
    )


@same_as_tcp(plain=True)
def buffers_still_carry(s):
    """A connection whose buffers were made tiny after the handshake still delivers."""
    client, server = s.case.connect_pair()
    client.setsockopt(SOL, socket.SO_SNDBUF, 1)
    server.setsockopt(SOL, socket.SO_RCVBUF, 1)
    s.client("sent", client.send, b"x" * 100)
    s.server("received", server.recv, 100, socket.MSG_WAITALL)


@same_as_tcp(needs_module=True, plain=True)
def generic(s):
    set_and_read(
        s,
        [
            ("SO_LINGER", SOL, socket.SO_LINGER, struct.pack("ii", 1, 7)),
            ("SO_KEEPALIVE", SOL, socket.SO_KEEPALIVE, 1),
            ("SO_REUSEADDR", SOL, socket.SO_REUSEADDR, 1),
            ("SO_REUSEPORT", SOL, socket.SO_REUSEPORT, 1),
            ("SO_PRIORITY", SOL, socket.SO_PRIORITY, 3),
            ("SO_MARK", SOL, socket.SO_MARK, 5),
            ("SO_RCVTIMEO", SOL, socket.SO_RCVTIMEO, struct.pack("ll", 1, 500000)),
            ("SO_SNDTIMEO", SOL, socket.SO_SNDTIMEO, struct.pack("ll", 2, 0)),
            ("SO_ERROR", SOL, socket.SO_ERROR, 0),
            ("an unknown one", SOL, 9999, 1),
            ("a short SO_LINGER", SOL, socket.SO_LINGER, b"\0\0\0\0"),
            ("a short SO_RCVBUF", SOL, socket.SO_RCVBUF, b"\0\0"),
        ],
    )


@same_as_tcp(plain=True)
def nagle(s):
    set_and_read(
        s,
        [
            ("TCP_NODELAY", TCP, socket.TCP_NODELAY, 1),
            ("TCP_CORK", TCP, socket.TCP_CORK, 1),
            ("TCP_CORK off", TCP, socket.TCP_CORK, 0),
            ("TCP_NODELAY off", TCP, socket.TCP_NODELAY, 0),
            ("a short TCP_NODELAY", TCP, socket.TCP_NODELAY, b"\0"),
        ],
    )


@same_as_tcp(at="client", plain=True)
def segment_size(s):
    """TCP_MAXSEG before the connection; afterwards ours is smaller by the room for options."""
    sock = s.case.keep(s.case.client.new_socket())
    s.client("default", sock.getsockopt, TCP, socket.TCP_MAXSEG)
    s.client("set", sock.setsockopt, TCP, socket.TCP_MAXSEG, 1000)
    s.client("get", sock.getsockopt, TCP, socket.TCP_MAXSEG)
    s.client("set too small", sock.setsockopt, TCP, socket.TCP_MAXSEG, 1)
    s.client("set too large", sock.setsockopt, TCP, socket.TCP_MAXSEG, 70000)
    s.case.listen()
    sock.connect((s.case.server.address(), s.case.port))
    s.client("is obeyed", lambda: 900 < sock.getsockopt(TCP, socket.TCP_MAXSEG) <= 1000)


@same_as_tcp(needs_module=True, plain=True)
def keepalive(s):
    set_and_read(
        s,
        [
            ("TCP_KEEPIDLE", TCP, socket.TCP_KEEPIDLE, 100),
            ("TCP_KEEPINTVL", TCP, socket.TCP_KEEPINTVL, 10),
            ("TCP_KEEPCNT", TCP, socket.TCP_KEEPCNT, 5),
            ("TCP_KEEPIDLE of 0", TCP, socket.TCP_KEEPIDLE, 0),
            ("TCP_KEEPCNT of 1000", TCP, socket.TCP_KEEPCNT, 1000),
        ],
    )


@same_as_tcp(needs_module=True, plain=True)
def rest_of_tcp(s):
    set_and_read(
        s,
        [
            ("TCP_SYNCNT", TCP, socket.TCP_SYNCNT, 3),
            ("TCP_LINGER2", TCP, socket.TCP_LINGER2, 10),
            ("TCP_DEFER_ACCEPT", TCP, socket.TCP_DEFER_ACCEPT, 1),
            ("TCP_USER_TIMEOUT", TCP, socket.TCP_USER_TIMEOUT, 5000),
            ("TCP_NOTSENT_LOWAT", TCP, socket.TCP_NOTSENT_LOWAT, 20000),
            ("TCP_QUICKACK", TCP, socket.TCP_QUICKACK, 1),
            ("an unknown one", TCP, 9999, 1),
        ],
    )


@same_as_tcp(plain=True)
def congestion_control(s):
    client, server = s.case.connect_pair()
    for end, sock in (("client", client), ("server", server)):
        s.see(end, "read", sock.getsockopt, TCP, socket.TCP_CONGESTION, 16)
        s.see(end, "set reno", sock.setsockopt, TCP, socket.TCP_CONGESTION, b"reno")
        s.see(end, "read again", sock.getsockopt, TCP, socket.TCP_CONGESTION, 16)
        s.see(end, "set nonsense", sock.setsockopt, TCP, socket.TCP_CONGESTION, b"nonsense")


@same_as_tcp(plain=True)
def tcp_info_state(s):
    """TCP_INFO names the state of the connection in its first byte."""
    client, server = s.case.connect_pair()
    s.client("established", lambda: client.getsockopt(TCP, socket.TCP_INFO, 8)[0])
    s.server("established", lambda: server.getsockopt(TCP, socket.TCP_INFO, 8)[0])


@same_as_tcp(needs_module=True, plain=True)
def ip_level(s):
    set_and_read(
        s,
        [
            ("IP_TOS", IP, socket.IP_TOS, 0x10),
            ("an unknown one", IP, 9999, 1),
        ],
    )


@same_as_tcp(needs_module=True, plain=True)
def ip_level_of_accepted_v6(s):
    client, server = s.case.connect_pair(socket.AF_INET6)
    for end, sock in (("client", client), ("server", server)):
        s.see(end, "set IPV6_TCLASS", sock.setsockopt, IPV6, socket.IPV6_TCLASS, 0x20)
        s.see(end, "IPV6_TCLASS", sock.getsockopt, IPV6, socket.IPV6_TCLASS)
        s.see(end, "IPV6_V6ONLY", sock.getsockopt, IPV6, socket.IPV6_V6ONLY)


@same_as_tcp(at="client", plain=True)
def wrong_levels(s):
    client, _ = s.case.connect_pair()
    s.client("set at level 12345", client.setsockopt, 12345, 1, 1)
    s.client("get at level 12345", client.getsockopt, 12345, 1)
    s.client("get SO_TYPE of 1 byte", lambda: len(client.getsockopt(SOL, socket.SO_TYPE, 1)))
    s.client("send to see it lives", libc.send, client, b"x")


@same_as_tcp(plain=True)
def dup_and_fork_share(s):
    """A duplicate of the socket keeps the connection open; the last close ends it."""
    client, server = s.case.connect_pair()
    copy = s.case.keep(client.dup())
    client.close()
    s.client("send on the copy", copy.send, b"alive")
    s.server("recv", server.recv, 100)
    copy.close()
    s.server("recv at the end", server.recv, 100)
