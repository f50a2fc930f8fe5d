# SPDX-License-Identifier: GPL-2.0
"""getsockopt(SOL_MPTCP): what a socket says about its MPTCP connection."""

import socket
import struct
from dataclasses import dataclass

SOL_MPTCP = 284
MPTCP_INFO, TCPINFO, SUBFLOW_ADDRS, FULL_INFO = 1, 2, 3, 4
FLAG_FALLBACK = 1
FLAG_REMOTE_KEY_RECEIVED = 2
# struct mptcp_info
_FIELDS = (
    ("subflows", "B"),
    ("add_addr_signal", "B"),
    ("add_addr_accepted", "B"),
    ("subflows_max", "B"),
    ("add_addr_signal_max", "B"),
    ("add_addr_accepted_max", "B"),
    ("flags", "2xI"),
    ("token", "I"),
    ("write_seq", "Q"),
    ("snd_una", "Q"),
    ("rcv_nxt", "Q"),
    ("local_addr_used", "B"),
    ("local_addr_max", "B"),
    ("csum_enabled", "B"),
    ("retransmits", "xI"),
    ("bytes_retrans", "Q"),
    ("bytes_sent", "Q"),
    ("bytes_received", "Q"),
    ("bytes_acked", "Q"),
    ("subflows_total", "B"),
    ("endp_laminar_max", "B"),
    ("endp_fullmesh_max", "B"),
    ("last_data_sent", "xI"),
    ("last_data_recv", "I"),
    ("last_ack_recv", "I"),
)
_LAYOUT = struct.Struct("=" + "".join(code for _, code in _FIELDS))
INFO_SIZE = _LAYOUT.size


@dataclass(frozen=True)
class MptcpInfo:
    """The fields of struct mptcp_info that most scenarios ask for."""

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


def read_fields(sock: socket.socket) -> dict[str, int]:
    """MPTCP_INFO of a socket, field by field."""
    raw = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, INFO_SIZE)
    return dict(zip((name for name, _ in _FIELDS), _LAYOUT.unpack(raw), strict=True))


def read_info(sock: socket.socket) -> MptcpInfo | None:
    """MPTCP_INFO of a socket, or None where the socket is plain TCP now."""
    try:
        fields = read_fields(sock)
    except OSError:
        return None
    return MptcpInfo(
        flags=fields["flags"],
        token=fields["token"],
        rcv_nxt=fields["rcv_nxt"],
        checksum=bool(fields["csum_enabled"]),
        bytes_sent=fields["bytes_sent"],
        bytes_received=fields["bytes_received"],
    )
