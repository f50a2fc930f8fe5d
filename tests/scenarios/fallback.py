# SPDX-License-Identifier: GPL-2.0
"""Fallback to plain TCP: a peer without MPTCP, and middleboxes that remove the option.

The option is removed by nftables on its way into one of the ends, at one stage of the handshake
only; whatever the ends make of it, every byte must arrive once and in order.
"""

import socket

from lib.network import LINK, change_marked, filter_counts, filter_packets
from lib.registry import FALLBACK_ROLES, OURS_ONLY, scenario
from lib.transfer import Task, check_stream, digest, exchange, receive_stream, send_stream

SIZE = 1 << 20
STRIP = "counter reset tcp option 30"
SYN = "tcp flags & (syn|ack) == syn"
SYN_ACK = "tcp flags & (syn|ack) == (syn|ack)"
NOT_SYN = "tcp flags & syn == 0"
# IPv4 header 20, TCP header at most 60 together with the options of a first data segment.
NO_DATA = "ip length <= 80"
DATA = "ip length > 112"
FIRST_ONE = "limit rate 1/hour burst 1 packets"
FIRST_TWO = "limit rate 1/hour burst 2 packets"


@scenario(roles=FALLBACK_ROLES, variants={"ipv4": (socket.AF_INET,), "ipv6": (socket.AF_INET6,)})
# rfc8684:3.1-4 rfc8684:3.1-5
def peer_without_mptcp(case, family):
    client, server = case.connect_pair(family)
    exchange(client, server, SIZE, SIZE)
    case.expect_no_mptcp()
    if case.client.stack.speaks_mptcp:
        case.expect_counter(case.client, "MPCapableSYNTX", 1)
        case.expect_counter(case.client, "MPCapableFallbackSYNACK", 1)


@scenario(
    all_roles=True,
    variants={
        "syn": ("server", SYN),
        "syn_ack": ("client", SYN_ACK),
        "everything": ("both", ""),
    },
)
# rfc8684:3.1-4 rfc8684:3.1-6 rfc8684:3.7-1
def handshake_stripped(case, where, match):
    """The option is gone before both ends know of each other: both speak plain TCP."""
    transfer_stripped(case, where, match)
    case.expect_no_mptcp()
    case.expect_counter(case.client, "MPCapableFallbackSYNACK", 1)


@scenario(
    all_roles=True,
    variants={
        "from_client": ("server", NOT_SYN),
        "from_server": ("client", NOT_SYN),
        "third_ack": ("server", f"{NOT_SYN} {NO_DATA} {FIRST_ONE}"),
        "first_data": ("server", f"{NOT_SYN} {DATA} {FIRST_ONE}"),
        "third_ack_and_first_data": ("server", f"{NOT_SYN} {FIRST_TWO}"),
    },
)
def stripped(case, where, match):
    """The option is gone after the SYN/ACK, for good or in one or two segments."""
    transfer_stripped(case, where, match)


@scenario(
    roles=OURS_ONLY,
    variants={
        "third_ack": ("server", f"{NOT_SYN} {NO_DATA} {FIRST_ONE}"),
        "from_server": ("client", NOT_SYN),
    },
)
def request_then_end(case, where, match):
    """The client ends its half before it knows that the server speaks plain TCP.

    With the kernel's own MPTCP at either end the server never sees the end of the request.
    """
    end = getattr(case, where)
    filter_packets(end.namespace, "prerouting", f"{match} {STRIP}")
    client, server = case.connect_pair()
    send_stream(client, 1000, 1)
    check_stream("request", receive_stream(server), 1000, 1)
    # The answer is larger than all buffers together may be.
    answer = Task(receive_stream, client)
    send_stream(server, SIZE, 2)
    check_stream("answer", answer.result(60), SIZE, 2)
    case.expect(filter_counts(end.namespace)[0] > 0, "the filter met no packet")


@scenario(roles=FALLBACK_ROLES, variants={"client": ("client",), "server": ("server",)})
def end_with_last_data(case, receiver):
    """The FIN that comes with the last data finds a receiver that has closed its own half."""
    for seed in range(20):
        client, server = case.connect_pair()
        reader, writer = (client, server) if receiver == "client" else (server, client)
        reader.shutdown(socket.SHUT_WR)
        case.expect(writer.recv(1) == b"", "bytes where the end of the stream was due")
        task = Task(receive_stream, reader)
        send_stream(writer, SIZE // 4, seed)
        check_stream(f"stream {seed}", task.result(20), SIZE // 4, seed)


# rfc8684:3.7-5 rfc8684:3.7-17 rfc8684:3.7-18 rfc8684:3.7-19
def transfer_stripped(case, where, match):
    ends = case.ends if where == "both" else [getattr(case, where)]
    for end in ends:
        filter_packets(end.namespace, "prerouting", f"{match} {STRIP}")
    client, server = case.connect_pair()
    exchange(client, server, SIZE, SIZE)
    for end in ends:
        met = filter_counts(end.namespace)[0]
        case.expect(met > 0, "the filter met no packet: nothing was tested")


@scenario(all_roles=True)
# rfc8684:3.1-19 rfc8684:3.1-20
def third_ack_lost(case):
    """The third ACK never arrives: the first data carries both keys and MPTCP goes on."""
    filter_packets(
        case.server.namespace,
        "prerouting",
        f"{NOT_SYN} {NO_DATA} limit rate over 1/hour burst 1 packets accept",
        f"{NOT_SYN} {NO_DATA} counter drop",
    )
    client, server = case.connect_pair()
    exchange(client, server, SIZE, SIZE)
    case.expect_mptcp()


@scenario(roles=(("ours", "ours"), ("ours", "builtin")))
def upload_changed(case):
    change_payload(case, "client")


@scenario(roles=(("ours", "ours"), ("builtin", "ours")))
def download_changed(case):
    change_payload(case, "server")


def change_payload(case, writer):
    """A middlebox changes a byte: the DSS checksum tells, and both ends go on as plain TCP."""
    for end in case.ends:
        end.set_checksum(True)
    sender = getattr(case, writer)
    receiver = case.server if sender is case.client else case.client
    change_one_byte(sender.namespace)
    client, server = case.connect_pair()
    ours, theirs = (client, server) if sender is case.client else (server, client)
    task = Task(receive_stream, theirs)
    send_stream(ours, SIZE, 3)
    received = task.result(60)
    case.expect(received.size == SIZE, f"{received.size} of {SIZE} bytes arrived")
    case.expect(received.sha256 != digest(SIZE, 3), "the middlebox changed nothing")
    send_stream(theirs, 1000, 4)
    check_stream("answer", receive_stream(ours), 1000, 4)
    case.expect_counter(receiver, "DataCsumErr", 1)
    case.expect_counter(receiver, "MPFailTx", 1)
    case.expect_counter(sender, "MPFailRx", 1)
    # rfc8684:3.7-14
    case.expect_counter(sender, "MPFailTx", 1)
    case.expect_counter(receiver, "MPFailRx", 1)


def change_one_byte(namespace):
    """Inverts a byte of the data of one segment on its way out; the TCP checksum is made right."""
    filter_packets(
        namespace,
        "output",
        # Segments of 64 KB are counted as one packet, and the stream is hardly more than 16 of them.
        "ip length > 1000 limit rate 1/hour burst 8 packets accept",
        "ip length > 1000 limit rate 1/hour burst 1 packets counter ip dscp set ef",
    )
    change_marked(namespace, LINK)
