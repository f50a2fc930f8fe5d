# SPDX-License-Identifier: GPL-2.0
"""Connections that go on while their networks change at random.

SOAK_SECONDS, SOAK_SEED and SOAK_CONNECTIONS make it longer, different and larger: see `make soak`.
"""

import os
import random
import resource
import time

from lib.echoes import Echoes
from lib.events import wait_until
from lib.registry import OURS_ONLY, scenario
from lib.transfer import Task
from lib.weather import Weather

SECONDS = int(os.environ.get("SOAK_SECONDS", "10"))
SEED = int(os.environ.get("SOAK_SEED", "8684"))
CONNECTIONS = int(os.environ.get("SOAK_CONNECTIONS", "10"))
RESERVE = (1 << 20) // resource.getpagesize()  # pages that each processor keeps for sockets
AFTER = 60  # seconds for what is under way when the networks are well again


@scenario(roles=OURS_ONLY, limit=SECONDS + 2 * AFTER, needs_module=True, at_once=True)
def changing_networks(case):
    """Links cut, renamed and shaped, addresses and endpoints that go and come: every byte arrives."""
    chance = random.Random(SEED)
    weather = Weather(case, chance)
    listener = case.listen()

    def connect():
        sock = case.client.new_socket()
        sock.setblocking(False)
        sock.connect_ex((case.server.address(), case.port))
        return sock

    before = memory(case)
    until = time.monotonic() + SECONDS
    echoes = Echoes(listener, connect, random.Random(SEED + 1))
    case.cleanup.callback(echoes.close)
    traffic = Task(echoes.run, CONNECTIONS, until, AFTER * case.size(stock=1, test=4))
    while time.monotonic() < until and traffic.is_alive():
        weather.change()
        time.sleep(chance.uniform(0.02, 0.4))
    weather.clear()
    traffic.result()
    listener.close()
    joined = case.server.counter("MPJoinAckRx")
    happened = ", ".join(f"{count} x {name}" for name, count in sorted(weather.happened.items()))
    case.notes.append(
        f"{echoes.done} connections, {echoes.failed} not made, {echoes.bytes >> 10} KiB, "
        f"{joined} subflows joined; {happened}"
    )
    case.expect(echoes.done > CONNECTIONS, f"only {echoes.done} connections came to their end")
    case.expect(joined > 0, "no subflow joined")
    case.expect_mptcp(connections=echoes.done)
    enough = before + RESERVE * (os.cpu_count() or 1)
    wait_until(lambda: memory(case) <= enough, f"the return to {enough} pages", AFTER)


def memory(case) -> int:
    """Pages that TCP holds on the whole machine."""
    text = case.client.namespace.read("/proc/thread-self/net/sockstat")
    words = next(line for line in text.splitlines() if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1])
