# SPDX-License-Identifier: GPL-2.0
"""The list of scenarios, filled by the @scenario decorator of the files in scenarios/."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

MPTCP_ROLES = (("ours", "ours"), ("ours", "builtin"), ("builtin", "ours"))
FALLBACK_ROLES = (("ours", "tcp"), ("tcp", "ours"))
OURS_ONLY = (("ours", "ours"),)


@dataclass(frozen=True)
class Scenario:
    """One function, the pairs of implementations it runs with, and its limits."""

    name: str
    function: Callable
    roles: tuple[tuple[str, str], ...]
    limit: int
    arguments: tuple
    needs_module: bool
    settles: bool
    brief: bool

    def roles_on(self, kernel: str) -> tuple[tuple[str, str], ...]:
        """The pairs to run with on the given kernel."""
        return OURS_ONLY if self.brief and kernel == "test" else self.roles


_scenarios: list[Scenario] = []


def scenario(
    roles=MPTCP_ROLES,
    limit: int = 120,
    variants: dict[str, tuple] | None = None,
    needs_module: bool = False,
    settles: bool = True,
    brief: bool = False,
):
    """Registers a scenario. `variants` maps a suffix of the name to further arguments.

    `limit` is in seconds of the stock kernel. `needs_module` marks what the kernel's own MPTCP
    does not do, or does unlike TCP. `settles=False` leaves out the wait for the sockets to be
    gone. `brief` keeps to ours at both ends on the slow test kernel.
    """

    def register(function):
        place = function.__module__.rsplit(".", 1)[-1]
        for suffix, arguments in (variants or {"": ()}).items():
            name = ".".join(filter(None, (place, function.__name__, suffix)))
            entry = Scenario(
                name, function, tuple(roles), limit, arguments, needs_module, settles, brief
            )
            _scenarios.append(entry)
        return function

    return register


def load(package) -> list[Scenario]:
    """Imports every file of the package and gives the scenarios in file order."""
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
        importlib.import_module(f"{package.__name__}.{entry.name}")
    return list(_scenarios)
