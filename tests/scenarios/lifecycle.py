# SPDX-License-Identifier: GPL-2.0
"""Inserting and removing the module: refused while in use, clean and repeatable otherwise."""

import contextlib
import errno
import socket
import subprocess
from pathlib import Path

from lib import stack
from lib.events import wait_until
from lib.registry import OURS_ONLY, scenario
from lib.stack import module_has, read_references
from lib.transfer import exchange

CYCLES = 50


def rmmod() -> str:
    """Removes the module; gives the words of the refusal, or nothing."""
    done = subprocess.run(["rmmod", stack.MODULE], capture_output=True, text=True, timeout=120)
    return done.stderr.strip() if done.returncode else ""


def insmod(*parameters: str) -> None:
    subprocess.run(["insmod", str(stack.module_file()), *parameters], check=True, timeout=120)


def protocol_exists(protocol: int) -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol).close()
        return True
    except OSError as error:
        if error.errno in (errno.EPROTONOSUPPORT, errno.ENOPROTOOPT):
            return False
        raise


@contextlib.contextmanager
def module_back_in(protocol: int):
    """Whatever happened, the module is in again with its protocol afterwards."""
    try:
        yield
    finally:
        if stack.module_is_loaded() and not module_has(protocol):
            rmmod()
        if not stack.module_is_loaded():
            insmod(f"protocol={protocol}")


@scenario(roles=OURS_ONLY, needs_module=True)
def removal_refused_in_use(case):
    """rmmod is refused with a fresh socket, a listener and a connection; the transfer goes on."""
    idle = read_references()
    with case.client.new_socket():
        case.expect(read_references() > idle, "an open socket does not hold the module")
        case.expect("in use" in rmmod(), "rmmod was not refused with an open socket")
    listener = case.listen()
    case.expect("in use" in rmmod(), "rmmod was not refused with a listener")
    client = case.connect()
    server = case.keep(listener.accept()[0])
    listener.close()
    case.expect("in use" in rmmod(), "rmmod was not refused with a connection")
    exchange(client, server, 1_000_000, 1_000_000)
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, needs_module=True, limit=600, settles=False)
def insmod_rmmod_cycles(case):
    """50 times, 5 on the slow test kernel or in brief: insert, a connection in each role with data, remove."""
    protocol = case.client.stack.protocol
    cycles = case.size(stock=CYCLES, test=5, brief=5)
    with module_back_in(protocol):
        for cycle in range(cycles):
            refusal = rmmod_when_idle()
            case.expect(not refusal, f"rmmod of cycle {cycle}: {refusal}")
            case.expect(not protocol_exists(protocol), "the protocol is there without the module")
            insmod(f"protocol={protocol}")
            client, server = case.connect_pair()
            exchange(client, server, 200_000, 200_000)
            case.cleanup.close()


def rmmod_when_idle() -> str:
    """rmmod as soon as the last connection's end has let the module go (20 seconds at most)."""
    wait_until(lambda: read_references() == 0, "release of the module's last reference", 20)
    return rmmod()


@scenario(roles=OURS_ONLY, needs_module=True, settles=False)
def shadows_the_builtin(case):
    """On protocol 262 the module stands before the kernel's own MPTCP, which comes back after."""
    protocol = case.client.stack.protocol
    with module_back_in(protocol):
        rmmod_when_idle()
        insmod()
        for family in (socket.AF_INET, socket.AF_INET6):
            case.expect(module_has(262, family), f"protocol 262 is not the module's ({family})")
        refusal = rmmod_when_idle()
        case.expect(not refusal, f"rmmod: {refusal}")
        case.expect(protocol_exists(262), "protocol 262 is gone after rmmod")
        with case.client.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, 262) as sock:
            info = sock.getsockopt(284, 1, 4)
            case.expect(len(info) > 0, "protocol 262 is not the kernel's own MPTCP again")


@scenario(roles=OURS_ONLY, needs_module=True, settles=False)
def bad_parameters(case):
    """insmod with a protocol number that cannot be is refused, and leaves nothing behind."""
    protocol = case.client.stack.protocol
    with module_back_in(protocol):
        rmmod_when_idle()
        for wrong in ("6", "0", "-1", "263", "70000", "word"):
            done = subprocess.run(
                ["insmod", str(stack.module_file()), f"protocol={wrong}"],
                capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            case.expect(done.returncode != 0, f"insmod accepted protocol={wrong}")
            case.expect(not stack.module_is_loaded(), f"protocol={wrong} left the module behind")
        with case.client.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, 6):
            pass


@scenario(roles=OURS_ONLY, needs_module=True, settles=False)
def namespaces_come_and_go(case):
    """Files of the module appear in every namespace, also in one made later, and vanish."""
    for namespace in case.network.ends:
        for name in ("counters", "connections"):
            namespace.read(f"/proc/thread-self/net/mptcp_rs/{name}")
    protocol = case.client.stack.protocol
    with module_back_in(protocol):
        rmmod_when_idle()
        for namespace in case.network.ends:
            with namespace:
                gone = not Path("/proc/thread-self/net/mptcp_rs").exists()
                case.expect(gone, f"/proc/net/mptcp_rs stays in the {namespace.name} after rmmod")
                gone = not Path("/proc/sys/net/mptcp_rs").exists()
                case.expect(gone, f"the sysctls stay in the {namespace.name} after rmmod")
