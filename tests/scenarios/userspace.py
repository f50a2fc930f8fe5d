# SPDX-License-Identifier: GPL-2.0
"""A program in place of the path manager, at either end."""

import errno
import struct

from lib.netlink import attributes, u8, u32
from lib.path_manager import (
    ADDR_REMOTE,
    ANNOUNCE,
    ANNOUNCED,
    BACKUP,
    CLOSED,
    CREATED,
    ESTABLISHED,
    EVENT_DADDR4,
    EVENT_DPORT,
    EVENT_LOC_ID,
    EVENT_REM_ID,
    EVENT_SADDR4,
    EVENT_SERVER_SIDE,
    EVENT_SPORT,
    EVENT_TOKEN,
    EVENTS,
    FLUSH_ADDRS,
    GET_ADDR,
    LOC_ID,
    REMOVE,
    REMOVED,
    SET_FLAGS,
    SIGNAL,
    SUB_CLOSED,
    SUB_ESTABLISHED,
    SUB_PRIORITY,
    SUBFLOW,
    SUBFLOW_CREATE,
    SUBFLOW_DESTROY,
    TOKEN,
    PathManager,
    described,
    endpoint,
)
from lib.registry import scenario
from lib.transfer import exchange
from scenarios.paths import Paths

MEGABYTE = 1 << 20
AT = {"at_client": ("client",), "at_server": ("server",)}
LISTENERS = (15, 16)
PORT = 10200


class Managed(Paths):
    """Paths of which a program manages those of one end."""

    def __init__(self, case, place: str):
        super().__init__(case)
        self.here, self.there = case.ends if place == "client" else reversed(case.ends)
        directory = "mptcp_rs" if self.here.stack.counters == "module" else "mptcp"
        self.here.namespace.sysctl(f"net.{directory}.pm_type", 1)
        self.orders = self.client if place == "client" else self.server
        self.other = self.server if place == "client" else self.client
        self.program = case.keep(PathManager(self.here.namespace, self.here.stack))
        self.program.listen(EVENTS)
        self.sockets = self.begin()
        created = self.event(CREATED)
        established = self.event(ESTABLISHED)
        case.expect(created[EVENT_TOKEN] == established[EVENT_TOKEN], "two tokens")
        for event in (created, established):
            told = event.get(EVENT_SERVER_SIDE, b"\0") == b"\1"
            case.expect(told == (place == "server"), f"whose side it is: {event}")
        self.token = u32(TOKEN, struct.unpack("=I", created[EVENT_TOKEN])[0])

    def event(self, number: int) -> dict[int, bytes]:
        """The attributes of the next event, which is this one. Listeners have their own scenarios."""
        found, raw = self.program.news()
        while found in LISTENERS:
            found, raw = self.program.news()
        self.case.expect(found == number, f"event {found} came in place of {number}")
        return attributes(raw)

    def order(self, command: int, body: bytes) -> None:
        """An order that must be obeyed."""
        self.orders.must(command, self.token + body)

    def refused(self, command: int, body: bytes, message: str, wrong: int = errno.EINVAL) -> None:
        """An order that must be refused with these words."""
        answer = self.orders.request(command, self.token + body)
        found = answer.errno, answer.message
        self.case.expect(found == (wrong, message), f"command {command}: {answer}")

    def known(self) -> list[tuple[int, str, int, int, int]]:
        """The addresses that are known of the connection."""
        replies = self.orders.must(GET_ADDR, self.token, dump=True)
        return [endpoint(raw) for _, raw in replies]

    def address(self, end, link: int) -> str:
        """An end's address on a link."""
        return f"10.0.{link}.{1 if end is self.case.client else 2}"


@scenario(variants=AT, all_roles=True)
def announced(case, place):
    """The program announces an address, a client connects to it, and the program withdraws it."""
    paths = Managed(case, place)
    address = paths.address(paths.here, 2)
    paths.order(ANNOUNCE, described(address, id=5, flags=SIGNAL))
    paths.wait_for(paths.there, "AddAddr")
    paths.wait_for(paths.here, "EchoAdd")
    if place == "server":
        event = paths.event(SUB_ESTABLISHED)
        case.expect(event[EVENT_LOC_ID] == b"\5", f"the subflow's id: {event}")
        case.expect(event[EVENT_SADDR4] == bytes(map(int, address.split("."))), f"{event}")
    paths.ping(*paths.sockets)
    for wrong in (described(address, id=6, flags=SIGNAL), described("10.0.9.9", id=5, flags=SIGNAL)):
        paths.refused(ANNOUNCE, wrong, "did not match address and id")
    paths.refused(ANNOUNCE, described(address, id=5), "invalid addr flags")
    paths.refused(ANNOUNCE, described(address, flags=SIGNAL), "invalid addr id")
    paths.order(REMOVE, u8(LOC_ID, 5))
    paths.wait_for(paths.there, "RmAddr")
    paths.refused(REMOVE, u8(LOC_ID, 5), "address with id 5 not found")
    exchange(*paths.sockets, MEGABYTE, MEGABYTE)


