# SPDX-License-Identifier: GPL-2.0
"""Large transfers in each direction and in both, over IPv4 and IPv6."""

import socket

from lib.registry import scenario
from lib.transfer import exchange

MEGABYTE = 1 << 20


@scenario(
    all_roles=True,
    variants={
        "upload": (64, 0),
        "download": (0, 64),
        "both_ways": (64, 64),
    },
    limit=180,
    at_once=True,
)
# rfc8684:3.1-21
def ipv4(case, up, down):
    client, server = case.connect_pair()
    share = case.size(stock=MEGABYTE, test=MEGABYTE // 16, brief=MEGABYTE // 8)
    exchange(client, server, up * share, down * share)
    case.expect_mptcp()


@scenario(all_roles=True, limit=180)
def ipv6(case):
    client, server = case.connect_pair(socket.AF_INET6)
    size = case.size(stock=16, test=2, brief=4) * MEGABYTE
    exchange(client, server, size, size)
    case.expect_mptcp()
