# SPDX-License-Identifier: GPL-2.0
"""Something that a socket chooses by name, changed while the connection carries data."""

import time
from collections.abc import Callable, Iterable

from .transfer import Task, exchange


def exchange_while_it_sends(case, names: Iterable[str], choose: Callable, chosen: Callable) -> None:
    """Chooses one name after the other at both ends until all data was exchanged."""
    case.network.netem("delay", "2ms", "loss", "1%")
    client, server = case.connect_pair()
    size = case.size(stock=8, test=2) << 20
    traffic = Task(exchange, client, server, size, size)
    rounds = 0
    while traffic.is_alive():
        for name in names:
            for sock in (client, server):
                choose(sock, name)
                case.expect(chosen(sock) == name, f"after {name} was chosen it is {chosen(sock)}")
            time.sleep(0.01)
        rounds += 1
    traffic.result()
    case.expect(rounds > 1, "the data was sent before all names were chosen")
    case.expect_mptcp()
