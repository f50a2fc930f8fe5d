# SPDX-License-Identifier: GPL-2.0
"""Subflows over IPv6, over both families, and from IPv4 addresses written as IPv6."""

import socket

from lib.events import wait_until
from lib.path_manager import FULLMESH, SIGNAL, SUBFLOW
from lib.registry import scenario
from lib.transfer import exchange
from scenarios.paths import Paths

MEGABYTE = 1 << 20
MAPPED = "::ffff:"


def begin_with(paths: Paths, address: str) -> tuple[socket.socket, socket.socket]:
    """A connection of IPv6 sockets to an address of the server."""
    case = paths.case
    listener = case.listen(socket.AF_INET6)
    client = case.keep(case.client.new_socket(socket.AF_INET6))
    client.connect((address, case.port))
    server = case.keep(listener.accept()[0])
    paths.ping(client, server)
    return client, server


@scenario(variants={"subflow": (False,), "signal": (True,)})
def ipv6(case, announced):
    """Everything over IPv6: from an endpoint of the client, to an announced address of the server."""
    paths = Paths(case)
    if announced:
        paths.server.add("fd00:2::2", SIGNAL)
    else:
        paths.client.add("fd00:2::1", SUBFLOW, interface=paths.index(case.client, 2))
    client, server = begin_with(paths, "fd00:1::2")
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario(
    variants={
        "mapped_endpoint": (MAPPED, ""),
        "mapped_sockets": ("", MAPPED),
        "both": (MAPPED, MAPPED),
    }
)
def mapped_subflow(case, endpoint, address):
    """An IPv4 address is the same whether it is written as one or as IPv6, at either place."""
    paths = Paths(case)
    paths.client.add(f"{endpoint}10.0.2.1", SUBFLOW)
    client, server = begin_with(paths, f"{MAPPED}10.0.1.2") if address else paths.begin()
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(variants={"mapped_endpoint": (MAPPED, ""), "both": (MAPPED, MAPPED)}, long=True)
def mapped_signal(case, endpoint, address):
    """As before, of an announced address."""
    paths = Paths(case)
    paths.server.add(f"{endpoint}10.0.2.2", SIGNAL)
    client, server = begin_with(paths, f"{MAPPED}10.0.1.2") if address else paths.begin()
    paths.wait_for(case.server, "EchoAdd")
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario()
def no_ipv6_for_ipv4_sockets(case):
    """An IPv4 socket neither leaves from an IPv6 endpoint nor goes to an announced IPv6 address."""
    paths = Paths(case)
    paths.client.add("fd00:2::1", SUBFLOW)
    paths.server.add("fd00:2::2", SIGNAL)
    client, server = paths.begin()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", 0, 0)


@scenario()
def ipv4_for_ipv6_sockets(case):
    """An IPv6 connection takes a subflow over IPv4, to an announced address."""
    paths = Paths(case)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = begin_with(paths, "fd00:1::2")
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario()
def fullmesh_of_both_families(case):
    """Fullmesh endpoints of both families: each pair of one family has a subflow, no other."""
    paths = Paths(case)
    paths.client.limits(2, 4)
    for address in ("10.0.2.1", "fd00:2::1"):
        paths.client.add(address, SUBFLOW | FULLMESH, interface=paths.index(case.client, 2))
    for address in ("10.0.2.2", "fd00:2::2"):
        paths.server.add(address, SIGNAL)
    client, server = begin_with(paths, "fd00:1::2")
    # IPv4: to the announced address. IPv6: to the announced one and to the first one.
    wait_until(lambda: case.server.counter("MPJoinAckRx") >= 3, "three joins")
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.server, "MPJoinAckRx", 3, 3)
