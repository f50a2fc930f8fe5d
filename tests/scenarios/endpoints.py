# SPDX-License-Identifier: GPL-2.0
"""Endpoints and limits over netlink: every answer is compared with the kernel's own family."""

import errno
import os
import pickle
import random
import threading

from lib.netlink import NLM_F_DUMP, attribute, nest, u8, u16, u32
from lib.path_manager import (
    ADD_ADDR,
    ADDR,
    ADDR4,
    ADDR6,
    BACKUP,
    DEL_ADDR,
    FAMILY,
    FLUSH_ADDRS,
    FULLMESH,
    GET_ADDR,
    GET_LIMITS,
    IMPLICIT,
    LAMINAR,
    RCV_ADD_ADDRS,
    SET_FLAGS,
    SET_LIMITS,
    SIGNAL,
    SUBFLOW,
    SUBFLOWS,
    PathManager,
    described,
)
from lib.registry import OURS_ONLY, scenario
from lib.stack import BUILTIN

MINIMAL = described("10.0.9.1")


class Both:
    """The module's family and the kernel's own in one namespace, which must answer alike."""

    def __init__(self, case, end):
        self.case = case
        self.ours = case.keep(PathManager(end.namespace, end.stack))
        self.builtin = case.keep(PathManager(end.namespace, BUILTIN))

    def ask(self, command: int, body: bytes = b"", dump: bool = False):
        """One request to both."""
        answers = [one.request(command, body, dump) for one in (self.builtin, self.ours)]
        self.case.expect(
            answers[0] == answers[1],
            f"command {command} with {body.hex()}: the kernel's own answers {answers[0]}, "
            f"the module {answers[1]}",
        )
        return answers[1]

    def send(self, payload: bytes, flags: int) -> None:
        """Any bytes to both; only the errors need to be the same."""
        answers = [one.send(payload, flags) for one in (self.builtin, self.ours)]
        self.case.expect(
            answers[0].errno == answers[1].errno,
            f"{payload.hex()} (flags {flags:x}): {answers[0]}, {answers[1]}",
        )

    def show(self):
        """All endpoints and the limits."""
        self.ask(GET_ADDR, dump=True)
        self.ask(GET_LIMITS)


