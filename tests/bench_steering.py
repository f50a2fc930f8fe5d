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
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib.downloads import CHUNK, OURS, PORT, Paths  # noqa: E402
from lib.network import Network, filter_counts, filter_packets  # noqa: E402
from lib.stack import BUILTIN, module_has  # noqa: E402
from lib.steering import MODES, by_processor, on_processor, processors, set_table  # noqa: E402
from lib.transfer import Task, receive_exactly  # noqa: E402

WARM_UP = 512 << 10
AMOUNT = 2 << 20
# Longer than any segment without data.
DATA = "meta length > 200"


class Server:
    """The receiving end of some paths, with its filter."""

    def __init__(self, paths: Paths):
        self.namespace = paths.network.server
        rules = [f"tcp dport {PORT} {DATA} meta cpu {cpu} counter" for cpu in processors()]
        filter_packets(self.namespace, "prerouting", *rules)

    def data_segments(self) -> list[int]:
        """Segments with data, by processor."""
        return filter_counts(self.namespace)


def transfer(client: socket.socket, accepted: socket.socket, amount: int) -> None:
    """Data from the first processor to a reader on the last."""

    def receive() -> None:
        for _ in range(amount // CHUNK):
            receive_exactly(accepted, CHUNK)

    sender = Task(on_processor, processors()[0], client.sendall, bytes(amount))
    Task(on_processor, processors()[-1], receive).result(600)
    sender.result(600)


def placed(paths: Paths, mode: str) -> list[int]:
    """One upload. Gives the segments with data by processor after the warm-up."""
    steered = mode != "builtin"
    server = Server(paths)
    if steered:
        paths.network.server.sysctl("net.mptcp_rs.steering", mode)
        paths.network.server.sysctl("net.mptcp_rs.steering_cpus", f"1-{processors()[-1]}")
    client, accepted, listener = paths.connect(OURS if steered else BUILTIN)
    transfer(client, accepted, WARM_UP)
    before = server.data_segments()
    transfer(client, accepted, AMOUNT)
    after = server.data_segments()
    for sock in (client, accepted, listener):
        sock.close()
    return [later - earlier for earlier, later in zip(before, after, strict=True)]


def show_placement(counts: list[int]) -> None:
    """The table of all modes by numbers of subflows."""
    modes = (*MODES, "builtin")
    print(f"| data segments on the busiest of {len(processors())} processors | {' | '.join(modes)} |")
    print("|---" * (len(modes) + 1) + "|")
    for count in counts:
        cells = []
        for mode in modes:
            segments = placed(Paths(count, queues=len(processors())), mode)
            print(f"{mode}, {count} subflows: {segments}", file=sys.stderr, flush=True)
            cells.append(f"{max(segments) / sum(segments):.1%}")
        print(f"| {count} subflows | {' | '.join(cells)} |", flush=True)


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
