# SPDX-License-Identifier: GPL-2.0
"""Receive flows: turning the kernel's steering on, and seeing on which processor segments arrive."""

import errno
import os
import socket
import threading
from pathlib import Path

from .case import Case, End
from .events import wait_until
from .namespace import Namespace
from .network import LINK
from .path_manager import PathManager
from .transfer import Task

TABLE = Path("/proc/sys/net/core/rps_sock_flow_entries")
SOL_MPTCP = 284
STEERING = 1000
MODES = ("off", "follow", "pin", "spread")
CHUNK = 16 * 1024


def processors() -> list[int]:
    """The processors that are online."""
    return sorted(os.sched_getaffinity(os.getpid()))


def set_table(entries: int) -> None:
    """Gives the system a table of receive flows of that size, or takes it away by 0."""
    TABLE.write_text(f"{entries}\n")


def set_queue(namespace: Namespace, link: str, name: str, value: int | str, queue: str = "rx-*") -> None:
    """Sets how the link's receive queues hand packets on, or what another queue does."""
    files = f"/sys/class/net/{link}/queues/{queue}/{name}"
    command = f"mount -t sysfs sysfs /sys && for file in {files}; do echo {value} > $file || exit; done"
    namespace.run("unshare", "--mount", "sh", "-c", command)


def turn_on(case: Case, links: tuple[str, ...] = (LINK,), entries: int = 4096) -> None:
    """Lets both ends' links look flows up, until the scenario ends."""
    for namespace in case.network.ends:
        for link in links:
            set_queue(namespace, link, "rps_flow_cnt", entries)
    set_table(entries)
    case.cleanup.callback(set_table, 0)


def on_processor(number: int, function, *arguments):
    """Calls a function with the calling thread bound to one processor."""
    os.sched_setaffinity(0, {number})
    return function(*arguments)


def settings(namespace: Namespace) -> dict[str, str]:
    """What steers in the namespace."""
    names = ("steering", "steering_cpus")
    return {name: namespace.read(f"/proc/sys/net/mptcp_rs/{name}").strip() for name in names}


def by_processor(end: End) -> dict[int, dict[str, int]]:
    """By processor: whether it is usable, subflows sent there, segments of the end that arrived there."""
    lines = end.namespace.read("/proc/thread-self/net/mptcp_rs/steering").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("cpu "))
    heads = lines[start].split()
    rows = [dict(zip(heads, map(int, line.split()))) for line in lines[start + 1 :]]
    return {row["cpu"]: row for row in rows}


def segments(end: End) -> dict[int, int]:
    """Segments of the end that arrived, by processor."""
    return {cpu: row["segments"] for cpu, row in by_processor(end).items()}


def share(before: dict[int, int], after: dict[int, int], cpu: int) -> float:
    """The part of what arrived meanwhile that arrived on one processor."""
    total = sum(after.values()) - sum(before.values())
    return (after[cpu] - before[cpu]) / total


def subflows(end: End) -> list[dict[str, str]]:
    """The end's subflows, by the headings of the connections file."""
    lines = end.namespace.read("/proc/thread-self/net/mptcp_rs/connections").splitlines()
    heads = lines[0].split()
    return [dict(zip(heads, line.split())) for line in lines[1:]]


def refused(namespace, name: str, value: str) -> bool:
    """Whether the value is refused with EINVAL and the old one stays."""
    before = settings(namespace)
    try:
        namespace.sysctl(f"net.mptcp_rs.{name}", value)
    except OSError as error:
        return error.errno == errno.EINVAL and settings(namespace) == before
    return False


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
