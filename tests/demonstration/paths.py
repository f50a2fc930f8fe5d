# SPDX-License-Identifier: GPL-2.0
"""Two links between curl and nginx: both together, and one that goes and comes back."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from lib.case import Case
from lib.programs import TESTS
from lib.shaped import Shape, add_links, use_links
from lib.stack import TCP

from .both_ends import OURS
from .web import Download, make_file, nginx, show_counters
from .words import explain, say

TOOL = TESTS.parent / "build" / "tool"
LINKS = (Shape(10, 1), Shape(3, 25))
SMALL, LARGE = 4, 16
CUT, BACK = 4.0, 9.0
NAMES = {f"10.0.{number}.1": f"path {number}, {shape}" for number, shape in enumerate(LINKS, 1)}


def two_links() -> tuple[Case, list[str]]:
    """This module at both ends of both links."""
    case = Case(OURS, OURS, "stock")
    links = add_links(case, LINKS)
    use_links(case, links)
    for number, (link, shape) in enumerate(zip(links, LINKS, strict=True), 1):
        explain(f"path {number}: {link}, {shape} each way")
    explain("client $ mptcp-rs endpoint add, for the address of each; server $ mptcp-rs limits set")
    return case, links


def show_together(place: str) -> None:
    """A download over both links beside one over each alone."""
    say("5. Two paths together")
    case, _ = two_links()
    file = make_file(Path(place, "small"), SMALL)
    with nginx("server", case.server.namespace, case.server.stack, place):
        speeds = []
        for number in (1, 2):
            seconds = Download(case, file, f"10.0.{number}.2", TCP).finish()
            speeds.append(speed(SMALL, seconds))
            explain(f"plain TCP over path {number} alone: {speeds[-1]:.1f} Mbit/s")
        both = speed(SMALL, Download(case, file, case.server.address()).finish())
    gain = both / max(speeds)
    explain(f"MPTCP over both: {both:.1f} Mbit/s, {gain:.2f} times what the better one gives")
    file.unlink()
    case.finish()


def show_cut(place: str, figure: Path, shown_as: str) -> None:
    """A download while the first link goes down and comes back, and a figure of it."""
    say("6. The first path is cut in the middle of a download, and given back")
    case, links = two_links()
    file = make_file(Path(place, "large"), LARGE)
    with nginx("server", case.server.namespace, case.server.stack, place):
        with Watch(case) as watch:
            download = Download(case, file, case.server.address())
            for at, what in ((CUT, "down"), (BACK, "up")):
                time.sleep(max(0.0, watch.started + at - time.monotonic()))
                explain(f"after {at:.0f} s: client $ ip link set {links[0]} {what}")
                case.client.namespace.run("ip", "link", "set", links[0], what)
            seconds = download.finish()
    explain(f"{LARGE} MB in {seconds:.1f} s, SHA-256 equal: one connection, and curl noticed nothing")
    for name, size in watch.carried().items():
        explain(f"{name}: {size / 1e6:.1f} MB")
    for end in case.ends:
        show_counters(end)
    watch.draw(figure)
    explain(f"Goodput of each path over time: {shown_as}")
    file.unlink()
    case.finish()


def speed(megabytes: int, seconds: float) -> float:
    """Mbit/s."""
    return megabytes * (1 << 20) * 8 / seconds / 1e6


class Watch:
    """`mptcp-rs top` at the client, for the time of a `with` block."""

    def __init__(self, case: Case):
        self.case = case
        self.samples: list[dict] = []

    def __enter__(self):
        self.lines = tempfile.TemporaryFile("w+")
        self.process = self.case.client.namespace.start(
            str(TOOL / "mptcp-rs"), "--json", "top", "-i", "100", stdout=self.lines
        )
        self.started = time.monotonic()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        with self.lines as lines:
            lines.seek(0)
            # The last one may be cut off.
            self.samples = by_link(json.loads(line) for line in lines if line.endswith("}\n"))

    def carried(self) -> dict[str, int]:
        """Bytes that came over each path."""
        return {sample["path"]: sample["bytes"] for sample in self.samples}

    def draw(self, figure: Path) -> None:
        """Writes the figure."""
        subprocess.run(
            [
                str(TOOL / "goodput"), str(figure),
                "--title", "One download over two paths",
                "--mark", f"{int(CUT * 1000)}:path 1 cut",
                "--mark", f"{int(BACK * 1000)}:path 1 given back",
            ],
            input="".join(json.dumps(sample) + "\n" for sample in self.samples),
            text=True, check=True, timeout=60,
        )  # fmt: skip


def by_link(lines) -> list[dict]:
    """Puts together what the subflows of a link brought, one after the other."""
    carried: dict[str, dict[str, int]] = {}
    samples = []
    for line in lines:
        name = NAMES.get(line["path"].split(":")[0])
        if name:
            subflows = carried.setdefault(name, {})
            # What the last looks say of a subflow that is being closed is less.
            subflows[line["path"]] = max(subflows.get(line["path"], 0), line["bytes"])
            total = sum(subflows.values())
            samples.append({"time": line["time"], "path": name, "bytes": total})
    return samples
