# SPDX-License-Identifier: GPL-2.0
"""Network namespaces held by a file descriptor, and what is read or run inside one."""

import ctypes
import os
import socket
import subprocess
import threading
from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_entered = threading.local()


def _enter(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns failed: {os.strerror(error)}; run as root")


class Namespace:
    """One network namespace. `with namespace:` moves the calling thread into it."""

    def __init__(self, name: str):
        self.name = name
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.unshare(CLONE_NEWNET) != 0:
                error = ctypes.get_errno()
                raise OSError(error, f"unshare failed: {os.strerror(error)}; run as root")
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            _enter(before)
            os.close(before)

    def __enter__(self):
        stack = _entered.__dict__.setdefault("stack", [])
        stack.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        _enter(self.fd)
        return self

    def __exit__(self, *_):
        back = _entered.stack.pop()
        _enter(back)
        os.close(back)

    @property
    def path(self) -> str:
        """A path that ip(8) takes as the name of this namespace."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def run(self, *command: str, limit: float = 60, text_input: str | None = None) -> str:
        """Runs a command inside and gives back its output; failure raises with its words."""
        with self:
            done = subprocess.run(
                command, input=text_input, capture_output=True, text=True, timeout=limit
            )
        if done.returncode != 0:
            words = (done.stderr or done.stdout).strip()
            raise RuntimeError(f"{' '.join(command)} failed in {self.name}: {words}")
        return done.stdout

    def start(self, *command: str, **options) -> subprocess.Popen:
        """Starts a command inside without waiting for it."""
        with self:
            return subprocess.Popen(command, **options)

    def new_socket(self, family: int, kind: int, protocol: int) -> socket.socket:
        """A socket that lives in this namespace."""
        with self:
            return socket.socket(family, kind, protocol)

    def read(self, path: str) -> str:
        """Text of a file whose content depends on the namespace (/proc/thread-self/net/...)."""
        with self:
            return Path(path).read_text()

    def sysctl(self, name: str, value: int | str) -> None:
        """Sets one sysctl of this namespace."""
        with self:
            Path("/proc/sys", *name.split(".")).write_text(f"{value}\n")
