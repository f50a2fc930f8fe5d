# SPDX-License-Identifier: GPL-2.0
"""getsockopt(SOL_MPTCP): the kernel's own MPTCP is the oracle, in the same situation."""

import ctypes
import socket
import struct
import time

from lib import libc
from lib.info import (
    FULL_INFO,
    INFO_SIZE,
    MPTCP_INFO,
    SOL_MPTCP,
    SUBFLOW_ADDRS,
    TCPINFO,
    read_fields,
)
from lib.network import filter_packets
from lib.oracle import same_as_builtin
from lib.transfer import Task, content, receive_exactly

# What a path manager would fill in, what differs from run to run, and what depends on the host's load.
LEFT_OUT = {
    "subflows_max",
    "add_addr_signal_max",
    "add_addr_accepted_max",
    "local_addr_max",
    "endp_laminar_max",
    "endp_fullmesh_max",
    "token",
    "retransmits",
    "bytes_retrans",
}
POSITIONS = ("write_seq", "snd_una", "rcv_nxt")
MOMENTS = ("last_data_sent", "last_data_recv", "last_ack_recv")
HEAD = struct.Struct("=4I")
FULL_HEAD = struct.Struct("=6IQQ")


def settle(sock) -> None:
    """Waits until all that was sent is acknowledged."""
    for _ in range(100):
        fields = read_fields(sock)
        if fields["write_seq"] == fields["snd_una"]:
            return
        time.sleep(0.05)


def note_info(s, end: str, where: str, sock, base=None) -> None:
    """MPTCP_INFO field by field, sequence numbers relative to those of `base`."""
    fields = read_fields(sock)
    for name, value in fields.items():
        if name in MOMENTS:
            value = value < 60_000
        elif name in POSITIONS:
            value = value != 0 if base is None else value - base[name]
        if name not in LEFT_OUT:
            s.note(end, f"{where}: {name}", value)


def carry(sender, receiver, size: int) -> None:
    """Sends so many bytes, all of which arrive."""
    task = Task(sender.sendall, content(size))
    if receive_exactly(receiver, size) != content(size):
        raise AssertionError("the bytes arrived differently")
    task.result(60)


@same_as_builtin(plain=True)
def connection(s):
    """MPTCP_INFO of both ends, from the handshake to the end of both streams."""
    client, server = s.case.connect_pair()
    # The peer's first acknowledgement says that it is there.
    carry(client, server, 1)
    carry(server, client, 1)
    ends = (("client", client), ("server", server))
    base = {}
    resent = {end.name: end.counter("MPTCPRetrans") for end in s.case.ends}
    for end, sock in ends:
        settle(sock)
        base[end] = read_fields(sock)
        note_info(s, end, "established", sock)
        s.note(end, "it has a token", base[end]["token"] != 0)
    carry(client, server, 300_000)
    carry(server, client, 200_000)
    for end, sock in ends:
        settle(sock)
        note_info(s, end, "after data", sock, base[end])
    client.shutdown(socket.SHUT_WR)
    s.server("recv at the end", server.recv, 1)
    settle(client)
    for (end, sock), where in zip(ends, s.case.ends, strict=True):
        note_info(s, end, "half closed", sock, base[end])
        again = where.counter("MPTCPRetrans") > resent[end]
        s.note(end, "bytes_retrans", (read_fields(sock)["bytes_retrans"] > 0) == again)


@same_as_builtin(plain=True)
def checksum_is_told(s):
    for end in s.case.ends:
        end.set_checksum(True)
    client, server = s.case.connect_pair()
    for end, sock in (("client", client), ("server", server)):
        s.note(end, "csum_enabled", read_fields(sock)["csum_enabled"])


@same_as_builtin(plain=True)
def moments(s):
    """The times since something happened grow while nothing does."""
    client, server = s.case.connect_pair()
    carry(client, server, 1000)
    carry(server, client, 1000)
    time.sleep(2)
    for end, sock in (("client", client), ("server", server)):
        fields = read_fields(sock)
        for name in MOMENTS:
            s.note(end, name, 1500 < fields[name] < 60_000)


@same_as_builtin(plain=True)
def before_the_connection(s):
    """A fresh socket and a listening one."""
    fresh = s.case.keep(s.case.client.new_socket())
    note_info(s, "client", "fresh", fresh)
    listener = s.case.listen()
    note_info(s, "server", "listening", listener)


def get(sock, name: int, before: bytes, room: int | None = None):
    """getsockopt into a buffer that holds `before`: the length and the buffer afterwards."""
    buffer = ctypes.create_string_buffer(before, len(before))
    length = ctypes.c_int(len(before) if room is None else room)
    libc.getsockopt(sock, SOL_MPTCP, name, buffer, length)
    return length.value, buffer.raw


@same_as_builtin(plain=True)
def info_lengths(s):
    """MPTCP_INFO for callers with little room, none, too much, and a negative number."""
    client, server = s.case.connect_pair()
    for end, sock in (("client", client), ("server", server)):
        for room in (0, 1, 7, 12, INFO_SIZE - 1, INFO_SIZE, INFO_SIZE + 50):
            s.see(end, f"{room} bytes", lambda: get(sock, MPTCP_INFO, b"\xee" * 300, room)[0])
        s.see(end, "-1 bytes", lambda: get(sock, MPTCP_INFO, b"\xee" * 300, -1)[0])
        s.see(
            end,
            "what is behind stays",
            lambda: get(sock, MPTCP_INFO, b"\xee" * 300, 20)[1][20:] == b"\xee" * 280,
        )


