# SPDX-License-Identifier: GPL-2.0
"""Addresses that are announced with a port, and listeners."""

import errno
import socket
import struct

from lib.netlink import attributes
from lib.path_manager import (
    ADD_ADDR,
    EVENT_FAMILY,
    EVENT_SADDR4,
    EVENT_SADDR6,
    EVENT_SPORT,
    EVENTS,
    FLUSH_ADDRS,
    LISTENER_CLOSED,
    LISTENER_CREATED,
    SIGNAL,
    PathManager,
    described,
)
from lib.raw_tcp import SYN
from lib.registry import OURS_ONLY, scenario
from lib.stack import IPPROTO_TCP, TCP
from lib.transfer import exchange
from scenarios.join import Forger, join_syn, token_of
from scenarios.paths import Paths

MEGABYTE = 1 << 20
PORT = 10100
OUR_SERVER = (("ours", "ours"), ("builtin", "ours"))


class Ported(Paths):
    """Paths whose server announces addresses with ports."""

    def __init__(self, case, *places: tuple[str, int], links: int = 2):
        super().__init__(case, links)
        # An endpoint listens as long as it is there.
        case.cleanup.callback(lambda: self.server.must(FLUSH_ADDRS))
        for address, port in places:
            self.server.add(address, SIGNAL, port=port)

    def taken_in(self, count: int) -> None:
        """So many subflows came to announced ports, and all counters say so."""
        self.joined(count)
        for end, name in (
            (self.case.client, "EchoAddTx"),
            (self.case.client, "MPJoinPortSynAckRx"),
            (self.case.server, "EchoAdd"),
            (self.case.server, "PortAdd"),
            (self.case.server, "MPJoinPortSynRx"),
            (self.case.server, "MPJoinPortAckRx"),
        ):
            self.wait_for(end, name, count)
        # The kernel's own takes one announcement at a time, and another one only when it is repeated.
        most = count if count == 1 else 4 * count
        for end, name in (
            (self.case.client, "AddAddr"),
            (self.case.client, "PortAdd"),
            (self.case.server, "AddAddrTx"),
        ):
            self.case.expect_counter(end, name, count, most)
        for name in ("MismatchPortSynRx", "MismatchPortAckRx", "AddAddrTxDrop"):
            self.case.expect_counter(self.case.server, name, 0, 0)


@scenario(
    all_roles=True,
    variants={
        "one": ([("10.0.2.2", PORT)],),
        "two": ([("10.0.2.2", PORT), ("10.0.3.2", PORT + 1)],),
        "two_addresses": ([("10.0.2.2", PORT), ("10.0.3.2", PORT)],),
    },
)
def announced(case, places):
    """The server announces addresses with ports, and the client's subflows come there."""
    paths = Ported(case, *places, links=3)
    client, server = paths.begin()
    paths.taken_in(len(places))
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario(all_roles=True)
def announced_over_ipv6(case):
    """An IPv6 address with a port: ADD_ADDR has no room beside timestamps, and goes without them."""
    paths = Ported(case, ("fd00:2::2", PORT))
    listener = case.listen(socket.AF_INET6)
    client = case.connect(socket.AF_INET6)
    server = case.keep(listener.accept()[0])
    paths.ping(client, server)
    paths.taken_in(1)
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario()
def no_room(case):
    """Where timestamps must not give way, that ADD_ADDR is not sent, and another one is."""
    directory = "mptcp_rs" if case.server.stack.counters == "module" else "mptcp"
    case.server.namespace.sysctl(f"net.{directory}.add_addr_v6_port_drop_ts", 0)
    paths = Ported(case, ("fd00:2::2", PORT), links=3)
    paths.server.add("fd00:3::2", SIGNAL)
    listener = case.listen(socket.AF_INET6)
    client = case.connect(socket.AF_INET6)
    server = case.keep(listener.accept()[0])
    paths.ping(client, server)
    paths.joined()
    case.expect_counter(case.server, "AddAddrTxDrop", 1)
    case.expect_counter(case.client, "PortAdd", 0, 0)
    exchange(client, server, MEGABYTE, MEGABYTE)


def refusal(end, address: str, port: int, stack=None) -> int:
    """The errno of a connection from the client; 0 if it was made."""
    stack = stack or end.stack
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with end.namespace.new_socket(family, socket.SOCK_STREAM, stack.protocol) as sock:
        sock.settimeout(10)
        return sock.connect_ex((address, port))


@scenario()
def for_joins_alone(case):
    """Nobody begins a connection at an announced port, be it with or without MPTCP."""
    paths = Ported(case, ("10.0.2.2", PORT), ("fd00:2::2", PORT))
    attempts = 0
    for address in ("10.0.2.2", "fd00:2::2"):
        for stack in (case.client.stack, TCP):
            found = refusal(case.client, address, PORT, stack)
            case.expect(found == errno.ECONNREFUSED, f"{stack.name} to {address}: {found}")
            attempts += 1
            case.expect_counter(case.server, "MPCapableEndpAttempt", attempts, attempts)
    client, server = paths.begin()
    paths.joined()
    exchange(client, server, 1000, 1000)


@scenario(all_roles=True)
def removed(case):
    """The endpoint goes: the client gives the subflow up, and the port is closed."""
    paths = Ported(case, ("10.0.2.2", PORT))
    client, server = paths.begin()
    paths.taken_in(1)
    paths.server.remove(1)
    paths.wait_for(case.client, "RmAddr")
    exchange(client, server, MEGABYTE, MEGABYTE)
    attempts = case.server.counter("MPCapableEndpAttempt")
    found = refusal(case.client, "10.0.2.2", PORT)
    case.expect(found == errno.ECONNREFUSED, f"the port is still there: {found}")
    case.expect_counter(case.server, "MPCapableEndpAttempt", attempts, attempts)


