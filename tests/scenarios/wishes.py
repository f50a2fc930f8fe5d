# SPDX-License-Identifier: GPL-2.0
"""What one end asks of the other about subflows: backups, addresses that nobody may join, repetition."""

from lib.events import wait_until
from lib.network import filter_counts, filter_packets
from lib.path_manager import BACKUP, FLUSH_ADDRS, LAMINAR, SIGNAL, SUBFLOW
from lib.registry import scenario
from lib.transfer import exchange
from scenarios.paths import Paths

MEGABYTE = 1 << 20
SYN = "tcp flags & (syn|ack) == syn"


@scenario(variants={"of_client": (False,), "of_server": (True,)})
# rfc8684:3.3.8-1
def backup_from_the_start(case, announced):
    """A subflow that is a backup by its SYN or SYN/ACK carries no data as long as the first works."""
    paths = Paths(case)
    if announced:
        paths.server.add("10.0.2.2", SIGNAL | BACKUP)
    else:
        paths.leave_from(2, SUBFLOW | BACKUP)
    client, server = paths.begin()
    paths.joined()
    before = [end.bytes_sent("veth1") for end in case.ends]
    exchange(client, server, MEGABYTE, MEGABYTE)
    for end, earlier in zip(case.ends, before, strict=True):
        carried = end.bytes_sent("veth1") - earlier
        case.expect(carried < MEGABYTE // 10, f"the {end.name}'s backup carried {carried} bytes")


@scenario()
def laminar(case):
    """Two announced addresses and one laminar endpoint: one subflow, and it leaves from there."""
    paths = Paths(case, links=3)
    paths.server.add("10.0.2.2", SIGNAL)
    paths.server.add("10.0.3.2", SIGNAL)
    paths.leave_from(2, LAMINAR)
    client, server = paths.begin()
    paths.wait_for(case.server, "EchoAdd", 2)
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", 1, 1)


@scenario(variants={"alone": (False,), "with_another": (True,)})
# rfc8684:3.1-14
def first_address_denied(case, announced):
    """A server that does not want subflows to its first address gets none; to another one it does."""
    directory = "mptcp_rs" if case.server.stack.counters == "module" else "mptcp"
    case.server.namespace.sysctl(f"net.{directory}.allow_join_initial_addr_port", 0)
    paths = Paths(case, links=3)
    paths.leave_from(3)
    if announced:
        paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    if announced:
        paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", int(announced), int(announced))


@scenario()
def announced_again(case):
    """ADD_ADDR is repeated as long as its echoes are lost, and used once."""
    paths = Paths(case)
    directory = "mptcp_rs" if case.server.stack.counters == "module" else "mptcp"
    case.server.namespace.sysctl(f"net.{directory}.add_addr_timeout", 1)
    # Only the client's echoes have this option.
    filter_packets(
        case.server.namespace,
        "prerouting",
        "tcp option mptcp subtype add-addr limit rate 1/hour burst 2 packets counter drop",
    )
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    wait_until(lambda: case.server.counter("EchoAdd") >= 1, "an echo that arrives", 20)
    case.expect(filter_counts(case.server.namespace) == [2], "the filter did not meet two echoes")
    case.expect_counter(case.client, "AddAddr", 3)
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", 1, 1)


@scenario(variants={"drop": ("drop",), "reset": ("reject with tcp reset",)}, long=True)
def refused_on_the_way(case, verdict):
    """Joins that never get through do not harm the connection, nor those that do."""
    filter_packets(case.server.namespace, "input", f"ip saddr 10.0.2.1 {SYN} counter {verdict}")
    paths = Paths(case, links=3)
    paths.leave_from(2)
    paths.leave_from(3)
    client, server = paths.begin()
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect(filter_counts(case.server.namespace)[0] > 0, "the filter met no SYN")


@scenario()
def all_removed(case):
    """All endpoints of both ends go: the announced address is withdrawn, and the first subflow goes on."""
    paths = Paths(case, links=3)
    paths.leave_from(3)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    paths.joined(2)
    for manager in (paths.client, paths.server):
        manager.must(FLUSH_ADDRS)
    paths.wait_for(case.client, "RmAddr")
    wait_until(lambda: case.client.counter("RmSubflow") >= 2, "the end of both subflows")
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()
