# SPDX-License-Identifier: GPL-2.0
"""How much memory a connection keeps for its peer's data."""

import socket
import struct
import time
from dataclasses import dataclass

from lib.case import Case
from lib.network import LINK
from lib.oracle import ROLES
from lib.registry import scenario
from lib.stack import TCP
from lib.transfer import Task, content, receive_exactly

SO_RCVBUFFORCE = 33
SO_MEMINFO = 55


@dataclass
class Memory:
    """What a socket's receive queue keeps, and its limit, in bytes."""

    used: int
    limit: int


def memory_of(sock: socket.socket) -> Memory:
    """The receive side of SO_MEMINFO."""
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
    return Memory(*struct.unpack_from("=2I", raw))


def send_single_bytes(sock: socket.socket, data: bytes) -> None:
    """One send for each byte."""
    view = memoryview(data)
    for at in range(len(view)):
        sock.send(view[at : at + 1])


def packets_received(case: Case) -> int:
    """Packets that came to the server over the link."""
    text = case.server.namespace.read("/proc/thread-self/net/dev")
    line = next(line for line in text.splitlines() if line.strip().startswith(LINK))
    return int(line.split(":")[1].split()[1])


@dataclass
class Flood:
    """What a flood of single bytes did to a receiver that slept."""

    peak: Memory
    bytes_a_packet: float
    left_over: int


def flood(case: Case, size: int, buffer: int) -> Flood:
    """Sends `size` bytes in segments of their own to a sleeping reader, who then reads them all."""
    listener = case.listen(before_bind={(socket.SOL_SOCKET, SO_RCVBUFFORCE): buffer})
    client = case.connect()
    server = case.keep(listener.accept()[0])
    listener.close()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Without it the sender would wait for acknowledgements and gather bytes meanwhile.
    case.server.namespace.run("ip", "route", "change", "10.0.1.0/24", "dev", LINK, "quickack", "1")
    data = content(size)
    before = packets_received(case)
    writer = Task(send_single_bytes, client, data)
    peak = memory_of(server)
    while writer.is_alive():
        time.sleep(0.02)
        now = memory_of(server)
        peak = max(peak, now, key=lambda memory: memory.used)
    writer.result()
    packets = packets_received(case) - before
    case.expect(receive_exactly(server, size) == data, "the bytes arrived differently")
    return Flood(peak, size / max(packets, 1), memory_of(server).used)


@scenario(limit=300, roles=ROLES["server"])
def single_bytes_to_a_sleeper(case):
    """Segments of one byte each keep no more memory than the buffer's limit and one packet, as with TCP."""
    size = case.size(stock=100_000, test=8_000, brief=8_000)
    buffer = case.size(stock=200_000, test=16_000, brief=16_000)
    reference = flood(Case(TCP, TCP, case.kernel, case.network, case.port - 1), size, buffer)
    seen = flood(case, size, buffer)
    case.notes.append(f"TCP {reference}, ours {seen}")
    case.expect(seen.bytes_a_packet < 2, f"the sender gathered bytes: {seen}")
    case.expect(seen.peak.limit == reference.peak.limit, f"{seen}, with TCP {reference}")
    largest = max(reference.peak.used, seen.peak.limit) + 4096
    case.expect(seen.peak.used <= largest, f"too much memory: {seen}, with TCP {reference}")
    case.expect(seen.left_over == 0, f"memory is left charged: {seen}")
    case.expect_mptcp()


@scenario(roles=(*ROLES["server"], ("tcp", "ours")), needs_module=True)
def buffer_that_shrinks(case):
    """The buffer becomes smaller than what the window promised: data waits with TCP and none is lost."""
    client, server = case.connect_pair()
    data = content(60_000)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    writer = Task(send_pieces, client, data, 500)
    time.sleep(2)
    held = memory_of(server)
    case.expect(held.used <= held.limit + 4096, f"too much memory: {held}")
    case.expect_counter(case.server, "RcvBufferFull")
    case.expect(receive_exactly(server, len(data)) == data, "the bytes arrived differently")
    writer.result(30)
    case.expect(memory_of(server).used == 0, f"memory is left charged: {memory_of(server)}")


def send_pieces(sock: socket.socket, data: bytes, size: int) -> None:
    """Pieces of `size` bytes, each at once."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(data), size):
        sock.sendall(data[at : at + size])
