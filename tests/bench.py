#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Plain TCP, the kernel's own MPTCP and this module, in one boot on one veth pair.

Runs in the guest that scripts/bench boots with a clock that counts instructions: the numbers are
work, not waiting, and do not depend on how busy the host is. Prints a table in Markdown.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib import counters, stack  # noqa: E402
from lib.network import Network  # noqa: E402
from lib.path_manager import SUBFLOW, PathManager  # noqa: E402
from lib.programs import program  # noqa: E402
from lib.stack import BUILTIN, TCP, Stack  # noqa: E402

PORT = 5201
WARM_UP = 1
ROWS = (
    ("goodput (Gbit/s)", "goodput", ()),
    ("goodput per busy CPU second (Gbit/s)", "efficiency", ()),
    ("connect + 1 KB + close (instructions)", "short", ("fetch", 1500, 1 << 10)),
    ("connect + 50 KB + close (instructions)", "short", ("fetch", 800, 50 << 10)),
    ("64-byte ping-pong (instructions)", "short", ("pingpong", 5000, 64)),
)
# Goodput and work are taken from the same transfers, on one CPU.
SUBFLOWS = (1, 2, 4, 8)
GOODPUT_OF = "goodput, subflows: {} (Gbit/s)"
WORK_OF = "instructions per byte, subflows: {}"
SECOND_CPU = Path("/sys/devices/system/cpu/cpu1/online")