@scenario(roles=OUR_SERVER, needs_module=True)
def removed_and_added(case):
    """The port can be announced again although a subflow still uses it, which the kernel's own refuses."""
    paths = Ported(case, ("10.0.2.2", PORT))
    client, server = paths.begin()
    paths.taken_in(1)
    paths.server.remove(1)
    paths.server.add("10.0.2.2", SIGNAL, port=PORT)
    paths.joined(2)
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_SERVER)
def taken(case):
    """A port has one owner, be it an endpoint or an application, and an address must be the host's."""
    manager = case.keep(PathManager(case.server.namespace, case.server.stack))
    case.cleanup.callback(lambda: manager.must(FLUSH_ADDRS))
    case.port = PORT
    listener = case.listen()
    for address, port, wrong in (
        ("10.0.1.2", PORT, errno.EADDRINUSE),
        ("10.9.9.9", PORT + 1, errno.EADDRNOTAVAIL),
        ("fd00:9::9", PORT + 1, errno.EADDRNOTAVAIL),
    ):
        answer = manager.request(ADD_ADDR, described(address, flags=SIGNAL, port=port))
        words = f"create listen socket error: -{wrong}"
        case.expect((answer.errno, answer.message) == (wrong, words), f"{address}: {answer}")
    case.expect(manager.endpoints() == [], f"{manager.endpoints()}")
    listener.close()
    manager.add("10.0.1.2", SIGNAL, port=PORT)
    for stack in (case.server.stack, TCP):
        with case.server.namespace.new_socket(
            socket.AF_INET, socket.SOCK_STREAM, stack.protocol
        ) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("10.0.1.2", PORT))
                sock.listen()
                found = 0
            except OSError as error:
                found = error.errno
            case.expect(found == errno.EADDRINUSE, f"{stack.name} got the port: {found}")
    again = manager.request(ADD_ADDR, described("10.0.1.2", flags=SIGNAL, port=PORT))
    case.expect(again.errno == errno.EADDRINUSE, f"{again}")
    with case.server.namespace:
        shown = case.server.namespace.run("ss", "-tlnH", "sport", f":{PORT}")
    case.expect(f"10.0.1.2:{PORT}" in shown, f"ss does not show the port: {shown!r}")
    manager.remove(1)
    case.listen().close()


@scenario(roles=OURS_ONLY, needs_module=True)
def not_announced(case):
    """A join to a port that is not announced on its connection is refused at its SYN."""
    paths = Ported(case)
    client, server = paths.begin()
    token = token_of(case)
    forger = Forger(case)
    port, case.port = case.port, PORT
    for count in range(1, 4):
        forger.send(SYN, 1000, 0, join_syn(token))
        forger.expect_reset(3)
        case.expect_counter(case.server, "MismatchPortSynRx", count, count)
        forger.PORT += 1
    case.port = port
    case.expect_counter(case.server, "MPJoinSynRx", 0, 0)
    exchange(client, server, 1000, 1000)


@scenario(roles=OURS_ONLY, needs_module=True, settles=False)
def left_to_the_namespace(case):
    """A namespace that goes away takes the listeners of its endpoints with it."""
    manager = case.keep(PathManager(case.server.namespace, case.server.stack))
    for number in range(20):
        manager.add("10.0.1.2", SIGNAL, port=PORT + number)
        manager.add("fd00:1::2", SIGNAL, port=PORT + number)
    found = refusal(case.client, "10.0.1.2", PORT, TCP)
    case.expect(found == errno.ECONNREFUSED, f"{found}")


def expect_listener(case, program, number: int, address: str, port: int) -> None:
    """The next event is of a listener there."""
    found, raw = program.news()
    case.expect(found == number, f"event {found} came in place of {number}")
    event = attributes(raw)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = EVENT_SADDR6 if family == socket.AF_INET6 else EVENT_SADDR4
    wanted = {
        EVENT_FAMILY: struct.pack("=H", family),
        EVENT_SPORT: struct.pack("!H", port),
        kind: socket.inet_pton(family, address),
    }
    case.expect(event == wanted, f"the event says {event}, not {wanted}")


@scenario(roles=OUR_SERVER)
def events(case):
    """Who listens to events is told of each listener that comes and goes, an application's or an endpoint's."""
    manager = case.keep(PathManager(case.server.namespace, case.server.stack))
    program = case.keep(PathManager(case.server.namespace, case.server.stack))
    program.listen(EVENTS)
    for address in ("10.0.1.2", "fd00:1::2"):
        manager.add(address, SIGNAL, port=PORT)
        expect_listener(case, program, LISTENER_CREATED, address, PORT)
        manager.must(FLUSH_ADDRS)
        expect_listener(case, program, LISTENER_CLOSED, address, PORT)
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = case.listen(family)
        expect_listener(case, program, LISTENER_CREATED, address, case.port)
        listener.close()
        expect_listener(case, program, LISTENER_CLOSED, address, case.port)
    listener = case.listen()
    expect_listener(case, program, LISTENER_CREATED, "0.0.0.0", case.port)
    listener.shutdown(socket.SHUT_RD)
    expect_listener(case, program, LISTENER_CLOSED, "0.0.0.0", case.port)
    # Plain TCP is nobody's business.
    with case.server.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_TCP) as sock:
        sock.bind(("10.0.1.2", PORT))
        sock.listen()
    manager.add("10.0.1.2", SIGNAL, port=PORT)
    expect_listener(case, program, LISTENER_CREATED, "10.0.1.2", PORT)
    manager.must(FLUSH_ADDRS)