@scenario(variants=AT, all_roles=True)
def connected(case, place):
    """The peer announces an address with a port; the program opens a subflow to it and closes that again."""
    paths = Managed(case, place)
    case.cleanup.callback(lambda: paths.other.must(FLUSH_ADDRS))
    paths.other.add(paths.address(paths.there, 2), SIGNAL, port=PORT)
    event = paths.event(ANNOUNCED)
    there = paths.address(paths.there, 2)
    case.expect(event[EVENT_DADDR4] == bytes(map(int, there.split("."))), f"{event}")
    case.expect(event[EVENT_DPORT] == struct.pack("!H", PORT), f"{event}")
    here, index = paths.address(paths.here, 2), paths.index(paths.here, 2)
    remote = described(there, id=event[EVENT_REM_ID][0], port=PORT, number=ADDR_REMOTE)
    paths.order(SUBFLOW_CREATE, described(here, id=23, interface=index) + remote)
    event = paths.event(SUB_ESTABLISHED)
    case.expect(event[EVENT_LOC_ID] == b"\x17", f"the id of the subflow: {event}")
    paths.wait_for(paths.there, "MPJoinPortAckRx")
    paths.ping(*paths.sockets)

    port = struct.unpack("!H", event[EVENT_SPORT])[0]
    local = described(here, id=23, port=port)
    paths.order(SET_FLAGS, described(here, port=port, flags=BACKUP) + remote)
    paths.wait_for(paths.there, "MPPrioRx")
    unknown = described(there, port=PORT + 1, number=ADDR_REMOTE)
    paths.refused(SUBFLOW_DESTROY, local + unknown, "subflow not found", errno.ESRCH)
    paths.refused(SUBFLOW_DESTROY, described(here, id=23) + remote, "missing local port")
    no_port = described(there, number=ADDR_REMOTE)
    paths.refused(SUBFLOW_DESTROY, local + no_port, "missing remote port")
    paths.order(SUBFLOW_DESTROY, local + remote)
    paths.event(SUB_CLOSED)
    exchange(*paths.sockets, MEGABYTE, MEGABYTE)


@scenario(variants=AT, all_roles=True)
def told(case, place):
    """The program is told what the peer's path manager does: announcements, removals, priorities, subflows."""
    paths = Managed(case, place)
    paths.other.add(paths.address(paths.there, 2), SIGNAL)
    event = paths.event(ANNOUNCED)
    paths.other.remove(1)
    case.expect(paths.event(REMOVED)[EVENT_REM_ID] == event[EVENT_REM_ID], "another id is removed")
    if place == "server":
        paths.leave_from(2)
        paths.event(SUB_ESTABLISHED)
        paths.other.must(SET_FLAGS, described("10.0.2.1", flags=BACKUP))
        paths.event(SUB_PRIORITY)
        exchange(*paths.sockets, MEGABYTE, MEGABYTE)
    for sock in paths.sockets:
        sock.close()
    found = 0
    while found != CLOSED:
        found = paths.program.news()[0]


@scenario(variants=AT)
def known_addresses(case, place):
    """GET_ADDR with a token: the addresses that were announced and connected from, one or all."""
    paths = Managed(case, place)
    case.expect(paths.known() == [], f"{paths.known()} at the beginning")
    here, there = paths.address(paths.here, 2), paths.address(paths.there, 1)
    index = paths.index(paths.here, 2)
    paths.order(ANNOUNCE, described("10.0.3.3", id=9, flags=SIGNAL, port=PORT))
    paths.order(ANNOUNCE, described("fd00:7::7", id=3, flags=SIGNAL | BACKUP))
    wanted = [(9, "10.0.3.3", PORT, SIGNAL, 0), (3, "fd00:7::7", 0, SIGNAL | BACKUP, 0)]
    case.expect(paths.known() == wanted, f"{paths.known()}")
    if place == "client":
        remote = described(there, port=case.port, number=ADDR_REMOTE)
        paths.order(SUBFLOW_CREATE, described(here, id=4, interface=index) + remote)
        paths.event(SUB_ESTABLISHED)
        wanted.append((4, here, 0, SUBFLOW, index))
        case.expect(paths.known() == wanted, f"{paths.known()}")
    for one in wanted:
        replies = paths.orders.must(GET_ADDR, paths.token + described(id=one[0]))
        case.expect([endpoint(raw) for _, raw in replies] == [one], f"{replies}, not {one}")
    paths.refused(GET_ADDR, described(id=77), "address not found")
    paths.order(REMOVE, u8(LOC_ID, 9))
    case.expect(paths.known() == wanted[1:], f"{paths.known()}")
    # The endpoints of the namespace are others.
    case.expect(paths.orders.endpoints() == [], f"{paths.orders.endpoints()}")
    wrong = paths.orders.request(GET_ADDR, u32(TOKEN, 1), dump=True)
    case.expect((wrong.errno, wrong.message) == (errno.EINVAL, "invalid token"), f"{wrong}")
    wrong = paths.orders.request(GET_ADDR, u32(TOKEN, 1) + described(id=3))
    case.expect((wrong.errno, wrong.message) == (errno.EINVAL, "address not found"), f"{wrong}")


@scenario(roles=(("ours", "ours"), ("builtin", "ours")))
def nobody_listens(case):
    """Without anybody who listens to events, no subflow is taken in."""
    directory = "mptcp_rs" if case.server.stack.counters == "module" else "mptcp"
    case.server.namespace.sysctl(f"net.{directory}.pm_type", 1)
    paths = Paths(case)
    paths.leave_from(2)
    client, server = paths.begin()
    paths.wait_for(case.server, "MPJoinRejected")
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.server, "MPJoinAckRx", 0, 0)
