# SPDX-License-Identifier: GPL-2.0
"""Further subflows: MP_JOIN in both roles."""

import hmac
import socket
import struct
import time

from lib.network import filter_packets
from lib.path_manager import PathManager
from lib.raw_tcp import ACK, RST, SYN, send_segment
from lib.registry import OURS_ONLY, scenario
from lib.transfer import exchange, receive_exactly

MEGABYTE = 1 << 20
FROM_BUILTIN = (("builtin", "ours"),)


def wait_for_joins(case, end, count: int = 1) -> None:
    """Until the server has taken so many subflows in."""
    for _ in range(200):
        if end.counter("MPJoinAckRx") >= count:
            return
        time.sleep(0.02)
    case.expect_counter(end, "MPJoinAckRx", count)


def allow_subflows(case, count: int = 8) -> None:
    for end in case.ends:
        end.namespace.run("ip", "mptcp", "limits", "set", "subflows", str(count))


def begin(case) -> tuple[socket.socket, socket.socket]:
    """A connection over which a byte went in each direction."""
    client, server = case.connect_pair()
    client.sendall(b"?")
    case.expect(receive_exactly(server, 1) == b"?", "the first byte")
    server.sendall(b"!")
    case.expect(receive_exactly(client, 1) == b"!", "the answer")
    return client, server


@scenario(
    roles=FROM_BUILTIN,
    all_roles=True,
    variants={"upload": (8, 0), "download": (0, 8), "both_ways": (8, 8)},
    at_once=True,
)
def taken_in(case, up, down):
    name = case.network.add_link(2)
    allow_subflows(case)
    case.client.namespace.run(
        "ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", name, "subflow"
    )
    client, server = begin(case)
    wait_for_joins(case, case.server)
    exchange(client, server, up * MEGABYTE, down * MEGABYTE)
    case.expect_mptcp()
    case.expect_counter(case.server, "MPJoinSynRx", 1, 1)


@scenario(roles=FROM_BUILTIN)
def taken_in_over_ipv6(case):
    name = case.network.add_link(2)
    allow_subflows(case)
    case.client.namespace.run(
        "ip", "mptcp", "endpoint", "add", "fd00:2::1", "dev", name, "subflow"
    )
    client, server = case.connect_pair(socket.AF_INET6)
    client.sendall(b"?")
    case.expect(receive_exactly(server, 1) == b"?", "the first byte")
    wait_for_joins(case, case.server)
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=FROM_BUILTIN)
def before_accept(case):
    """A subflow joins a connection that nobody has accepted yet, and the listener goes away."""
    name = case.network.add_link(2)
    allow_subflows(case)
    case.client.namespace.run(
        "ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", name, "subflow"
    )
    listener = case.listen()
    client = case.connect()
    client.sendall(b"?")
    wait_for_joins(case, case.server)
    server, _ = listener.accept()
    case.keep(server)
    case.expect(receive_exactly(server, 1) == b"?", "the first byte")
    exchange(client, server, MEGABYTE, MEGABYTE)
    # Another one that nobody ever accepts.
    case.connect().sendall(b"?")
    wait_for_joins(case, case.server, 2)
    listener.close()


@scenario(roles=FROM_BUILTIN, all_roles=True)
def listened_on_again(case):
    """A server that starts anew gets its port, although a subflow that joined still uses it."""
    name = case.network.add_link(2)
    allow_subflows(case)
    case.client.namespace.run(
        "ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", name, "subflow"
    )
    # The kernel's own takes subflows in only as long as somebody listens.
    listener = case.listen()
    client = case.connect()
    client.sendall(b"?")
    server = case.keep(listener.accept()[0])
    case.expect(receive_exactly(server, 1) == b"?", "the first byte")
    wait_for_joins(case, case.server)
    listener.close()
    case.listen().close()
    exchange(client, server, MEGABYTE, MEGABYTE)


class Forger:
    """Speaks TCP by hand from the client's namespace: a peer that guesses."""

    PORT = 4000

    def __init__(self, case):
        self.case = case
        # The client's TCP knows nothing of this and would answer with a RST.
        filter_packets(
            case.client.namespace, "output", f"tcp sport {self.PORT}-{self.PORT + 99} tcp flags rst drop"
        )
        self.raw = case.keep(
            case.client.namespace.new_socket(
                socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP
            )
        )
        self.raw.settimeout(5)

    def send(self, flags: int, seq: int, ack: int, options: bytes) -> None:
        """One segment to the server."""
        source = self.case.client.address(), self.PORT
        destination = self.case.server.address(), self.case.port
        send_segment(self.raw, source, destination, (seq, ack), flags, options)

    def receive(self) -> tuple[int, int, int, bytes]:
        """Flags, sequence and acknowledgement number and options of the next answer."""
        while True:
            packet = self.raw.recv(2000)
            segment = packet[(packet[0] & 15) * 4 :]
            _, port, seq, ack, offset, flags = struct.unpack("!HHIIBB", segment[:14])
            if port == self.PORT:
                return flags, seq, ack, segment[20 : (offset >> 4) * 4]

    def expect_reset(self, reason: int, transient: bool = False) -> None:
        """The answer is a RST with MP_TCPRST and this reason, which may pass or not."""
        flags, _, _, options = self.receive()
        self.case.expect(flags & RST != 0, f"flags {flags:#x} where a RST was due")
        at = options.find(b"\x1e\x04" + bytes([0x80 | transient]))
        self.case.expect(at >= 0, f"a RST without that MP_TCPRST: {options.hex()}")
        self.case.expect(options[at + 3] == reason, f"the reason {options[at + 3]}")


