# SPDX-License-Identifier: GPL-2.0
"""Event counters of one namespace, by the same names for both implementations."""

from .namespace import Namespace
from .stack import Stack

MODULE_COUNTERS = "/proc/thread-self/net/mptcp_rs/counters"
NETSTAT = "/proc/thread-self/net/netstat"


def parse_pairs(text: str) -> dict[str, int]:
    """`Name value` lines."""
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {name: int(value) for name, value in pairs}


def parse_netstat(text: str, group: str) -> dict[str, int]:
    """One group of /proc/net/netstat: a line of names, then a line of values."""
    lines = [line.split() for line in text.splitlines() if line.startswith(group + ":")]
    if len(lines) != 2:
        return {}
    return {name: int(value) for name, value in zip(lines[0][1:], lines[1][1:], strict=True)}


def read_counters(namespace: Namespace, stack: Stack) -> dict[str, int]:
    """Counters of the given implementation in the given namespace."""
    if stack.counters == "module":
        return parse_pairs(namespace.read(MODULE_COUNTERS))
    if stack.counters == "MPTcpExt":
        return parse_netstat(namespace.read(NETSTAT), "MPTcpExt")
    return {}