class Bench:
    """One pair of namespaces and the kinds of measurement."""

    def __init__(self, seconds: int, subflows: int = 1):
        self.network = Network()
        self.seconds = seconds
        self.subflows = subflows
        self.links = [self.network.add_link(number) for number in range(2, subflows + 1)]
        self.busy = 0.0
        self.address = Network.address("server", 2)

    def measure(self, kind: str, which: Stack, *arguments) -> float:
        """One number of one row for one stack."""
        before = self._handshakes(which)
        value = getattr(self, "_" + kind)(which, *arguments)
        if which.speaks_mptcp and self._handshakes(which) == before:
            raise RuntimeError(f"{which.name}: no MPTCP handshake was completed")
        return value

    def _handshakes(self, which: Stack) -> int:
        found = counters.read_counters(self.network.server, which)
        return found.get("MPCapableACKRX", 0)

    def _goodput(self, which: Stack) -> float:
        report = self._run_iperf(which)
        return report["end"]["sum_received"]["bits_per_second"] / 1e9

    def _efficiency(self, which: Stack) -> float:
        """Bits per second of work, without the time in which both CPUs wait for a timer."""
        report = self._run_iperf(which)
        moved = sum(interval["sum"]["bytes"] for interval in report["intervals"])
        return moved * 8 / self.busy / 1e9

    def use_links(self, which: Stack) -> None:
        """Lets the clients of an implementation open a subflow over each link."""
        for namespace in self.network.ends:
            with PathManager(namespace, which) as manager:
                manager.limits(8, 8)
                for number, link in enumerate(self.links, 2):
                    if namespace is self.network.client:
                        with namespace:
                            index = socket.if_nametoindex(link)
                        manager.add(f"10.0.{number}.1", SUBFLOW, interface=index)

    def measure_subflows(self, which: Stack) -> tuple[float, float]:
        """Gbit/s, and the instructions for each byte while one CPU does everything."""
        before = counters.read_counters(self.network.server, which)
        report = self._run_iperf(which)
        after = counters.read_counters(self.network.server, which)
        # iperf3 has a connection for orders and one for data.
        if after["MPJoinAckRx"] - before["MPJoinAckRx"] < 2 * len(self.links):
            raise RuntimeError(f"{which.name}: not all of {self.subflows} subflows were there")
        moved = sum(interval["sum"]["bytes"] for interval in report["intervals"])
        return report["end"]["sum_received"]["bits_per_second"] / 1e9, self.busy * 1e9 / moved

    def _run_iperf(self, which: Stack) -> dict:
        busy = busy_seconds()
        server = self._start(which, self.network.server, "iperf3", "-s", "-1", "-p", str(PORT))
        try:
            self._wait_for_listener(server)
            client = self._start(
                which, self.network.client, "iperf3", "-c", self.address, "-p", str(PORT),
                "-t", str(self.seconds), "-O", str(WARM_UP), "-J",
            )  # fmt: skip
            out, err = client.communicate(timeout=900)
            if client.returncode != 0:
                raise RuntimeError(f"iperf3 over {which.name} failed: {err or out[-300:]}")
            self.busy = busy_seconds() - busy
            return json.loads(out)
        finally:
            stop(server)

    def _short(self, which: Stack, mode: str, count: int, size: int) -> float:
        tool, protocol = program("latency"), str(which.protocol)
        server = self.network.server.start(tool, "serve", protocol, str(PORT))
        try:
            self._wait_for_listener(server)
            words = (tool, mode, protocol, self.address, str(PORT), str(count), str(size))
            return float(self.network.client.run(*words, limit=900))
        finally:
            stop(server)

    def _start(self, which: Stack, namespace, *command: str) -> subprocess.Popen:
        preload = {"LD_PRELOAD": program("preload.so"), "MPTCP_RS_PROTOCOL": str(which.protocol)}
        return namespace.start(
            *command, env=os.environ | preload, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _wait_for_listener(self, server: subprocess.Popen) -> None:
        wanted = f":{PORT:04X} "
        for _ in range(500):
            for table in ("tcp", "tcp6"):
                lines = self.network.server.read(f"/proc/thread-self/net/{table}").splitlines()
                if any(wanted in line and " 0A " in line for line in lines):
                    return
            if server.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the server does not listen")


def busy_seconds() -> float:
    """Seconds that all CPUs together have not been idle."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    user, nice, system, _, _, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def switch_second_cpu(on: str) -> None:
    """Switches the second CPU on or off; a machine with one needs nothing."""
    if SECOND_CPU.exists():
        SECOND_CPU.write_text(on)


def stop(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate(timeout=60)


def measure_all_subflows(stacks: list[Stack], seconds: int, only: str) -> dict:
    """The rows of several subflows, with the second CPU switched off: then busy time is instructions."""
    results: dict[str, dict[str, list[float]]] = {}
    switch_second_cpu("0")
    for count in SUBFLOWS:
        rows = GOODPUT_OF.format(count), WORK_OF.format(count)
        if not any(only in row for row in rows):
            continue
        bench = Bench(seconds, count)
        for which in stacks:
            bench.use_links(which)
            for row, value in zip(rows, bench.measure_subflows(which), strict=True):
                results.setdefault(row, {})[which.name] = [value]
                print(f"{row}: {which.name} {value:.2f}", flush=True)
    switch_second_cpu("1")
    return dict(sorted(results.items()))


def print_table(results: dict[str, dict[str, list[float]]], names: list[str]) -> None:
    """Mean of the rounds, and each implementation relative to the first."""
    print(f"| | {' | '.join(names)} |")
    print("|---|" + "---|" * len(names))
    for row, columns in results.items():
        means = [statistics.mean(columns[name]) for name in names]
        cells = []
        for mean in means:
            text = f"{mean:.2f}" if mean < 100 else f"{mean:,.0f}".replace(",", " ")
            cells.append(f"{text} ({mean / means[0]:.2f})")
        print(f"| {row} | {' | '.join(cells)} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="measurements per cell")
    parser.add_argument("--seconds", type=int, default=4, help="guest seconds of a goodput run")
    parser.add_argument("--only", default="", help="the rows that contain this word")
    parser.add_argument("--without-module", action="store_true", help="TCP and built-in only")
    arguments = parser.parse_args()
    stacks = [TCP, BUILTIN]
    if not arguments.without_module:
        stacks.append(stack.module_stack())
    bench = Bench(arguments.seconds)
    results: dict[str, dict[str, list[float]]] = {}
    for number in range(arguments.rounds):
        for row, kind, words in (entry for entry in ROWS if arguments.only in entry[0]):
            for which in stacks:
                value = bench.measure(kind, which, *words)
                results.setdefault(row, {}).setdefault(which.name, []).append(value)
                print(f"round {number + 1}: {row}: {which.name} {value:.2f}", flush=True)
    several = measure_all_subflows(stacks[1:], arguments.seconds, arguments.only)
    for table, names in ((results, stacks), (several, stacks[1:])):
        if table:
            print()
            print_table(table, [which.name for which in names])
    return 0


if __name__ == "__main__":
    sys.exit(main())
