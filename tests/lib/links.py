# SPDX-License-Identifier: GPL-2.0
"""Links, addresses and routes by rtnetlink. A process of ip(8) for them costs an emulated machine more than many
a scenario does."""

import os
import socket
import struct

from .namespace import Namespace
from .netlink import NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, attribute, u32

NETLINK_ROUTE = 0
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 20, 24
IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD, IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES = 3, 18, 28, 31, 32
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 0x02
RTA_OIF, RTA_GATEWAY, RTA_PRIORITY = 4, 5, 6
RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST = 254, 3, 1
IFF_UP = 1


def link_message(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """`struct ifinfomsg`."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


class Links:
    """A socket for requests about the network devices of one namespace."""

    def __init__(self, namespace: Namespace):
        self.namespace = namespace
        self.socket = namespace.new_socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self.socket.settimeout(20)
        self.sequence = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def index(self, name: str) -> int:
        """The number of a device."""
        with self.namespace:
            return socket.if_nametoindex(name)

    def make_pair(self, name: str, other: Namespace, queues: int) -> None:
        """A veth device here and its peer of the same name in another namespace, with so many queues each."""
        about = attribute(IFLA_IFNAME, name.encode() + b"\0")
        about += u32(IFLA_NUM_TX_QUEUES, queues) + u32(IFLA_NUM_RX_QUEUES, queues)
        peer = link_message() + about + u32(IFLA_NET_NS_FD, other.fd)
        kind = attribute(IFLA_INFO_KIND, b"veth\0")
        data = attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer))
        self._create(RTM_NEWLINK, link_message() + about + attribute(IFLA_LINKINFO, kind + data))

    def set_up(self, name: str) -> None:
        """Takes a device into use."""
        self._request(RTM_NEWLINK, 0, link_message(self.index(name), IFF_UP, IFF_UP))

    def add_address(self, name: str, address: str, prefix: int) -> None:
        """Gives a device an address, of IPv6 without asking whether others have it."""
        family, octets = parsed(address)
        flags = IFA_F_NODAD if family == socket.AF_INET6 else 0
        message = struct.pack("=BBBBI", family, prefix, flags, 0, self.index(name))
        self._create(RTM_NEWADDR, message + attribute(IFA_LOCAL, octets) + attribute(IFA_ADDRESS, octets))

    def add_default_route(self, name: str, gateway: str, metric: int) -> None:
        """A way to everywhere over this device."""
        family, octets = parsed(gateway)
        message = struct.pack("=8BI", family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, 0)
        message += attribute(RTA_GATEWAY, octets) + u32(RTA_OIF, self.index(name))
        self._create(RTM_NEWROUTE, message + u32(RTA_PRIORITY, metric))

    def _create(self, kind: int, body: bytes) -> None:
        self._request(kind, NLM_F_CREATE | NLM_F_EXCL, body)

    def _request(self, kind: int, flags: int, body: bytes) -> None:
        self.sequence += 1
        flags |= NLM_F_REQUEST | NLM_F_ACK
        self.socket.send(struct.pack("=IHHII", 16 + len(body), kind, flags, self.sequence, 0) + body)
        raw = self.socket.recv(65536)
        answer, error = struct.unpack_from("=H", raw, 4)[0], -struct.unpack_from("=i", raw, 16)[0]
        if answer != NLMSG_ERROR or error:
            raise OSError(error, f"request {kind} in {self.namespace.name}: {os.strerror(error)}")


def parsed(address: str) -> tuple[int, bytes]:
    """The family and the octets of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)
