# SPDX-License-Identifier: GPL-2.0
"""TCP segments by hand, over a raw IPv4 socket."""

import socket
import struct

FIN, SYN, RST, ACK, URG = 0x01, 0x02, 0x04, 0x10, 0x20


def send_segment(
    raw: socket.socket,
    source: tuple[str, int],
    destination: tuple[str, int],
    numbers: tuple[int, int],
    flags: int,
    options: bytes,
    data: bytes = b"",
    urgent: int = 0,
) -> None:
    """`numbers` are the segment's sequence and acknowledgement number, `urgent` is its urgent pointer."""
    offset = (20 + len(options)) // 4 << 4
    fields = (source[1], destination[1], *numbers, offset, flags, 65535)
    ends = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    segment = struct.pack("!HHIIBBHHH", *fields, 0, urgent) + options + data
    pseudo = ends + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment
    pseudo += bytes(len(pseudo) % 2)
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    segment = struct.pack("!HHIIBBHHH", *fields, checksum, urgent) + options + data
    raw.sendto(segment, (destination[0], 0))
