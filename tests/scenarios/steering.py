# SPDX-License-Identifier: GPL-2.0
"""Receive-flow steering: the processor that handles a connection's segments."""

import errno
import json
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from lib.counters import NETSTAT, parse_netstat, read_counters
from lib.events import wait_until
from lib.network import LINK, filter_packets
from lib.path_manager import PathManager
from lib.registry import OURS_ONLY, scenario
from lib.steering import (
    MODES,
    SOL_MPTCP,
    STEERING,
    by_processor,
    on_processor,
    processors,
    segments,
    set_queue,
    set_table,
    settings,
    share,
    subflows,
    turn_on,
)
from lib.transfer import Task, exchange, receive_exactly

CHUNK = 16 * 1024
FROM_BUILTIN = (("builtin", "ours"),)


def refused(namespace, name: str, value: str) -> bool:
    """Whether the value is refused with EINVAL and the old one stays."""
    before = settings(namespace)
    try:
        namespace.sysctl(f"net.mptcp_rs.{name}", value)
    except OSError as error:
        return error.errno == errno.EINVAL and settings(namespace) == before
    return False


def option_errno(sock: socket.socket, value) -> int | None:
    """The errno of setting the socket's mode."""
    try:
        sock.setsockopt(SOL_MPTCP, STEERING, value)
    except OSError as error:
        return error.errno
    return None


class Flow:
    """Data from the client to the server, or back, as long as it is wanted: the writer bound to one
    processor, the reader to another that may change."""

    def __init__(self, case, writer_cpu: int, reader_cpu: int, back: bool = False, pair=None):
        self.client, self.server = pair or case.connect_pair()
        self.source, self.sink = (self.server, self.client) if back else (self.client, self.server)
        self.reader_cpu = reader_cpu
        self.read = 0
        self.stop = threading.Event()
        self.writer = Task(on_processor, writer_cpu, self._write)
        self.reader = Task(self._read)

    def _write(self):
        data = bytes(CHUNK)
        while not self.stop.is_set():
            self.source.sendall(data)
        self.source.shutdown(socket.SHUT_WR)

    def _read(self):
        while data := on_processor(self.reader_cpu, self.sink.recv, CHUNK):
            self.read += len(data)

    def run(self, amount: int) -> None:
        """Waits until so many more bytes were read."""
        goal = self.read + amount
        wait_until(
            lambda: self.read >= goal or not self.reader.is_alive(),
            f"reading {amount} bytes",
            seconds=15,
        )
        if self.read < goal:
            self.reader.result(0)

    def end(self) -> None:
        """Ends the stream and both threads."""
        self.stop.set()
        self.writer.result(60)
        self.reader.result(60)


def four_links(case) -> tuple[str, ...]:
    """Four links that look flows up, over each of which the kernel's own client opens a subflow."""
    links = (LINK, *(case.network.add_link(number) for number in (2, 3, 4)))
    turn_on(case, links)
    for end in case.ends:
        case.keep(PathManager(end.namespace, end.stack)).limits(0, 8)
    for number, link in enumerate(links[1:], start=2):
        words = ("endpoint", "add", f"10.0.{number}.1", "dev", link, "subflow")
        case.client.namespace.run("ip", "mptcp", *words)
    return links


def deferred(end, before: dict[int, dict[str, int]]) -> dict[str, dict[int, int]]:
    """By kind and processor, how often deferred work of the end's connections ran since then."""
    now = by_processor(end)
    return {
        kind: {cpu: row[kind] - before[cpu][kind] for cpu, row in now.items()}
        for kind in ("work", "softirq_work", "timers")
    }


@scenario(roles=OURS_ONLY, needs_module=True)
def values(case):
    """Defaults, lists of processors, what is refused, and that one namespace's values are not another's."""
    client, server = case.network.ends
    last = processors()[-1]
    everything = {"steering": "follow", "steering_cpus": f"0-{last}"}
    case.expect(settings(client) == everything, f"the defaults are {settings(client)}")
    for mode in (*MODES, "follow"):
        client.sysctl("net.mptcp_rs.steering", mode)
        case.expect(settings(client)["steering"] == mode, f"{mode} did not stay")
    for mode in ("", "on", "Pin", "1", "pin spread"):
        case.expect(refused(client, "steering", mode), f"steering={mode!r} was not refused")
    for written, shown in ((str(last), str(last)), ("0,0-0", "0"), (" all ", f"0-{last}")):
        client.sysctl("net.mptcp_rs.steering_cpus", written)
        case.expect(settings(client)["steering_cpus"] == shown, f"{written!r} is not {shown!r}")
    for cpus in ("", "-1", f"{last + 1}", f"0-{last + 1}", "1-0", "0x1", "a", "99999", "0,"):
        case.expect(refused(client, "steering_cpus", cpus), f"steering_cpus={cpus!r} was not refused")
    case.expect(settings(server) == everything, "the other namespace changed too")


