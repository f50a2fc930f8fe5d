# SPDX-License-Identifier: GPL-2.0
"""The kernel's own test programs for MPTCP, which scripts/selftests builds from its source."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

from .case import Case, End
from .events import wait_until
from .programs import program
from .stack import IPPROTO_MPTCP
from .transfer import content

BUILT = Path(__file__).resolve().parent.parent.parent / "build" / "selftests"
LISTENS = "0A"


def selftest(name: str) -> str:
    """Path of a program; `ours/pm_nl_ctl` is the one that asks for this module's path manager."""
    path = BUILT / name
    if not path.exists():
        raise RuntimeError(f"build/selftests/{name} is missing: run 'scripts/selftests'")
    return str(path)


def environment(end: End) -> dict[str, str]:
    """What makes a program that asks for 262 get this end's implementation."""
    if end.stack.protocol == IPPROTO_MPTCP or not end.stack.speaks_mptcp:
        return {}
    return {"LD_PRELOAD": program("preload.so"), "MPTCP_RS_PROTOCOL": str(end.stack.protocol)}


def run_alone(end: End, name: str, *words: str, limit: float = 60) -> None:
    """A program that needs no peer and must end with 0."""
    with end.namespace:
        done = subprocess.run(
            [selftest(name), *words], capture_output=True, text=True, timeout=limit
        )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise AssertionError(f"{name} {' '.join(words)}: status {done.returncode}: {said}")


class Connect:
    """mptcp_connect at both ends: each sends a file and keeps what it receives."""

    def __init__(
        self,
        case: Case,
        up: int,
        down: int,
        family: int = socket.AF_INET,
        address: str | None = None,
    ):
        self.case = case
        self.family = family
        self.address = address or case.server.address(family)
        self.folder = Path(case.keep(tempfile.TemporaryDirectory()))
        self.sent = {"client": content(up, 1), "server": content(down, 2)}

    def run(self, server: tuple[str, ...], client: tuple[str, ...], limit: float = 60) -> None:
        """One run with further words for each end; both must end with 0."""
        any_address = "0.0.0.0" if self.family == socket.AF_INET else "::"
        self.case.port += 1
        listening = self._start(self.case.server, "-l", *server, any_address)
        wait_until(self._listens, f"listening of mptcp_connect on port {self.case.port}", 20)
        connecting = self._start(self.case.client, *client, self.address)
        for name, process in (("client", connecting), ("server", listening)):
            _, said = process.communicate(timeout=limit)
            if process.returncode != 0:
                raise AssertionError(f"{name}: status {process.returncode}: {said.strip()}")

    def received(self, name: str) -> bytes:
        """What an end received in all runs."""
        return (self.folder / f"{name}.received").read_bytes()

    def file(self, name: str) -> str:
        """The file that an end sends."""
        path = self.folder / f"{name}.sent"
        path.write_bytes(self.sent[name])
        return str(path)

    def expect_all(self, times: int = 1) -> None:
        """Each end received what the other sent, so many times over."""
        for sender, receiver in (("client", "server"), ("server", "client")):
            got, due = self.received(receiver), self.sent[sender] * times
            words = f"the {receiver} received {len(got)} bytes, not the {len(due)} that were sent"
            self.case.expect(got == due, words)

    def _start(self, end: End, *words: str) -> subprocess.Popen:
        protocol = "MPTCP" if end.stack.speaks_mptcp else "TCP"
        with (
            open(self.file(end.name), "rb") as sent,
            open(self.folder / f"{end.name}.received", "wb") as received,
        ):
            return self.case.keep(
                end.namespace.start(
                    selftest("mptcp_connect"), "-t", "30", "-p", str(self.case.port),
                    "-s", protocol, *words, stdin=sent, stdout=received, stderr=subprocess.PIPE,
                    text=True, env=os.environ | environment(end),
                )
            )  # fmt: skip

    def _listens(self) -> bool:
        table = "tcp" if self.family == socket.AF_INET else "tcp6"
        text = self.case.server.namespace.read(f"/proc/thread-self/net/{table}")
        rows = [line.split() for line in text.splitlines()[1:]]
        port = f":{self.case.port:04X}"
        return any(row[1].endswith(port) and row[3] == LISTENS for row in rows)
