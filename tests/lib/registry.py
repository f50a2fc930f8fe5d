# SPDX-License-Identifier: GPL-2.0
"""The list of scenarios, filled by the @scenario decorator of the files in scenarios/."""

import importlib
import pkgutil
import zlib
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
    alike: bool
    plain: bool
    stock_only: bool
    at_once: bool

    def roles_on(self, kernel: str, brief: bool) -> tuple[tuple[str, str], ...]:
        """The pairs to run with on the given kernel."""
        if self.stock_only and kernel != "stock":
            return ()
        if brief and (self.long or self.plain and kernel == "test"):
            return ()
        alone = kernel == "test" and (brief or not self.all_roles) and OURS_ONLY[0] in self.roles
        if alone:
            return OURS_ONLY
        return self._some_roles() if brief and self.alike else self.roles

    def _some_roles(self) -> tuple[tuple[str, str], ...]:
        """Ours with itself, if that is among the pairs, and one of the other pairs.

        Which one depends on the name, so that as many scenarios run with each.
        """
        alone = tuple(pair for pair in self.roles if pair in OURS_ONLY)
        others = tuple(pair for pair in self.roles if pair not in OURS_ONLY)
        return (*alone, others[zlib.crc32(self.name.encode()) % len(others)]) if others else alone


_scenarios: list[Scenario] = []


def scenario(
    roles=MPTCP_ROLES,
    limit: int = 120,
    variants: dict[str, tuple] | None = None,
    needs_module: bool = False,
    settles: bool = True,
    all_roles: bool = False,
    long: bool = False,
    alike: bool = False,
    plain: bool = False,
    stock_only: bool = False,
    at_once: bool = False,
):
    """Registers a scenario. `variants` maps a suffix of the name to further arguments.

    `limit` is in seconds of the stock kernel. `needs_module` marks what the kernel's own MPTCP
    does not do, or does unlike TCP. `settles=False` is for what may leave sockets behind for some
    time. `all_roles` keeps the kernel's own MPTCP as a peer on the slow test kernel too, where
    most scenarios run with ours at both ends only, and all that can where a run is to be brief.
    `long` marks what such a run leaves out, `alike` that ours does the same whoever the peer is, so that
    a brief run takes one other pair than ours with itself, and `plain` what shows values and words but
    nothing of locks, lifetimes and memory: a brief run leaves it out on the test kernel.
    `stock_only` marks what takes a feature of the kernel that the test kernel is built without.
    `at_once` marks what sets several processors to work on the same thing: the test kernel's machine for these
    has its processors work at the same moment, in a brief run too.
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
                alike,
                plain,
                stock_only,
                at_once,
            )
            _scenarios.append(entry)
        return function

    return register


def load(package) -> list[Scenario]:
    """Imports every file of the package and gives the scenarios in file order."""
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
        importlib.import_module(f"{package.__name__}.{entry.name}")
    return list(_scenarios)
