# SPDX-License-Identifier: GPL-2.0
"""The module's own switches, per network namespace, and its files under /proc."""

import errno
import socket

from lib.case import End
from lib.namespace import Namespace
from lib.network import filter_counts, filter_packets
from lib.registry import OURS_ONLY, scenario
from lib.transfer import exchange

DEFAULTS = {
    "enabled": 1,
    "checksum_enabled": 0,
    "syn_retrans_before_tcp_fallback": 2,
    "allow_join_initial_addr_port": 1,
    "add_addr_v6_port_drop_ts": 1,
    "add_addr_timeout": 120,
    "blackhole_timeout": 3600,
    "close_timeout": 60,
    "pm_type": 0,
    "subflows_per_pair": 1,
}
SYN_WITH_OPTION = "tcp flags & (syn|ack) == syn tcp option 30 exists"


def value_of(namespace: Namespace, name: str) -> int:
    return int(namespace.read(f"/proc/sys/net/mptcp_rs/{name}"))


def refused(namespace: Namespace, name: str, value) -> bool:
    """Whether the value is refused with EINVAL and the old one stays."""
    before = value_of(namespace, name)
    try:
        namespace.sysctl(f"net.mptcp_rs.{name}", value)
    except OSError as error:
        return error.errno == errno.EINVAL and value_of(namespace, name) == before
    return False


def refusal(end: End, family: int) -> int | None:
    """The errno with which an end gets no socket."""
    try:
        end.new_socket(family).close()
    except OSError as error:
        return error.errno
    return None


@scenario(roles=OURS_ONLY, needs_module=True)
def values(case):
    """Defaults, limits, and that one namespace's values are not another's."""
    client, server = case.network.ends
    defaults = {name: value_of(client, name) for name in DEFAULTS}
    case.expect(defaults == DEFAULTS, f"the defaults are {defaults}")
    for name, value in (
        ("enabled", 2),
        ("enabled", -1),
        ("enabled", "x"),
        ("checksum_enabled", 7),
        ("allow_join_initial_addr_port", 2),
        ("add_addr_v6_port_drop_ts", 2),
        ("add_addr_timeout", 86401),
        ("blackhole_timeout", -1),
        ("blackhole_timeout", 86401),
        ("close_timeout", "long"),
        ("pm_type", 2),
        ("pm_type", ""),
        ("subflows_per_pair", 0),
    ):
        case.expect(refused(client, name, value), f"{name}={value} was not refused")
    client.sysctl("net.mptcp_rs.checksum_enabled", 1)
    case.expect(value_of(client, "checksum_enabled") == 1, "a written value did not stay")
    case.expect(value_of(server, "checksum_enabled") == 0, "the other namespace changed too")


@scenario(roles=OURS_ONLY, needs_module=True)
def as_the_kernels_own(case):
    """What the kernel's own has under the same name begins with the same value."""
    namespace = case.client.namespace
    for name in (
        *DEFAULTS,
        "scheduler",
        "path_manager",
        "available_path_managers",
    ):
        # A wish of ours alone.
        if name == "subflows_per_pair":
            continue
        ours, theirs = (
            namespace.read(f"/proc/sys/net/{directory}/{name}").split()
            for directory in ("mptcp_rs", "mptcp")
        )
        case.expect(ours == theirs, f"{name}: {ours}, the kernel's own says {theirs}")


@scenario(roles=OURS_ONLY, needs_module=True)
def path_manager(case):
    """Who manages paths is chosen by number or by name, and both say the same."""
    namespace = case.client.namespace
    for name, value, number, word in (
        ("path_manager", "userspace", "1", "userspace"),
        ("path_manager", "kernel", "0", "kernel"),
        ("pm_type", "1", "1", "userspace"),
        ("pm_type", "0", "0", "kernel"),
    ):
        namespace.sysctl(f"net.mptcp_rs.{name}", value)
        found = [
            namespace.read(f"/proc/sys/net/mptcp_rs/{file}").strip()
            for file in ("pm_type", "path_manager")
        ]
        case.expect(found == [number, word], f"after {name}={value}: {found}")
    for value in ("users", "userspace kernel", ""):
        try:
            namespace.sysctl("net.mptcp_rs.path_manager", value)
            case.expect(False, f"path_manager={value!r} was not refused")
        except OSError as error:
            case.expect(error.errno == errno.EINVAL, f"path_manager={value!r}: {error}")
    try:
        namespace.sysctl("net.mptcp_rs.available_path_managers", "kernel")
        case.expect(False, "available_path_managers can be written")
    except PermissionError:
        pass


