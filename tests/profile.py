#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where the instructions of the bench go: function by function, plain TCP, the kernel's own MPTCP and this module.

Runs in the guest that scripts/profile boots with the counting plugin, on one processor. Prints, for each function
of the kernel, the instructions that one operation takes, sorted by what this module takes more than the kernel's own.
With --steering, this module with each mode of steering instead, and a table of flows: what the modes cost.
"""

import argparse
import bisect
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from bench import WARM_UP, Bench, switch_second_cpu  # noqa: E402
from lib import stack  # noqa: E402
from lib.marks import make_marks  # noqa: E402
from lib.network import LINK  # noqa: E402
from lib.stack import BUILTIN, TCP, Stack  # noqa: E402
from lib.steering import MODES, set_table  # noqa: E402
from lib.transfer import Task  # noqa: E402

MARK = 0x4D510000
KERNEL = 1 << 63
# The kernel's own MPTCP stands still in some runs.
TRIES = 3
OPERATIONS = {
    "connect": ("fetch", 300, 1 << 10),
    "fetch": ("fetch", 150, 50 << 10),
    "pingpong": ("pingpong", 1000, 64),
    "goodput": None,
}


class Symbols:
    """The functions of the kernel and its modules, by address."""

    def __init__(self):
        table = Path("/proc/kallsyms").read_text()
        table = subprocess.run(["c++filt"], input=table, capture_output=True, text=True, check=True).stdout
        found = set()
        for line in table.splitlines():
            address, kind, name = line.split(maxsplit=2)
            if kind in "tTwW" and int(address, 16) >= KERNEL:
                found.add((int(address, 16), name))
        self._entries = sorted(found)
        self._starts = [address for address, _ in self._entries]

    def name(self, address: int) -> str:
        """The function that an address is in; user space is one."""
        if address < KERNEL:
            return "(user space)"
        return self._entries[bisect.bisect_right(self._starts, address) - 1][1]


def read_counts(path: Path, symbols: Symbols) -> dict[str, int]:
    """Instructions of each function."""
    counts: dict[str, int] = {}
    for line in path.read_text().splitlines():
        address, instructions, executed = line.split()
        name = symbols.name(int(address, 16))
        counts[name] = counts.get(name, 0) + int(instructions) * int(executed)
    return counts


def sent(bench: Bench) -> int:
    """Bytes that the client's devices have sent."""
    text = bench.network.client.read("/proc/thread-self/net/dev")
    lines = (line.strip().partition(":") for line in text.splitlines())
    return sum(int(rest.split()[8]) for name, _, rest in lines if name in (LINK, *bench.links))


def run(bench: Bench, operation: str, which: Stack, marks) -> float:
    """One measurement; gives the number of operations that were counted (for goodput: megabytes)."""
    words = OPERATIONS[operation]
    if words is not None:
        bench.measure("short", which, *words)
        return words[1]
    transfer = Task(bench.measure, "goodput", which)
    time.sleep(WARM_UP + 1)
    before = sent(bench)
    marks[1]()
    time.sleep(bench.seconds - 1)
    marks[0]()
    after = sent(bench)
    transfer.result(900)
    return (after - before) / 1e6


def measure(bench: Bench, operation: str, which: Stack, marks, counts: Path, symbols: Symbols) -> dict[str, float]:
    """The instructions of each function for one operation."""
    if which.speaks_mptcp:
        bench.use_links(which)
    for _ in range(TRIES):
        number = run(bench, operation, which, marks)
        if number > 0:
            break
        print(f"{operation}: nothing was sent with {which.name} while instructions were counted", file=sys.stderr)
    else:
        raise SystemExit(f"{operation}: {which.name} stood still {TRIES} times")
    return {name: count / number for name, count in read_counts(counts, symbols).items()}


def print_columns(operation: str, titles: list[str], columns: list[dict[str, float]], lines: int) -> None:
    """The functions that differ most between the last two columns."""
    names = sorted(
        set().union(*columns),
        key=lambda name: columns[-2].get(name, 0) - columns[-1].get(name, 0),
    )
    print(f"\n{operation}: instructions by function, {', '.join(titles)}")
    print("  ".join(f"{sum(column.values()):10.0f}" for column in columns), " (all)")
    ours = [[count for name, count in column.items() if name.endswith("[mptcp_rs]")] for column in columns]
    print("  ".join(f"{sum(counts):10.1f}" for counts in ours), " (this module)")
    for name in [*names[:lines], *names[-lines:]]:
        print("  ".join(f"{column.get(name, 0):10.0f}" for column in columns), f" {name}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=Path, help="what the plugin writes")
    parser.add_argument("operations", nargs="*", default=list(OPERATIONS))
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--subflows", type=int, default=1, help="over as many links; TCP has one")
    parser.add_argument("--steering", action="store_true", help="the modes of steering side by side")
    arguments = parser.parse_args()
    switch_second_cpu("0")
    bench, symbols, marks = Bench(arguments.seconds, arguments.subflows), Symbols(), make_marks(MARK, 2)
    ours = stack.module_stack()
    for operation in arguments.operations:
        if arguments.steering:
            set_table(32768)
            titles, columns = list(MODES), []
            for mode in MODES:
                bench.network.sysctl("net.mptcp_rs.steering", mode)
                columns.append(measure(bench, operation, ours, marks, arguments.counts, symbols))
        else:
            stacks = [TCP, BUILTIN, ours]
            titles = [one.name for one in stacks]
            columns = [measure(bench, operation, one, marks, arguments.counts, symbols) for one in stacks]
        print_columns(operation, titles, columns, arguments.lines)


if __name__ == "__main__":
    main()
