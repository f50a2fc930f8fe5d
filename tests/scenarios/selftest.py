# SPDX-License-Identifier: GPL-2.0
"""The kernel's own test programs for MPTCP, unmodified, in the ways in which its scripts call them."""

import contextlib
import socket
import subprocess

from lib.network import filter_counts, filter_packets
from lib.path_manager import PathManager
from lib.registry import FALLBACK_ROLES, OURS_ONLY, scenario
from lib.selftests import Connect, run_alone, selftest
from lib.stack import SPARE_PROTOCOL
from scenarios.lifecycle import insmod, module_back_in, rmmod_when_idle

FAMILIES_OF_IP = (socket.AF_INET, socket.AF_INET6)
PLAIN = ()


@scenario(
    variants={
        "poll": PLAIN,
        "sendfile": ("-m", "sendfile"),
        "splice": ("-m", "splice"),
    }
)
def connect(case, *words):
    """mptcp_connect: a file in each direction, over IPv4 and IPv6."""
    transfer(case, words)


@scenario(
    long=True,
    variants={
        "mmap": ("-m", "mmap"),
        "save_with_peek": ("-P", "saveWithPeek"),
        "save_after_peek": ("-P", "saveAfterPeek"),
        "small_buffers": ("-S", "16384", "-R", "16384"),
        "time_to_join": ("-j",),
    },
)
def connect_in_other_ways(case, *words):
    """The same with the switches that are left."""
    transfer(case, words)


