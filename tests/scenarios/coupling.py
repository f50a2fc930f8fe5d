# SPDX-License-Identifier: GPL-2.0
"""Coupled congestion control over two subflows: how much they take together."""

import ctypes
import socket
import struct
import threading
import time
from dataclasses import dataclass

from lib import libc
from lib.case import Case
from lib.events import wait_until
from lib.info import SOL_MPTCP, TCPINFO
from lib.network import LINK
from lib.path_manager import SUBFLOW, PathManager
from lib.registry import scenario
from lib.transfer import Task, receive_exactly
from scenarios.congestion import connect

# The client opens the second subflow.
BUILTIN_CLIENT = (("builtin", "ours"),)
LOSS_BASED = ("lia", "olia", "balia")
SO_SNDBUFFORCE = 32
# TCP_CA_Open, and the slow-start threshold before any loss.
OPEN, UNLIMITED = 0, 0x7FFFFFFF
HEAD, ROOM = struct.Struct("=IIII"), 104


@dataclass(frozen=True)
class Window:
    """What TCP_INFO says of a subflow; the round-trip time is in seconds."""

    state: int
    rtt: float
    ssthresh: int
    cwnd: int

    @property
    def avoids_congestion(self) -> bool:
        """Slow start is over, and nothing is being recovered."""
        return self.state == OPEN and self.cwnd >= self.ssthresh and self.ssthresh < UNLIMITED


def windows(sock: socket.socket) -> list[Window]:
    """Those of all subflows (MPTCP_TCPINFO)."""
    head = HEAD.pack(HEAD.size, 0, 0, ROOM)
    buffer = ctypes.create_string_buffer(head + bytes(4 * ROOM), HEAD.size + 4 * ROOM)
    length = ctypes.c_int(len(buffer))
    libc.getsockopt(sock, SOL_MPTCP, TCPINFO, buffer, length)
    found = []
    for at in range(HEAD.size, length.value, ROOM):
        raw = buffer.raw[at : at + ROOM]
        rtt, _, ssthresh, cwnd = struct.unpack_from("=IIII", raw, 68)
        found.append(Window(raw[1], rtt / 1e6, ssthresh, cwnd))
    return found


class Download:
    """Data from the server to the client until it is stopped."""

    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server
        self.received = 0
        self._stop = threading.Event()
        self._tasks = Task(self._send), Task(self._receive)

    def _send(self) -> None:
        while not self._stop.is_set():
            self.server.sendall(bytes(16384))
        self.server.shutdown(socket.SHUT_WR)

    def _receive(self) -> None:
        while part := self.client.recv(1 << 20):
            self.received += len(part)

    def stop(self) -> None:
        """Ends it, and waits until all that was sent has arrived."""
        self._stop.set()
        for task in self._tasks:
            task.result(30)


def open_second_paths(case: Case, address: str, device: str) -> None:
    """Lets the client open a subflow of each connection from this address too."""
    for end in case.ends:
        with PathManager(end.namespace, end.stack) as manager:
            manager.limits(0, 1)
            if end is case.client:
                manager.add(address, SUBFLOW, interface=interface_of(case, device))


def interface_of(case: Case, device: str) -> int:
    """The number of a device of the client."""
    with case.client.namespace:
        return socket.if_nametoindex(device)


def connect_all(case: Case, names) -> dict[str, tuple[socket.socket, socket.socket]]:
    """A connection of two subflows for each algorithm."""
    pairs = {}
    for name in names:
        client, server = pairs[name] = connect(case, name, joinable=True)
        server.sendall(b"hello")
        receive_exactly(client, 5)
        case.port += 1
    for name, (_, server) in pairs.items():
        wait_until(lambda: len(windows(server)) == 2, f"the second subflow of {name}")
    return pairs


def growth_between(before: list[Window], after: list[Window], seconds: float) -> float | None:
    """By how many segments each round trip all windows together grew; None if one began anew meanwhile."""
    pairs = list(zip(before, after, strict=True))
    if any(old.ssthresh != new.ssthresh for old, new in pairs):
        return None
    if not all(window.avoids_congestion for window in (*before, *after)):
        return None
    return sum((new.cwnd - old.cwnd) * (old.rtt + new.rtt) / 2 / seconds for old, new in pairs)


