# SPDX-License-Identifier: GPL-2.0
"""Receive-flow steering of connections that live while something changes: settings, table, hash, processors."""

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from lib.counters import NETSTAT, parse_netstat, read_counters
from lib.events import wait_until
from lib.network import filter_packets
from lib.registry import OURS_ONLY, scenario
from lib.steering import (
    MODES,
    SOL_MPTCP,
    STEERING,
    Flow,
    by_processor,
    four_links,
    processors,
    refused,
    segments,
    set_table,
    share,
    subflows,
    turn_on,
)

FROM_BUILTIN = (("builtin", "ours"),)


def deferred(end, before: dict[int, dict[str, int]]) -> dict[str, dict[int, int]]:
    """By kind and processor, how often deferred work of the end's connections ran since then."""
    now = by_processor(end)
    return {
        kind: {cpu: row[kind] - before[cpu][kind] for cpu, row in now.items()}
        for kind in ("work", "softirq_work", "timers")
    }


@scenario(roles=OURS_ONLY, needs_module=True, at_once=True)
def changes_while_it_lives(case):
    """The mode and the processors of a living connection: by the namespace's settings, by the socket's."""
    turn_on(case)
    namespace = case.server.namespace
    first, *_, last = processors()
    amount = case.size(stock=2 << 20, test=1 << 19)
    namespace.sysctl("net.mptcp_rs.steering", "off")
    flow = Flow(case, writer_cpu=first, reader_cpu=first)

    def arrives_on(cpu: int, why: str) -> None:
        flow.run(amount // 4)
        before = segments(case.server)
        flow.run(amount)
        part = share(before, segments(case.server), cpu)
        case.expect(part >= 0.99, f"{why}: {part:.2%} arrived on processor {cpu}")

    arrives_on(first, "off")
    namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    namespace.sysctl("net.mptcp_rs.steering", "pin")
    arrives_on(last, "pin")
    namespace.sysctl("net.mptcp_rs.steering_cpus", first)
    arrives_on(first, "another list of processors")
    namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    arrives_on(last, "the first list again")
    flow.server.setsockopt(SOL_MPTCP, STEERING, MODES.index("off"))
    arrives_on(first, "the socket's own mode")
    flow.server.setsockopt(SOL_MPTCP, STEERING, -1)
    arrives_on(last, "the namespace's mode again")
    flow.end()
    case.expect_counter(case.server, "SteeringEntries")
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True, at_once=True)
def table_exchanged(case):
    """The table is resized, taken away and given back under way: nothing breaks, steering goes on."""
    turn_on(case)
    first, *_, last = processors()
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    amount = case.size(stock=2 << 20, test=1 << 19)
    # The connection is older than the table.
    set_table(0)
    flow = Flow(case, writer_cpu=first, reader_cpu=first)
    for entries in (64, 0, 1 << 16, 1, 4096):
        set_table(entries)
        flow.run(amount // 4)
        before = segments(case.server)
        flow.run(amount)
        expected = last if entries > 1 else first
        # With a single entry both directions share it, and each takes it from the other.
        if entries != 1:
            part = share(before, segments(case.server), expected)
            case.expect(part >= 0.99, f"{entries} entries: {part:.2%} arrived on {expected}")
    flow.end()
    case.expect_counter(case.server, "SteeringStray")
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True, at_once=True)
def processor_goes(case):
    """The chosen processor goes offline and comes back: the segments go elsewhere, and return to it."""
    turn_on(case)
    first, *_, last = processors()
    switch = Path(f"/sys/devices/system/cpu/cpu{last}/online")
    case.cleanup.callback(switch.write_text, "1")
    case.server.namespace.sysctl("net.mptcp_rs.steering", "pin")
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    amount = case.size(stock=2 << 20, test=1 << 19)
    flow = Flow(case, writer_cpu=first, reader_cpu=first)
    for online, cpu in ((True, str(last)), (False, "-"), (True, str(last))):
        switch.write_text(f"{int(online)}")
        case.expect(by_processor(case.server)[last]["usable"] == online, f"online={online} is not seen")
        flow.run(amount)
        flows = subflows(case.server)
        case.expect(flows[0]["cpu"] == cpu, f"online={online}: sent to {flows[0]['cpu']}")
    # Two to choose from: the one that is left is taken.
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", f"{first},{last}")
    switch.write_text("0")
    flow.run(amount)
    case.expect(subflows(case.server)[0]["cpu"] == str(first), "the processor that is left was not taken")
    flow.end()
    case.expect_mptcp()


