# SPDX-License-Identifier: GPL-2.0
"""Rules that only a peer who speaks by hand can put to the test."""

import errno
import socket
import struct

from lib.events import SIOCOUTQ, queued, wait_until
from lib.raw_peer import FASTCLOSE, KEY, RawPeer
from lib.registry import OURS_ONLY, scenario
from lib.transfer import receive_exactly

from .handover import no_subflow

# MP_TCPRST with the reason "MPTCP specific".
MPTCP_SPECIFIC = bytes([30, 4, 0x80, 1])


def begin(case):
    """Our client connected to a peer by hand, which has its first byte."""
    peer = RawPeer(case)
    client = case.connect()
    # The peer never ends: closing aborts.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sendall(b"?")
    wait_until(lambda: peer.received == 1, "arrival of the first byte")
    return client, peer


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.5-7
def fastclose_on_an_acknowledgement(case):
    """MP_FASTCLOSE on an ACK ends the connection, and is answered by RST."""
    client, peer = begin(case)
    peer.say(peer.fastclose())
    wait_until(lambda: peer.resets, "a reset")
    try:
        case.expect(client.recv(1) == b"?", "data after the abort")
    except OSError as error:
        case.expect(error.errno == errno.ECONNRESET, f"{error} where a reset was due")
    case.expect_counter(case.client, "MPFastcloseRx", 1)


@scenario(roles=OURS_ONLY, needs_module=True)
def fastclose_overtaken(case):
    """A RST without options comes before the one with MP_FASTCLOSE: the connection ends all the same."""
    client, peer = begin(case)
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    peer.reset()
    wait_until(lambda: no_subflow(case.client), "the end of the subflow")
    peer.reset(peer.fastclose())
    client.settimeout(10)
    try:
        client.recv(1)
    except ConnectionResetError:
        return case.expect_counter(case.client, "MPFastcloseRx", 1)
    raise AssertionError("the connection did not end by a reset")


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.5-5
def fastclose_while_data_is_missing(case):
    """An abort with data in flight: MP_FASTCLOSE goes on an ACK, which is heard beyond a gap, and on a RST."""
    client, peer = begin(case)
    peer.deaf = True
    client.sendall(b"lost")
    client.close()
    wait_until(lambda: peer.resets, "a reset")
    # What the peer sent before it heard may be answered by RSTs without options after them.
    for said in (peer.fastcloses, peer.resets):
        case.expect(bool(said) and FASTCLOSE + KEY in said[0], f"MP_FASTCLOSE, and not {said}")


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.5-6
def data_after_close(case):
    """Data that nobody will read any more aborts the connection by MP_FASTCLOSE."""
    client, peer = begin(case)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    wait_until(lambda: queued(client, SIOCOUTQ) == 0, "the acknowledgement of the first byte")
    client.close()
    wait_until(lambda: peer.finished, "the FIN")
    peer.send(b"late")
    wait_until(lambda: peer.resets, "a reset")
    case.expect(FASTCLOSE + KEY in peer.resets[0], f"a RST with {peer.resets[0].hex()}")
    case.expect_counter(case.client, "MPFastcloseTx", 2)


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.3-2 rfc8684:3.3-5
def checksum_against_the_agreement(case):
    """A mapping with a checksum that nobody asked for: the subflow is reset, for a reason."""
    client, peer = begin(case)
    peer.send(b"first")
    case.expect(receive_exactly(client, 5) == b"first", "other data than was sent")
    peer.send(b"second", checksum=b"\x12\x34")
    wait_until(lambda: peer.resets, "a reset")
    options = peer.resets[0]
    case.expect(MPTCP_SPECIFIC in options, f"a RST with the options {options.hex()}")
    # The connection waits for another subflow; nobody is there to take one in.
    case.expect_counter(case.client, "MPCurrEstab", 1)


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.3.1-16 rfc8684:3.3.1-17
def urgent_data(case):
    """Urgent data that comes is delivered in its place; none is sent."""
    client, peer = begin(case)
    peer.send(b"abcdef", urgent=3)
    peer.send(b"ghi")
    case.expect(receive_exactly(client, 9) == b"abcdefghi", "other data than was sent")
    try:
        client.send(b"!", socket.MSG_OOB)
    except OSError as error:
        case.expect(error.errno == errno.EOPNOTSUPP, f"{error} for urgent data")
    else:
        raise AssertionError("urgent data was sent")
    client.sendall(b"!")
    wait_until(lambda: peer.received == 2, "arrival of another byte")


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.3.3-8
def both_levels_end_in_one_segment(case):
    """FIN and DATA_FIN in one segment end the peer's stream and leave ours as it was: MPTCP."""
    client, peer = begin(case)
    peer.send(b"last")
    peer.finish()
    case.expect(receive_exactly(client, 4) == b"last", "other data than was sent")
    case.expect(client.recv(1) == b"", "data after the end")
    client.sendall(b"more")
    wait_until(lambda: peer.received == 5, "arrival of the answer")
    case.expect_counter(case.client, "DssFallback", 0, 0)
    case.expect_counter(case.client, "MPCurrEstab", 1)


@scenario(roles=OURS_ONLY, needs_module=True)
def reset_where_a_fin_was_due(case):
    """Both streams have ended and the peer resets the subflow instead of closing it: nothing stays."""
    client, peer = begin(case)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    peer.send(b"last")
    case.expect(receive_exactly(client, 4) == b"last", "other data than was sent")
    client.close()
    wait_until(lambda: peer.finished, "the FIN")
    peer.finish_stream()
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    peer.reset()
    connections = "/proc/thread-self/net/mptcp_rs/connections"
    wait_until(lambda: len(case.client.namespace.read(connections).splitlines()) == 1, "the end")
