# SPDX-License-Identifier: GPL-2.0
"""Child processes that a scenario may kill, and that do not outlive it."""

import contextlib
import ctypes
import os
import signal
import time

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Whoever kills the runner has killed the scenario too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A forked process that leads a group of its own; whatever it forks dies with it."""

    def __init__(self, function, *arguments):
        self.pid = os.fork()
        self.status: int | None = None
        if self.pid == 0:
            status = 1
            try:
                os.setpgid(0, 0)
                die_with_parent()
                function(*arguments)
                status = 0
            finally:
                os._exit(status)
        # Whoever comes first, parent or child, makes the group before it is used.
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)

    def kill(self) -> None:
        """SIGKILL to the group, and waits until the process is gone."""
        if self.status is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait(10)

    def wait(self, limit: float) -> int:
        """Exit status (negative: signal number) within the limit."""
        deadline = time.monotonic() + limit
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} did not end within {limit} seconds")
            else:
                time.sleep(0.02)
        return self.status
