# SPDX-License-Identifier: GPL-2.0
"""What a scenario is given: a fresh network, two ends and the checks that prove MPTCP."""

import contextlib
import socket
import time
from dataclasses import dataclass

from . import counters, info
from .child import Child
from .namespace import Namespace
from .network import Network
from .stack import Stack

PORT = 8684
FALLBACK_COUNTERS = (
    "MPCapableFallbackACK",
    "MPCapableFallbackSYNACK",
    "MPCapableDataFallback",
    "InfiniteMapTx",
    "InfiniteMapRx",
)


@dataclass
class End:
    """One end: where it is and which implementation speaks there."""

    name: str
    stack: Stack
    namespace: Namespace

    def new_socket(self, family: int = socket.AF_INET) -> socket.socket:
        """A stream socket of this end's implementation."""
        return self.namespace.new_socket(family, socket.SOCK_STREAM, self.stack.protocol)

    def address(self, family: int = socket.AF_INET) -> str:
        """This end's address on the link."""
        return Network.address(self.name, family)

    def counters(self) -> dict[str, int]:
        """Counters of this end's implementation."""
        return counters.read_counters(self.namespace, self.stack)

    def counter(self, name: str) -> int:
        """One counter; an unknown name is an error, not zero."""
        values = self.counters()
        if name not in values:
            raise AssertionError(f"the {self.name}'s {self.stack.counters} has no counter {name}")
        return values[name]

    def bytes_sent(self, link: str) -> int:
        """What this end sent on a link, headers included."""
        text = self.namespace.read("/proc/thread-self/net/dev")
        line = next(line for line in text.splitlines() if line.strip().startswith(f"{link}:"))
        return int(line.split(":")[1].split()[8])

    def set_checksum(self, on: bool) -> None:
        """Asks for DSS checksums on the connections made from now on."""
        if self.stack.counters == "module":
            self.namespace.sysctl("net.mptcp_rs.checksum_enabled", int(on))
        elif self.stack.speaks_mptcp:
            self.namespace.sysctl("net.mptcp.checksum_enabled", int(on))


class Case:
    """One run of one scenario with one pair of implementations."""

    def __init__(
        self,
        client: Stack,
        server: Stack,
        kernel: str,
        network: Network | None = None,
        port: int = PORT,
        brief: bool = False,
    ):
        self.kernel = kernel
        self.brief = brief
        self.port = port
        self.network = network or Network()
        self.client = End("client", client, self.network.client)
        self.server = End("server", server, self.network.server)
        self.cleanup = contextlib.ExitStack()
        self.notes: list[str] = []
        # The kernel counts orphans of all namespaces together: one may be left of an earlier scenario.
        self.orphans_before = self._tcp_sockets(self.client)["orphan"]

    @property
    def ends(self) -> tuple[End, End]:
        """Client and server."""
        return self.client, self.server

    def size(self, stock: int, test: int, brief: int | None = None) -> int:
        """A quantity by kernel: the test kernel checks every lock and is many times slower.

        `brief` is enough on the stock kernel where a run is to be brief.
        """
        if self.kernel == "test":
            return test
        return brief if self.brief and brief is not None else stock

    def keep(self, resource):
        """Closes the resource when the scenario ends."""
        return self.cleanup.enter_context(resource)

    def listen(self, family: int = socket.AF_INET, **options) -> socket.socket:
        """A listening socket at the server."""
        listener = self.keep(self.server.new_socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option, value in options.get("before_bind", {}).items():
            listener.setsockopt(*option, value)
        listener.bind((options.get("address", ""), self.port))
        listener.listen(options.get("backlog", 128))
        return listener

    def connect(self, family: int = socket.AF_INET) -> socket.socket:
        """A client socket connected to the server."""
        sock = self.keep(self.client.new_socket(family))
        sock.connect((self.server.address(family), self.port))
        return sock

    def connect_pair(self, family: int = socket.AF_INET) -> tuple[socket.socket, socket.socket]:
        """A connected client socket and its accepted server socket."""
        listener = self.listen(family)
        client = self.connect(family)
        server, _ = listener.accept()
        listener.close()
        return client, self.keep(server)

    def spawn(self, function, *arguments) -> "Child":
        """Runs a function in a child process that the scenario may kill."""
        child = Child(function, *arguments)
        self.cleanup.callback(child.kill)
        return child

    def expect(self, truth: bool, words: str) -> None:
        """Fails the scenario with these words unless the truth holds."""
        if not truth:
            raise AssertionError(words)

    def expect_counter(self, end: End, name: str, least: int = 1, most: int | None = None) -> None:
        """The counter lies in the range; `most` defaults to no upper bound."""
        value = end.counter(name)
        upper = "" if most is None else f" and at most {most}"
        self.expect(
            value >= least and (most is None or value <= most),
            f"{end.name} ({end.stack.name}) counted {name}={value}, not at least {least}{upper}",
        )

    def expect_mptcp(self, *sockets: socket.socket, connections: int = 1) -> None:
        """Both ends completed the MPTCP handshake and none of them fell back to plain TCP."""
        self.expect_counter(self.client, "MPCapableSYNTX", connections)
        self.expect_counter(self.client, "MPCapableSYNACKRX", connections)
        self.expect_counter(self.server, "MPCapableSYNRX", connections)
        self.expect_counter(self.server, "MPCapableACKRX", connections)
        for end in self.ends:
            for name in FALLBACK_COUNTERS:
                self.expect_counter(end, name, 0, 0)
        for sock in sockets:
            state = info.read_info(sock)
            self.expect(state is not None and state.is_mptcp, f"a socket is not MPTCP: {state}")

    def expect_no_mptcp(self) -> None:
        """No end believes that an MPTCP handshake was completed."""
        for end, name in ((self.client, "MPCapableSYNACKRX"), (self.server, "MPCapableACKRX")):
            if end.stack.speaks_mptcp:
                self.expect_counter(end, name, 0, 0)

    def finish(self) -> None:
        """Closes what the scenario left open and waits until the kernel holds no socket of it."""
        self.cleanup.close()
        deadline = time.monotonic() + 20
        while leftovers := self._leftovers():
            if time.monotonic() > deadline:
                sockets = [f"{end.name}: {end.namespace.run('ss', '-Htanoie')}" for end in self.ends]
                raise AssertionError(
                    "sockets remain 20 seconds after the last close: "
                    + "; ".join(leftovers)
                    + "\n"
                    + "".join(sockets)
                )
            time.sleep(0.05)

    @staticmethod
    def _tcp_sockets(end: End) -> dict[str, int]:
        """What /proc/net/sockstat says of TCP."""
        text = end.namespace.read("/proc/thread-self/net/sockstat")
        line = next(line for line in text.splitlines() if line.startswith("TCP:"))
        words = line.split()[1:]
        return dict(zip(words[::2], map(int, words[1::2]), strict=True))

    def _leftovers(self) -> list[str]:
        found = []
        for end in self.ends:
            tcp = self._tcp_sockets(end)
            if tcp["inuse"] > 0 or tcp["orphan"] > self.orphans_before:
                found.append(f"{end.name}: {tcp}")
            if end.stack.counters == "module":
                text = end.namespace.read("/proc/thread-self/net/mptcp_rs/connections")
                found += [f"{end.name}: {line}" for line in text.splitlines()[1:]]
        return found
