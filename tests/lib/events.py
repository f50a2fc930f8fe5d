# SPDX-License-Identifier: GPL-2.0
"""poll and epoll of one socket, and waiting for what needs a moment to arrive."""

import fcntl
import select
import socket
import struct
import termios
import time

ALL = select.POLLIN | select.POLLOUT | select.POLLRDHUP | select.POLLPRI
SIOCOUTQ = termios.TIOCOUTQ
SIOCINQ = termios.FIONREAD


def poll_now(sock: socket.socket, events: int = ALL, milliseconds: int = 0) -> int:
    """The event mask that poll(2) gives for one socket."""
    poll = select.poll()
    poll.register(sock, events)
    found = poll.poll(milliseconds)
    return found[0][1] if found else 0


def fill(sock: socket.socket) -> int:
    """Sends until the socket takes nothing more, not even a little later; gives the bytes taken."""
    total, full_since = 0, time.monotonic()
    while time.monotonic() - full_since < 0.3:
        try:
            total += sock.send(bytes(65536), socket.MSG_DONTWAIT)
            full_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.02)
    return total


def wait_for(sock: socket.socket, events: int, seconds: float = 10) -> int:
    """Waits for one of the events and gives the whole mask of the socket then."""
    poll_now(sock, events, int(seconds * 1000))
    return poll_now(sock)


def wait_until(condition, what: str, seconds: float = 10) -> None:
    """Waits until the condition holds; a TimeoutError names what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds} seconds")
        time.sleep(0.01)


def queued(sock: socket.socket, request: int) -> int:
    """SIOCINQ or SIOCOUTQ of a socket."""
    return struct.unpack("i", fcntl.ioctl(sock, request, bytes(4)))[0]
