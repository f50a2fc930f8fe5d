# SPDX-License-Identifier: GPL-2.0
"""The mptcp-rs command, run inside a namespace."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

from .namespace import Namespace

BUILT = Path(__file__).resolve().parent.parent.parent / "build" / "tool" / "mptcp-rs"


class ToolError(Exception):
    """The command ended with another status than 0; the text is what it said."""


def tool_path() -> str:
    """The built command."""
    if not BUILT.exists():
        raise RuntimeError("build/tool/mptcp-rs is missing: run 'make tool'")
    return str(BUILT)


def run_tool(namespace: Namespace, *words: str, family: str | None = None) -> str:
    """What the command prints."""
    options = ("--family", family) if family else ()
    try:
        return namespace.run(tool_path(), *options, *words)
    except RuntimeError as error:
        raise ToolError(str(error)) from error


def ask_tool(namespace: Namespace, *words: str, family: str | None = None):
    """What the command prints as JSON."""
    return json.loads(run_tool(namespace, "--json", *words, family=family))


class Screen:
    """A command on a terminal of 100 columns and 30 lines."""

    def __init__(self, namespace: Namespace, *command: str):
        self.terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = namespace.start(*command, stdin=other, stdout=other, env={"TERM": "xterm"})
        os.close(other)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def wait_for(self, words: str, seconds: float = 20) -> None:
        """Reads until these words were drawn; they must stand together and be new to the screen."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            ready = select.select([self.terminal], [], [], deadline - time.monotonic())[0]
            if not ready:
                raise TimeoutError(f"{words!r} was not drawn, but {self.text[:1000]!r}")
            self.text += os.read(self.terminal, 65536).decode()

    def press(self, key: str) -> None:
        """Presses a key."""
        os.write(self.terminal, key.encode())


class Monitor:
    """A command that prints events, as lines, until it is stopped."""

    def __init__(self, namespace: Namespace, *command: str):
        self.process = namespace.start(*command, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def stop(self) -> list[str]:
        """The lines that came until now and shortly after."""
        time.sleep(0.5)
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=20)[0].splitlines()
