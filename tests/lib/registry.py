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
    all_roles: bool
    long: bool

    def roles_on(self, kernel: str, brief: bool) -> tuple[tuple[str, str], ...]:
        """The pairs to run with on the given kernel."""
        if self.long and brief:
            return ()
        alone = kernel == "test" and (brief or not self.all_roles) and OURS_ONLY[0] in self.roles
        return OURS_ONLY if alone else self.roles


_scenarios: list[Scenario] = []


def scenario(
    roles=MPTCP_ROLES,
    limit: int = 120,
    variants: dict[str, tuple] | None = None,
    needs_module: bool = False,
    settles: bool = True,
    all_roles: bool = False,
    long: bool = False,
):
    """Registers a scenario. `variants` maps a suffix of the name to further arguments.

    `limit` is in seconds of the stock kernel. `needs_module` marks what the kernel's own MPTCP
    does not do, or does unlike TCP. `settles=False` is for what may leave sockets behind for some
    time. `all_roles` keeps the kernel's own MPTCP as a peer on the slow test kernel too, where
    most scenarios run with ours at both ends only, and all that can where a run is to be brief.
    `long` marks what such a run leaves out.
    """

    def register(function):
        place = function.__module__.rsplit(".", 1)[-1]
        for suffix, arguments in (variants or {"": ()}).items():
            name = ".".join(filter(None, (place, function.__name__, suffix)))
            entry = Scenario(
                name,
                function,
                tuple(roles),
                limit,
                arguments,
                needs_module,
                settles,
                all_roles,
                long,
            )
            _scenarios.append(entry)
        return function

    return register


def load(package) -> list[Scenario]:
    """Imports every file of the package and gives the scenarios in file order."""
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
        importlib.import_module(f"{package.__name__}.{entry.name}")
    return list(_scenarios)