@scenario(roles=BUILTIN_CLIENT, needs_module=True, limit=240, plain=True)
def grow_together(case):
    """Beyond slow start two subflows over one path grow by less than a segment each round trip, together,
    where a TCP grows by one and two TCPs by two."""
    for end in case.ends:
        end.namespace.sysctl("net.ipv4.tcp_rmem", "4096 1048576 6291456")
        end.namespace.sysctl("net.ipv4.tcp_wmem", "4096 1048576 4194304")
    case.client.namespace.run("ip", "addr", "add", "10.0.1.3/24", "dev", LINK)
    open_second_paths(case, "10.0.1.3", LINK)
    pairs = connect_all(case, ("reno", *LOSS_BASED))
    case.network.netem("delay", "50ms", "limit", "20000", "loss", "5%")
    downloads = [Download(client, server) for client, server in pairs.values()]
    time.sleep(2)
    case.network.netem("delay", "50ms", "limit", "20000", "loss", "0%")

    def recovered() -> bool:
        found = [window for _, server in pairs.values() for window in windows(server)]
        return all(window.avoids_congestion for window in found)

    wait_until(recovered, "the end of slow start and recovery", 30)
    growth = {}
    for _ in range(12):
        start = time.monotonic()
        before = {name: windows(server) for name, (_, server) in pairs.items()}
        time.sleep(2)
        for name, (_, server) in pairs.items():
            grown = growth_between(before[name], windows(server), time.monotonic() - start)
            if grown is not None:
                growth.setdefault(name, grown)
        if len(growth) == len(pairs):
            break
    for download in downloads:
        download.stop()
    case.expect(len(growth) == len(pairs), f"some never grew undisturbed: {growth}")
    case.expect(growth["reno"] > 1.3, f"not coupled, they grow only by {growth['reno']:.2f}: {growth}")
    for name in LOSS_BASED:
        case.expect(0.1 < growth[name] < 1.2, f"{name}: they grow by {growth[name]:.2f}: {growth}")


def sent_by(namespace, device: str) -> int:
    """Bytes that a device has sent."""
    text = namespace.read("/proc/thread-self/net/dev")
    line = next(line for line in text.splitlines() if line.strip().startswith(f"{device}:"))
    return int(line.split(":")[1].split()[8])


@scenario(
    roles=BUILTIN_CLIENT,
    variants={name: (name,) for name in (*LOSS_BASED, "wvegas")},
    needs_module=True,
    plain=True,
)
def two_links(case, name):
    """Two links that nobody else uses: both carry a good part of a stream that always has data waiting.

    Without data that waits the scheduler rightly keeps to the faster link. So neither buffer may be the limit:
    the one of the sender has room for more than both links hold, from the start.
    """
    second, megabits = "veth1", 8
    peer = case.server.namespace
    case.client.namespace.run(
        "ip", "link", "add", second, "type", "veth", "peer", "name", second, "netns", peer.path
    )
    for namespace, last in ((case.client.namespace, 1), (peer, 2)):
        namespace.run("ip", "addr", "add", f"10.0.2.{last}/24", "dev", second)
        namespace.run("ip", "link", "set", second, "up")
        namespace.sysctl("net.ipv4.tcp_rmem", "4096 1048576 6291456")
    # The server is reached at its one address by both links.
    case.client.namespace.run(
        "ip", "route", "add", "10.0.1.0/24", "dev", second, "src", "10.0.2.1", "metric", "100"
    )
    shape = ("netem", "delay", "10ms", "rate", f"{megabits}mbit", "limit", "40")
    for namespace in case.network.ends:
        for device in (LINK, second):
            namespace.run("tc", "qdisc", "replace", "dev", device, "root", *shape)
    open_second_paths(case, "10.0.2.1", second)
    ((client, server),) = connect_all(case, (name,)).values()
    server.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20)
    download = Download(client, server)

    def sent() -> list[int]:
        return [sent_by(peer, device) for device in (LINK, second)]

    # By amounts, not by time: an emulated machine stands still now and then.
    before = sent()
    wait_until(lambda: sum(sent()) - sum(before) > 4 << 20, "the first four megabytes", 60)
    before = sent()
    wait_until(lambda: sum(sent()) - sum(before) > 8 << 20, "the next eight megabytes", 60)
    carried = [new - old for old, new in zip(before, sent(), strict=True)]
    download.stop()
    share = min(carried) / sum(carried)
    case.expect(share > 0.2, f"the links carried {carried} bytes")
