# SPDX-License-Identifier: GPL-2.0
"""Connections with several subflows from the kernel's own MPTCP to a server whose packets may be steered."""

import socket
import time

from .network import LINK, Network
from .path_manager import PathManager
from .stack import BUILTIN, SPARE_PROTOCOL, Stack
from .steering import processors, set_queue

PORT = 8684
OURS = Stack("ours", SPARE_PROTOCOL, "module")
CHUNK = 64 * 1024


class Paths:
    """Two namespaces with as many links as there shall be subflows. The client's packets are handled on the
    first processor; the server's are spread over the others by their hash, as a network card with several
    queues spreads them, unless somebody steers them. Links merge no segments."""

    def __init__(self, count: int, queues: int = 1):
        self.network = Network(queues)
        self.count = count
        names = [LINK] + [self.network.add_link(number, queues) for number in range(2, count + 1)]
        spread = sum(1 << cpu for cpu in processors()[1:])
        for name in names:
            set_queue(self.network.client, name, "rps_cpus", "1")
            set_queue(self.network.server, name, "rps_cpus", f"{spread:x}")
            set_queue(self.network.server, name, "rps_flow_cnt", "4096")
        for end in self.network.ends:
            for name in names:
                end.run("ethtool", "-K", name, "tso", "off", "gso", "off", "gro", "off")
        for number, name in enumerate(names[1:], start=2):
            self.network.client.run("ip", "mptcp", "endpoint", "add", f"10.0.{number}.1", "dev", name, "subflow")

    def allow_subflows(self, stack: Stack) -> None:
        """Lets the client and the stack on the server have as many as there may be."""
        for end, implementation in ((self.network.client, BUILTIN), (self.network.server, stack)):
            with PathManager(end, implementation) as manager:
                manager.limits(0, 8)

    def connect(self, stack: Stack) -> tuple[socket.socket, ...]:
        """A connection of the kernel's own MPTCP to the stack, with all its subflows: client, server, listener."""
        self.allow_subflows(stack)
        listener = self.network.server.new_socket(socket.AF_INET, socket.SOCK_STREAM, stack.protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        client = self.network.client.new_socket(socket.AF_INET, socket.SOCK_STREAM, BUILTIN.protocol)
        client.connect((Network.address("server", socket.AF_INET), PORT))
        server, _ = listener.accept()
        client.sendall(b"?")
        server.recv(1)
        server.sendall(b"!")
        client.recv(1)
        self._wait_for_subflows()
        # Without a listener the kernel's own MPTCP takes no subflows in.
        return client, server, listener

    def _wait_for_subflows(self) -> None:
        for _ in range(500):
            lines = self.network.client.run("ss", "-Htn", "state", "established", f"dport = :{PORT}")
            if len(lines.splitlines()) >= self.count:
                return
            time.sleep(0.02)
        raise RuntimeError(f"there are no {self.count} subflows")


def send(sock: socket.socket, amount: int) -> None:
    data = bytes(CHUNK)
    for _ in range(amount // CHUNK):
        sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
