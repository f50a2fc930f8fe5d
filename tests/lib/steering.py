# SPDX-License-Identifier: GPL-2.0
"""Receive flows: turning the kernel's steering on, and seeing on which processor segments arrive."""

import os
from pathlib import Path

from .case import Case, End
from .namespace import Namespace
from .network import LINK

TABLE = Path("/proc/sys/net/core/rps_sock_flow_entries")
SOL_MPTCP = 284
STEERING = 1000
MODES = ("off", "follow", "pin", "spread")


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
