# SPDX-License-Identifier: GPL-2.0
"""Sequence numbers that pass their largest value: the data level at 2^64, TCP's at 2^32."""

from lib import info
from lib.registry import scenario
from lib.transfer import exchange

MEGABYTE = 1 << 20


@scenario(needs_module=True, variants={"plain": (False,), "checksum": (True,)})
def sequence_numbers(case, checksum):
    """The module's test switch starts both numbers shortly before the wrap."""
    for end in case.ends:
        end.set_checksum(checksum)
        if end.stack.counters == "module":
            end.namespace.sysctl("net.mptcp_rs.test_wrap", 1)
    client, server = case.connect_pair()
    size = 8 * MEGABYTE
    exchange(client, server, size, size)
    for end, sock, ours in ((case.client, client, case.server), (case.server, server, case.client)):
        # What the kernel's own MPTCP expects next has passed zero if ours began below it.
        if end.stack.name == "builtin" and ours.stack.name == "ours":
            state = info.read_info(sock)
            case.expect(state is not None, "the connection is not MPTCP any more")
            case.expect(state.rcv_nxt <= size, f"rcv_nxt {state.rcv_nxt:#x} did not wrap")
    case.expect_mptcp()
