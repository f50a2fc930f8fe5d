# SPDX-License-Identifier: GPL-2.0
"""What two paths give: goodput of both together, and the longest silence when one of them dies.

Runs in the virtual machine with the module loaded: scripts/bench-paths. Prints a table for
Documentation/performance.md.
"""

import socket
import time

from lib import stack
from lib.case import Case
from lib.path_manager import SUBFLOW, PathManager
from lib.transfer import Task, receive_stream, send_stream

MEGABYTE = 1 << 20
EQUAL = (("10mbit", "5ms"), ("10mbit", "5ms"))
UNEQUAL = (("10mbit", "1ms"), ("3mbit", "25ms"))
HANDOVER = (("10mbit", "10ms"), ("10mbit", "10ms"))
MESSAGE = b"x" * 160
INTERVAL = 0.02


def shaped_pair(client, server, shapes):
    """A case with a link for each shape, and a connection that uses them all."""
    case = Case(client, server, "stock")
    links = ["veth0"] + [case.network.add_link(number) for number in range(2, len(shapes) + 1)]
    for end in case.ends:
        for link, (rate, delay) in zip(links, shapes, strict=True):
            end.namespace.run(
                "tc", "qdisc", "replace", "dev", link, "root",
                "netem", "rate", rate, "delay", delay, "limit", "100",
            )  # fmt: skip
        case.keep(PathManager(end.namespace, end.stack)).limits(8, 8)
    manager = case.keep(PathManager(case.client.namespace, case.client.stack))
    for number, link in enumerate(links[1:], 2):
        with case.client.namespace:
            index = socket.if_nametoindex(link)
        manager.add(f"10.0.{number}.1", SUBFLOW, interface=index)
    # The kernel's own MPTCP takes no subflow in when its listener is closed.
    listener = case.listen()
    ours = case.connect()
    theirs = case.keep(listener.accept()[0])
    for sock in (ours, theirs):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.sendall(b"?")
    theirs.recv(1)
    theirs.sendall(b"!")
    ours.recv(1)
    time.sleep(0.5)
    return case, ours, theirs


def goodput(client, server, shapes, upload: bool) -> float:
    """Mbit/s of one stream of 8 MiB."""
    case, ours, theirs = shaped_pair(client, server, shapes)
    source, sink = (ours, theirs) if upload else (theirs, ours)
    start = time.monotonic()
    task = Task(receive_stream, sink)
    send_stream(source, 8 * MEGABYTE)
    size = task.result(120).size
    speed = size * 8 / (time.monotonic() - start) / 1e6
    case.cleanup.close()
    return speed


def longest_gap(client, server, death: str) -> float:
    """Milliseconds without a message, when the first path dies under a message every 20 ms."""
    case, ours, theirs = shaped_pair(client, server, HANDOVER)
    gaps = []

    def listen():
        last, size = time.monotonic(), 0
        while size < 200 * len(MESSAGE) and (part := ours.recv(4096)):
            now = time.monotonic()
            gaps.append(now - last)
            last, size = now, size + len(part)

    task = Task(listen)
    start = time.monotonic()
    for number in range(1, 201):
        theirs.sendall(MESSAGE)
        if number == 60:
            kill(case, death)
        time.sleep(max(0.0, start + number * INTERVAL - time.monotonic()))
    task.result(60)
    case.cleanup.close()
    return max(gaps) * 1000


def kill(case, death: str) -> None:
    """Ends the first path: silently, or so that the server's host knows."""
    if death == "blackhole":
        for end in case.ends:
            end.namespace.run(
                "tc", "qdisc", "replace", "dev", "veth0", "root", "netem", "loss", "100%"
            )
    else:
        case.server.namespace.run("ip", "link", "set", "veth0", "down")


def main() -> None:
    ours = stack.module_stack()
    pairs = ((ours, ours), (stack.BUILTIN, ours), (stack.BUILTIN, stack.BUILTIN))
    names = [f"{client.name} to {server.name}" for client, server in pairs]
    rows = {
        "10 + 10 Mbit/s, 5 ms each, down (Mbit/s)": lambda c, s: goodput(c, s, EQUAL, False),
        "10 + 10 Mbit/s, 5 ms each, up (Mbit/s)": lambda c, s: goodput(c, s, EQUAL, True),
        "10 Mbit/s 1 ms + 3 Mbit/s 25 ms, down (Mbit/s)": lambda c, s: goodput(
            c, s, UNEQUAL, False
        ),
        "10 Mbit/s 1 ms + 3 Mbit/s 25 ms, up (Mbit/s)": lambda c, s: goodput(c, s, UNEQUAL, True),
        "path drops everything: longest gap (ms)": lambda c, s: longest_gap(c, s, "blackhole"),
        "link down at the sender: longest gap (ms)": lambda c, s: longest_gap(c, s, "down"),
    }
    print("| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for row, measure in rows.items():
        cells = [f"{measure(client, server):.2f}" for client, server in pairs]
        print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
