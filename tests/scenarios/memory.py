# SPDX-License-Identifier: GPL-2.0
"""How much memory a connection keeps for its peer's data."""

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from lib.case import Case
from lib.events import fill
from lib.network import LINK
from lib.oracle import ROLES
from lib.registry import scenario
from lib.stack import TCP
from lib.transfer import (
    Task,
    check_stream,
    content,
    exchange,
    receive_exactly,
    receive_stream,
    send_stream,
)
from scenarios.paths import OUR_CLIENT, Paths

SO_SNDBUFFORCE = 32
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


@contextlib.contextmanager
def tcp_memory(low: int, pressure: int, limit: int):
    """The limits in pages of all memory of TCP, system-wide."""
    file = Path("/proc/sys/net/ipv4/tcp_mem")
    before = file.read_text()
    file.write_text(f"{low} {pressure} {limit}\n")
    try:
        yield
    finally:
        file.write_text(before)


def fill_plain_connection(case: Case) -> None:
    """Lets TCP keep some megabytes: what the processors have in reserve is not counted as in use."""
    buffers = {(socket.SOL_SOCKET, SO_RCVBUFFORCE): 8 << 20, (socket.SOL_SOCKET, SO_SNDBUFFORCE): 8 << 20}
    plain = Case(TCP, TCP, case.kernel, case.network, port=case.port - 1)
    listener = case.keep(plain.listen(before_bind=buffers))
    sock = case.keep(plain.connect())
    case.keep(listener.accept()[0])
    for option, value in buffers.items():
        sock.setsockopt(*option, value)
    case.expect(fill(sock) > 4 << 20, "TCP keeps too little")


def make_lossy(case: Case, delay: str) -> None:
    """Loses packets on both links, so that data comes too early."""
    for namespace in case.network.ends:
        for link in (LINK, "veth1"):
            namespace.run(
                "tc", "qdisc", "replace", "dev", link, "root", "netem", "delay", delay, "loss", "2%"
            )


@scenario(all_roles=True)
def short_in_the_system(case):
    """While TCP uses more memory than the system wants it to, streams over two lossy links arrive."""
    client, server = Paths(case).begin_with_two()
    fill_plain_connection(case)
    make_lossy(case, "2ms")
    size = case.size(stock=1 << 20, test=1 << 18)
    with tcp_memory(0, 0, 1 << 20):
        exchange(client, server, size, size)
    case.expect_mptcp()


# The kernel's own MPTCP sends nothing again then, so it stands still, as it does with itself.
@scenario(roles=OUR_CLIENT, needs_module=True, all_roles=True)
def none_to_receive(case):
    """While the system has no memory at all for TCP, what was sent before arrives, however slowly."""
    client, server = Paths(case).begin_with_two()
    fill_plain_connection(case)
    make_lossy(case, "20ms")
    client.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20)
    size = 1 << 17
    send_stream(client, size)
    with tcp_memory(0, 0, 1):
        check_stream("upload", receive_stream(server), size, 0)
