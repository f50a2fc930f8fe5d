# SPDX-License-Identifier: GPL-2.0
"""ip(8) and tc(8) as processes that wait for their command."""

import subprocess

from .namespace import Namespace
from .network import LINK

WARM_UP = {"ip": f"link show dev {LINK}", "tc": f"qdisc show dev {LINK}"}


class Prepared:
    """A process that runs `ip` or `tc` commands of a namespace the moment it is told to.

    To start one at that moment would take its time from those who send and receive.
    """

    def __init__(self, namespace: Namespace, tool: str):
        self.process = namespace.start(
            tool, "-batch", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # It can do its work once it has answered; what it has to read for that, it has read then.
        self.do(WARM_UP[tool])
        self.process.stdout.readline()

    def do(self, command: str) -> None:
        """Has the command done, and does not wait for it."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        failed = self.process.wait(20)
        self.process.stdout.close()
        if failed:
            raise RuntimeError(f"{' '.join(self.process.args)} failed")
