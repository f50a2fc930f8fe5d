# SPDX-License-Identifier: GPL-2.0
"""The kernel's own complaints: log lines, memory leak reports, left-over slab objects."""

import errno
import os
import re
import time
from pathlib import Path

COMPLAINT = re.compile(
    r"WARNING:|BUG:|BUG at|Oops|general protection|refcount_t|UBSAN|KASAN|"
    r"possible (recursive|circular) locking|inconsistent lock state|held lock|"
    r"suspicious RCU|scheduling while atomic|sleeping function called|"
    r"task .* blocked for more than|rcu.*(stall|self-detected)|list_(add|del) corruption|"
    r"ODEBUG|INFO: (task|rcu|possible|trying|lockdep)|panicked at|unregister_netdevice: waiting"
)
KMEMLEAK = Path("/sys/kernel/debug/kmemleak")


class KernelLog:
    """Reads /dev/kmsg from the moment it was opened."""

    def __init__(self):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._fd, 0, os.SEEK_END)

    def news(self) -> list[str]:
        """Lines logged since the last call."""
        lines = []
        while True:
            try:
                record = os.read(self._fd, 8192).decode(errors="replace")
            except OSError as error:
                if error.errno == errno.EPIPE:
                    lines.append("(kernel log lines were overwritten before they were read)")
                    continue
                if error.errno == errno.EAGAIN:
                    return lines
                raise
            lines.append(record.split(";", 1)[-1].splitlines()[0])

    def complaints(self) -> list[str]:
        """The logged lines from the first complaint on (at most 40), or none."""
        lines = self.news()
        for at, line in enumerate(lines):
            if COMPLAINT.search(line):
                return lines[at : at + 40]
        return []


def scan_for_leaks() -> list[str]:
    """Kmemleak's report after two scans. It tells of what is older than five seconds and was found in neither."""
    time.sleep(6)
    for _ in range(2):
        KMEMLEAK.write_text("scan\n")
    return KMEMLEAK.read_text().splitlines()


def forget_leaks() -> None:
    """Marks what is unreferenced now as known, so that a later scan tells only news."""
    KMEMLEAK.write_text("scan\n")
    KMEMLEAK.write_text("clear\n")
