# SPDX-License-Identifier: GPL-2.0
"""How an application writes and reads: in single bytes, from tiny buffers, slowly, by halves."""

import socket
import time

from lib.registry import OURS_ONLY, scenario
from lib.transfer import (
    Task,
    check_stream,
    content,
    exchange,
    gather,
    receive_exactly,
    receive_stream,
    send_stream,
)

KILOBYTE, MEGABYTE = 1 << 10, 1 << 20


@scenario(variants={"nagle": (0,), "no_delay": (1,)})
def single_bytes(case, no_delay):
    """Every byte by a send of its own."""
    client, server = case.connect_pair()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
    data = content(case.size(stock=20000, test=4000))
    reader = Task(receive_exactly, server, len(data))
    for at in range(len(data)):
        client.send(data[at : at + 1])
    case.expect(reader.result() == data, "the bytes arrived differently")
    case.expect_mptcp()


@scenario()
def ping_pong(case):
    """One small message each way in turn."""
    client, server = case.connect_pair()
    rounds = case.size(stock=2000, test=300)
    data = content(64 * rounds)

    def answer():
        while word := receive_exactly(server, 64):
            server.sendall(word)

    echo = Task(answer)
    for at in range(0, len(data), 64):
        client.sendall(data[at : at + 64])
        back = receive_exactly(client, 64)
        case.expect(back == data[at : at + 64], f"message {at // 64} came back differently")
    client.shutdown(socket.SHUT_WR)
    echo.result(20)
    case.expect_mptcp()


@scenario(limit=180)
def tiny_receive_buffer(case):
    """The receivers have the smallest buffers there are: the window closes all the time."""
    listener = case.listen(before_bind={(socket.SOL_SOCKET, socket.SO_RCVBUF): 1})
    client = case.keep(case.client.new_socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    client.connect((case.server.address(), case.port))
    server = case.keep(listener.accept()[0])
    size = case.size(stock=256, test=64) * KILOBYTE
    exchange(client, server, size, size)
    case.expect_mptcp()


@scenario(limit=180)
def tiny_send_buffer(case):
    client, server = case.connect_pair()
    for sock in (client, server):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    size = case.size(stock=1024, test=128) * KILOBYTE
    exchange(client, server, size, size)
    case.expect_mptcp()


@scenario(limit=180)
def slow_reader(case):
    """The readers sleep between reads: the sender meets a closed window again and again."""
    client, server = case.connect_pair()
    for sock in (client, server):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KILOBYTE)
    size = case.size(stock=4, test=1) * MEGABYTE
    exchange(client, server, size, size, pause=0.01, chunk=32 * KILOBYTE)
    case.expect_mptcp()


@scenario(limit=180)
def sleeping_reader(case):
    """The reader sleeps long enough for window probes, then reads everything."""
    client, server = case.connect_pair()
    size = case.size(stock=16, test=4) * MEGABYTE
    writer = Task(send_stream, client, size, 1)
    time.sleep(4)
    got = receive_stream(server)
    writer.result(60)
    check_stream("upload", got, size, 1)
    case.expect_mptcp()


@scenario(roles=OURS_ONLY, limit=180, long=True)
def closed_before_the_reader_wakes(case):
    """A writer that closed at once is not given up while its reader sleeps."""
    client, server = case.connect_pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MEGABYTE)
    client.sendall(content(250_000, 1))
    client.close()
    time.sleep(70)
    check_stream("upload", receive_stream(server), 250_000, 1)
    case.expect_mptcp()


@scenario()
def half_close(case):
    """One half ends; the other then carries a whole stream."""
    client, server = case.connect_pair()
    size = case.size(stock=8, test=1) * MEGABYTE
    send_stream(client, 1000, 1)
    check_stream("upload", receive_stream(server), 1000, 1)
    tasks = {"sender": Task(send_stream, server, size, 2), "receiver": Task(receive_stream, client)}
    check_stream("download", gather(tasks)["receiver"], size, 2)
    case.expect_mptcp()


@scenario()
def server_speaks_first(case):
    """The first data of the connection come from the accepting side."""
    client, server = case.connect_pair()
    server.sendall(b"220 ready\r\n")
    case.expect(receive_exactly(client, 11) == b"220 ready\r\n", "the greeting differs")
    client.sendall(b"QUIT\r\n")
    case.expect(receive_exactly(server, 6) == b"QUIT\r\n", "the answer differs")
    case.expect_mptcp()


@scenario()
def idle_then_data(case):
    """Data after some seconds in which neither end said anything."""
    client, server = case.connect_pair()
    time.sleep(3)
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario()
def no_data_at_all(case):
    """A connection that is opened and closed at once."""
    client, server = case.connect_pair()
    client.close()
    case.expect(server.recv(1) == b"", "data came from nowhere")


@scenario(variants={"ipv4": (socket.AF_INET,), "ipv6": (socket.AF_INET6,)})
# rfc8684:3.3.1-12
def checksum(case, family):
    """DSS checksums asked for by both ends, and data in pieces of odd length."""
    for end in case.ends:
        end.set_checksum(True)
    client, server = case.connect_pair(family)
    data = content(301_301)
    reader = Task(receive_exactly, server, len(data))
    for at in range(0, len(data), 4999):
        client.sendall(data[at : at + 4999])
    case.expect(reader.result() == data, "the bytes arrived differently")
    size = case.size(stock=8, test=1) * MEGABYTE
    exchange(client, server, size, size)
    case.expect_mptcp()
    for end in case.ends:
        case.expect_counter(end, "DataCsumErr", 0, 0)


@scenario()
# rfc8684:3.1-17
def checksum_of_one_end(case):
    """One end asks for checksums: both must use them."""
    case.client.set_checksum(True)
    client, server = case.connect_pair()
    size = case.size(stock=4, test=1) * MEGABYTE
    exchange(client, server, size, size)
    case.expect_mptcp()


@scenario()
def v4_mapped(case):
    """IPv6 sockets that speak IPv4: a mapped destination to a dual-stack listener."""
    listener = case.listen(socket.AF_INET6, address="::")
    client = case.keep(case.client.new_socket(socket.AF_INET6))
    client.connect(("::ffff:" + case.server.address(), case.port))
    server = case.keep(listener.accept()[0])
    size = case.size(stock=8, test=1) * MEGABYTE
    exchange(client, server, size, size)
    case.expect_mptcp()


@scenario(roles=(("ours", "ours"),))
def same_host(case):
    """Both ends on one host, over the loopback device."""
    listener = case.keep(case.server.new_socket())
    listener.bind(("127.0.0.1", case.port))
    listener.listen()
    client = case.keep(case.server.new_socket())
    client.connect(("127.0.0.1", case.port))
    server = case.keep(listener.accept()[0])
    size = case.size(stock=16, test=2) * MEGABYTE
    exchange(client, server, size, size)
    case.expect_counter(case.server, "MPCapableSYNACKRX")
    case.expect_counter(case.server, "MPCapableACKRX")
