# SPDX-License-Identifier: GPL-2.0
"""The topology of every scenario: a client and a server namespace joined by one veth pair."""

import fcntl
import socket
import struct
import time

from .links import Links
from .namespace import Namespace

LINK = "veth0"
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
PREFIXES = {"client": 1, "server": 2}


def _is_running(namespace: Namespace) -> bool:
    """Whether the link has its carrier, which both ends being up gives it."""
    with namespace.new_socket(socket.AF_INET, socket.SOCK_DGRAM, 0) as sock:
        request = struct.pack("16sh14x", LINK.encode(), 0)
        flags = struct.unpack("16xH14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[0]
    return bool(flags & IFF_RUNNING)


class Network:
    """Two fresh namespaces with IPv4 10.0.1.{1,2} and IPv6 fd00:1::{1,2} on `veth0`, whose ends have so many
    queues in either direction."""

    def __init__(self, queues: int = 1):
        self.client = Namespace("client")
        self.server = Namespace("server")
        with Links(self.client) as links:
            links.make_pair(LINK, self.server, queues)
        for namespace in self.ends:
            last = PREFIXES[namespace.name]
            with Links(namespace) as links:
                links.set_up("lo")
                links.add_address(LINK, f"10.0.1.{last}", 24)
                links.add_address(LINK, f"fd00:1::{last}", 64)
                links.set_up(LINK)
        self._wait_for_link()

    def _wait_for_link(self) -> None:
        for _ in range(200):
            # The end that came up first waits for its carrier; the other has it from the start,
            # and the kernel may say so in its flags only a second later.
            if _is_running(self.client):
                # Its queue is put in place after that, under the same lock that this request waits for. What
                # is sent before is lost, and a lost ARP request costs a second.
                with Links(self.client) as links:
                    links.set_up(LINK)
                return
            time.sleep(0.02)
        raise RuntimeError("The veth pair did not come up within 4 seconds.")

    def add_link(self, number: int, queues: int = 1) -> str:
        """A further veth pair with IPv4 10.0.<number>.{1,2} and IPv6 fd00:<number>::{1,2}; its name.

        What is bound to the link reaches the other end's addresses of all links.
        """
        name = f"veth{number - 1}"
        with Links(self.client) as links:
            links.make_pair(name, self.server, queues)
        for namespace in self.ends:
            mine = PREFIXES[namespace.name]
            other = 3 - mine
            with Links(namespace) as links:
                links.add_address(name, f"10.0.{number}.{mine}", 24)
                links.add_address(name, f"fd00:{number}::{mine}", 64)
                links.set_up(name)
                links.add_default_route(name, f"10.0.{number}.{other}", 100 + number)
                links.add_default_route(name, f"fd00:{number}::{other}", 100 + number)
        return name

    @property
    def ends(self) -> tuple[Namespace, Namespace]:
        """Both namespaces."""
        return self.client, self.server

    @staticmethod
    def address(name: str, family: int) -> str:
        """Address of one end (`client` or `server`) in the given family."""
        last = PREFIXES[name]
        return f"10.0.1.{last}" if family == socket.AF_INET else f"fd00:1::{last}"

    def netem(self, *arguments: str) -> None:
        """The same impairment on the way out of both ends."""
        for namespace in self.ends:
            namespace.run("tc", "qdisc", "replace", "dev", LINK, "root", "netem", *arguments)

    def mtu(self, size: int) -> None:
        """MTU of both ends."""
        for namespace in self.ends:
            namespace.run("ip", "link", "set", LINK, "mtu", str(size))

    def sysctl(self, name: str, value: int | str) -> None:
        """The same sysctl in both namespaces."""
        for namespace in self.ends:
            namespace.sysctl(name, value)


def filter_packets(namespace: Namespace, hook: str, *rules: str) -> None:
    """Installs nftables rules in a raw-priority chain at `hook`, before any other reader."""
    body = "\n".join(f"\t\t{rule}" for rule in rules)
    namespace.run(
        "nft", "-f", "-",
        text_input=f"table inet scenario {{\n\tchain {hook} {{\n"
        f"\t\ttype filter hook {hook} priority raw;\n{body}\n\t}}\n}}\n",
    )  # fmt: skip


def filter_counts(namespace: Namespace) -> list[int]:
    """Packets counted by each `counter` statement of the scenario's rules, in order."""
    words = namespace.run("nft", "list", "table", "inet", "scenario").split()
    return [int(words[at + 2]) for at, word in enumerate(words) if word == "counter"]


def change_marked(namespace: Namespace, link: str) -> None:
    """Inverts a byte of the data of each packet with DSCP EF on its way out; the TCP checksum is made right."""
    namespace.run("tc", "qdisc", "add", "dev", link, "clsact")
    namespace.run(
        "tc", "filter", "add", "dev", link, "egress", "protocol", "ip", "u32",
        "match", "ip", "tos", "0xb8", "0xfc",
        "action", "pedit", "munge", "offset", "200", "u8", "invert", "pipe", "action", "csum", "tcp",
    )  # fmt: skip
