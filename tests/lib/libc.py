# SPDX-License-Identifier: GPL-2.0
"""Socket calls as the C library makes them, where Python's own wrap or repeat them."""

import ctypes
import os
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(value: int) -> int:
    if value < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return value


def recv(sock: socket.socket, size: int, flags: int = 0) -> bytes:
    """recv(2) without Python's repetition after a signal."""
    buffer = ctypes.create_string_buffer(size)
    count = _checked(_libc.recv(sock.fileno(), buffer, ctypes.c_size_t(size), flags))
    return buffer.raw[: min(count, size)]


def recv_count(sock: socket.socket, size: int, flags: int, room: int | None = None) -> int:
    """What recv(2) returns, which MSG_TRUNC may make more than what was copied."""
    buffer = ctypes.create_string_buffer(room or size)
    return _checked(_libc.recv(sock.fileno(), buffer, ctypes.c_size_t(size), flags))


def recv_null(sock: socket.socket, size: int, flags: int) -> int:
    """recv(2) into no buffer at all, as MSG_TRUNC allows on a stream."""
    return _checked(_libc.recv(sock.fileno(), None, ctypes.c_size_t(size), flags))


def send(sock: socket.socket, data: bytes, flags: int = 0) -> int:
    """send(2) without Python's repetition after a signal."""
    return _checked(_libc.send(sock.fileno(), data, ctypes.c_size_t(len(data)), flags))


def accept4(sock: socket.socket, flags: int) -> int:
    """accept4(2) with no address asked for; the caller owns the descriptor."""
    return _checked(_libc.accept4(sock.fileno(), None, None, flags))


def connect_raw(sock: socket.socket, address: bytes) -> int:
    """connect(2) with these very bytes as the socket address."""
    return _checked(_libc.connect(sock.fileno(), address, len(address)))


def bind_raw(sock: socket.socket, address: bytes) -> int:
    """bind(2) with these very bytes as the socket address."""
    return _checked(_libc.bind(sock.fileno(), address, len(address)))


def getsockopt(sock: socket.socket, level: int, name: int, buffer, length: ctypes.c_int) -> None:
    """getsockopt(2): `length` goes in as the room in the buffer and comes back as the kernel left it."""
    _checked(_libc.getsockopt(sock.fileno(), level, name, buffer, ctypes.byref(length)))


def address_v4(host: str, port: int) -> bytes:
    """struct sockaddr_in."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))


def connect(sock: socket.socket, host: str, port: int) -> int:
    """connect(2) over IPv4 without Python's own waiting after a signal."""
    return connect_raw(sock, address_v4(host, port))


def send_null(sock: socket.socket, size: int) -> int:
    """send(2) from no buffer at all."""
    return _checked(_libc.send(sock.fileno(), None, ctypes.c_size_t(size), socket.MSG_NOSIGNAL))
