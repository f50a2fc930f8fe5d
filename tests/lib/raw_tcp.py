# SPDX-License-Identifier: GPL-2.0
"""TCP segments by hand, over a raw IPv4 socket."""

import socket
import struct

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


def send_segment(
    raw: socket.socket,
    source: tuple[str, int],
    destination: tuple[str, int],
    numbers: tuple[int, int],
    flags: int,
    options: bytes,
) -> None:
    """A segment without data; `numbers` are its sequence and acknowledgement number."""
    offset = (20 + len(options)) // 4 << 4
    fields = (source[1], destination[1], *numbers, offset, flags, 65535)
    ends = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    segment = struct.pack("!HHIIBBHHH", *fields, 0, 0) + options
    pseudo = ends + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    segment = struct.pack("!HHIIBBHHH", *fields, checksum, 0) + options
    raw.sendto(segment, (destination[0], 0))
