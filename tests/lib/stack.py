# SPDX-License-Identifier: GPL-2.0
"""The protocol implementations that can stand at one end of a connection."""

import os
from dataclasses import dataclass
from pathlib import Path

IPPROTO_TCP = 6
IPPROTO_MPTCP = 262
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


def module_parameter(name: str) -> int:
    """Value of one module parameter of the loaded module."""
    return int(Path("/sys/module", MODULE, "parameters", name).read_text())


def module_file() -> Path:
    """The file that was given to insert, for scenarios that remove and insert again."""
    name = os.environ.get(MODULE_FILE)
    if not name:
        raise SetupError("Inserting the module again needs its file: give it with --module.")
    return Path(name)


def module_stack() -> Stack:
    """The loaded module as a stack, on whatever protocol number it was given."""
    protocol = module_parameter("protocol")
    if protocol == IPPROTO_MPTCP:
        raise SetupError(
            "The module hides the kernel's own MPTCP on protocol 262: "
            "insert it with protocol=261 so that both can be peers."
        )
    return Stack("ours", protocol, "module")


def reference_stack() -> Stack:
    """The kernel's own MPTCP in the place of the module, to test the scenarios themselves."""
    return Stack("ours", IPPROTO_MPTCP, "MPTcpExt")
