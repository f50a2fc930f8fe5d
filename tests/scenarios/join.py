# SPDX-License-Identifier: GPL-2.0
"""Further subflows: MP_JOIN in both roles."""

import socket
import time

from lib.registry import scenario
from lib.transfer import exchange, receive_exactly

MEGABYTE = 1 << 20
FROM_BUILTIN = (("builtin", "ours"),)


def wait_for_joins(case, end, count: int = 1) -> None:
    """Until the server has taken so many subflows in."""
    for _ in range(200):
        if end.counter("MPJoinAckRx") >= count:
            return
        time.sleep(0.02)
    case.expect_counter(end, "MPJoinAckRx", count)


def allow_subflows(case, count: int = 8) -> None:
    for end in case.ends:
        end.namespace.run("ip", "mptcp", "limits", "set", "subflows", str(count))


def begin(case) -> tuple[socket.socket, socket.socket]:
    """A connection over which a byte went in each direction."""
    client, server = case.connect_pair()
    client.sendall(b"?")
    case.expect(receive_exactly(server, 1) == b"?", "the first byte")
    server.sendall(b"!")
    case.expect(receive_exactly(client, 1) == b"!", "the answer")
    return client, server


@scenario(
    roles=FROM_BUILTIN,
    all_roles=True,
    variants={"upload": (8, 0), "download": (0, 8), "both_ways": (8, 8)},
)
def taken_in(case, up, down):
    name = case.network.add_link(2)
    allow_subflows(case)
    case.client.namespace.run(
        "ip", "mptcp", "endpoint", "add", "10.0.2.1", "dev", name, "subflow"
    )
    client, server = begin(case)
    wait_for_joins(case, case.server)
    exchange(client, server, up * MEGABYTE, down * MEGABYTE)
    case.expect_mptcp()
    case.expect_counter(case.server, "MPJoinSynRx", 1, 1)
