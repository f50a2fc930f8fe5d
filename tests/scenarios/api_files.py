# SPDX-License-Identifier: GPL-2.0
"""sendfile and splice between files, pipes and sockets; plain TCP is the oracle."""

import hashlib
import os
import socket
import tempfile

from lib.oracle import same_as_tcp
from lib.transfer import Task, content, receive_stream

SIZE = 3_000_001


def data_file(s):
    file = s.case.keep(tempfile.TemporaryFile())
    file.write(content(SIZE))
    file.flush()
    return file


def expected():
    return hashlib.sha256(content(SIZE)).hexdigest()


@same_as_tcp()
def sendfile(s):
    client, server = s.case.connect_pair()
    file = data_file(s)
    reader = Task(receive_stream, server)
    sent = 0
    while sent < SIZE:
        sent += os.sendfile(client.fileno(), file.fileno(), sent, SIZE - sent)
    client.shutdown(socket.SHUT_WR)
    s.client("sent", lambda: sent)
    s.server("received as sent", lambda: reader.result().sha256 == expected())
    s.client("sendfile after shutdown", os.sendfile, client.fileno(), file.fileno(), 0, 10)


@same_as_tcp(at="server")
def splice_to_socket(s):
    client, server = s.case.connect_pair()
    file = data_file(s)
    source, sink = os.pipe()
    reader = Task(receive_stream, server)
    sent = 0
    while sent < SIZE:
        filled = os.splice(file.fileno(), sink, 65536, offset_src=sent)
        while filled:
            moved = os.splice(source, client.fileno(), filled)
            filled -= moved
            sent += moved
    client.shutdown(socket.SHUT_WR)
    s.server("received as sent", lambda: reader.result().sha256 == expected())
    os.close(source)
    os.close(sink)


@same_as_tcp(at="server")
def splice_from_socket(s):
    client, server = s.case.connect_pair()
    source, sink = os.pipe()
    server.setblocking(False)
    s.server("nothing to splice", os.splice, server.fileno(), sink, 10)
    server.setblocking(True)
    writer = Task(lambda: (client.sendall(content(SIZE)), client.shutdown(socket.SHUT_WR)))
    total, size = hashlib.sha256(), 0
    while moved := os.splice(server.fileno(), sink, 65536):
        while moved:
            part = os.read(source, moved)
            total.update(part)
            size += len(part)
            moved -= len(part)
    writer.result(10)
    s.server("received", lambda: (size, total.hexdigest() == expected()))
    s.server("splice at the end", os.splice, server.fileno(), sink, 10)
    os.close(source)
    os.close(sink)


@same_as_tcp()
def read_and_write(s):
    """The file calls on a socket: read, write, lseek, fstat, ftruncate."""
    client, server = s.case.connect_pair()
    s.client("write", os.write, client.fileno(), b"through write")
    s.server("read", os.read, server.fileno(), 100)
    s.client("lseek", os.lseek, client.fileno(), 0, os.SEEK_SET)
    s.client("ftruncate", os.ftruncate, client.fileno(), 0)
    s.client("is a socket", lambda: oct(os.fstat(client.fileno()).st_mode))
    s.client("fsync", os.fsync, client.fileno())
    s.client("pread", os.pread, client.fileno(), 1, 0)
