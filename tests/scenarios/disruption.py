# SPDX-License-Identifier: GPL-2.0
"""Connections that end badly: killed processes, resets, aborts, ends in every state."""

import errno
import os
import select
import socket
import struct
import threading
import time

from lib.events import SIOCINQ, SIOCOUTQ, fill, queued, wait_for, wait_until
from lib.network import LINK, filter_packets
from lib.registry import OURS_ONLY, scenario
from lib.transfer import Task, content, exchange, receive_exactly, stream

MEGABYTE = 1 << 20
LINGER_RESET = struct.pack("ii", 1, 0)


def send_without_end(sock):
    while True:
        for chunk in stream(64 * MEGABYTE):
            sock.sendall(chunk)


def wait_for_death(sock, seconds=30):
    """Reads until the connection has ended; gives the bytes read and how it ended."""
    sock.settimeout(seconds)
    total = 0
    try:
        while part := sock.recv(MEGABYTE):
            total += len(part)
        return total, "end"
    except ConnectionResetError:
        return total, "reset"
    except OSError as error:
        return total, errno.errorcode[error.errno]


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)}, at_once=True)
def killed(case, victim):
    """kill -9 of one end in the middle of a transfer in both directions."""
    client, server = case.connect_pair()
    mine, other = (client, server) if victim == "client" else (server, client)

    def victims_life():
        other.close()
        if os.fork() == 0:
            send_without_end(mine)
        send_back = bytearray(MEGABYTE)
        while mine.recv_into(send_back):
            pass

    child = case.spawn(victims_life)
    mine.close()
    head = receive_exactly(other, 4 * MEGABYTE)
    case.expect(len(head) == 4 * MEGABYTE, "the transfer ended before the kill")
    child.kill()
    _, how = wait_for_death(other)
    case.expect(how in ("end", "reset"), f"the survivor saw {how}")


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
def aborted(case, who):
    """SO_LINGER 0 in the middle of a transfer: MP_FASTCLOSE, and the peer sees a reset."""
    client, server = case.connect_pair()
    mine, other = (client, server) if who == "client" else (server, client)
    receiver = Task(wait_for_death, other)
    mine.sendall(content(2 * MEGABYTE))
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    mine.close()
    _, how = receiver.result(40)
    case.expect(how == "reset", f"the peer saw {how}, not a reset")
    peer = case.server if who == "client" else case.client
    case.expect_counter(getattr(case, who), "MPFastcloseTx")
    case.expect_counter(peer, "MPFastcloseRx")


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
# rfc8684:3.5-5
def aborted_beyond_a_gap(case, who):
    """An abort after data that was lost: its number is not the one that the peer expects, who hears it at once."""
    client, server = case.connect_pair()
    mine, other = (client, server) if who == "client" else (server, client)
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"a")
        receive_exactly(receiver, 1)
    peer = case.server if who == "client" else case.client
    filter_packets(peer.namespace, "input", "meta length > 500 counter drop")
    mine.sendall(content(1000))
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    mine.close()
    _, how = wait_for_death(other, 10)
    case.expect(how == "reset", f"the peer saw {how}, not a reset")
    case.expect_counter(peer, "MPFastcloseRx", 1)


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
# rfc8684:3.5-1
def closed_with_unread_data(case, who):
    """close with data unread tells the peer by a reset that they were lost."""
    client, server = case.connect_pair()
    mine, other = (client, server) if who == "client" else (server, client)
    other.sendall(b"nobody reads this")
    wait_until(lambda: queued(mine, SIOCINQ) == 17, "arrival")
    mine.close()
    _, how = wait_for_death(other)
    case.expect(how == "reset", f"the peer saw {how}, not a reset")


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
def closed_while_peer_sends(case, who):
    """One end closes while the other goes on sending: the sender learns it and stops."""
    client, server = case.connect_pair()
    mine, other = (client, server) if who == "client" else (server, client)
    sender = Task(send_without_end, other)
    receive_exactly(mine, MEGABYTE)
    mine.close()
    try:
        sender.result(40)
    except (ConnectionResetError, BrokenPipeError):
        return
    raise AssertionError("the sender ended without an error")


@scenario(all_roles=True, variants={"client": ("client",), "server": ("server",)})
def reset_from_outside(case, where):
    """A middlebox resets the connection at one end; that end tells its application."""
    client, server = case.connect_pair()
    client.sendall(b"alive")
    receive_exactly(server, 5)
    end = getattr(case, where)
    sender, receiver = (server, client) if where == "client" else (client, server)
    victim = case.server if where == "client" else case.client
    # A connection without subflows lives on for this long.
    case.network.sysctl("net.mptcp.close_timeout", 2)
    if "module" in (case.client.stack.counters, case.server.stack.counters):
        case.network.sysctl("net.mptcp_rs.close_timeout", 2)
    # The rejecting rule answers the sender of the packet with a reset.
    filter_packets(end.namespace, "input", "tcp flags & rst == 0 counter reject with tcp reset")
    sender.sendall(b"x")
    _, how = wait_for_death(sender)
    # The kernel's own MPTCP tells its application ENOTCONN.
    told = ("reset", "ENOTCONN") if victim.stack.counters == "MPTcpExt" else ("reset",)
    case.expect(how in told, f"the reset end saw {how}")
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)


@scenario(all_roles=True, at_once=True)
def closed_at_once_by_both(case):
    """Both ends close at the same time, many times."""
    for _ in range(case.size(stock=100, test=20)):
        client, server = case.connect_pair()
        client.sendall(b"a")
        server.sendall(b"b")
        receive_exactly(client, 1)
        receive_exactly(server, 1)
        tasks = [Task(client.close), Task(server.close)]
        for task in tasks:
            task.result(10)