@scenario(roles=FROM_BUILTIN, needs_module=True, all_roles=True, at_once=True)
def deferred_work(case):
    """What a connection puts off runs on its chosen processor, whoever asks for it: the timer, data for
    another subflow, the closing. It is not lost when that processor goes away."""
    links = four_links(case)
    first, *_, last = processors()
    case.server.namespace.sysctl("net.mptcp_rs.steering", "pin")
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    before = by_processor(case.server)
    flow = Flow(case, writer_cpu=first, reader_cpu=first, back=True)
    wait_until(lambda: len(subflows(case.server)) == len(links), "the opening of all subflows")
    amount = case.size(stock=4 << 20, test=1 << 20)
    flow.run(amount)
    wait_until(lambda: deferred(case.server, before)["timers"][last] > 1, "the timer to run twice")
    for kind, runs in deferred(case.server, before).items():
        elsewhere = sum(runs.values()) - runs[last]
        case.expect(elsewhere == 0, f"{kind} ran elsewhere than on processor {last}: {runs}")
    switch = Path(f"/sys/devices/system/cpu/cpu{last}/online")
    case.cleanup.callback(switch.write_text, "1")
    switch.write_text("0")
    flow.run(amount)
    switch.write_text("1")
    flow.run(amount)
    flow.end()
    for sock in (flow.server, flow.client):
        sock.close()
    wait_until(lambda: not subflows(case.server), "the end of the connection")
    for kind, runs in deferred(case.server, before).items():
        case.expect(runs[last] > 0, f"{kind} never ran on the chosen processor: {runs}")
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True, at_once=True)
def hash_changes(case):
    """The sender gives its packets another hash after a timeout: they are steered by the new one."""
    turn_on(case)
    first, *_, last = processors()
    case.server.namespace.sysctl("net.mptcp_rs.steering", "pin")
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    amount = case.size(stock=2 << 20, test=1 << 19)
    flow = Flow(case, writer_cpu=first, reader_cpu=first)
    flow.run(amount)
    rehashed, written = rehashes(case.client), entries_written(case.server)
    filter_packets(case.server.namespace, "prerouting", f"tcp dport {case.port} drop")
    wait_until(lambda: rehashes(case.client) > rehashed, "a timeout with another hash")
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    flow.run(amount // 4)
    before = segments(case.server)
    flow.run(amount)
    part = share(before, segments(case.server), last)
    case.expect(part >= 0.99, f"{part:.2%} of the segments with another hash arrived on processor {last}")
    case.expect(entries_written(case.server) > written, "no entry was written for the new hash")
    flow.end()
    case.expect_mptcp()


def rehashes(end) -> int:
    """How often the end's TCP changed the hash of a flow after a timeout."""
    return parse_netstat(end.namespace.read(NETSTAT), "TcpExt")["TcpTimeoutRehash"]


def entries_written(end) -> int:
    """How many entries of the table of flows were written for the end."""
    return read_counters(end.namespace, end.stack)["SteeringEntries"]


# Isolated partitions take CONFIG_CPU_ISOLATION.
@scenario(roles=OURS_ONLY, needs_module=True, stock_only=True)
def isolated(case):
    """A processor that the administrator keeps free while connections live is left, and taken again later."""
    turn_on(case)
    first, *_, last = processors()
    namespace = case.server.namespace
    namespace.sysctl("net.mptcp_rs.steering", "pin")
    namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    flow = Flow(case, writer_cpu=first, reader_cpu=first)
    wait_until(lambda: subflows(case.server)[0]["cpu"] == str(last), f"a place on processor {last}")
    # The test kernel is built without isolation: there nothing may change.
    keeps_free = case.size(stock=True, test=False)
    with isolated_partition(last):
        place = "-" if keeps_free else str(last)
        wait_until(lambda: subflows(case.server)[0]["cpu"] == place, f"the place {place}")
        usable = by_processor(case.server)[last]["usable"]
        case.expect(usable == (not keeps_free), f"usable is {usable}")
        if keeps_free:
            case.expect(refused(namespace, "steering_cpus", str(last)), "only an isolated processor was not refused")
    wait_until(lambda: subflows(case.server)[0]["cpu"] == str(last), f"a place on processor {last} again")
    flow.end()
    case.expect_mptcp()


@contextmanager
def isolated_partition(cpu: int):
    """A cpuset that keeps a processor free, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(("mount", "-t", "cgroup2", "cgroup2", root), check=True)
        group = Path(root, "isolated")
        try:
            Path(root, "cgroup.subtree_control").write_text("+cpuset")
            group.mkdir()
            (group / "cpuset.cpus").write_text(str(cpu))
            (group / "cpuset.cpus.partition").write_text("isolated")
            state = (group / "cpuset.cpus.partition").read_text().strip()
            isolated_ones = Path(root, "cpuset.cpus.isolated").read_text().strip()
            if state != "isolated" or isolated_ones != str(cpu):
                raise RuntimeError(f"the partition is {state}, isolated are {isolated_ones!r}")
            yield
        finally:
            if group.exists():
                group.rmdir()
            subprocess.run(("umount", root), check=True)
