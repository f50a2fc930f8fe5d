# SPDX-License-Identifier: GPL-2.0
"""Many connections at a time through one event loop: what is sent comes back, and every byte is compared."""

import errno
import random
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PIECE = 1 << 16
HELD = 1 << 18  # bytes that the echoing side keeps before it stops to read
_POOL = random.Random(6824).randbytes(1 << 20)
_TWICE = memoryview(_POOL + _POOL)
# What a connect may meet while a network changes.
NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EADDRNOTAVAIL)


def _part(place: int, size: int) -> memoryview:
    """Bytes of an endless stream, at most a piece of them."""
    start = place % len(_POOL)
    return _TWICE[start : start + min(size, PIECE)]


@dataclass
class _Asker:
    """The side that connects: it sends a stream and wants it back."""

    sock: socket.socket
    total: int
    seed: int
    sent: int = 0
    got: int = 0
    connected: bool = False

    def wants(self) -> int:
        more = self.sent < self.total or not self.connected
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if more else 0)

    def work(self, mask: int) -> bool:
        """Does what it can without waiting; whether the connection is at its end."""
        if not self.connected:
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise ConnectError(error)
            self.connected = bool(mask & selectors.EVENT_WRITE)
        if mask & selectors.EVENT_WRITE and self.sent < self.total:
            self.sent += self.sock.send(_part(self.seed + self.sent, self.total - self.sent))
            if self.sent == self.total:
                self.sock.shutdown(socket.SHUT_WR)
        if not mask & selectors.EVENT_READ:
            return False
        data = self.sock.recv(PIECE)
        if data != _part(self.seed + self.got, len(data)):
            raise AssertionError(f"bytes from {self.got} on came back differently: {self}")
        self.got += len(data)
        if not data and self.got != self.total:
            raise AssertionError(f"the stream ended early: {self}")
        return not data


@dataclass
class _Echo:
    """The side that accepted: it sends back what it gets."""

    sock: socket.socket
    held: bytearray = field(default_factory=bytearray)
    ended: bool = False

    def wants(self) -> int:
        reads = not self.ended and len(self.held) < HELD
        return (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if self.held else 0)

    def work(self, mask: int) -> bool:
        """Does what it can without waiting; whether the connection is at its end."""
        if mask & selectors.EVENT_READ:
            data = self.sock.recv(PIECE)
            self.held += data
            self.ended = not data
        if self.held and mask & selectors.EVENT_WRITE:
            del self.held[: self.sock.send(self.held[:PIECE])]
        return self.ended and not self.held


class ConnectError(OSError):
    """A connection was not made."""


class Echoes:
    """Keeps a number of connections busy; each that ended is followed by another one."""

    def __init__(self, listener: socket.socket, connect: Callable, chance: random.Random):
        """`connect` gives a socket that does not block and begins to connect it."""
        self.listener = listener
        self.connect = connect
        self.chance = chance
        self.selector = selectors.DefaultSelector()
        self.askers = 0
        self.done = 0
        self.failed = 0
        self.bytes = 0
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, None)

    def run(self, connections: int, until: float, limit: float) -> None:
        """New connections until a time of the monotonic clock; all must be at their end `limit` seconds later."""
        while time.monotonic() < until:
            while self.askers < connections and not self._at_rest():
                self._ask()
            self._turn()
        while self._busy():
            if time.monotonic() > until + limit:
                raise TimeoutError(f"connections did not end: {self._busy()}")
            self._turn()

    def close(self) -> None:
        """Closes what is still open."""
        for key in list(self.selector.get_map().values()):
            if key.data is not None:
                key.fileobj.close()
        self.selector.close()

    def _at_rest(self) -> bool:
        """Whether so many attempts failed that the network wants a moment."""
        return self.failed > 100 + self.done

    def _busy(self) -> list:
        return [key.data for key in self.selector.get_map().values() if key.data is not None]

    def _ask(self) -> None:
        total = int(2 ** self.chance.uniform(8, 20))
        try:
            sock = self.connect()
        except OSError as error:
            self._no_connection(error)
            return
        self.askers += 1
        self._watch(_Asker(sock, total, self.chance.randrange(len(_POOL))))

    def _no_connection(self, error: OSError) -> None:
        self.failed += 1
        if error.args[0] not in NO_WAY:
            raise error

    def _watch(self, side: _Asker | _Echo) -> None:
        self.selector.register(side.sock, side.wants() or selectors.EVENT_READ, side)

    def _turn(self) -> None:
        for key, mask in self.selector.select(0.1):
            if key.data is None:
                self._accept()
                continue
            side = key.data
            try:
                over = side.work(mask)
            except BlockingIOError:
                over = False
            except ConnectError as error:
                self._no_connection(error)
                over = True
            if over:
                self._end(side)
            elif side.wants():
                self.selector.modify(side.sock, side.wants(), side)

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        self._watch(_Echo(sock))

    def _end(self, side: _Asker | _Echo) -> None:
        self.selector.unregister(side.sock)
        side.sock.close()
        if isinstance(side, _Asker):
            self.askers -= 1
            self.done += side.got == side.total
            self.bytes += side.got