def transfer(case, words):
    size = case.size(stock=300_001, test=60_001)
    for family in FAMILIES_OF_IP:
        programs = Connect(case, size, size // 2, family)
        programs.run(words, words)
        programs.expect_all()
    case.expect_mptcp(connections=2)


@scenario(roles=FALLBACK_ROLES)
def connect_to_plain_tcp(case):
    """mptcp_connect with a plain TCP socket at one end."""
    for family in FAMILIES_OF_IP:
        programs = Connect(case, 100_001, 60_001, family)
        programs.run(PLAIN, PLAIN)
        programs.expect_all()
    case.expect_no_mptcp()


@scenario()
def connect_with_checksums(case):
    """mptcp_connect with DSS checksums."""
    for end in case.ends:
        end.set_checksum(True)
    programs = Connect(case, 300_001, 100_001)
    programs.run(PLAIN, PLAIN)
    programs.expect_all()
    case.expect_mptcp()


@scenario(long=True)
def control_messages(case):
    """mptcp_connect slowly: each receive tells a time and what is left; each packet has its mark."""
    for end, mark in ((case.server, 1), (case.client, 2)):
        filter_packets(end.namespace, "output", f"meta l4proto tcp meta mark != {mark} counter")
    words = ("-r", "20", "-c", "TIMESTAMPNS,TCPINQ")
    for family in FAMILIES_OF_IP:
        programs = Connect(case, 160, 100, family)
        programs.run((*words, "-M", "1"), (*words, "-M", "2"))
        programs.expect_all()
    for end in case.ends:
        unmarked = filter_counts(end.namespace)
        case.expect(unmarked == [0], f"packets of the {end.name} without mark: {unmarked}")
    case.expect_mptcp(connections=2)


@scenario(variants={"by_client": ("client", "server"), "by_server": ("server", "client")})
def fast_close(case, closing, closed):
    """mptcp_connect stops after 1024 bytes with more to be read than all buffers take: MP_FASTCLOSE."""
    size = 4_000_000
    programs = Connect(case, size, size)
    words = {closing: ("-j", "-f", "1024"), closed: ("-j", "-f", "-1")}
    programs.run(words["server"], words["client"])
    for sender, receiver in (("client", "server"), ("server", "client")):
        got = programs.received(receiver)
        case.expect(got[:1024] == programs.sent[sender][:1024], f"the {receiver}'s first bytes differ")
    ends = {"client": case.client, "server": case.server}
    case.expect_counter(ends[closing], "MPFastcloseTx")
    case.expect_counter(ends[closed], "MPFastcloseRx")


@scenario()
def transparent(case):
    """mptcp_connect reaches an address that the server does not have and takes in by IP_TRANSPARENT."""
    server, port = case.server.namespace, case.port + 1
    filter_packets(
        server, "prerouting", f"tcp dport {port} tproxy ip to :{port} meta mark set 1 accept"
    )
    server.run("ip", "rule", "add", "fwmark", "1", "lookup", "100")
    server.run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100")
    case.client.namespace.run("ip", "route", "add", "10.9.9.0/24", "via", case.server.address())
    programs = Connect(case, 100_001, 60_001, address="10.9.9.9")
    programs.run(("-o", "TRANSPARENT"), PLAIN)
    programs.expect_all()
    case.expect_mptcp()


@contextlib.contextmanager
def module_in_its_place(case):
    """The module on 262 for as long as nobody else needs it on another number."""
    if case.client.stack.counters != "module":
        yield
        return
    with module_back_in(SPARE_PROTOCOL):
        rmmod_when_idle()
        insmod()
        yield
        rmmod_when_idle()


@scenario(roles=OURS_ONLY, settles=False, limit=180)
def in_its_place(case):
    """The module on 262 and nothing preloaded: programs that speak with themselves."""
    pairs = (PLAIN, ("-t", "tcp"), ("-r", "tcp"))
    others = (*(("-6", *pair) for pair in pairs), ("-r", "tcp", "-t", "tcp"))
    with module_in_its_place(case):
        for words in (PLAIN, ("-6",)):
            run_alone(case.client, "mptcp_sockopt", *words)
        for words in pairs if case.brief else pairs + others:
            run_alone(case.client, "mptcp_inq", *words)


# What pm_netlink.sh asks for, in its order.
ENDPOINTS = """
dump
limits
add 10.0.1.1
add 10.0.1.2 flags subflow dev lo
add 10.0.1.3 flags signal,backup
get 1
dump
del 2
get 2
dump
add 10.0.1.2 id 2
add 10.0.1.3
get 4
add 10.0.1.4 flags signal
get 4
limits 9 9
limits 0 2
fill
get 255
add 10.0.0.1
flush
dump
add 10.0.1.1 flags unknown
dump
flush
limits 65 1
limits
limits 1 65
limits
limits 64 64
flush
limits
add 10.0.1.1
add 10.0.1.2
add 10.0.1.3 id 100
add 10.0.1.4
add 10.0.1.5 id 254
add 10.0.1.6
add 10.0.1.7
add 10.0.1.8
dump
flush
add 10.0.0.1
add 10.0.0.2 id 254
add 10.0.0.3
add 10.0.0.4
add 10.0.0.5 id 253
add 10.0.0.6
add 10.0.0.7
add 10.0.0.8
dump
flush
add 10.0.1.1 flags subflow
set 10.0.1.1 flags backup
dump
set 10.0.1.1 flags nobackup
dump
set id 1 flags fullmesh
dump
set id 1 flags nofullmesh
dump
set id 1 flags backup,fullmesh
dump
"""


@scenario(roles=(("ours", "builtin"),), limit=180, long=True)
def path_manager(case):
    """pm_nl_ctl prints of our path manager what it prints of the kernel's own, command by command."""
    answers = [answers_of(case, end) for end in case.ends]
    for ours, builtin in zip(*answers, strict=True):
        case.expect(ours == builtin, f"{ours} where the kernel's own gives {builtin}")
    case.notes.append(f"{len(answers[0])} commands answered alike")


def answers_of(case, end) -> list[tuple[str, int, str, str]]:
    """Each command with status and output."""
    ours = end.stack.counters == "module"
    program = selftest("ours/pm_nl_ctl" if ours else "pm_nl_ctl")
    endpoints = case.keep(PathManager(end.namespace, end.stack))
    answers = []
    commands = ENDPOINTS.split("\n")[1:-1]
    for command in commands[: case.size(stock=len(commands), test=20)]:
        if command == "fill":
            for number in range(5, 256):
                endpoints.add(f"10.0.0.{number}", id=number)
            continue
        with end.namespace:
            done = subprocess.run(
                [program, *command.split()], capture_output=True, text=True, timeout=60
            )
        words = done.stderr.replace(program, "pm_nl_ctl")
        answers.append((command, done.returncode, done.stdout, words))
    return answers
