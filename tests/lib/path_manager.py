# SPDX-License-Identifier: GPL-2.0
"""The path manager's netlink family, which the module and the kernel's own MPTCP both have."""

import socket
import struct

from .namespace import Namespace
from .netlink import Netlink, attribute, attributes, nest, u8, u16, u32
from .stack import Stack

FAMILIES = {"module": "mptcp_rs_pm", "MPTcpExt": "mptcp_pm"}

ADD_ADDR = 1
DEL_ADDR = 2
GET_ADDR = 3
FLUSH_ADDRS = 4
SET_LIMITS = 5
GET_LIMITS = 6
SET_FLAGS = 7
ANNOUNCE = 8
REMOVE = 9
SUBFLOW_CREATE = 10
SUBFLOW_DESTROY = 11

ADDR = 1
RCV_ADD_ADDRS = 2
SUBFLOWS = 3
TOKEN = 4
LOC_ID = 5
ADDR_REMOTE = 6

FAMILY = 1
ID = 2
ADDR4 = 3
ADDR6 = 4
PORT = 5
FLAGS = 6
IF_IDX = 7

SIGNAL = 1
SUBFLOW = 2
BACKUP = 4
FULLMESH = 8
IMPLICIT = 16
LAMINAR = 32

EVENTS = "mptcp_pm_events"
CREATED = 1
ESTABLISHED = 2
CLOSED = 3
ANNOUNCED = 6
REMOVED = 7
SUB_ESTABLISHED = 10
SUB_CLOSED = 11
SUB_PRIORITY = 13
LISTENER_CREATED = 15
LISTENER_CLOSED = 16
EVENT_TOKEN = 1
EVENT_FAMILY = 2
EVENT_LOC_ID = 3
EVENT_REM_ID = 4
EVENT_SADDR4 = 5
EVENT_SADDR6 = 6
EVENT_DADDR4 = 7
EVENT_SPORT = 9
EVENT_DPORT = 10
EVENT_SERVER_SIDE = 18


def described(
    address: str | None = None,
    id: int | None = None,
    flags: int | None = None,
    port: int | None = None,
    interface: int | None = None,
    number: int = ADDR,
) -> bytes:
    """The attribute that describes an address."""
    parts = []
    if address is not None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        parts.append(u16(FAMILY, family))
        octets = socket.inet_pton(family, address)
        parts.append(attribute(ADDR4 if family == socket.AF_INET else ADDR6, octets))
    for kind, value, pack in (
        (ID, id, u8),
        (FLAGS, flags, u32),
        (PORT, port, u16),
        (IF_IDX, interface, u32),
    ):
        if value is not None:
            parts.append(pack(kind, value))
    return nest(number, *parts)


def endpoint(raw: bytes) -> tuple[int, str, int, int, int]:
    """Id, address, port, flags and interface of an endpoint in an answer."""
    parts = attributes(attributes(raw)[ADDR])
    family = struct.unpack("=H", parts[FAMILY])[0]
    octets = parts[ADDR4] if family == socket.AF_INET else parts[ADDR6]
    return (
        parts[ID][0],
        socket.inet_ntop(family, octets),
        struct.unpack("=H", parts[PORT])[0],
        struct.unpack("=I", parts[FLAGS])[0],
        struct.unpack("=I", parts.get(IF_IDX, bytes(4)))[0],
    )


class PathManager(Netlink):
    """The family of one implementation in one namespace."""

    def __init__(self, namespace: Namespace | None, stack: Stack):
        super().__init__(namespace, FAMILIES[stack.counters])

    def add(self, address: str, flags: int = 0, **more) -> None:
        """Adds an endpoint."""
        self.must(ADD_ADDR, described(address, flags=flags, **more))

    def remove(self, id: int) -> None:
        """Removes an endpoint."""
        self.must(DEL_ADDR, described(id=id))

    def limits(self, accepted: int, extra: int) -> None:
        """Sets both limits."""
        self.must(SET_LIMITS, u32(RCV_ADD_ADDRS, accepted) + u32(SUBFLOWS, extra))

    def endpoints(self) -> list[tuple[int, str, int, int, int]]:
        """All endpoints."""
        return [endpoint(raw) for _, raw in self.must(GET_ADDR, dump=True)]

    def must(self, command: int, body: bytes = b"", dump: bool = False) -> list[tuple[int, bytes]]:
        """A request that must succeed."""
        answer = self.request(command, body, dump)
        if answer.errno:
            raise OSError(answer.errno, answer.message or "the path manager refused")
        return answer.replies