@scenario(roles=OURS_ONLY, needs_module=True)
def socket_option(case):
    """One socket's own mode: values, errors, and that an accepted socket has its listener's."""
    case.server.namespace.sysctl("net.mptcp_rs.steering", "spread")
    listener = case.listen()

    def mode_of(sock):
        return MODES[sock.getsockopt(SOL_MPTCP, STEERING)]

    case.expect(mode_of(listener) == "spread", "a new socket has not its namespace's mode")
    for number, mode in enumerate(MODES):
        listener.setsockopt(SOL_MPTCP, STEERING, number)
        case.expect(mode_of(listener) == mode, f"{number} is not {mode}")
    for value in (len(MODES), -2, 1 << 30, b"", b"pin"):
        got = option_errno(listener, value)
        case.expect(got == errno.EINVAL, f"{value!r} gave {got}, not EINVAL")
    listener.setsockopt(SOL_MPTCP, STEERING, MODES.index("pin"))
    client = case.connect()
    server = case.keep(listener.accept()[0])
    case.expect(mode_of(server) == "pin", "an accepted socket has not its listener's mode")
    case.expect(mode_of(client) == "follow", "the client's mode is not its namespace's")
    server.setsockopt(SOL_MPTCP, STEERING, -1)
    case.expect(mode_of(server) == "spread", "-1 is not the namespace's mode")
    exchange(client, server, 100_000, 100_000)
    case.expect_mptcp()


@scenario(
    roles=OURS_ONLY,
    needs_module=True,
    variants={mode: (mode,) for mode in MODES},
)
def first_segment(case, mode):
    """Every segment of new connections arrives where the mode says, the first data segment too, before
    anybody reads; with `off` it arrives where it was sent."""
    turn_on(case)
    sender, *_, chosen = processors()
    case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", chosen)
    case.server.namespace.sysctl("net.mptcp_rs.steering", mode)
    count = case.size(stock=20, test=5)

    def connect_and_send():
        sockets = [case.connect() for _ in range(count)]
        for sock in sockets:
            sock.sendall(bytes(CHUNK))
        return sockets

    listener = case.listen(backlog=count)
    before = segments(case.server)
    clients = Task(on_processor, sender, connect_and_send).result(60)
    wait_until(
        lambda: all(int(flow["readable"]) == CHUNK for flow in subflows(case.server)),
        "the arrival of all data",
    )
    after = segments(case.server)
    flows = subflows(case.server)
    case.expect(len(flows) == count, f"the server has {len(flows)} subflows")
    expected = sender if mode == "off" else chosen
    part = share(before, after, expected)
    case.expect(part == 1, f"{part:.2%} of the segments arrived on processor {expected}")
    if mode == "off":
        case.expect(all(flow["cpu"] == "-" for flow in flows), "a subflow was steered")
    else:
        for flow in flows:
            case.expect(flow["cpu"] == str(chosen), f"a subflow was sent to {flow['cpu']}")
            case.expect(int(flow["steered"]) > 0, "no segment counts as steered")
            case.expect(flow["strayed"] == "0", f"{flow['strayed']} segments strayed")
    for client in clients:
        server = case.keep(listener.accept()[0])
        case.expect(len(receive_exactly(server, CHUNK)) == CHUNK, "data is missing")
        client.close()
    case.expect_mptcp(connections=count)


