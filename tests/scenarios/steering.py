# SPDX-License-Identifier: GPL-2.0
"""Receive-flow steering: the processor that handles a connection's segments."""

import errno
import json
import socket
import subprocess
import time

from lib.events import wait_until
from lib.registry import OURS_ONLY, scenario
from lib.steering import (
    CHUNK,
    MODES,
    SOL_MPTCP,
    STEERING,
    Flow,
    by_processor,
    four_links,
    on_processor,
    processors,
    refused,
    segments,
    set_queue,
    settings,
    share,
    subflows,
    turn_on,
)
from lib.transfer import Task, exchange, receive_exactly

FROM_BUILTIN = (("builtin", "ours"),)


def option_errno(sock: socket.socket, value) -> int | None:
    """The errno of setting the socket's mode."""
    try:
        sock.setsockopt(SOL_MPTCP, STEERING, value)
    except OSError as error:
        return error.errno
    return None


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
        # The kernel moves no flow before what it has queued for it is handled where it was (RFS), which takes
        # its time on a busy machine.
        time.sleep(0.2)
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


@scenario(roles=OURS_ONLY, needs_module=True)
def told_once(case):
    """Steering without a table of flows is told in the kernel log, once for each time the module is loaded, with what
    to do."""

    def told() -> list[str]:
        log = subprocess.run(("dmesg",), check=True, capture_output=True, text=True).stdout
        return [line for line in log.splitlines() if "mptcp_rs: steering waits" in line]

    exchange(*case.connect_pair(), 1000, 1000)
    first = told()
    case.expect(first != [], "it was not told")
    for words in ("rps_sock_flow_entries", "rps_flow_cnt", "mptcp-rs steering setup", "steering=off"):
        case.expect(words in first[-1], f"{words} is not in {first[-1]!r}")
    exchange(*case.connect_pair(), 1000, 1000)
    case.expect(told() == first, "it was told again")
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
