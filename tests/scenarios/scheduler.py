# SPDX-License-Identifier: GPL-2.0
"""The choice of a scheduler: by a namespace's setting, by a socket, while it sends."""

import errno
import socket
import statistics
import time

from lib.info import SOL_MPTCP
from lib.live_choice import exchange_while_it_sends
from lib.registry import OURS_ONLY, scenario
from lib.shaped import Shape, connect_over
from lib.transfer import exchange, receive_exactly
from scenarios.paths import OUR_CLIENT, Paths

SCHEDULER = 1001
NAMES = ("default", "blest", "ecf", "roundrobin", "redundant")


def setting(namespace, name: str = "scheduler") -> str:
    return namespace.read(f"/proc/sys/net/mptcp_rs/{name}").rstrip("\n")


def choose(sock: socket.socket, name: str) -> None:
    sock.setsockopt(SOL_MPTCP, SCHEDULER, name.encode())


def chosen(sock: socket.socket) -> str:
    return sock.getsockopt(SOL_MPTCP, SCHEDULER, 16).rstrip(b"\0").decode()


def errno_of(function, *arguments) -> int | None:
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    return None


@scenario(roles=OURS_ONLY, needs_module=True)
def values(case):
    """The names there are, the default, refusals, and that one namespace's choice is not another's."""
    client, server = case.network.ends
    case.expect(setting(client) == "default", f"the default is {setting(client)}")
    available = setting(client, "available_schedulers")
    case.expect(available == " ".join(NAMES), f"available are {available}")
    for name in NAMES:
        client.sysctl("net.mptcp_rs.scheduler", name)
        case.expect(setting(client) == name, f"{name} became {setting(client)}")
    for wrong in ("", "lowest", "blest ecf", "0", "redundan", "redundant2", "x" * 5000):
        error = errno_of(client.sysctl, "net.mptcp_rs.scheduler", wrong)
        case.expect(error == errno.EINVAL, f"scheduler={wrong[:20]}: {error}")
        case.expect(setting(client) == NAMES[-1], f"{wrong[:20]} left {setting(client)}")
    error = errno_of(client.sysctl, "net.mptcp_rs.available_schedulers", "blest")
    case.expect(error == errno.EACCES, f"available_schedulers was written: {error}")
    case.expect(setting(server) == "default", "the other namespace changed too")


@scenario(roles=OURS_ONLY, needs_module=True)
def of_a_socket(case):
    """A socket begins with the setting, keeps its own choice, and leaves it to those that it accepts."""
    case.network.sysctl("net.mptcp_rs.scheduler", "ecf")
    listener = case.listen()
    case.expect(chosen(listener) == "ecf", f"a listener has {chosen(listener)}")
    first = case.connect()
    accepted = case.keep(listener.accept()[0])
    choose(listener, "roundrobin")
    second = case.keep(case.client.new_socket())
    choose(second, "blest")
    second.connect((case.server.address(), case.port))
    inheriting = case.keep(listener.accept()[0])
    case.network.sysctl("net.mptcp_rs.scheduler", "redundant")
    for sock, name in (
        (first, "ecf"),
        (accepted, "ecf"),
        (second, "blest"),
        (inheriting, "roundrobin"),
        (case.client.new_socket(), "redundant"),
    ):
        case.expect(chosen(sock) == name, f"{chosen(sock)} is chosen, not {name}")
    for wrong in ("", "lowest", "blest2", "a name that is too long"):
        error = errno_of(choose, second, wrong)
        case.expect(error == errno.ENOENT, f"{wrong!r} gave {error}")
    case.expect(chosen(second) == "blest", "a wrong name changed the choice")
    exchange(second, inheriting, 100_000, 100_000)


@scenario(roles=OURS_ONLY, needs_module=True, at_once=True)
def exchanged_while_it_sends(case):
    """One scheduler after the other on a connection that carries data."""
    exchange_while_it_sends(case, NAMES, choose, chosen)


@scenario(roles=OUR_CLIENT, needs_module=True, alike=True, variants={name: (name,) for name in NAMES})
def single_messages(case, name):
    """Two subflows without anything in flight: each small message finds one, at once."""
    paths = Paths(case)
    case.client.namespace.sysctl("net.mptcp_rs.scheduler", name)
    client, server = paths.begin_with_two()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for sock in (client, server):
        sock.settimeout(case.size(stock=5, test=20))
    for number in range(40):
        message = bytes([number]) * 100
        client.sendall(message)
        case.expect(receive_exactly(server, 100) == message, f"message {number}")
        server.sendall(b"!")
        case.expect(client.recv(1) == b"!", f"the answer to message {number}")


def round_trips(client: socket.socket, server: socket.socket, count: int) -> list[float]:
    """Milliseconds from a message to its answer, one after the other."""
    times = []
    for _ in range(count):
        begin = time.monotonic()
        client.sendall(b"?" * 100)
        receive_exactly(server, 100)
        server.sendall(b"!" * 100)
        receive_exactly(client, 100)
        times.append(1000 * (time.monotonic() - begin))
    return times


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def fast_link_returns(case):
    """A fast link that did not answer for a while is used again, though what TCP measured then was slow."""
    slow, fast = Shape(100, 150), Shape(100, 5)
    links, client, server = connect_over(case, slow, fast)
    before = statistics.median(round_trips(client, server, 20))
    case.expect(before < 100, f"the fast link is not used: a message and its answer take {before:.0f} ms")
    # One message takes 3 s, and with it the smoothed round-trip time becomes longer than the slow link's.
    Shape(100, 3000).apply(case.client.namespace, links[1])
    for _ in range(10):
        client.sendall(b"?")
        receive_exactly(server, 1)
        if case.client.counter("SubflowSilent"):
            break
    # Nothing that is sent again comes before the answer to what was sent first.
    time.sleep(3.5)
    fast.apply(case.client.namespace, links[1])
    after = statistics.median(round_trips(client, server, 60)[-20:])
    case.expect(after < 100, f"the fast link is not used again: a message and its answer take {after:.0f} ms")
    case.expect_counter(case.client, "SubflowSilent", 1)
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def end_waits_for_fast_link(case):
    """The end of a stream waits for a full fast link, and what that carried is acknowledged on the slow one first."""
    slow, fast = Shape(100, 60), Shape(100, 5)
    links, client, server = connect_over(case, slow, fast)
    round_trips(client, server, 20)
    # The fast link's own acknowledgements come late now, but before TCP gives them up. That of the data goes with what
    # the server says.
    Shape(100, 150).apply(case.server.namespace, links[1])
    choose(server, "roundrobin")
    size = 10 * 1420
    client.sendall(bytes(size))
    receive_exactly(server, size)
    client.sendall(b"!")
    client.shutdown(socket.SHUT_WR)
    for _ in range(2):
        server.sendall(b"?")
    server.settimeout(10)
    case.expect(server.recv(1) == b"!", "no end of the stream")
    case.expect(server.recv(1) == b"", "no end of the stream")
    case.expect_mptcp()
