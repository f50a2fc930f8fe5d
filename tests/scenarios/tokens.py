# SPDX-License-Identifier: GPL-2.0
"""Tokens, the names of connections: no two of a namespace have the same."""

from lib.case import End
from lib.registry import OURS_ONLY, scenario
from lib.transfer import content, receive_exactly

CONNECTIONS = "/proc/thread-self/net/mptcp_rs/connections"
CONNECTIONS_AT_ONCE = 24
KEYS = 8  # with net.mptcp_rs.test_few_keys


def tokens(end: End) -> list[str]:
    """Tokens of the end's connections that speak MPTCP."""
    heading, *lines = (line.split() for line in end.namespace.read(CONNECTIONS).splitlines())
    rows = [dict(zip(heading, line, strict=True)) for line in lines]
    return [row["token"] for row in rows if row["mode"] == "Mptcp"]


def talk(client, server, seed: int) -> bool:
    """Some bytes each way; whether they arrived as they were sent."""
    up, down = content(5000, seed), content(5000, seed + 100)
    client.sendall(up)
    server.sendall(down)
    return receive_exactly(server, len(up)) == up and receive_exactly(client, len(down)) == down


@scenario(roles=OURS_ONLY, needs_module=True)
# rfc8684:3.1-2 rfc8684:3.1-3 rfc8684:3.1-32
def taken(case):
    """With only eight keys there are, most tokens are taken: such connections are plain TCP, and all deliver."""
    case.network.sysctl("net.mptcp_rs.test_few_keys", 1)
    listener = case.listen()
    pairs = []
    for _ in range(CONNECTIONS_AT_ONCE):
        client = case.connect()
        pairs.append((client, case.keep(listener.accept()[0])))
    for seed, (client, server) in enumerate(pairs):
        case.expect(talk(client, server, seed), f"connection {seed} did not deliver its bytes")
    for end in case.ends:
        seen = tokens(end)
        case.expect(0 < len(seen) <= KEYS, f"{end.name}: {len(seen)} connections speak MPTCP")
        case.expect(len(set(seen)) == len(seen), f"{end.name}: a token is there twice: {seen}")
        case.expect_counter(end, "MPFallbackTokenInit")
    # The server looked before it told its key.
    case.expect_counter(case.client, "MPCapableFallbackSYNACK")
    case.expect_counter(
        case.client, "MPFallbackTokenInit", CONNECTIONS_AT_ONCE - KEYS, CONNECTIONS_AT_ONCE - 1
    )
    for client, server in pairs:
        client.close()
        server.close()
    listener.close()
    case.port += 1
    given_up = [end.counter("MPFallbackTokenInit") for end in case.ends]
    client, server = case.connect_pair()
    case.expect(talk(client, server, 50), "the last connection did not deliver its bytes")
    for end, before in zip(case.ends, given_up, strict=True):
        case.expect_counter(end, "MPFallbackTokenInit", before, before)
        case.expect(len(tokens(end)) == 1, f"{end.name}: tokens were not given back: {tokens(end)}")
