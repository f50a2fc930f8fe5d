# SPDX-License-Identifier: GPL-2.0
"""Links of a given speed and length between the two ends, and a client that uses them all."""

import socket
import time
from dataclasses import dataclass

from .case import Case
from .namespace import Namespace
from .network import LINK
from .path_manager import SUBFLOW, PathManager

# Packets that wait at a shaped link before more are dropped.
QUEUE = 100


@dataclass(frozen=True)
class Shape:
    """A link: Mbit/s, and the milliseconds that a packet travels each way."""

    rate: int
    delay: int

    def apply(self, namespace: Namespace, link: str) -> None:
        """Makes the way out of a namespace by this link so."""
        namespace.run(
            "tc", "qdisc", "replace", "dev", link, "root", "netem",
            "rate", f"{self.rate}mbit", "delay", f"{self.delay}ms", "limit", str(QUEUE),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.rate} Mbit/s {self.delay} ms"


def delay_product(shapes: tuple[Shape, ...]) -> int:
    """Bytes that all links carry together in the longest round trip."""
    rate = sum(shape.rate for shape in shapes)
    return rate * 1_000_000 // 8 * 2 * max(shape.delay for shape in shapes) // 1000


def add_links(case: Case, shapes: tuple[Shape, ...]) -> list[str]:
    """Gives the case a link for each shape; their names, which are the same at both ends."""
    links = [LINK] + [case.network.add_link(number) for number in range(2, len(shapes) + 1)]
    for end in case.ends:
        for link, shape in zip(links, shapes, strict=True):
            shape.apply(end.namespace, link)
    return links


def use_links(case: Case, links: list[str]) -> None:
    """Lets the client open a subflow over each link but the first, which the connection begins with."""
    for end in case.ends:
        manager = case.keep(PathManager(end.namespace, end.stack))
        manager.limits(8, 8)
        if end is case.client:
            for number, link in enumerate(links[1:], 2):
                with end.namespace:
                    index = socket.if_nametoindex(link)
                manager.add(f"10.0.{number}.1", SUBFLOW, interface=index)


def connect(case: Case, buffer: int | None = None) -> tuple[socket.socket, socket.socket]:
    """A connection that had time for all its subflows: client and server.

    `buffer` is the SO_RCVBUF of both.
    """
    options = {} if buffer is None else {(socket.SOL_SOCKET, socket.SO_RCVBUF): buffer}
    # The kernel's own MPTCP takes no subflow in once its listener is closed.
    listener = case.listen(before_bind=options)
    client = case.keep(case.client.new_socket())
    for option, value in options.items():
        client.setsockopt(*option, value)
    client.connect((case.server.address(), case.port))
    server = case.keep(listener.accept()[0])
    for sock in (client, server):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(b"?")
    server.recv(1)
    server.sendall(b"!")
    client.recv(1)
    time.sleep(0.5)
    return client, server


def connect_over(case: Case, *shapes: Shape) -> tuple[list[str], socket.socket, socket.socket]:
    """Links of these shapes, and a connection with a subflow over each: the links' names, client and server."""
    links = add_links(case, shapes)
    use_links(case, links)
    return links, *connect(case)


def bytes_received(namespace: Namespace, links: list[str]) -> list[int]:
    """What each link has brought to this end."""
    found = {}
    for line in namespace.read("/proc/thread-self/net/dev").splitlines()[2:]:
        name, numbers = line.split(":")
        found[name.strip()] = int(numbers.split()[0])
    return [found[link] for link in links]
