# SPDX-License-Identifier: GPL-2.0
"""Sending and receiving: flags, halves, ends of the stream; plain TCP is the oracle."""

import os
import select
import signal
import socket
import struct
import time

from lib import libc
from lib.events import SIOCINQ, SIOCOUTQ, fill, poll_now, queued, wait_for, wait_until
from lib.oracle import same_as_tcp
from lib.transfer import Task, content, send_stream

PEEK, WAITALL, DONTWAIT = socket.MSG_PEEK, socket.MSG_WAITALL, socket.MSG_DONTWAIT
TRUNC, NOSIGNAL, MORE = socket.MSG_TRUNC, socket.MSG_NOSIGNAL, socket.MSG_MORE
LINGER_RESET = struct.pack("ii", 1, 0)


def reset_by(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    sock.close()


def arrived(sock, size):
    wait_until(lambda: queued(sock, SIOCINQ) >= size, f"arrival of {size} bytes")


@same_as_tcp(at="server")
def peek(s):
    client, server = s.case.connect_pair()
    client.sendall(b"0123456789")
    arrived(server, 10)
    s.server("peek 4", server.recv, 4, PEEK)
    s.server("peek 100", server.recv, 100, PEEK)
    s.server("recv 3", server.recv, 3)
    s.server("peek after recv", server.recv, 100, PEEK)
    s.server("peek with MSG_WAITALL", server.recv, 7, PEEK | WAITALL)
    s.server("peek with MSG_TRUNC", libc.recv_count, server, 2, PEEK | TRUNC)
    s.server("recv rest", server.recv, 100)
    s.server("peek of nothing", server.recv, 1, PEEK | DONTWAIT)
    client.shutdown(socket.SHUT_WR)
    s.server("peek at the end", server.recv, 1, PEEK)
    s.server("recv at the end", server.recv, 1)


@same_as_tcp(at="server")
def peek_large(s):
    """A peek that spans many segments leaves all of them in place."""
    client, server = s.case.connect_pair()
    data = content(30000)
    client.sendall(data)
    arrived(server, 30000)
    s.server("peek", lambda: server.recv(30000, PEEK) == data)
    s.server("peek again", lambda: server.recv(20001, PEEK) == data[:20001])
    s.server("recv", lambda: server.recv(30000) == data)


@same_as_tcp()
def wait_all(s):
    client, server = s.case.connect_pair()
    for part in (b"one", b"two", b"three"):
        client.sendall(part)
    s.server("MSG_WAITALL", server.recv, 11, WAITALL)
    client.sendall(b"short")
    client.shutdown(socket.SHUT_WR)
    s.server("MSG_WAITALL up to the end", server.recv, 100, WAITALL)
    s.server("MSG_WAITALL at the end", server.recv, 100, WAITALL)
    writer = Task(send_stream, server, 500000)
    s.client("MSG_WAITALL of much", lambda: len(client.recv(400000, WAITALL)))
    s.client("MSG_WAITALL of the rest", lambda: len(client.recv(400000, WAITALL)))
    writer.result(10)


@same_as_tcp(at="server")
def wait_all_not_blocking(s):
    client, server = s.case.connect_pair()
    client.sendall(b"part")
    arrived(server, 4)
    s.server("MSG_WAITALL|MSG_DONTWAIT", server.recv, 10, WAITALL | DONTWAIT)
    s.server("again", server.recv, 10, WAITALL | DONTWAIT)


@same_as_tcp()
def dont_wait(s):
    client, server = s.case.connect_pair()
    s.server("recv of nothing", server.recv, 1, DONTWAIT)
    s.client("send", client.send, b"word", DONTWAIT)
    wait_for(server, select.POLLIN)
    s.server("recv", server.recv, 100, DONTWAIT)
    s.server("took something", lambda: fill(server) > 0)
    s.server("send when full", server.send, b"x", DONTWAIT)
    s.server("poll when full", poll_now, server)


@same_as_tcp(at="server")
def truncate(s):
    client, server = s.case.connect_pair()
    client.sendall(b"0123456789")
    arrived(server, 10)
    s.server("MSG_TRUNC drops 4", libc.recv_null, server, 4, TRUNC)
    s.server("next", server.recv, 2)
    s.server("MSG_TRUNC drops the rest", libc.recv_null, server, 100, TRUNC)
    s.server("then nothing", server.recv, 1, DONTWAIT)


@same_as_tcp(needs_module=True)
def zero_length(s):
    client, server = s.case.connect_pair()
    s.client("send of nothing", client.send, b"")
    s.server("recv of nothing", server.recv, 1, DONTWAIT)
    s.server("recv into nothing", libc.recv_count, server, 0, DONTWAIT, 1)
    client.sendall(b"x")
    wait_for(server, select.POLLIN)
    s.server("recv into nothing with data", libc.recv_count, server, 0, 0, 1)
    s.server("recv", server.recv, 1)
    client.shutdown(socket.SHUT_WR)
    s.client("send of nothing after shutdown", client.send, b"", NOSIGNAL)


@same_as_tcp()
def bad_pointers(s):
    client, server = s.case.connect_pair()
    client.sendall(b"kept")
    arrived(server, 4)
    s.server("recv into NULL", libc.recv_null, server, 4, 0)
    s.server("the data is still there", server.recv, 10)
    s.client("send of NULL", libc.send_null, client, 4)
    s.client("send", client.send, b"after")
    s.server("recv", server.recv, 10)


@same_as_tcp()
def vectors(s):
    client, server = s.case.connect_pair()
    s.client("sendmsg", client.sendmsg, [b"a" * 10, b"", b"b" * 20, b"c" * 5])
    arrived(server, 35)
    parts = [bytearray(7), bytearray(1), bytearray(100)]
    s.server("recvmsg_into", server.recvmsg_into, parts)
    s.server("parts", lambda: [bytes(part.rstrip(b"\0")) for part in parts])
    s.client("writev", os.writev, client.fileno(), [b"one", b"two"])
    arrived(server, 6)
    parts = [bytearray(4), bytearray(4)]
    s.server("readv", os.readv, server.fileno(), parts)
    s.server("parts of readv", lambda: [bytes(part) for part in parts])
    s.client("sendmsg of nothing", client.sendmsg, [])
    s.client("sendto with an address", client.sendto, b"x", ("10.9.9.9", 9))
    s.server("recvfrom", server.recvfrom, 10)
    s.server("recvmsg of errors", server.recvmsg, 10, 100, socket.MSG_ERRQUEUE | DONTWAIT)


@same_as_tcp(at="server")
def end_of_stream(s):
    client, server = s.case.connect_pair()
    client.sendall(b"last words")
    client.close()
    s.server("recv", server.recv, 100)
    s.server("recv at the end", server.recv, 100)
    s.server("recv at the end again", server.recv, 100)
    s.server("recv not waiting", server.recv, 100, DONTWAIT)
    s.server("SO_ERROR", server.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)


@same_as_tcp()
def half_close(s):
    client, server = s.case.connect_pair()
    s.client("shutdown", client.shutdown, socket.SHUT_WR)
    s.client("shutdown again", client.shutdown, socket.SHUT_WR)
    s.client("send", client.send, b"x", NOSIGNAL)
    s.server("recv", server.recv, 1)
    s.server("send", server.send, b"the other half lives")
    s.client("recv", client.recv, 100)
    s.server("send more", server.send, b"and goes on")
    s.client("recv more", client.recv, 100)
    server.close()
    s.client("recv at the end", client.recv, 100)


@same_as_tcp()
def shutdown_read(s):
    client, server = s.case.connect_pair()
    s.server("shutdown", server.shutdown, socket.SHUT_RD)
    s.server("recv", server.recv, 1)
    s.server("poll", poll_now, server)
    client.sendall(b"late")
    wait_until(lambda: queued(client, SIOCOUTQ) == 0, "acknowledgement of the data")
    s.server("recv of what came later", server.recv, 100)
    s.server("recv again", server.recv, 100)
    s.server("send", server.send, b"answer")
    s.client("recv", client.recv, 100)


@same_as_tcp()
def shutdown_wakes_reader(s):
    client, server = s.case.connect_pair()
    client.sendall(b"kept")
    arrived(server, 4)
    s.server("shutdown", server.shutdown, socket.SHUT_RDWR)
    s.server("recv of what was there", server.recv, 100)
    s.server("recv", server.recv, 100)
    s.server("send", server.send, b"x", NOSIGNAL)
    s.client("recv", client.recv, 100)


@same_as_tcp(at="client")
def shutdown_wrong(s):
    client, _ = s.case.connect_pair()
    s.client("how 3", client.shutdown, 3)
    s.client("how -1", client.shutdown, -1)
    s.client("SHUT_RDWR", client.shutdown, socket.SHUT_RDWR)
    s.client("SHUT_RDWR again", client.shutdown, socket.SHUT_RDWR)


@same_as_tcp(at="client")
def broken_pipe(s):
    client, server = s.case.connect_pair()
    caught = []
    old = signal.signal(signal.SIGPIPE, lambda *_: caught.append(1))
    try:
        client.shutdown(socket.SHUT_WR)
        s.client("send with MSG_NOSIGNAL", libc.send, client, b"x", NOSIGNAL)
        s.client("signals", caught.copy)
        s.client("send", libc.send, client, b"x")
        s.client("signals after send", caught.copy)
    finally:
        signal.signal(signal.SIGPIPE, old)
    server.close()


@same_as_tcp(at="client", needs_module=True)
def reset_by_peer(s):
    client, server = s.case.connect_pair()
    reset_by(server)
    s.client("poll", wait_for, client, select.POLLIN)
    s.client("recv", client.recv, 1)
    s.client("recv again", client.recv, 1)
    s.client("send", client.send, b"x", NOSIGNAL)
    s.client("SO_ERROR", client.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)
    s.client("getpeername", client.getpeername)
    s.client("shutdown", client.shutdown, socket.SHUT_WR)


@same_as_tcp(at="client", needs_module=True)
def reset_seen_by_sender(s):
    client, server = s.case.connect_pair()
    reset_by(server)
    wait_for(client, select.POLLIN)
    s.client("send", client.send, b"x", NOSIGNAL)
    s.client("send again", client.send, b"x", NOSIGNAL)
    s.client("recv", client.recv, 1)


@same_as_tcp(at="client", needs_module=True)
def reset_error_by_option(s):
    client, server = s.case.connect_pair()
    reset_by(server)
    wait_for(client, select.POLLIN)
    s.client("SO_ERROR", client.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)
    s.client("SO_ERROR again", client.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)
    s.client("recv", client.recv, 1)


@same_as_tcp(at="client")
def close_with_unread_data(s):
    client, server = s.case.connect_pair()
    client.sendall(b"nobody reads this")
    arrived(server, 17)
    server.close()
    s.client("poll", wait_for, client, select.POLLIN)
    s.client("recv", client.recv, 1)
    s.client("recv again", client.recv, 1)


@same_as_tcp(at="client")
def data_before_reset_is_lost(s):
    client, server = s.case.connect_pair()
    server.sendall(b"unread")
    arrived(client, 6)
    reset_by(server)
    wait_for(client, select.POLLHUP)
    s.client("recv", client.recv, 100)
    s.client("recv again", client.recv, 100)


@same_as_tcp(needs_module=True)
def queue_lengths(s):
    listener = s.case.listen()
    client = s.case.connect()
    server = s.case.keep(listener.accept()[0])
    s.server("SIOCINQ of a listener", queued, listener, SIOCINQ)
    s.server("SIOCOUTQ of a listener", queued, listener, SIOCOUTQ)
    s.server("SIOCINQ of nothing", queued, server, SIOCINQ)
    client.sendall(bytes(1000))
    arrived(server, 1000)
    s.server("SIOCINQ", queued, server, SIOCINQ)
    server.recv(400)
    s.server("SIOCINQ after recv", queued, server, SIOCINQ)
    wait_until(lambda: queued(client, SIOCOUTQ) == 0, "emptying of the send queue")
    s.client("SIOCOUTQ", queued, client, SIOCOUTQ)
    fill(client)
    s.client("SIOCOUTQ when full", lambda: queued(client, SIOCOUTQ) > 0)
    server.shutdown(socket.SHUT_WR)
    wait_for(client, select.POLLIN)
    s.client("SIOCINQ at the end", queued, client, SIOCINQ)


@same_as_tcp()
def more_to_come(s):
    client, server = s.case.connect_pair()
    s.client("send MSG_MORE", client.send, b"head ", MORE)
    s.client("send", client.send, b"tail")
    s.server("recv", server.recv, 9, WAITALL)
    client.setsockopt(6, socket.TCP_CORK, 1)
    s.client("corked send", client.send, b"corked ")
    client.setsockopt(6, socket.TCP_CORK, 0)
    s.server("recv of corked", server.recv, 100)
    s.client("MSG_MORE and shutdown", client.send, b"end", MORE)
    client.shutdown(socket.SHUT_WR)
    s.server("recv of the end", server.recv, 100, WAITALL)


@same_as_tcp(at="client")
def corks_end_by_themselves(s):
    """What TCP_CORK or MSG_MORE holds back leaves after 200 ms, more than a moment and less than ever."""
    client, server = s.case.connect_pair()
    server.settimeout(10)

    def held_back(data, flags=0):
        start = time.monotonic()
        client.send(data, flags)
        return server.recv(100), time.monotonic() - start > 0.1

    s.client("plain", lambda: held_back(b"plain")[0])
    s.client("MSG_MORE", held_back, b"more to come", MORE)
    client.setsockopt(6, socket.TCP_CORK, 1)
    s.client("corked", held_back, b"corked")
    s.client("corked again", held_back, b"corked again")


@same_as_tcp(at="server")
def close_sends_all(s):
    """close returns at once and what was written still arrives."""
    client, server = s.case.connect_pair()
    client.sendall(content(50000))
    client.close()
    s.server("recv", lambda: server.recv(200000, WAITALL) == content(50000))


@same_as_tcp()
def linger_waits(s):
    client, server = s.case.connect_pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
    client.sendall(content(50000))
    s.client("close", client.close)
    s.server("recv", lambda: server.recv(200000, WAITALL) == content(50000))