@scenario(roles=OURS_ONLY, needs_module=True)
def commands(case):
    """What a program does with endpoints and limits, and what it is told then."""
    both = Both(case, case.client)
    both.show()
    for address, more in (
        ("10.0.1.1", {}),
        ("10.0.1.2", {"flags": SUBFLOW, "interface": 1}),
        ("10.0.1.3", {"flags": SIGNAL | BACKUP}),
        ("fd00:1::1", {"flags": SUBFLOW | FULLMESH}),
        ("10.0.1.4", {"id": 100, "flags": LAMINAR | SUBFLOW}),
        ("10.0.1.5", {}),
        ("10.0.1.6", {"id": 254, "flags": SIGNAL | SUBFLOW}),
        ("10.0.1.7", {}),
        ("10.0.1.8", {"flags": 0x40000000 | SIGNAL}),
        ("fd00:1::2", {"id": 0}),
    ):
        both.ask(ADD_ADDR, described(address, **more))
        both.show()
    for id in (1, 2, 4, 100, 255):
        both.ask(GET_ADDR, described(id=id))
    both.ask(DEL_ADDR, described(id=2))
    both.ask(GET_ADDR, described(id=2))
    both.ask(ADD_ADDR, described("10.0.1.2", id=2))
    both.show()
    for body in (
        described("10.0.1.1", flags=BACKUP),
        described(id=1, flags=0),
        described(id=4, flags=BACKUP | FULLMESH),
        described(id=4, flags=SUBFLOW | SIGNAL),
    ):
        both.ask(SET_FLAGS, body)
        both.show()
    both.ask(SET_LIMITS, u32(RCV_ADD_ADDRS, 64) + u32(SUBFLOWS, 64))
    both.ask(SET_LIMITS, u32(RCV_ADD_ADDRS, 3))
    both.ask(SET_LIMITS)
    both.show()
    both.ask(FLUSH_ADDRS)
    both.show()
    both.ask(ADD_ADDR, described("10.0.1.9"))
    both.show()


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def errors(case):
    """Everything that is refused, in the same words."""
    both = Both(case, case.client)
    both.ask(ADD_ADDR, described("10.0.1.1", flags=SIGNAL))
    both.ask(ADD_ADDR, described("10.0.1.2", flags=SUBFLOW))
    refused = (
        (ADD_ADDR, b""),
        (ADD_ADDR, nest(ADDR)),
        (ADD_ADDR, described(id=7)),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 2))),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 10), attribute(ADDR4, bytes(4)))),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 1), attribute(ADDR4, bytes(4)))),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 2), attribute(ADDR4, bytes(3)))),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 10), attribute(ADDR6, bytes(15)))),
        (ADD_ADDR, nest(ADDR, u16(FAMILY, 10), attribute(ADDR6, bytes(17)))),
        (ADD_ADDR, nest(ADDR, u8(FAMILY, 2), attribute(ADDR4, bytes(4)))),
        (ADD_ADDR, attribute(ADDR, b"\1")),
        (ADD_ADDR, described("10.0.1.1")),
        (ADD_ADDR, described("10.0.1.3", id=1)),
        (ADD_ADDR, described("10.0.1.1", id=1)),
        (ADD_ADDR, described("10.0.1.3", port=8080)),
        (ADD_ADDR, described("10.0.1.3", port=8080, flags=SUBFLOW)),
        (ADD_ADDR, described("10.0.1.3", port=8080, flags=SUBFLOW | SIGNAL)),
        (ADD_ADDR, described("10.0.1.3", flags=SIGNAL | FULLMESH)),
        (ADD_ADDR, described("10.0.1.3", flags=IMPLICIT)),
        (DEL_ADDR, b""),
        (DEL_ADDR, described(id=9)),
        (GET_ADDR, b""),
        (GET_ADDR, described(id=0)),
        (GET_ADDR, described(id=9)),
        (GET_ADDR, described("10.0.1.1")),
        (SET_FLAGS, b""),
        (SET_FLAGS, described()),
        (SET_FLAGS, described(flags=BACKUP)),
        (SET_FLAGS, described(id=9, flags=BACKUP)),
        (SET_FLAGS, described("10.0.1.9", flags=BACKUP)),
        (SET_FLAGS, described(id=1, flags=FULLMESH)),
        (SET_LIMITS, u32(RCV_ADD_ADDRS, 65)),
        (SET_LIMITS, u32(SUBFLOWS, 65)),
        (SET_LIMITS, u32(RCV_ADD_ADDRS, 3) + u32(SUBFLOWS, 0xFFFFFFFF)),
        (SET_LIMITS, u16(SUBFLOWS, 3)),
        (0, b""),
        (99, b""),
    )
    for command, body in refused:
        answer = both.ask(command, body)
        case.expect(answer.errno != 0, f"command {command} with {body.hex()} was not refused")
    both.show()


@scenario(roles=OURS_ONLY, needs_module=True)
def full(case):
    """255 endpoints, which are as many as there are ids; the list takes several messages."""
    both = Both(case, case.client)
    for last in range(1, 256):
        both.ask(ADD_ADDR, described(f"fd00:1::{last:x}", flags=SUBFLOW | BACKUP, interface=1))
    both.ask(ADD_ADDR, described("10.0.1.1"))
    both.show()
    case.expect(len(both.ours.endpoints()) == 255, "the list is not complete")
    both.ask(DEL_ADDR, described(id=100))
    both.ask(ADD_ADDR, described("10.0.1.1"))
    both.show()
    both.ask(FLUSH_ADDRS)
    both.show()


