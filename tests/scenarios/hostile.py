# SPDX-License-Identifier: GPL-2.0
"""Hostile segments: what a stranger or a broken middlebox sends at a live connection."""

import socket
import subprocess

from lib.network import LINK
from lib.programs import program
from lib.registry import scenario
from lib.transfer import Task, content, exchange, receive_exactly

SEED = 20_120_326
MEGABYTE = 1 << 20


@scenario(roles=(("ours", "ours"), ("ours", "builtin")), needs_module=True, limit=120)
def options_at_client(case):
    endure(case, "client")


@scenario(roles=(("ours", "ours"), ("builtin", "ours")), needs_module=True, limit=120)
def options_at_server(case):
    endure(case, "server")


@scenario(roles=(("tcp", "tcp"),), limit=120)
def control(case):
    """Plain TCP lives through the same segments: they ask for nothing a receiver must do."""
    endure(case, "server")


def endure(case, target):
    """100 000 segments with hostile kind-30 options over all runs, while data flow.

    The fuzzer stands at the other end's host and speaks in its name. The kernel must not
    complain, the connection must deliver its bytes, and the listener must accept afterwards.
    """
    listener = case.listen()
    client = case.connect()
    server = case.keep(listener.accept()[0])
    echo = Task(echo_until_end, server)
    fuzzer = start_fuzzer(case, target, client, case.size(stock=33_000, test=2_500, brief=5_000))
    word = content(1000)
    rounds = 0
    while fuzzer.poll() is None:
        client.sendall(word)
        case.expect(receive_exactly(client, len(word)) == word, f"echo {rounds} differs")
        rounds += 1
    out, err = fuzzer.communicate()
    case.expect(fuzzer.returncode == 0, f"the fuzzer failed: {out}{err}")
    case.notes.append(f"{out.strip()}; {rounds} echoes meanwhile")
    client.shutdown(socket.SHUT_WR)
    case.expect(receive_exactly(client, 1) == b"", "bytes after the last echo")
    echo.result(30)
    client, server = case.connect(), case.keep(listener.accept()[0])
    exchange(client, server, MEGABYTE, MEGABYTE)


def echo_until_end(sock):
    while part := sock.recv(65536):
        sock.sendall(part)
    sock.shutdown(socket.SHUT_WR)


def start_fuzzer(case, target, client, count):
    """The fuzzer in the namespace opposite of its target."""
    local, remote = client.getsockname(), client.getpeername()
    source, destination = (local, remote) if target == "server" else (remote, local)
    place = case.client if target == "server" else case.server
    return case.keep(
        place.namespace.start(
            program("fuzz"), source[0], destination[0], str(source[1]), str(destination[1]),
            LINK, str(count), str(SEED), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
    )  # fmt: skip
