# SPDX-License-Identifier: GPL-2.0
"""Generic netlink: requests to a family, and what it answers."""

import os
import socket
import struct
from dataclasses import dataclass, field

from .namespace import Namespace

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_ACK_TLVS = 0x200
NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3FFF

GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2
CTRL_ATTR_MCAST_GROUPS = 7
CTRL_ATTR_MCAST_GRP_NAME = 1
CTRL_ATTR_MCAST_GRP_ID = 2

EXTACK_MESSAGE = 1
EXTACK_OFFSET = 2
EXTACK_MISS_TYPE = 5


def attribute(number: int, payload: bytes) -> bytes:
    """One attribute, padded."""
    raw = struct.pack("=HH", 4 + len(payload), number) + payload
    return raw + bytes(-len(raw) % 4)


def nest(number: int, *attributes: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(number | NLA_F_NESTED, b"".join(attributes))


def u8(number: int, value: int) -> bytes:
    """An attribute that is a number of 8 bits."""
    return attribute(number, struct.pack("=B", value))


def u16(number: int, value: int) -> bytes:
    """An attribute that is a number of 16 bits."""
    return attribute(number, struct.pack("=H", value))


def u32(number: int, value: int) -> bytes:
    """An attribute that is a number of 32 bits."""
    return attribute(number, struct.pack("=I", value))


def attributes(raw: bytes) -> dict[int, bytes]:
    """The payloads of attributes by their types."""
    found, at = {}, 0
    while at + 4 <= len(raw):
        length, number = struct.unpack_from("=HH", raw, at)
        if length < 4:
            break
        found[number & NLA_TYPE_MASK] = raw[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


@dataclass
class Answer:
    """What came of a request."""

    errno: int = 0
    message: str = ""
    offset: int | None = None
    missing: int | None = None
    replies: list[tuple[int, bytes]] = field(default_factory=list)

    def end(self, errno: int, extended: dict[int, bytes]) -> None:
        """Takes note of the last message."""
        self.errno = errno
        self.message = extended.get(EXTACK_MESSAGE, b"\0")[:-1].decode()
        number = {name: extended.get(kind) for name, kind in KINDS.items()}
        self.offset = number["offset"] and struct.unpack("=I", number["offset"])[0]
        self.missing = number["missing"] and struct.unpack("=I", number["missing"])[0]


KINDS = {"offset": EXTACK_OFFSET, "missing": EXTACK_MISS_TYPE}


class Netlink:
    """A socket for requests to one family in one namespace."""

    def __init__(self, namespace: Namespace | None, family: str, version: int = 1):
        kind = (socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket = namespace.new_socket(*kind) if namespace else socket.socket(*kind)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.socket.bind((0, 0))
        self.socket.settimeout(20)
        self.version = version
        self.sequence = 0
        self.family = GENL_ID_CTRL
        name = attribute(CTRL_ATTR_FAMILY_NAME, family.encode() + b"\0")
        answer = self.request(CTRL_CMD_GETFAMILY, name)
        if answer.errno:
            self.socket.close()
            raise OSError(answer.errno, f"family {family}: {os.strerror(answer.errno)}")
        self.about = attributes(answer.replies[0][1])
        self.family = struct.unpack("=H", self.about[CTRL_ATTR_FAMILY_ID])[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def listen(self, group: str) -> None:
        """Joins a group of the family."""
        for raw in attributes(self.about[CTRL_ATTR_MCAST_GROUPS]).values():
            about = attributes(raw)
            if about[CTRL_ATTR_MCAST_GRP_NAME].rstrip(b"\0").decode() == group:
                number = struct.unpack("=I", about[CTRL_ATTR_MCAST_GRP_ID])[0]
                self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, number)
                return
        raise ValueError(f"the family has no group {group}")

    def news(self, timeout: float = 10) -> tuple[int, bytes]:
        """The next message to the groups that were joined: its number and attributes."""
        self.socket.settimeout(timeout)
        raw = self.socket.recv(65536)
        return raw[16], raw[20:]

    def request(self, command: int, body: bytes = b"", dump: bool = False) -> Answer:
        """Asks for a command, or for its list."""
        header = struct.pack("=BBH", command, self.version, 0)
        return self.send(header + body, NLM_F_DUMP if dump else NLM_F_ACK)

    def send(self, payload: bytes, flags: int = NLM_F_ACK) -> Answer:
        """Sends what follows a netlink header, right or wrong, and waits for the end."""
        self.sequence += 1
        length = 16 + len(payload)
        header = struct.pack(
            "=IHHII", length, self.family, NLM_F_REQUEST | flags, self.sequence, 0
        )  # fmt: skip
        self.socket.send(header + payload)
        answer = Answer()
        while not self._take(self.socket.recv(65536), answer):
            pass
        return answer

    def _take(self, raw: bytes, answer: Answer) -> bool:
        """Reads one datagram; whether it has the end of the answer."""
        at = 0
        while at + 16 <= len(raw):
            length, kind, flags = struct.unpack_from("=IHH", raw, at)
            body = raw[at + 16 : at + length]
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                error = -struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                skip = 20 if kind == NLMSG_ERROR else 4
                answer.end(error, attributes(body[skip:]) if flags & NLM_F_ACK_TLVS else {})
                return True
            answer.replies.append((body[0], body[4:]))
            at += (length + 3) & ~3
        return False