@scenario(roles=OURS_ONLY, needs_module=True)
def malformed(case):
    """Thousands of damaged messages: the same errors as from the kernel's own, and nothing worse."""
    both = Both(case, case.client)
    chance = random.Random(20)
    seeds = [
        bytes([command, 1, 0, 0]) + body
        for command in range(13)
        for body in (
            MINIMAL,
            described("fd00:1::1", id=3, flags=SIGNAL, interface=1),
            u32(RCV_ADD_ADDRS, 2) + u32(SUBFLOWS, 2),
            nest(ADDR, nest(FAMILY, u16(1, 2))),
        )
    ]
    for _ in range(case.size(stock=4000, test=1000)):
        message = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(4, len(message))
            message[at] = chance.choice((0, 1, 2, 4, 5, 8, 255, chance.randrange(256)))
        del message[chance.choice((len(message), len(message), chance.randrange(4, len(message)))) :]
        # Commands about connections, and those that make a listener, are not this scenario's.
        if message[0] > SET_FLAGS or message[0] == ADD_ADDR and b"\6\0\5\0" in message:
            continue
        both.send(bytes(message), chance.choice((4, 4, NLM_F_DUMP)))
        both.ours.must(FLUSH_ADDRS)
        both.builtin.must(FLUSH_ADDRS)


@scenario(roles=OURS_ONLY, needs_module=True)
def namespaces(case):
    """One namespace's endpoints and limits are not another's."""
    client = case.keep(PathManager(case.client.namespace, case.client.stack))
    server = case.keep(PathManager(case.server.namespace, case.server.stack))
    client.add("10.0.1.1", SUBFLOW)
    client.limits(3, 4)
    case.expect(server.endpoints() == [], "the server has the client's endpoint")
    server.add("10.0.1.2", SIGNAL)
    case.expect(
        client.endpoints() == [(1, "10.0.1.1", 0, SUBFLOW, 0)],
        f"the client has {client.endpoints()}",
    )
    limits = server.must(GET_LIMITS)[0][1]
    case.expect(limits == u32(RCV_ADD_ADDRS, 0) + u32(SUBFLOWS, 2), "the server has other limits")


def _try_all(stack) -> dict[int, int]:
    """The errno of every command, in the namespace of the process."""
    with PathManager(None, stack) as manager:
        return {command: manager.request(command, MINIMAL).errno for command in range(1, 8)}


def _apart(steps) -> list[dict[int, int]]:
    """What a child process finds after it took some steps."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, pickle.dumps(steps()))
        except OSError as error:
            os.write(writer, pickle.dumps([repr(error), None]))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        found = pickle.load(pipe)
    os.waitpid(child, 0)
    return found


@scenario(roles=OURS_ONLY, needs_module=True)
def rights(case):
    """Who is no administrator of the namespace may look and not touch."""
    stacks = (case.client.stack, BUILTIN)
    may_look = {GET_ADDR, GET_LIMITS}

    def as_nobody():
        os.setns(case.client.namespace.fd)
        os.setgid(65534)
        os.setuid(65534)
        return [_try_all(stack) for stack in stacks]

    def as_root_of(flags):
        def steps():
            os.setns(case.client.namespace.fd)
            os.unshare(flags)
            return [_try_all(stack) for stack in stacks]

        return steps

    for who, steps, administrator in (
        ("nobody", as_nobody, False),
        ("root of a user namespace", as_root_of(os.CLONE_NEWUSER), False),
        ("root of both namespaces", as_root_of(os.CLONE_NEWUSER | os.CLONE_NEWNET), True),
    ):
        found = _apart(steps)
        case.expect(found[0] == found[1], f"{who}: {found}")
        for command, error in found[0].items():
            allowed = administrator or command in may_look
            case.expect((error != errno.EPERM) == allowed, f"{who}, command {command}: {error}")


@scenario(roles=OURS_ONLY, needs_module=True)
def all_at_once(case):
    """Many programs change and list endpoints while addresses come and go."""
    problems = []

    def work(number: int) -> None:
        try:
            with PathManager(case.client.namespace, case.client.stack) as manager:
                for round in range(case.size(stock=300, test=60)):
                    last = number * 10 + round % 10
                    manager.request(ADD_ADDR, described(f"10.0.1.{last}", flags=SUBFLOW))
                    manager.endpoints()
                    manager.request(DEL_ADDR, described(id=round % 40 + 1))
                    if round % 50 == 0:
                        manager.request(FLUSH_ADDRS)
        except Exception as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for last in range(100, 110):
        case.client.namespace.run("ip", "addr", "add", f"10.0.1.{last}/24", "dev", "veth0")
        case.client.namespace.run("ip", "addr", "del", f"10.0.1.{last}/24", "dev", "veth0")
    for thread in threads:
        thread.join()
    case.expect(not problems, f"{problems}")

