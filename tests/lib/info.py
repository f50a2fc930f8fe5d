# SPDX-License-Identifier: GPL-2.0
"""getsockopt(SOL_MPTCP, MPTCP_INFO): what a socket says about its MPTCP connection."""

import socket
import struct
from dataclasses import dataclass

SOL_MPTCP = 284
MPTCP_INFO = 1
FLAG_FALLBACK = 1
FLAG_REMOTE_KEY_RECEIVED = 2
_LAYOUT = struct.Struct("=6B2xIIQQQ2xBxIQQQQ")


@dataclass(frozen=True)
class MptcpInfo:
    """The leading fields of struct mptcp_info."""

    flags: int
    token: int
    rcv_nxt: int
    checksum: bool
    bytes_sent: int
    bytes_received: int

    @property
    def is_mptcp(self) -> bool:
        """Both keys are known and the connection has not fallen back to plain TCP."""
        return self.flags & (FLAG_FALLBACK | FLAG_REMOTE_KEY_RECEIVED) == FLAG_REMOTE_KEY_RECEIVED


def read_info(sock: socket.socket) -> MptcpInfo | None:
    """MPTCP_INFO of a socket, or None where the socket is plain TCP now."""
    try:
        raw = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, 256)
    except OSError:
        return None
    fields = _LAYOUT.unpack(raw[: _LAYOUT.size])
    return MptcpInfo(
        flags=fields[6],
        token=fields[7],
        rcv_nxt=fields[10],
        checksum=bool(fields[11]),
        bytes_sent=fields[14],
        bytes_received=fields[15],
    )
