# SPDX-License-Identifier: GPL-2.0
"""A peer that has the keys and abuses them, and strangers who know a token."""

import random
import socket
import struct

from lib.events import wait_until
from lib.path_manager import PathManager
from lib.raw_peer import RawPeer
from lib.raw_tcp import SYN
from lib.registry import OURS_ONLY, scenario
from lib.transfer import exchange
from scenarios.join import Forger, begin, join_syn, token_of

SEED = 8684
# Bytes that the kernel may keep longer than before, whoever asks for them.
ROOM = 4 << 20


def kernel_memory() -> int:
    """Bytes in slabs that cannot be given back."""
    with open("/proc/meminfo") as file:
        line = next(line for line in file if line.startswith("SUnreclaim:"))
    return int(line.split()[1]) * 1024


class Attacked:
    """A connection of our client to a hostile server, beside one to an honest server."""

    def __init__(self, case):
        self.case = case
        self.manager = case.keep(PathManager(case.client.namespace, case.client.stack))
        self.manager.limits(8, 8)
        self.honest = begin(case)
        case.port += 1
        self.peer = RawPeer(case)
        self.client = case.connect()
        # The peer never ends: closing aborts.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.sendall(b"?")
        wait_until(lambda: self.peer.received == 1, "arrival of the first byte")
        self.before = kernel_memory()

    def check(self) -> None:
        """Nothing has grown, and the honest connection works."""
        grown = kernel_memory() - self.before
        self.case.expect(grown < ROOM, f"the kernel keeps {grown} bytes more")
        exchange(*self.honest, 1 << 20, 1 << 20)

    def goes_on(self) -> None:
        """The attacked connection still carries data."""
        received = self.peer.received
        self.client.sendall(b"!")
        wait_until(lambda: self.peer.received == received + 1, "arrival of another byte")


@scenario(roles=OURS_ONLY, needs_module=True, variants={"new": (False,), "reused": (True,)})
def addresses_announced(case, reused):
    """Hundreds of announced addresses, under all ids or again and again under one."""
    attacked = Attacked(case)
    chance = random.Random(SEED)
    count = case.size(stock=1000, test=200)
    for number in range(count):
        id = 7 if reused else 1 + number % 255
        address = f"10.0.1.{chance.randrange(3, 255)}"
        attacked.peer.say(attacked.peer.add_addr(id, address))
    wait_until(lambda: case.client.counter("AddAddr") >= count // 2, "arrival of announcements")
    attacked.goes_on()
    attacked.check()
    case.expect_counter(case.client, "AddAddrDrop", 0, 0)
    case.expect_counter(case.client, "MPJoinSynTx", 1, 40)


@scenario(roles=OURS_ONLY, needs_module=True)
def announced_with_wrong_proof(case):
    """Announcements with a wrong HMAC are counted and forgotten."""
    attacked = Attacked(case)
    count = case.size(stock=600, test=200)
    for number in range(count):
        option = bytearray(attacked.peer.add_addr(1 + number % 255, "10.0.1.77"))
        option[-1] ^= 1
        attacked.peer.say(bytes(option))
    wait_until(lambda: case.client.counter("AddAddrDrop") >= count // 2, "arrival of announcements")
    attacked.goes_on()
    attacked.check()
    case.expect_counter(case.client, "AddAddr", 0, 0)
    case.expect_counter(case.client, "MPJoinSynTx", 0, 0)


@scenario(roles=OURS_ONLY, needs_module=True)
def everything_removed(case):
    """All ids but that of the first address are removed again and again, announced or not."""
    attacked = Attacked(case)
    count = case.size(stock=30, test=8)
    for _ in range(count):
        for first in range(1, 256, 30):
            attacked.peer.say(attacked.peer.add_addr(first, f"10.0.1.{max(first, 3)}"))
            attacked.peer.say(attacked.peer.remove_addr(range(first, min(first + 30, 256))))
            attacked.peer.say(attacked.peer.priority(backup=first % 2 == 0))
    wait_until(lambda: case.client.counter("RmAddr") >= count, "arrival of removals")
    attacked.goes_on()
    attacked.check()


@scenario(roles=OURS_ONLY, needs_module=True)
def first_address_removed(case):
    """The peer removes the address of the only subflow: that harms nobody else."""
    attacked = Attacked(case)
    for _ in range(100):
        attacked.peer.say(attacked.peer.remove_addr(range(0, 1)))
    wait_until(lambda: case.client.counter("RmAddr") >= 1, "arrival of a removal")
    attacked.check()


@scenario(roles=OURS_ONLY, needs_module=True)
def joins_begun(case):
    """Hundreds of joins with the right token that are never finished."""
    client, server = begin(case)
    listener = case.listen()
    forger = Forger(case)
    before = kernel_memory()
    token = token_of(case)
    for number in range(case.size(stock=1500, test=300)):
        forger.PORT = Forger.PORT + number % 99
        forger.send(SYN, 1000 * number, 0, join_syn(token))
    grown = kernel_memory() - before
    case.expect(grown < ROOM, f"the kernel keeps {grown} bytes more")
    case.expect_counter(case.server, "MPJoinSynRx", 1)
    case.expect_counter(case.server, "MPJoinAckRx", 0, 0)
    exchange(client, server, 1 << 20, 1 << 20)
    listener.close()
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True)
def tokens_guessed(case):
    """Hundreds of joins with tokens that nobody has: none is let in, and others still connect."""
    client, server = begin(case)
    case.listen()
    forger = Forger(case)
    chance = random.Random(SEED)
    before = kernel_memory()
    count = case.size(stock=1500, test=300)
    for number in range(count):
        forger.PORT = Forger.PORT + number % 99
        forger.send(SYN, 1000 * number, 0, join_syn(chance.randbytes(4)))
    wait_until(
        lambda: case.server.counter("MPJoinNoTokenFound") >= count // 2, "arrival of the joins"
    )
    grown = kernel_memory() - before
    case.expect(grown < ROOM, f"the kernel keeps {grown} bytes more")
    exchange(client, server, 1 << 20, 1 << 20)
    case.connect().close()
    case.expect_counter(case.server, "MPJoinSynRx", 0, 0)
