#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""On which processors a connection's data arrives, by the mode of steering and beside the kernel's own MPTCP.

Runs in the guest that scripts/bench-steering boots. Segments with data are counted by a packet filter of the
receiving end, on the processor that hands them to TCP, so all implementations are measured alike. Prints
tables in Markdown.
"""

import argparse
import resource
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib.downloads import CHUNK, OURS, PORT, Paths  # noqa: E402
from lib.network import Network, filter_counts  # noqa: E402
from lib.stack import BUILTIN, module_has  # noqa: E402
from lib.steering import MODES, by_processor, on_processor, processors, set_table, subflows  # noqa: E402
from lib.transfer import Task, receive_exactly  # noqa: E402

WARM_UP = 512 << 10
AMOUNT = 2 << 20
# Longer than any segment without data.
DATA = "meta length > 200"


RULES = """table inet scenario {{
    set begun {{
        type ipv4_addr . inet_service
        size 65535
        flags dynamic
    }}
    chain prerouting {{
        type filter hook prerouting priority raw;
        {rules}
        tcp dport {port} {data} add @begun {{ ip saddr . tcp sport }}
    }}
}}
"""


class Server:
    """The receiving end of some paths, with its filter."""

    def __init__(self, paths: Paths):
        self.namespace = paths.network.server
        rules = [
            f"tcp dport {PORT} {DATA} {which} meta cpu {cpu} counter"
            for which in ("", "ip saddr . tcp sport != @begun")
            for cpu in processors()
        ]
        text = RULES.format(rules="\n        ".join(rules), port=PORT, data=DATA)
        self.namespace.run("nft", "-f", "-", text_input=text)

    def data_segments(self) -> list[int]:
        """Segments with data, by processor."""
        return filter_counts(self.namespace)[: len(processors())]

    def first_segments(self) -> list[int]:
        """Of each subflow the first of those, by processor."""
        return filter_counts(self.namespace)[len(processors()) :]


def transfer(client: socket.socket, accepted: socket.socket, amount: int) -> None:
    """Data from the first processor to a reader on the last."""

    def receive() -> None:
        for _ in range(amount // CHUNK):
            receive_exactly(accepted, CHUNK)

    sender = Task(on_processor, processors()[0], client.sendall, bytes(amount))
    Task(on_processor, processors()[-1], receive).result(600)
    sender.result(600)


@dataclass
class Placement:
    """Where an upload was handled."""

    chosen: list[str]
    after_warm_up: list[int]
    first: list[int]

    def share(self) -> str:
        """The part of all segments that the chosen processor handled, or the busiest where there is not one."""
        most = self._on_chosen(self.after_warm_up) or max(self.after_warm_up)
        return f"{most / sum(self.after_warm_up):.1%}"

    def firsts(self) -> str:
        """How many subflows began on the chosen processor; on the reader's where none is chosen."""
        if len(self.chosen) > 1:
            return "-"
        began = self.first[-1] if self.chosen == ["-"] else self._on_chosen(self.first)
        return f"{began} of {sum(self.first)}"

    def _on_chosen(self, counts: list[int]) -> int:
        """What the only processor that was chosen has of them."""
        if len(self.chosen) > 1 or self.chosen == ["-"]:
            return 0
        return counts[processors().index(int(self.chosen[0]))]


def placed(paths: Paths, mode: str) -> Placement:
    """One upload."""
    steered = mode != "builtin"
    server = Server(paths)
    if steered:
        paths.network.server.sysctl("net.mptcp_rs.steering", mode)
        paths.network.server.sysctl("net.mptcp_rs.steering_cpus", f"1-{processors()[-1]}")
    stack = OURS if steered else BUILTIN
    # The server's application is on the last processor from the beginning.
    client, accepted, listener = Task(on_processor, processors()[-1], paths.connect, stack).result(120)
    transfer(client, accepted, WARM_UP)
    before = server.data_segments()
    transfer(client, accepted, AMOUNT)
    after = server.data_segments()
    chosen = sorted({flow["cpu"] for flow in subflows(server)}) if steered else ["-"]
    for sock in (client, accepted, listener):
        sock.close()
    counted = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return Placement(chosen, counted, server.first_segments())


def show_placement(counts: list[int]) -> None:
    """Two tables of all modes by numbers of subflows."""
    modes = (*MODES, "builtin")
    found = {}
    for count in counts:
        for mode in modes:
            found[count, mode] = placement = placed(Paths(count, queues=len(processors())), mode)
            print(f"{mode}, {count} subflows: {placement}", file=sys.stderr, flush=True)
    for title, cell in (
        (f"data segments on the chosen, or busiest, of {len(processors())} processors", Placement.share),
        ("subflows that began on the chosen, or the reader's, processor", Placement.firsts),
    ):
        print(f"| {title} | {' | '.join(modes)} |")
        print("|---" * (len(modes) + 1) + "|")
        for count in counts:
            cells = (cell(found[count, mode]) for mode in modes)
            print(f"| {count} subflows | {' | '.join(cells)} |", flush=True)
        print()


def show_balance(connections: int, count: int) -> None:
    """The table of what each processor has of many pinned connections."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 16, 1 << 16))
    paths = Paths(count, queues=len(processors()))
    server = Server(paths)
    namespace = paths.network.server
    paths.allow_subflows(OURS)
    namespace.sysctl("net.mptcp_rs.steering", "pin")
    namespace.sysctl("net.mptcp_rs.steering_cpus", "all")
    listener = namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, OURS.protocol)
    listener.bind(("", PORT))
    listener.listen(64)
    pairs = []
    for _ in range(connections):
        client = paths.network.client.new_socket(socket.AF_INET, socket.SOCK_STREAM, BUILTIN.protocol)
        client.connect((Network.address("server", socket.AF_INET), PORT))
        accepted, _ = listener.accept()
        client.sendall(b"?")
        accepted.sendall(accepted.recv(1))
        client.recv(1)
        pairs.append((client, accepted))
    wait_for_subflows(server, connections * count)
    loads = [row["subflows"] for row in by_processor(server).values()]
    for client, accepted in pairs:
        client.sendall(bytes(CHUNK // 4))
        receive_exactly(accepted, CHUNK // 4)
    segments = server.data_segments()
    print(f"| {connections} connections of {count} subflows, pinned, by processor | | widest from the mean |")
    print("|---|---|---|")
    for name, numbers in (("subflows", loads), ("data segments", segments)):
        mean = sum(numbers) / len(numbers)
        widest = max(abs(number - mean) for number in numbers) / mean
        print(f"| {name} | {', '.join(map(str, numbers))} | {widest:.1%} |", flush=True)


def wait_for_subflows(server: Server, count: int) -> None:
    """Waits until the server has so many subflows."""
    for _ in range(600):
        have = sum(row["subflows"] for row in by_processor(server).values())
        if have == count:
            return
        time.sleep(0.1)
    raise RuntimeError(f"there are {have} subflows, not {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subflows", default="2,4,8", help="numbers of subflows (2,4,8); none: not this table")
    parser.add_argument("--connections", type=int, default=0, help="measure the balance of so many (none)")
    options = parser.parse_args()
    if not module_has(OURS.protocol):
        raise SystemExit(f"the module is not loaded with protocol={OURS.protocol}")
    set_table(32768)
    counts = [int(count) for count in options.subflows.split(",") if count]
    if counts:
        show_placement(counts)
    if options.connections:
        show_balance(options.connections, 4)


if __name__ == "__main__":
    main()
