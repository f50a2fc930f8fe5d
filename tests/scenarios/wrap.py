# SPDX-License-Identifier: GPL-2.0
"""Sequence numbers that pass their largest value: the data level at 2^64, TCP's at 2^32."""

from lib.registry import scenario
from lib.transfer import exchange

MEGABYTE = 1 << 20


@scenario(needs_module=True, variants={"plain": (False,), "checksum": (True,)})
# rfc8684:3.3.1-1 rfc8684:3.3.1-5
def sequence_numbers(case, checksum):
    """The module's test switch starts the numbers within a megabyte of the wrap."""
    # An initial data sequence number follows from the key, so it can be chosen only where both ends
    # have the switch; with the kernel's own MPTCP only the subflow's numbers wrap.
    both = all(end.stack.counters == "module" for end in case.ends)
    for end in case.ends:
        end.set_checksum(checksum)
        if end.stack.counters == "module":
            end.namespace.sysctl("net.mptcp_rs.test_wrap", 2 if both else 1)
    client, server = case.connect_pair()
    size = 8 * MEGABYTE
    exchange(client, server, size, size)
    case.expect_mptcp()
