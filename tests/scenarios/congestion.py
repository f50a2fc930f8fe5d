# SPDX-License-Identifier: GPL-2.0
"""Coupled congestion control: chosen by name, on our sockets and on others, live and by default."""

import socket
import struct
import time

from lib import stack
from lib.case import End
from lib.kernel_log import KernelLog
from lib.libc import connect_raw
from lib.live_choice import exchange_while_it_sends
from lib.registry import OURS_ONLY, scenario
from lib.transfer import Task, content, exchange, receive_exactly
from scenarios.lifecycle import insmod, module_back_in, rmmod, rmmod_when_idle

ALGORITHMS = ("lia", "olia", "balia", "wvegas")
EACH = {name: (name,) for name in ALGORITHMS}
# Offset of the slow-start threshold in struct tcp_info, and what it is before any loss.
SND_SSTHRESH, UNLIMITED = 76, 0x7FFFFFFF
BOTTLENECK = ("delay", "5ms", "rate", "10mbit", "limit", "40")


def choose(sock: socket.socket, name: str) -> None:
    """TCP_CONGESTION."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())


def chosen(sock: socket.socket) -> str:
    """The name that TCP_CONGESTION gives."""
    name = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.split(b"\0")[0].decode()


def threshold(sock: socket.socket) -> int:
    """The slow-start threshold in segments."""
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("=I", raw, SND_SSTHRESH)[0]


def connect(
    case, name: str, protocol: int | None = None, joinable: bool = False
) -> tuple[socket.socket, socket.socket]:
    """A connection whose both ends chose the algorithm before it was made.

    If it is `joinable`, the listener stays, for subflows that come later.
    """

    def new(end: End) -> socket.socket:
        number = end.stack.protocol if protocol is None else protocol
        sock = case.keep(end.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, number))
        choose(sock, name)
        return sock

    listener, client = new(case.server), new(case.client)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", case.port))
    listener.listen()
    client.connect((case.server.address(), case.port))
    server = case.keep(listener.accept()[0])
    if not joinable:
        listener.close()
    return client, server


def deliver(sender: socket.socket, receiver: socket.socket, seconds: float) -> int:
    """Sends as fast as it goes; gives how many bytes arrived in the time."""

    def send() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sender.sendall(bytes(16384))
        sender.shutdown(socket.SHUT_WR)

    sending, total, end = Task(send), 0, time.monotonic() + seconds
    while part := receiver.recv(1 << 20):
        total += len(part) if time.monotonic() < end else 0
    sending.result(10)
    return total


@scenario(variants=EACH, needs_module=True)
def one_subflow(case, name):
    """Chosen before the connection is made, at both ends, with loss; sockets that are accepted inherit it."""
    case.network.netem("delay", "2ms", "loss", "1%")
    client, server = connect(case, name)
    case.expect(chosen(client) == name, f"the client has {chosen(client)}")
    case.expect(chosen(server) == name, f"the accepted socket has {chosen(server)}")
    size = case.size(stock=4, test=1) << 20
    exchange(client, server, size, size)
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True)
def exchanged_while_it_sends(case):
    """One algorithm after the other on a connection that carries data."""
    names = (*ALGORITHMS, "cubic", *reversed(ALGORITHMS), "reno")
    exchange_while_it_sends(case, names, choose, chosen)


@scenario(roles=(*OURS_ONLY, ("tcp", "tcp")), needs_module=True)
def kept_for_the_next_connection(case):
    """A socket that breaks its connection and connects again goes on with what it chose, as TCP's do."""
    listener = case.listen()
    client = case.keep(case.client.new_socket())
    choose(client, "olia")
    for _ in range(2):
        client.connect((case.server.address(), case.port))
        server = case.keep(listener.accept()[0])
        case.expect(chosen(client) == "olia", f"the client has {chosen(client)}")
        client.sendall(content(5000))
        case.expect(receive_exactly(server, 5000) == content(5000), "bytes did not arrive")
        connect_raw(client, bytes(16))  # AF_UNSPEC
        case.expect(chosen(client) == "olia", f"after its end the client has {chosen(client)}")


@scenario(roles=OURS_ONLY, needs_module=True)
def default_of_a_namespace(case):
    """net.ipv4.tcp_congestion_control holds for new connections, and keeps the module."""
    setting = "/proc/sys/net/ipv4/tcp_congestion_control"
    before = [end.namespace.read(setting).strip() for end in case.ends]
    for end, name in zip(case.ends, ("olia", "balia"), strict=True):
        end.namespace.sysctl("net.ipv4.tcp_congestion_control", name)
    client, server = case.connect_pair()
    case.expect(chosen(client) == "olia", f"the client has {chosen(client)}")
    case.expect(chosen(server) == "balia", f"the server has {chosen(server)}")
    exchange(client, server, 1_000_000, 1_000_000)
    case.expect_mptcp()
    for end, name in zip(case.ends, before, strict=True):
        end.namespace.sysctl("net.ipv4.tcp_congestion_control", name)


@scenario(roles=OURS_ONLY, needs_module=True, limit=240, plain=True)
def plain_tcp(case):
    """A plain TCP socket that chooses one gets Reno's shares of a bottleneck; the log says so, once."""
    seconds = case.size(stock=2, test=3)
    with module_back_in(case.client.stack.protocol):
        rmmod_when_idle()
        insmod(f"protocol={case.client.stack.protocol}")
        log = KernelLog()
        case.network.netem(*BOTTLENECK)
        for name in ("reno", *ALGORITHMS):
            case.port += 1
            client, server = connect(case, name, stack.IPPROTO_TCP)
            for _ in range(5):
                delivered = deliver(client, server, seconds)
                case.expect(delivered > 0, f"{name} delivered nothing")
                if threshold(client) < UNLIMITED:
                    break
            case.expect(chosen(client) == name, f"{name} became {chosen(client)}")
            case.expect(threshold(client) < UNLIMITED, f"{name}: nothing was lost")
            client.close()
            server.close()
    words = [line for line in log.news() if "behaves as with reno" in line]
    case.expect(len(words) == 1, f"the log says {words}")


@scenario(roles=OURS_ONLY, needs_module=True)
def holds_the_module(case):
    """rmmod is refused as long as a plain TCP socket uses an algorithm, or a namespace by default."""
    with module_back_in(case.client.stack.protocol):
        client, server = connect(case, "lia", stack.IPPROTO_TCP)
        case.expect("in use" in rmmod(), "rmmod was not refused with sockets that use lia")
        exchange(client, server, 100_000, 100_000)
        for sock in (client, server):
            choose(sock, "reno")
        case.client.namespace.sysctl("net.ipv4.tcp_congestion_control", "wvegas")
        case.expect("in use" in rmmod(), "rmmod was not refused with wvegas as a default")
        case.client.namespace.sysctl("net.ipv4.tcp_congestion_control", "reno")
        client.close()
        server.close()
        refusal = rmmod_when_idle()
        case.expect(not refusal, f"rmmod: {refusal}")
        known = case.client.namespace.read("/proc/sys/net/ipv4/tcp_available_congestion_control")
        left = set(ALGORITHMS) & set(known.split())
        case.expect(not left, f"{left} can be chosen without the module")
