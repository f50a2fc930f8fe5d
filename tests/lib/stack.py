# SPDX-License-Identifier: GPL-2.0
"""The protocol implementations that can stand at one end of a connection."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

IPPROTO_TCP = 6
IPPROTO_MPTCP = 262
SPARE_PROTOCOL = 261
MODULE = "mptcp_rs"
MODULE_FILE = "MPTCP_RS_MODULE"


class SetupError(Exception):
    """The machine cannot run the scenarios; the text says what to do."""


@dataclass(frozen=True)
class Stack:
    """One implementation: its short name, socket() protocol and where its counters are."""

    name: str
    protocol: int
    counters: str  # "module", "MPTcpExt" or "none"

    @property
    def speaks_mptcp(self) -> bool:
        """Whether this end offers or accepts MP_CAPABLE at all."""
        return self.protocol != IPPROTO_TCP


TCP = Stack("tcp", IPPROTO_TCP, "none")
BUILTIN = Stack("builtin", IPPROTO_MPTCP, "MPTcpExt")


def module_is_loaded() -> bool:
    """Whether the module is in the running kernel."""
    return Path("/sys/module", MODULE).exists()


def read_references() -> int:
    """Reference count of the loaded module; 0 where it is not loaded."""
    try:
        return int(Path("/sys/module", MODULE, "refcnt").read_text())
    except FileNotFoundError:
        return 0


def module_has(protocol: int, family: int = socket.AF_INET) -> bool:
    """Whether a socket of this protocol is the loaded module's: it then holds the module."""
    before = read_references()
    try:
        with socket.socket(family, socket.SOCK_STREAM, protocol):
            return read_references() > before
    except OSError:
        return False


def module_file() -> Path:
    """The file that was given to insert, for scenarios that remove and insert again."""
    name = os.environ.get(MODULE_FILE)
    if not name:
        raise SetupError("Inserting the module again needs its file: give it with --module.")
    return Path(name)


def module_stack() -> Stack:
    """The loaded module as a stack, on the protocol number that leaves 262 to the kernel's own."""
    if not module_has(SPARE_PROTOCOL):
        raise SetupError(
            f"The loaded module does not answer to protocol {SPARE_PROTOCOL}: insert it with "
            f"protocol={SPARE_PROTOCOL}, so that the kernel's own MPTCP on 262 can be its peer."
        )
    return Stack("ours", SPARE_PROTOCOL, "module")


def reference_stack() -> Stack:
    """The kernel's own MPTCP in the place of the module, to test the scenarios themselves."""
    return Stack("ours", IPPROTO_MPTCP, "MPTcpExt")
