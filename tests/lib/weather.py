# SPDX-License-Identifier: GPL-2.0
"""What happens to networks: links cut, renamed, shaped, addresses and endpoints that go and come, at random."""

import random
import socket

from .case import Case
from .path_manager import BACKUP, SET_FLAGS, SUBFLOW, PathManager, described

LINKS = (2, 3, 4)


class Link:
    """One of the further links, and what was done to it."""

    def __init__(self, weather: "Weather", number: int):
        self.weather = weather
        self.number = number
        self.name = weather.case.network.add_link(number)
        self.address = f"10.0.{number}.1"
        with weather.case.client.namespace:
            self.index = socket.if_nametoindex(self.name)
        self.down: str | None = None
        self.addressed = True
        self.endpoint = False
        self.backup = False
        self.toggle_endpoint()

    def ip(self, *words: str) -> None:
        """ip(8) at the client."""
        self.weather.case.client.namespace.run("ip", *words)

    def cut(self) -> None:
        """One of the ends goes down, or up again."""
        if self.down is None:
            self.down = self.weather.chance.choice(("client", "server"))
            self._set(self.down, "down")
            return
        self._set(self.down, "up")
        if self.down == "client" and self.addressed:
            self._route()
        self.down = None

    def _set(self, end: str, state: str) -> None:
        if end == "client":
            self.ip("link", "set", self.name, state)
        else:
            server = self.weather.case.server.namespace
            server.run("ip", "link", "set", f"veth{self.number - 1}", state)

    def _route(self) -> None:
        via = ("via", f"10.0.{self.number}.2", "dev", self.name, "metric", f"{100 + self.number}")
        self.ip("route", "replace", "default", *via)

    def toggle_address(self) -> None:
        """The client loses its address, or has it again."""
        self.addressed = not self.addressed
        word = "add" if self.addressed else "del"
        self.ip("addr", word, f"{self.address}/24", "dev", self.name)
        if self.addressed and self.down != "client":
            self._route()

    def toggle_endpoint(self) -> None:
        """The administrator takes the endpoint away, or gives it back."""
        manager = self.weather.client
        if self.endpoint:
            ids = {address: id for id, address, *_ in manager.endpoints()}
            manager.remove(ids[self.address])
        else:
            manager.add(self.address, SUBFLOW, interface=self.index)
            self.backup = False
        self.endpoint = not self.endpoint

    def toggle_backup(self) -> None:
        """The endpoint becomes a backup, or stops to be one."""
        if self.endpoint:
            self.backup = not self.backup
            flags = BACKUP if self.backup else 0
            self.weather.client.must(SET_FLAGS, described(self.address, flags=flags))

    def rename(self) -> None:
        """The client calls it differently."""
        new = f"r{self.weather.chance.randrange(1 << 24)}x{self.number}"
        self.ip("link", "set", self.name, "name", new)
        self.name = new

    def shape(self) -> None:
        """Another rate, delay and loss."""
        chance = self.weather.chance
        words = ("delay", f"{chance.randrange(20)}ms", "loss", f"{chance.randrange(4)}%")
        rate = ("rate", f"{chance.choice((2, 10, 50))}mbit")
        namespace = self.weather.case.client.namespace
        namespace.run("tc", "qdisc", "replace", "dev", self.name, "root", "netem", *words, *rate)

    def clear(self) -> None:
        """Everything as at the beginning, apart from the name."""
        if self.down is not None:
            self.cut()
        if not self.addressed:
            self.toggle_address()
        self.weather.case.client.namespace.run("tc", "qdisc", "del", "dev", self.name, "root")


class Weather:
    """A client with four links, of which all but the first one suffer."""

    def __init__(self, case: Case, chance: random.Random):
        self.case = case
        self.chance = chance
        self.client = case.keep(PathManager(case.client.namespace, case.client.stack))
        self.server = case.keep(PathManager(case.server.namespace, case.server.stack))
        self.client.limits(8, 8)
        self.server.limits(8, 8)
        self.links = [Link(self, number) for number in LINKS]
        for link in self.links:
            link.shape()
        self.happened: dict[str, int] = {}

    def change(self) -> None:
        """One thing happens to one link."""
        link = self.chance.choice(self.links)
        actions = (
            link.cut,
            link.cut,
            link.toggle_address,
            link.toggle_endpoint,
            link.toggle_backup,
            link.rename,
            link.shape,
        )
        action = self.chance.choice(actions)
        action()
        name = action.__name__
        self.happened[name] = self.happened.get(name, 0) + 1

    def clear(self) -> None:
        """The storm is over."""
        for link in self.links:
            link.clear()
