# SPDX-License-Identifier: GPL-2.0
"""What several links give together, and the longest silence when one of them dies.

Runs in the virtual machine with the module loaded: scripts/bench-paths. Prints tables for
Documentation/performance.md.
"""

import argparse
import socket
import statistics
import time
from dataclasses import dataclass

from lib import stack
from lib.case import Case
from lib.network import LINK, Network
from lib.prepared import Prepared
from lib.shaped import Shape, add_links, connect, delay_product, use_links
from lib.stack import BUILTIN, TCP, Stack
from lib.transfer import Task, receive_stream, send_stream

SIZE = 16 << 20
LINKS = (
    (Shape(10, 10), Shape(10, 10)),
    (Shape(10, 1), Shape(10, 25)),
    (Shape(10, 10), Shape(3, 10)),
    (Shape(10, 1), Shape(3, 25)),
)
# The first has the shorter way, so that a connection with little to say says it there.
HANDOVER = (Shape(10, 8), Shape(10, 10))
MESSAGE = b"x" * 160
INTERVAL = 0.02
MESSAGES, LAST_BEFORE_DEATH = 150, 60
ROUNDS = 3
PATIENCE = 60


def pair_of(client: Stack, server: Stack, shapes: tuple[Shape, ...], buffer: int | None = None):
    """A case, and a connection that uses a link for each shape."""
    case = Case(client, server, "stock")
    links = add_links(case, shapes)
    if client.speaks_mptcp:
        use_links(case, links)
    return case, *connect(case, buffer)


def goodput(client: Stack, server: Stack, shapes, upload: bool, buffer: int | None = None) -> float:
    """Mbit/s of one stream, from the first byte to the end of it."""
    case, ours, theirs = pair_of(client, server, shapes, buffer)
    source, sink = (ours, theirs) if upload else (theirs, ours)
    task = Task(receive_stream, sink)
    start = time.monotonic()
    send_stream(source, SIZE)
    size = task.result(240).size
    speed = size * 8 / (time.monotonic() - start) / 1e6
    case.cleanup.close()
    return speed


@dataclass(frozen=True)
class Death:
    """How the first link dies.

    It is always the client's address that goes: the second subflow has one of its own only there.
    """

    sender: str
    at: tuple[str, ...]
    tool: str
    command: str


def longest_gap(client: Stack, server: Stack, death: Death) -> float:
    """Milliseconds between two messages, when the first link dies under a message every 20 ms.

    Messages that do not come at all count as a silence of `PATIENCE` seconds.
    """
    case, ours, theirs = pair_of(client, server, HANDOVER)
    source, sink = (ours, theirs) if death.sender == "client" else (theirs, ours)
    places = [getattr(case, end).namespace for end in death.at]
    tools = [case.keep(Prepared(place, death.tool)) for place in places]
    task = Task(gaps_of, sink)
    start = time.monotonic()
    for number in range(1, MESSAGES + 1):
        source.sendall(MESSAGE)
        if number == LAST_BEFORE_DEATH:
            for tool in tools:
                tool.do(death.command)
        time.sleep(max(0.0, start + number * INTERVAL - time.monotonic()))
    try:
        return max(task.result(PATIENCE)) * 1000
    except TimeoutError:
        return PATIENCE * 1000
    finally:
        case.cleanup.close()


def gaps_of(sock) -> list[float]:
    """Seconds between two arrivals, until all messages are there."""
    last, size, gaps = time.monotonic(), 0, []
    while size < MESSAGES * len(MESSAGE) and (part := sock.recv(4096)):
        now = time.monotonic()
        gaps.append(now - last)
        last, size = now, size + len(part)
    return gaps


LINK_DOWN = f"link set {LINK} down"
ADDRESS_DELETED = f"addr del {Network.address('client', socket.AF_INET)}/24 dev {LINK}"
DEATHS = {
    "link down at the sender": Death("server", ("server",), "ip", LINK_DOWN),
    "link down at the receiver": Death("server", ("client",), "ip", LINK_DOWN),
    "address deleted at the sender": Death("client", ("client",), "ip", ADDRESS_DELETED),
    "address deleted at the receiver": Death("server", ("client",), "ip", ADDRESS_DELETED),
    "path drops everything": Death(
        "server", ("client", "server"), "tc", f"qdisc replace dev {LINK} root netem loss 100%"
    ),
}


def alone() -> dict[Shape, float]:
    """What plain TCP gets from each link: Mbit/s downwards."""
    shapes = sorted({shape for shapes in LINKS for shape in shapes}, key=str)
    return {shape: goodput(TCP, TCP, (shape,), False) for shape in shapes}


def head(title: str, names: list[str]) -> None:
    print(f"\n| {title} | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|", flush=True)


def compare_goodput(pairs, names: list[str], only: str) -> None:
    """The table of what links give together, beside what plain TCP gets from each."""
    singles = alone()
    head("goodput, 16 MiB (Mbit/s)", ["TCP, sum", *names])
    for shapes in LINKS:
        whole = sum(singles[shape] for shape in shapes)
        for buffer in (None, delay_product(shapes)):
            for direction in ("down", "up"):
                row = f"{shapes[0]} + {shapes[1]}, {direction}"
                row += f", buffer {buffer} bytes" if buffer else ""
                if only not in row:
                    continue
                speeds = [goodput(*pair, shapes, direction == "up", buffer) for pair in pairs]
                cells = [f"{speed:.2f} ({speed / whole:.0%})" for speed in speeds]
                print(f"| {row} | {whole:.2f} | " + " | ".join(cells) + " |", flush=True)


def compare_gaps(pairs, names: list[str], only: str) -> None:
    """The table of the longest silences: median and worst of some rounds."""
    head("longest gap (ms), median and worst", names)
    for row, death in DEATHS.items():
        if only in row:
            cells = []
            for pair in pairs:
                gaps = [longest_gap(*pair, death) for _ in range(ROUNDS)]
                cells.append(f"{statistics.median(gaps):.0f}, {max(gaps):.0f}")
            print(f"| {row} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the rows that contain these words")
    parser.add_argument("--table", choices=("goodput", "gaps"), help="one of the tables alone")
    arguments = parser.parse_args()
    ours = stack.module_stack()
    pairs = ((ours, ours), (ours, BUILTIN), (BUILTIN, ours), (BUILTIN, BUILTIN))
    names = [f"{client.name} to {server.name}" for client, server in pairs]
    if arguments.table != "gaps":
        compare_goodput(pairs, names, arguments.only)
    if arguments.table != "goodput":
        compare_gaps(pairs, names, arguments.only)


if __name__ == "__main__":
    main()
