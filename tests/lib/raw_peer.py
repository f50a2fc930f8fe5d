# SPDX-License-Identifier: GPL-2.0
"""A server that speaks TCP and MPTCP by hand, knows the keys and may say whatever it likes."""

import hashlib
import hmac
import socket
import struct
import threading

from .case import Case
from .network import filter_packets
from .raw_tcp import ACK, FIN, RST, SYN, URG, send_segment

MSS = b"\x02\x04\x05\xb4"
KEY = b"hostile!"
MPTCP = 30
# The begin of MP_FASTCLOSE.
FASTCLOSE = bytes([MPTCP, 12, 0x70, 0])


class RawPeer:
    """Takes one connection in the server's namespace, and acknowledges and answers what it gets."""

    def __init__(self, case: Case):
        self.case = case
        self.local = (case.server.address(), case.port)
        self.remote = ("", 0)
        self.their_key = b""
        self.snd_nxt, self.rcv_nxt, self.received, self.sent = 1000, 0, 0, 0
        self.finished = False
        self.resets: list[bytes] = []
        # Options of the acknowledgements that came with MP_FASTCLOSE.
        self.fastcloses: list[bytes] = []
        # What comes is neither taken nor acknowledged while this holds.
        self.deaf = False
        self.lock = threading.Lock()
        # The namespace's own TCP knows nothing of this and would answer with a RST.
        filter_packets(
            case.server.namespace, "output", f"tcp sport {case.port} tcp flags rst counter drop"
        )
        self.raw = case.keep(
            case.server.namespace.new_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        )
        self.raw.settimeout(20)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def say(self, option: bytes) -> None:
        """One acknowledgement with this option."""
        with self.lock:
            self._send(ACK, option)

    def reset(self, options: bytes = b"") -> None:
        """A RST with these options; it leaves only once the filter is gone that holds back those of TCP."""
        with self.lock:
            self._send(RST | ACK, options)

    def send(self, data: bytes, checksum: bytes = b"", urgent: int = 0) -> None:
        """Data with its mapping, which has a checksum or none; an urgent pointer if it is not 0."""
        with self.lock:
            number = _first_number(KEY) + self.sent & 0xFFFFFFFFFFFFFFFF
            mapping = number.to_bytes(8) + struct.pack("!IH", 1 + self.sent, len(data)) + checksum
            option = bytes([MPTCP, 12 + len(mapping), 0x20, 0x0F]) + self._data_ack()[4:] + mapping
            flags = ACK | (URG if urgent else 0)
            numbers = self.snd_nxt, self.rcv_nxt
            self.sent += len(data)
            self.snd_nxt += len(data)
            send_segment(
                self.raw, self.local, self.remote, numbers, flags, _padded(option), data, urgent
            )

    def finish(self) -> None:
        """The end of both levels in one segment: FIN and DATA_FIN (RFC 8684 section 3.3.3)."""
        with self.lock:
            self._send(FIN | ACK, self._data_fin())
            self.snd_nxt += 1

    def finish_stream(self) -> None:
        """The end of the data level alone: DATA_FIN."""
        with self.lock:
            self._send(ACK, self._data_fin())

    def fastclose(self) -> bytes:
        """MP_FASTCLOSE with the right key (RFC 8684 section 3.5)."""
        return FASTCLOSE + self.their_key

    def add_addr(self, id: int, address: str) -> bytes:
        """ADD_ADDR of an address, with the right HMAC (RFC 8684 section 3.4.1)."""
        octets = socket.inet_aton(address)
        message = bytes([id]) + octets + bytes(2)
        proof = hmac.digest(KEY + self.their_key, message, "sha256")[-8:]
        return bytes([MPTCP, 16, 0x30, id]) + octets + proof

    @staticmethod
    def remove_addr(ids: range) -> bytes:
        """REMOVE_ADDR of some ids (RFC 8684 section 3.4.2)."""
        return _padded(bytes([MPTCP, 3 + len(ids), 0x40, *ids]))

    @staticmethod
    def priority(backup: bool) -> bytes:
        """MP_PRIO (RFC 8684 section 3.3.8)."""
        return _padded(bytes([MPTCP, 3, 0x50 | backup]))

    def _serve(self) -> None:
        while True:
            try:
                packet = self.raw.recv(65536)
            except OSError:
                return
            header = (packet[0] & 15) * 4
            segment = packet[header:]
            source, port, seq, _, offset, flags = struct.unpack("!HHIIBB", segment[:14])
            if port != self.local[1]:
                continue
            options, data = segment[20 : (offset >> 4) * 4], segment[(offset >> 4) * 4 :]
            with self.lock:
                self._take((socket.inet_ntoa(packet[12:16]), source), seq, flags, options, data)

    def _take(self, source, seq: int, flags: int, options: bytes, data: bytes) -> None:
        if flags & SYN and not self.remote[1]:
            self.remote, self.rcv_nxt = source, seq + 1 & 0xFFFFFFFF
            self._send(SYN | ACK, MSS + bytes([MPTCP, 12, 1, 1]) + KEY, behind=-1)
        if source != self.remote or flags & SYN:
            return
        if flags & RST:
            self.resets.append(options)
            return
        at = options.find(bytes([MPTCP, 20, 1])), options.find(bytes([MPTCP, 22, 1]))
        if max(at) >= 0 and not self.their_key:
            self.their_key = options[max(at) + 4 : max(at) + 12]
        if FASTCLOSE in options:
            self.fastcloses.append(options)
        if self.deaf:
            return
        if data and seq == self.rcv_nxt:
            self.rcv_nxt = self.rcv_nxt + len(data) & 0xFFFFFFFF
            self.received += len(data)
        if flags & FIN and seq + len(data) & 0xFFFFFFFF == self.rcv_nxt:
            self.rcv_nxt = self.rcv_nxt + 1 & 0xFFFFFFFF
            self.finished = True
        if data or flags & FIN:
            self._send(ACK, self._data_ack())

    def _data_ack(self) -> bytes:
        """DSS with an acknowledgement of all data, and of the DATA_FIN once the FIN was here."""
        count = self.received + self.finished
        number = _first_number(self.their_key) + count & 0xFFFFFFFFFFFFFFFF
        return bytes([MPTCP, 12, 0x20, 0x03]) + number.to_bytes(8)

    def _data_fin(self) -> bytes:
        """DSS with a DATA_FIN after all that was sent, and an acknowledgement."""
        number = _first_number(KEY) + self.sent & 0xFFFFFFFFFFFFFFFF
        mapping = number.to_bytes(8) + struct.pack("!IH", 0, 1)
        option = bytes([MPTCP, 12 + len(mapping), 0x20, 0x1F]) + self._data_ack()[4:] + mapping
        return _padded(option)

    def _send(self, flags: int, options: bytes, behind: int = 0) -> None:
        numbers = self.snd_nxt + behind, self.rcv_nxt
        send_segment(self.raw, self.local, self.remote, numbers, flags, options)


def _first_number(key: bytes) -> int:
    """The data sequence number of the first byte of who has the key."""
    return int.from_bytes(hashlib.sha256(key).digest()[-8:]) + 1


def _padded(option: bytes) -> bytes:
    return option + bytes([1]) * (-len(option) % 4)
