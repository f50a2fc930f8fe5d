# SPDX-License-Identifier: GPL-2.0
"""Networks that lose, delay, reorder, duplicate, or have unusual packet sizes."""

import socket

from lib.network import filter_counts, filter_packets
from lib.registry import scenario
from lib.transfer import exchange

MEGABYTE = 1 << 20
OFF = "tso off gso off gro off tx off"


@scenario(
    variants={
        "loss": (("delay", "2ms", "loss", "2%", "limit", "20000"), 4),
        "delay": (("delay", "10ms", "limit", "20000"), 16),
        "reorder": (("delay", "10ms", "reorder", "75%", "limit", "20000"), 4),
        "duplicate": (("duplicate", "10%", "limit", "20000"), 8),
        "corrupt": (("corrupt", "1%", "limit", "20000"), 2),
        "everything": (
            ("delay", "10ms", "2ms", "loss", "1%", "duplicate", "2%", "reorder", "90%"),
            2,
        ),
    },
    limit=240,
)
def netem(case, words, megabytes):
    """The impairment is on both ways out; `reorder 75%` sends 25 % of the packets late."""
    case.network.netem(*words)
    client, server = case.connect_pair()
    size = case.size(stock=megabytes, test=1) * MEGABYTE
    exchange(client, server, size, size)


@scenario(limit=240)
def loss_with_checksum(case):
    for end in case.ends:
        end.set_checksum(True)
    case.network.netem("delay", "2ms", "loss", "2%")
    client, server = case.connect_pair()
    exchange(client, server, 2 * MEGABYTE, 2 * MEGABYTE)
    for end in case.ends:
        case.expect_counter(end, "DataCsumErr", 0, 0)


@scenario(
    variants={
        "1280_ipv4": (1280, socket.AF_INET),
        "1280_ipv6": (1280, socket.AF_INET6),
        "9000_ipv4": (9000, socket.AF_INET),
        "9000_ipv6": (9000, socket.AF_INET6),
        "576_ipv4": (576, socket.AF_INET),
    },
    plain=True,
    alike=True,
)
def mtu(case, size, family):
    case.network.mtu(size)
    client, server = case.connect_pair(family)
    amount = case.size(stock=8, test=1) * MEGABYTE
    exchange(client, server, amount, amount)
    case.expect_mptcp()


@scenario(plain=True, alike=True)
def no_offload(case):
    """Without segmentation and checksum offload: one packet per segment, summed in software."""
    for namespace in case.network.ends:
        namespace.run("ethtool", "-K", "veth0", *OFF.split())
    client, server = case.connect_pair()
    amount = case.size(stock=8, test=1) * MEGABYTE
    exchange(client, server, amount, amount)
    case.expect_mptcp()


@scenario(
    variants={
        "timestamps": ("tcp_timestamps",),
        "sack": ("tcp_sack",),
        "window_scaling": ("tcp_window_scaling",),
    },
    plain=True,
    alike=True,
)
def without(case, feature):
    """A TCP option that both ends usually agree on is off."""
    case.network.sysctl(f"net.ipv4.{feature}", 0)
    case.network.netem("delay", "1ms", "loss", "1%")
    client, server = case.connect_pair()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario()
def late_demultiplexing(case):
    """The receive path has no socket at hand before the lookup."""
    case.network.sysctl("net.ipv4.tcp_early_demux", 0)
    client, server = case.connect_pair()
    amount = case.size(stock=8, test=1) * MEGABYTE
    exchange(client, server, amount, amount)
    case.expect_mptcp()


@scenario()
def syn_lost(case):
    """The first SYN and the first SYN/ACK are lost; the handshake still ends in MPTCP."""
    for end, flags in ((case.server, "syn"), (case.client, "(syn|ack)")):
        filter_packets(
            end.namespace,
            "prerouting",
            f"tcp flags & (syn|ack) == {flags} limit rate 1/hour burst 1 packets counter drop",
        )
    client, server = case.connect_pair()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario()
def syn_cookies(case):
    """The server keeps no state of handshakes at all: SYN cookies on every SYN."""
    case.server.namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    client, server = case.connect_pair()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario()
def connection_tracking(case):
    """Netfilter's connection tracking finds no packet invalid."""
    for end in case.ends:
        filter_packets(end.namespace, "input", "ct state invalid counter drop", "counter")
    client, server = case.connect_pair()
    exchange(client, server, MEGABYTE, MEGABYTE)
    for end in case.ends:
        invalid, all_packets = filter_counts(end.namespace)
        case.expect(all_packets > 0, "the filter met no packet: nothing was tested")
        case.expect(invalid == 0, f"{invalid} packets were invalid to the {end.name}'s tracking")
    case.expect_mptcp()