@scenario(roles=(("ours", "ours"), ("ours", "builtin")))
def blackhole(case):
    """Where SYNs with the option are dropped, later connections do not try it, until they are told to."""
    directory = "mptcp_rs" if case.client.stack.counters == "module" else "mptcp"
    case.client.namespace.sysctl(f"net.{directory}.syn_retrans_before_tcp_fallback", 0)
    filter_packets(case.server.namespace, "prerouting", f"{SYN_WITH_OPTION} counter drop")
    # Each step: the setting, the SYNs that were dropped by then, and the counters.
    for timeout, dropped, disabled, found in ((None, 1, 0, 1), (None, 1, 1, 1), (7200, 2, 1, 2), (0, 3, 1, 2)):
        if timeout is not None:
            case.client.namespace.sysctl(f"net.{directory}.blackhole_timeout", timeout)
        client, server = case.connect_pair()
        exchange(client, server, 10_000, 10_000)
        for sock in (client, server):
            sock.close()
        case.expect(filter_counts(case.server.namespace) == [dropped], f"{filter_counts(case.server.namespace)}")
        case.expect_counter(case.client, "MPCapableSYNTXDisabled", disabled, disabled)
        case.expect_counter(case.client, "Blackhole", found, found)
    case.server.namespace.run("nft", "flush", "table", "inet", "scenario")
    exchange(*case.connect_pair(), 10_000, 10_000)
    case.expect_counter(case.client, "MPCapableSYNACKRX", 1, 1)


@scenario(roles=OURS_ONLY, needs_module=True)
def disabled(case):
    """enabled=0: new sockets are refused, as the kernel's own refuses them; those that exist go on."""
    listener = case.listen()
    client = case.connect()
    server = case.keep(listener.accept()[0])
    case.network.sysctl("net.mptcp_rs.enabled", 0)
    for end in case.ends:
        for family in (socket.AF_INET, socket.AF_INET6):
            error = refusal(end, family)
            case.expect(error == errno.ENOPROTOOPT, f"{end.name}: socket() gave {error}")
    exchange(client, server, 100_000, 100_000)
    case.network.sysctl("net.mptcp_rs.enabled", 1)
    client = case.connect()
    server = case.keep(listener.accept()[0])
    exchange(client, server, 100_000, 100_000)
    case.expect_mptcp(connections=2)


@scenario()
# rfc8684:3.1-7
def plain_syn_after_retries(case):
    """A path that drops SYNs with the option: after the retries the client asks for plain TCP."""
    if case.client.stack.counters == "module":
        case.client.namespace.sysctl("net.mptcp_rs.syn_retrans_before_tcp_fallback", 1)
    else:
        case.client.namespace.sysctl("net.mptcp.syn_retrans_before_tcp_fallback", 1)
    filter_packets(case.server.namespace, "prerouting", f"{SYN_WITH_OPTION} counter drop")
    client, server = case.connect_pair()
    exchange(client, server, 100_000, 100_000)
    dropped = filter_counts(case.server.namespace)[0]
    case.expect(dropped == 2, f"{dropped} SYNs with the option were sent, not 2")
    case.expect_no_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True)
def connections_file(case):
    """/proc/net/mptcp_rs/connections shows a connection while it lives, also under load."""
    path = "/proc/thread-self/net/mptcp_rs/connections"
    before = case.client.namespace.read(path).splitlines()
    client, server = case.connect_pair()
    line = "\n".join(case.client.namespace.read(path).splitlines()[len(before) :])
    case.expect(case.server.address() in line, f"no line names the server: {line!r}")
    case.expect(str(case.port) in line, f"no line names the port: {line!r}")
    for _ in range(case.size(stock=200, test=50)):
        case.client.namespace.read(path)
        case.server.namespace.read("/proc/thread-self/net/mptcp_rs/counters")
    exchange(client, server, 1_000_000, 1_000_000)
    client.close()
    server.close()