LISTS = [
    # room, size_subflow_data, num_subflows, size_kernel, size_user
    (0, 0, 0, 0, 0),
    (15, 16, 0, 0, 8),
    (16, 16, 0, 0, 8),
    (16, 15, 0, 0, 8),
    (16, 17, 0, 0, 8),
    (24, 16, 0, 0, 8),
    (23, 16, 0, 0, 8),
    (400, 16, 0, 0, 8),
    (400, 32, 0, 0, 8),
    (1000, 16, 0, 0, 0),
    (1000, 16, 0, 0, 900),
    (1000, 16, 1, 0, 8),
    (1000, 16, 0, 1, 8),
    (1000, 1 << 31, 0, 0, 8),
    (1000, 16, 0, 0, 1 << 31),
]


@same_as_builtin(plain=True)
def lists_of_subflows(s):
    """MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS: lengths, heads and refusals."""
    client, server = s.case.connect_pair()
    for end, sock in (("client", client), ("server", server)):
        for option in (TCPINFO, SUBFLOW_ADDRS):
            for room, *head in LISTS:
                before = (HEAD.pack(*head) + b"\xee" * 1000)[:1000]

                def ask():
                    length, after = get(sock, option, before, room)
                    # What TCP says about itself differs: its first bytes are state and the like.
                    return length, HEAD.unpack(after[:16]), after[length : length + 8]

                s.see(end, f"option {option}, {room} bytes, head {head}", ask)
        one_byte = HEAD.pack(16, 0, 0, 1) + b"\xee"
        s.see(end, "state of the subflow", lambda: get(sock, TCPINFO, one_byte)[1][16])
        s.see(end, "an unknown option", get, sock, 99, b"\xee" * 100)
        s.see(end, "set MPTCP_INFO", sock.setsockopt, SOL_MPTCP, MPTCP_INFO, b"\0" * 100)
        s.see(end, "set an unknown option", sock.setsockopt, SOL_MPTCP, 99, 1)


def parse_address(raw: bytes, known_port: int):
    """Family, address, and whether the port is the known one and anything follows."""
    (family,) = struct.unpack_from("=H", raw)
    (port,) = struct.unpack_from("!H", raw, 2)
    at, length = (4, 4) if family == socket.AF_INET else (8, 16)
    rest = raw[at + length :]
    text = socket.inet_ntop(family, raw[at : at + length])
    return family, text, port == known_port, any(rest)


def addresses(s, family):
    client, _ = s.case.connect_pair(family)
    raw = get(client, SUBFLOW_ADDRS, HEAD.pack(16, 0, 0, 256) + b"\xee" * 256)[1]
    s.note("client", "local", parse_address(raw[16:144], s.case.port))
    s.note("client", "remote", parse_address(raw[144:272], s.case.port))


@same_as_builtin(at="client", plain=True)
def addresses_v4(s):
    addresses(s, socket.AF_INET)


@same_as_builtin(at="client", plain=True)
def addresses_v6(s):
    addresses(s, socket.AF_INET6)


FULL = [
    # room, tcpinfo_kernel, tcpinfo_user, sfinfo_kernel, sfinfo_user, num_subflows, size_arrays
    (0, 0, 8, 0, 8, 0, 1),
    (39, 0, 8, 0, 8, 0, 1),
    (40, 0, 8, 0, 8, 0, 1),
    (50, 0, 8, 0, 8, 0, 1),
    (300, 0, 8, 0, 8, 0, 1),
    (300, 0, 8, 0, 900, 0, 4),
    (300, 0, 900, 0, 8, 0, 4),
    (300, 0, 0, 0, 0, 0, 4),
    (300, 0, 8, 0, 8, 0, 0),
    (300, 1, 8, 0, 8, 0, 1),
    (300, 0, 8, 1, 8, 0, 1),
    (300, 0, 8, 0, 8, 1, 1),
    (300, 0, 1 << 31, 0, 8, 0, 1),
    (300, 0, 8, 0, 1 << 31, 0, 1),
]


@same_as_builtin(plain=True)
def everything(s):
    """MPTCP_FULL_INFO: heads, arrays at other addresses, refusals."""
    client, server = s.case.connect_pair()
    for end, sock in (("client", client), ("server", server)):
        for room, *sizes in FULL:
            about = ctypes.create_string_buffer(b"\xee" * 1000, 1000)
            tcp = ctypes.create_string_buffer(b"\xee" * 1000, 1000)
            places = (ctypes.addressof(about), ctypes.addressof(tcp))
            before = FULL_HEAD.pack(*sizes, *places) + b"\xee" * 300

            def ask():
                length, after = get(sock, FULL_INFO, before, room)
                head = FULL_HEAD.unpack(after[:40])
                written = [len(part.raw.rstrip(b"\xee")) for part in (about, tcp)]
                return length, head[:6], about.raw[:8], tcp.raw[:1], written[0]

            s.see(end, f"{room} bytes, {sizes}", ask)
        bad = FULL_HEAD.pack(0, 8, 0, 8, 0, 1, 8, 8) + b"\xee" * 300
        s.see(end, "arrays nowhere", get, sock, FULL_INFO, bad)


@same_as_builtin(at="client", plain=True)
def after_a_fallback(s):
    """A connection that is plain TCP answers no MPTCP option; programs ask for that."""
    filter_packets(
        s.case.server.namespace, "prerouting", "tcp flags & (syn|ack) == syn reset tcp option 30"
    )
    client, _ = s.case.connect_pair()
    for option in (MPTCP_INFO, TCPINFO, SUBFLOW_ADDRS, FULL_INFO):
        s.client(f"option {option}", get, client, option, b"\0" * 300)
    s.client("MPTCP_INFO without room", get, client, MPTCP_INFO, b"", 0)