@scenario(
    roles=FROM_BUILTIN,
    needs_module=True,
    all_roles=True,
    variants={mode: (mode,) for mode in ("follow", "pin", "spread")},
)
def joined(case, mode):
    """Four subflows over four links: all on one processor, or one each, from the first segment on."""
    links = four_links(case)
    first, *_, last = processors()
    case.server.namespace.sysctl("net.mptcp_rs.steering", mode)
    if mode == "pin":
        case.server.namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    flow = Flow(case, writer_cpu=first, reader_cpu=last)
    wait_until(lambda: len(subflows(case.server)) == len(links), "the opening of all subflows")
    flow.run(case.size(stock=8 << 20, test=1 << 20))
    flows = subflows(case.server)
    used = {flow["cpu"] for flow in flows}
    if mode == "spread":
        expected = min(len(links), len(processors()))
        case.expect(len(used) == expected, f"{len(links)} subflows are on the processors {used}")
    else:
        case.expect(used == {str(last)}, f"the subflows are on the processors {used}")
    for one in flows:
        steered, strayed = int(one["steered"]), int(one["strayed"])
        # The first subflow carried data before its reader was seen, and then it had to move.
        most = 1 + steered // 100 + (20 if mode == "follow" else 0)
        case.expect(strayed <= most, f"{strayed} segments strayed and {steered} did not")
    flow.end()
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True)
def follows_the_reader(case):
    """The reader draws the segments to its processor, and again when it moves; the writer does not."""
    turn_on(case)
    first, *_, last = processors()
    amount = case.size(stock=4 << 20, test=1 << 20)
    flow = Flow(case, writer_cpu=first, reader_cpu=last)
    for cpu in (last, first, last):
        flow.reader_cpu = cpu
        wait_until(lambda: subflows(case.server)[0]["cpu"] == str(cpu), f"a move to {cpu}")
        flow.run(amount // 4)
        before = segments(case.server)
        flow.run(amount)
        part = share(before, segments(case.server), cpu)
        case.expect(part >= 0.99, f"{part:.2%} of the segments arrived on the reader's processor {cpu}")
    case.expect(subflows(case.server)[0]["moves"] in ("2", "3"), "moves were not counted")
    flow.end()
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
def pinned_evenly(case):
    """Many pinned connections are shared out over the processors, and leave none behind."""
    turn_on(case)
    count = case.size(stock=200, test=60)
    case.server.namespace.sysctl("net.mptcp_rs.steering", "pin")
    case.client.namespace.sysctl("net.mptcp_rs.steering", "off")
    everywhere = by_processor(case.server)
    case.expect(all(row["subflows"] == 0 for row in everywhere.values()), "there were subflows before")
    listener = case.listen(backlog=count)
    pairs = []
    for _ in range(count):
        pairs.append((case.connect(), case.keep(listener.accept()[0])))
    loads = [row["subflows"] for row in by_processor(case.server).values()]
    case.expect(sum(loads) == count, f"{loads} are not {count} subflows")
    mean = count / len(loads)
    worst = max(abs(load - mean) for load in loads)
    case.expect(worst <= max(1, 0.15 * mean), f"the processors have {loads} subflows")
    for client, server in pairs:
        client.close()
        server.close()
    wait_until(
        lambda: not any(row["subflows"] for row in by_processor(case.server).values()),
        "the end of the subflows",
    )
    case.expect_mptcp(connections=count)


@scenario(roles=FROM_BUILTIN, needs_module=True, all_roles=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
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


@scenario(roles=OURS_ONLY, needs_module=True)
def told_once(case):
    """Steering without a table of flows is told in the kernel log, once, with what to do."""
    for _ in range(2):
        exchange(*case.connect_pair(), 1000, 1000)
    lines = subprocess.run(("dmesg",), check=True, capture_output=True, text=True).stdout.splitlines()
    told = [line for line in lines if "mptcp_rs: steering waits" in line]
    case.expect(len(told) == 1, f"it was told {len(told)} times")
    for words in ("rps_sock_flow_entries", "rps_flow_cnt", "mptcp-rs steering setup", "steering=off"):
        case.expect(words in told[0], f"{words} is not in {told[0]!r}")
    case.expect_mptcp(connections=2)



@scenario(roles=OURS_ONLY, needs_module=True)
def transmit_queue(case):
    """What answers the segments leaves by the queue of the processor that they are steered to."""
    link = case.network.add_link(2, queues=len(processors()))
    turn_on(case, (link,))
    namespace = case.server.namespace
    for cpu in processors():
        set_queue(namespace, link, "xps_cpus", f"{1 << cpu:x}", queue=f"tx-{cpu}")
    namespace.run("tc", "qdisc", "replace", "dev", link, "root", "mq")
    namespace.sysctl("net.mptcp_rs.steering", "pin")
    first, *_, last = processors()
    namespace.sysctl("net.mptcp_rs.steering_cpus", last)
    listener = case.listen()
    client = case.keep(case.client.new_socket(socket.AF_INET))
    client.connect(("10.0.2.2", case.port))
    pair = client, case.keep(listener.accept()[0])
    flow = Flow(case, writer_cpu=first, reader_cpu=last, pair=pair)
    for cpu in (last, first):
        namespace.sysctl("net.mptcp_rs.steering_cpus", cpu)
        flow.reader_cpu = cpu
        amount = case.size(stock=2 << 20, test=1 << 19)
        flow.run(amount // 4)
        before = sent_by_queue(namespace, link)
        flow.run(amount)
        sent = [now - then for now, then in zip(sent_by_queue(namespace, link), before, strict=True)]
        case.expect(sent[cpu] > 0.9 * sum(sent), f"steered to processor {cpu}, the queues sent {sent}")
    flow.end()
    case.expect_mptcp()


def sent_by_queue(namespace, link: str) -> list[int]:
    """Packets that each queue of a multi-queue link has sent."""
    classes = json.loads(namespace.run("tc", "-s", "-j", "qdisc", "show", "dev", link))
    queues = {int(one["parent"].split(":")[1], 16): one["packets"] for one in classes if "parent" in one}
    return [packets for _, packets in sorted(queues.items())]