def token_of(case) -> bytes:
    """The server's token of the only connection."""
    text = case.server.namespace.read("/proc/thread-self/net/mptcp_rs/connections")
    head, line = (row.split() for row in text.splitlines()[:2])
    return bytes.fromhex(dict(zip(head, line, strict=False))["token"])


def join_syn(token: bytes) -> bytes:
    return b"\x1e\x0c\x10\x07" + token + b"\x01\x02\x03\x04"


# rfc8684:3.2-2 rfc8684:3.2-4
@scenario(roles=OURS_ONLY)
def guessed_token(case):
    """A SYN that names a connection that there is not is refused with a reason."""
    listener = case.listen()
    client = case.connect()
    server, _ = listener.accept()
    case.keep(server)
    forger = Forger(case)
    wrong = bytes(byte ^ 0x5A for byte in token_of(case))
    forger.send(SYN, 1000, 0, join_syn(wrong))
    forger.expect_reset(1)
    case.expect_counter(case.server, "MPJoinNoTokenFound", 1, 1)
    exchange(client, server, 1000, 1000)


class Insider(Forger):
    """A forger that has seen the keys of the connection, and so can join it."""

    def __init__(self, case):
        self.seen = case.keep(
            case.server.namespace.new_socket(
                socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP
            )
        )
        self.seen.settimeout(5)
        super().__init__(case)
        self.keys = b""

    def see(self) -> None:
        """Reads the keys, ours as a client's first, in the third ACK of the connection."""
        while not self.keys:
            packet = self.seen.recv(2000)
            at = packet.find(b"\x1e\x14\x01")
            self.keys = packet[at + 4 : at + 20] if at >= 0 else b""

    def join(self, token: bytes) -> None:
        """Makes both steps of a join; the answer to them is still to come."""
        self.send(SYN, 1000, 0, join_syn(token))
        flags, theirs, ack, options = self.receive()
        self.case.expect(flags == SYN | ACK, f"flags {flags:#x} where SYN/ACK was due")
        at = options.find(b"\x1e\x10\x10")
        nonces = b"\x01\x02\x03\x04" + options[at + 12 : at + 16]
        proof = hmac.digest(self.keys, nonces, "sha256")[:20]
        self.send(ACK, ack, theirs + 1, b"\x1e\x18\x10\x00" + proof)

    def leave(self, ports: range) -> None:
        """Resets the subflows from these ports, and lets the client's TCP do so from now on."""
        self.case.client.namespace.run("nft", "flush", "table", "inet", "scenario")
        for self.PORT in ports:
            self.send(RST, 1001, 0, b"")


@scenario(roles=OURS_ONLY, needs_module=True, variants={"limit": (3, 1, False), "room": (64, 2, True)})
# rfc8684:3.2-2
def one_too_many(case, limit, reason, transient):
    """More subflows than the limit, or than there is room for: refused, and only the one told to pass can."""
    manager = case.keep(PathManager(case.server.namespace, case.server.stack))
    manager.limits(0, limit)
    forger = Insider(case)
    client, server = begin(case)
    forger.see()
    token = token_of(case)
    count = min(limit, 31)
    first = forger.PORT
    for _ in range(count):
        forger.join(token)
        flags = forger.receive()[0]
        case.expect(flags == ACK, f"flags {flags:#x} where an ACK was due")
        forger.PORT += 1
    forger.join(token)
    forger.expect_reset(reason, transient)
    case.expect_counter(case.server, "MPJoinAckRx", count, count)
    case.expect_counter(case.server, "MPJoinRejected", 1, 1)
    forger.leave(range(first, first + count))
    exchange(client, server, 1000, 1000)


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.1-14
def first_address_denied(case):
    """Who joins to the first address although the server forbade that is refused at his SYN."""
    case.server.namespace.sysctl("net.mptcp_rs.allow_join_initial_addr_port", 0)
    client, server = begin(case)
    forger = Forger(case)
    forger.send(SYN, 1000, 0, join_syn(token_of(case)))
    forger.expect_reset(3)
    case.expect_counter(case.server, "MPJoinSynRx", 0, 0)
    exchange(client, server, 1000, 1000)


# rfc8684:3.2-5
@scenario(roles=OURS_ONLY)
def guessed_hmac(case):
    """Who knows the token and not the keys gets no further than his third ACK."""
    client, server = begin(case)
    forger = Forger(case)
    for attempt in range(40):
        seq = 1000 * attempt
        forger.send(SYN, seq, 0, join_syn(token_of(case)))
        flags, theirs, ack, options = forger.receive()
        case.expect(flags == SYN | ACK, f"flags {flags:#x} where SYN/ACK was due")
        case.expect(b"\x1e\x10\x10" in options, f"no MP_JOIN in {options.hex()}")
        forger.send(ACK, ack, theirs + 1, b"\x1e\x18\x10\x00" + bytes(20))
        forger.expect_reset(1)
        forger.PORT += 1
    case.expect_counter(case.server, "MPJoinAckHMacFailure", 40, 40)
    case.expect_counter(case.server, "MPJoinAckRx", 0, 0)
    exchange(client, server, 1000, 1000)
    case.expect_mptcp()
