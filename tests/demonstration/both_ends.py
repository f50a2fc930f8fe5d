# SPDX-License-Identifier: GPL-2.0
"""The main job: curl fetches a file, this module at one end or both."""

import socket
import time
from pathlib import Path

from lib import stack
from lib.case import Case
from lib.stack import IPPROTO_MPTCP, SPARE_PROTOCOL, Stack, read_references

from .web import Download, established, make_file, nginx, run_quietly, sha256, show_counters
from .words import explain, say

MEGABYTES = 64
OURS = Stack("ours", IPPROTO_MPTCP, "module")
OURS_BESIDE = Stack("ours", SPARE_PROTOCOL, "module")


def show(module: str, place: str) -> None:
    """Four transfers: this module at one end, the other, both, and gone again."""
    file = make_file(Path(place, "file"), MEGABYTES)
    print(f"A file of {MEGABYTES} MB of random bytes, SHA-256 {sha256(file)}")
    say("1. This module's client, the kernel's own MPTCP as the server")
    explain("nginx starts first: its sockets are the kernel's own. Then the module is")
    explain("inserted and stands before it on protocol 262: curl's socket is ours.")
    case = Case(OURS, stack.BUILTIN, "stock")
    with server_of(case, place):
        insert(module)
        fetch(case, file)
    remove(case)
    say("2. The kernel's own MPTCP as the client, this module's server")
    explain(f"The module is inserted on protocol {SPARE_PROTOCOL}; nginx gets it there the way")
    explain("mptcpize does it, by a preloaded socket(). curl asks for 262: the kernel's own.")
    insert(module, f"protocol={SPARE_PROTOCOL}")
    case = Case(stack.BUILTIN, OURS_BESIDE, "stock")
    with server_of(case, place):
        fetch(case, file)
    remove(case)
    say("3. This module at both ends")
    insert(module)
    case = Case(OURS, OURS, "stock")
    with server_of(case, place):
        fetch(case, file)
    remove(case)
    say("4. After rmmod protocol 262 is the kernel's own again")
    case = Case(stack.BUILTIN, stack.BUILTIN, "stock")
    prove_builtin(case)
    with server_of(case, place):
        fetch(case, file)
    case.finish()
    file.unlink()


def server_of(case: Case, place: str):
    return nginx("server", case.server.namespace, case.server.stack, place)


def insert(module: str, *parameters: str) -> None:
    """insmod."""
    explain(f"$ insmod {Path(module).name} {' '.join(parameters)}")
    run_quietly("insmod", module, *parameters)


def remove(case: Case) -> None:
    """Ends the case, and takes the module out."""
    case.finish()
    take_out()


def take_out() -> None:
    """rmmod, as soon as the last connection has ended."""
    deadline = time.monotonic() + 20
    while read_references() and time.monotonic() < deadline:
        time.sleep(0.05)
    explain(f"$ rmmod {stack.MODULE}")
    run_quietly("rmmod", stack.MODULE)


def fetch(case: Case, file: Path) -> None:
    """curl fetches the file; then what both ends say about it."""
    download = Download(case, file, case.server.address())
    builtin = [end for end in case.ends if end.stack.name == "builtin"]
    seen: list[str] = []
    while download.runs():
        if builtin and not seen:
            seen = established(builtin[0].namespace)
        time.sleep(0.1)
    explain(f"{MEGABYTES} MB in {download.finish():.1f} s, SHA-256 equal")
    for end in case.ends:
        show_counters(end)
    if seen:
        explain("ss -Mti at the kernel's own end, during the transfer:")
        for line in seen:
            explain(f"   {line}")
    case.expect_mptcp()


def prove_builtin(case: Case) -> None:
    """A socket of protocol 262 answers MPTCP_INFO and no module holds it."""
    if stack.module_is_loaded():
        raise SystemExit("The module is still loaded.")
    with case.client.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, 262) as sock:
        size = len(sock.getsockopt(284, 1, 256))
    explain(f"no /sys/module/{stack.MODULE}; MPTCP_INFO of a new socket has {size} bytes")