@scenario(all_roles=True, variants={"first": (0, 0), "second": (1, 1), "answer": (1, 0)})
# rfc8684:3.3.3-6 rfc8684:3.3.3-8
def end_lost(case, closing, mute):
    """What the first or second who closes says of it is lost, or what the first answers the second: it is said
    again, and nothing of the connection stays."""
    client, server = case.connect_pair()
    for sock, other in ((client, server), (server, client)):
        sock.sendall(b"a")
        receive_exactly(other, 1)
        wait_until(lambda sock=sock: queued(sock, SIOCOUTQ) == 0, "all acknowledgements")
    for number, sock in enumerate((client, server)):
        namespace = case.ends[mute].namespace
        if number == closing:
            namespace.run("tc", "qdisc", "add", "dev", LINK, "root", "netem", "loss", "100%")
        sock.close()
        time.sleep(0.1)
        if number == closing:
            namespace.run("tc", "qdisc", "del", "dev", LINK, "root")
        if number == 0:
            case.expect(server.recv(1) == b"", "data after the end")
    case.expect_mptcp()


@scenario(all_roles=True, at_once=True)
def shut_down_at_once_by_both(case):
    """Of two halves that end at the same moment, at each end both are known to have ended."""
    barrier = threading.Barrier(2)

    def shut_down(sock):
        barrier.wait(20)
        sock.shutdown(socket.SHUT_WR)

    for _ in range(case.size(stock=100, test=20)):
        client, server = case.connect_pair()
        for task in [Task(shut_down, client), Task(shut_down, server)]:
            task.result(30)
        case.expect(client.recv(1) == b"" and server.recv(1) == b"", "data came from nowhere")
        for sock in (client, server):
            mask = wait_for(sock, select.POLLHUP)
            case.expect(mask & select.POLLIN != 0, f"the event mask is {mask:#x}, without POLLIN")
            try:
                sock.send(b"x", socket.MSG_NOSIGNAL)
            except BrokenPipeError:
                continue
            raise AssertionError("data was accepted after the half was shut")
        client.close()
        server.close()


@scenario(all_roles=True)
# rfc8684:3.3.6-2
def link_gone_for_a_while(case):
    """The link is down for three seconds in the middle of a transfer; nothing is lost."""
    client, server = case.connect_pair()
    transfer = Task(exchange, client, server, 8 * MEGABYTE, 8 * MEGABYTE, pause=0.02)
    time.sleep(0.5)
    case.client.namespace.run("ip", "link", "set", LINK, "down")
    time.sleep(3)
    case.client.namespace.run("ip", "link", "set", LINK, "up")
    transfer.result(100)
    case.expect_mptcp()


@scenario(all_roles=True, settles=False)
def abandoned_network(case):
    """The namespaces vanish while a connection is open in them; its ends give up in time."""
    case.network.sysctl("net.ipv4.tcp_orphan_retries", 1)
    case.network.sysctl("net.ipv4.tcp_retries2", 3)
    client, server = case.connect_pair()
    client.sendall(b"x" * 1000)
    case.client.namespace.run("ip", "link", "del", LINK)


@scenario(roles=OURS_ONLY, needs_module=True, long=True)
def orphans_patience(case):
    """What close() leaves behind waits a minute for a peer that says nothing, and on for one that reads late."""
    mute, mute_peer = case.connect_pair()
    slow, slow_peer = case.connect_pair()
    written = fill(slow)
    mute.sendall(b"x" * 1000)
    receive_exactly(mute_peer, 1000)
    slow.close()
    mute.close()
    closed = time.monotonic()
    case.expect(mute_peer.recv(1) == b"", "the end of the stream did not arrive")
    mask = wait_for(mute_peer, select.POLLHUP, 90)
    waited = time.monotonic() - closed
    case.expect(mask & select.POLLERR != 0, f"the event mask is {mask:#x}, without POLLERR")
    case.expect(55 < waited < 75, f"the peer that said nothing was given up after {waited:.0f} s")
    time.sleep(max(0, closed + 75 - time.monotonic()))
    received, how = wait_for_death(slow_peer)
    case.expect((received, how) == (written, "end"), f"{received} of {written} bytes came, then {how}")
    slow_peer.close()
    mute_peer.close()
    case.expect_mptcp(connections=2)
    # One connection: an ACK and a RST.
    case.expect_counter(case.client, "MPFastcloseTx", 2, 2)
    case.expect_counter(case.server, "MPFastcloseRx", 1, 2)


@scenario(all_roles=True)
def refused(case):
    """Nobody listens: the client learns it and can use a new socket at once."""
    for _ in range(20):
        sock = case.client.new_socket()
        try:
            sock.connect((case.server.address(), case.port))
            raise AssertionError("a connection was made to nobody")
        except ConnectionRefusedError:
            sock.close()
    client, server = case.connect_pair()
    exchange(client, server, 1000, 1000)


@scenario(all_roles=True)
def closed_while_connecting(case):
    """close during the handshake, with the server silent and with it answering."""
    filter_packets(case.server.namespace, "prerouting", f"tcp dport {case.port} drop")
    silent = [case.client.new_socket() for _ in range(10)]
    for sock in silent:
        sock.setblocking(False)
        sock.connect_ex((case.server.address(), case.port))
    for sock in silent:
        sock.close()
    case.server.namespace.run("nft", "delete", "table", "inet", "scenario")
    case.listen()
    for _ in range(50):
        sock = case.client.new_socket()
        sock.setblocking(False)
        sock.connect_ex((case.server.address(), case.port))
        sock.close()


@scenario(all_roles=True)
def reset_seen_by_poll(case):
    client, server = case.connect_pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    server.close()
    mask = wait_for(client, select.POLLHUP)
    case.expect(mask & select.POLLERR != 0, f"the event mask is {mask:#x}, without POLLERR")
