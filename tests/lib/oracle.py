# SPDX-License-Identifier: GPL-2.0
"""Plain TCP as the oracle of the socket API, and the kernel's own MPTCP where TCP has no answer.

A script makes socket calls at both ends and has each outcome written down. It is run once with
the oracle at both ends and once with the pair under test; the outcomes at our ends must be equal.
"""

import errno
import functools

from .case import Case
from .registry import MPTCP_ROLES, scenario
from .stack import BUILTIN, TCP, Stack

ROLES = {
    "both": MPTCP_ROLES,
    "client": (("ours", "ours"), ("ours", "builtin")),
    "server": (("ours", "ours"), ("builtin", "ours")),
}


class Script:
    """The hand of a script: the case to act on, and the outcomes it writes down."""

    def __init__(self, case: Case):
        self.case = case
        self.seen: dict[str, list[tuple[str, object]]] = {"client": [], "server": []}

    def see(self, end: str, what: str, function, *arguments):
        """Calls the function and writes down its value or the name of its errno."""
        try:
            value = function(*arguments)
        except OSError as error:
            if error.errno is None:
                raise
            value = errno.errorcode[error.errno]
        self.note(end, what, value)
        return value

    def note(self, end: str, what: str, value) -> None:
        """Writes an outcome down."""
        if isinstance(value, (memoryview, bytearray)):
            value = bytes(value)
        self.seen[end].append((what, value))

    def client(self, what: str, function, *arguments):
        """An outcome at the client."""
        return self.see("client", what, function, *arguments)

    def server(self, what: str, function, *arguments):
        """An outcome at the server."""
        return self.see("server", what, function, *arguments)


def same_as_tcp(limit: int = 30, at: str = "both", **options):
    """Registers a script as a scenario that compares it with plain TCP.

    `at` names the end whose calls the script is about; ours stands there in each run.
    """
    return _same_as(TCP, limit, at, options)


def same_as_builtin(limit: int = 30, at: str = "both", **options):
    """Registers a script as a scenario that compares it with the kernel's own MPTCP."""
    return _same_as(BUILTIN, limit, at, options)


def _same_as(oracle: Stack, limit: int, at: str, options: dict):
    def register(function):
        @functools.wraps(function)
        def compared(case):
            compare_with(oracle, case, function)

        return scenario(limit=limit, roles=ROLES[at], alike=True, **options)(compared)

    return register


def compare_with(stack: Stack, case: Case, script) -> None:
    """Runs the script over the oracle, then with the pair under test; raises where ours differs."""
    oracle = Script(Case(stack, stack, case.kernel, case.network, port=case.port - 1))
    try:
        script(oracle)
    finally:
        oracle.case.cleanup.close()
    tested = Script(case)
    script(tested)
    differences = []
    for end in case.ends:
        if end.stack.name == "ours":
            expected, got = oracle.seen[end.name], tested.seen[end.name]
            differences += compare(end.name, stack.name, expected, got)
    if differences:
        raise AssertionError(f"not as {stack.name}:\n" + "\n".join(differences))


def compare(end: str, oracle: str, expected: list, got: list) -> list[str]:
    """Lines that tell where two lists of outcomes differ."""
    lines = []
    for at in range(max(len(expected), len(got))):
        one = expected[at] if at < len(expected) else ("nothing", None)
        other = got[at] if at < len(got) else ("nothing", None)
        if one != other:
            what = one[0] if one[0] == other[0] else f"{one[0]} / {other[0]}"
            lines.append(f"  {end}: {what}: {oracle} {_show(one[1])}, ours {_show(other[1])}")
    return lines


def _show(value) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
