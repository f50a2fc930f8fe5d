# SPDX-License-Identifier: GPL-2.0
"""Ends and faults of connections that have several subflows."""

import errno
import socket
import struct

from lib.events import SIOCOUTQ, queued, wait_for, wait_until
from lib.network import LINK, change_marked, filter_counts, filter_packets
from lib.registry import scenario
from lib.transfer import exchange, receive_exactly
from scenarios.paths import OUR_CLIENT, Paths
from scenarios.scheduler import choose

MEGABYTE = 1 << 20


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
# rfc8684:3.5-1 rfc8684:3.5-6
def aborted(case, who):
    """An end that closes without lingering ends all subflows: the other is told of a reset."""
    client, server = Paths(case).begin_with_two()
    closing, other = (client, server) if who == "client" else (server, client)
    ends = {client: case.client, server: case.server}
    closing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    closing.close()
    wait_for(other, 0x10)
    try:
        case.expect(other.recv(1) == b"?", "data after the abort")
    except OSError as error:
        case.expect(error.errno == errno.ECONNRESET, f"{error} where a reset was due")
    else:
        raise AssertionError("the other end was not told of the abort")
    case.expect_counter(ends[other], "MPFastcloseRx")
    for end in case.ends:
        wait_until(lambda end=end: established(end) == 0, f"the end of the {end.name}'s subflows")


def established(end) -> int:
    """TCP connections of an end that are established."""
    rows = end.namespace.read("/proc/thread-self/net/tcp").splitlines()[1:]
    return sum(row.split()[3] == "01" for row in rows)


@scenario(all_roles=True)
# rfc8684:3.7-10 rfc8684:3.7-11
def checksum_wrong_on_one(case):
    """Changed bytes on one of two subflows: it is reset, and all arrives by the other, unchanged."""
    for end in case.ends:
        end.set_checksum(True)
    client, server = Paths(case).begin_with_two()
    # Whichever scheduler is there shall prefer the other link.
    case.client.namespace.run("tc", "qdisc", "replace", "dev", "veth0", "root", "netem", "delay", "20ms")
    change_bytes(case.client.namespace, "veth1")
    exchange(client, server, 4 * MEGABYTE, 0)
    case.expect(filter_counts(case.client.namespace)[0] > 0, "no segment was changed")
    case.expect_counter(case.server, "DataCsumErr")
    case.expect_counter(case.server, "MPRstTx")
    case.expect_counter(case.client, "MPRstRx")
    for end in case.ends:
        case.expect_counter(end, "InfiniteMapTx", 0, 0)


def change_bytes(namespace, link: str) -> None:
    """Inverts a byte of the data of each large segment on its way out; the TCP checksum is made right."""
    filter_packets(namespace, "output", f"oifname {link} ip length > 1000 counter ip dscp set ef")
    change_marked(namespace, link)


@scenario(roles=OUR_CLIENT, needs_module=True, all_roles=True)
def acknowledged_elsewhere(case):
    """A last piece that waits until all before it is acknowledged leaves as soon as that is so, although the
    acknowledgement comes on another subflow than the one whose turn it is."""
    client, server = Paths(case).begin_with_two()
    choose(client, "roundrobin")
    case.client.namespace.run(
        "tc", "qdisc", "replace", "dev", "veth1", "root", "netem", "delay", "150ms"
    )
    # One piece on each subflow. The first is acknowledged at once, the second later.
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(b"a" * 1000)
    client.sendall(b"b" * 1000)
    # Now Nagle's rule holds the rest back.
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
    client.sendall(b"c" * 500)
    server.settimeout(case.size(stock=10, test=20))
    case.expect(receive_exactly(server, 2500)[-500:] == b"c" * 500, "the last piece is another")


@scenario(roles=OUR_CLIENT, needs_module=True, all_roles=True)
def last_fin_lost(case):
    """The DATA_FIN of a connection that is idle otherwise is lost on all subflows: it is said again."""
    client, server = Paths(case).begin_with_two()
    wait_until(lambda: queued(client, SIOCOUTQ) == 0, "the acknowledgement of all data")
    namespace = case.client.namespace
    for link in (LINK, "veth1"):
        namespace.run("tc", "qdisc", "replace", "dev", link, "root", "netem", "loss", "100%")
    client.shutdown(socket.SHUT_WR)
    for link in (LINK, "veth1"):
        namespace.run("tc", "qdisc", "del", "dev", link, "root")
    server.settimeout(case.size(stock=10, test=20))
    case.expect(server.recv(1) == b"", "data after the end")
