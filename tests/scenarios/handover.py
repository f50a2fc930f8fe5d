# SPDX-License-Identifier: GPL-2.0
"""Connections that lose subflows, or their last one, and go on over another."""

import errno

from lib.events import wait_until
from lib.network import filter_packets
from lib.path_manager import DEL_ADDR, described
from lib.registry import scenario
from lib.transfer import Task, content, exchange, receive_exactly

from .paths import MEGABYTE, OUR_CLIENT, Paths

OUR_SERVER = (("ours", "ours"), ("builtin", "ours"))
REFUSED = "tcp flags & rst == 0 counter reject with tcp reset"


def lose_first(case, paths: Paths) -> None:
    """The administrator of the client takes the address of the first subflow away from MPTCP."""
    paths.client.must(DEL_ADDR, described("10.0.1.1", id=0))
    paths.wait_for(case.client, "RmSubflow")
    if case.client.stack.counters == "module":
        wait_until(lambda: no_subflow(case.client), "the end of the subflow")


def no_subflow(end) -> bool:
    """Whether our end has no subflow."""
    lines = end.namespace.read("/proc/thread-self/net/mptcp_rs/connections").splitlines()
    return not any(" Established " in line for line in lines[1:])


@scenario(all_roles=True)
# rfc8684:3.3.3-7
def break_before_make(case):
    """The last subflow goes, and later another comes: what was written meanwhile arrives then."""
    paths = Paths(case)
    client, server = paths.begin()
    peers = client.getpeername(), server.getpeername()
    lose_first(case, paths)
    client.sendall(b"written without a path")
    server.sendall(b"and back")
    case.expect((client.getpeername(), server.getpeername()) == peers, "an end forgot its peer")
    paths.leave_from(2)
    paths.joined()
    case.expect(receive_exactly(server, 22) == b"written without a path", "the client's words")
    case.expect(receive_exactly(client, 8) == b"and back", "the server's words")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_SERVER, all_roles=True, needs_module=True, at_once=True)
def device_gone(case):
    """The server has one address and two links: when one goes down, it leaves that subflow without waiting."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    download = Task(receive_exactly, client, 8 * MEGABYTE)
    words = content(8 * MEGABYTE)
    server.sendall(words[:MEGABYTE])
    case.server.namespace.run("ip", "link", "set", "veth0", "down")
    wait_until(lambda: case.server.counter("SubflowCut") == 1, "notice of the lost device")
    server.sendall(words[MEGABYTE:])
    case.expect(download.result(60) == words, "the server's words")
    case.server.namespace.run("ip", "link", "set", "veth0", "up")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_CLIENT, all_roles=True, needs_module=True)
# rfc8684:3.3.3-7
def nobody_comes(case):
    """The last subflow goes and no other comes: the connection ends when its time is over."""
    for name in ("mptcp", "mptcp_rs"):
        case.network.sysctl(f"net.{name}.close_timeout", 2)
    paths = Paths(case)
    client, _ = paths.begin()
    lose_first(case, paths)
    client.settimeout(60)
    try:
        how = client.recv(1)
    except OSError as error:
        how = error.errno
    case.expect(how in (errno.ETIMEDOUT, errno.ECONNRESET), f"it ended by {how}")


@scenario(roles=OUR_CLIENT, all_roles=True, needs_module=True)
def last_subflow_reset(case):
    """Somebody resets the only subflow: the client opens it again and sends what did not arrive."""
    paths = Paths(case, links=1)
    client, server = paths.begin()
    filter_packets(case.server.namespace, "input", REFUSED)
    client.sendall(b"lost at first")
    wait_until(lambda: no_subflow(case.client), "the reset")
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    case.expect(receive_exactly(server, 13) == b"lost at first", "the client's words")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_CLIENT, all_roles=True, needs_module=True)
def subflow_reset(case):
    """Somebody resets the second subflow: its data goes over the first, and it is opened again."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    filter_packets(case.server.namespace, "input", f"ip saddr 10.0.2.1 {REFUSED}")
    words = content(4 * MEGABYTE)
    upload = Task(client.sendall, words)
    case.expect(receive_exactly(server, len(words)) == words, "the client's words")
    upload.result(10)
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    paths.joined(2)
    exchange(client, server, MEGABYTE, MEGABYTE)
