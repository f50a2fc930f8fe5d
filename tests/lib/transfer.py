# SPDX-License-Identifier: GPL-2.0
"""Streams of known content, sent and received with SHA-256 on both sides."""

import hashlib
import random
import socket
import threading
import time
from dataclasses import dataclass

CHUNK = 256 * 1024
_POOL = random.Random(8684).randbytes(4 * 1024 * 1024)


def stream(size: int, seed: int = 0):
    """Chunks of a reproducible stream; a chunk at another place or of another seed differs."""
    pool, at, sent = memoryview(_POOL), seed * 7919, 0
    while sent < size:
        start = at % (len(pool) - CHUNK)
        take = min(CHUNK, size - sent)
        yield pool[start : start + take]
        at += 65537
        sent += take


def content(size: int, seed: int = 0) -> bytes:
    """The first `size` bytes of stream(seed) in one piece."""
    return b"".join(stream(size, seed))


def digest(size: int, seed: int = 0) -> str:
    """SHA-256 of the first `size` bytes of stream(seed)."""
    total = hashlib.sha256()
    for chunk in stream(size, seed):
        total.update(chunk)
    return total.hexdigest()


@dataclass
class Received:
    """What one receiver got until end of file."""

    size: int = 0
    sha256: str = ""


def send_stream(sock: socket.socket, size: int, seed: int = 0) -> None:
    """Sends a stream and then shuts the sending half down."""
    for chunk in stream(size, seed):
        sock.sendall(chunk)
    sock.shutdown(socket.SHUT_WR)


def receive_stream(sock: socket.socket, pause: float = 0, chunk: int = CHUNK) -> Received:
    """Receives until end of file, hashing; `pause` seconds between reads make a slow reader."""
    buffer = bytearray(chunk)
    view = memoryview(buffer)
    total, size = hashlib.sha256(), 0
    while count := sock.recv_into(buffer):
        total.update(view[:count])
        size += count
        if pause:
            time.sleep(pause)
    return Received(size, total.hexdigest())


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or fewer where the peer ended the stream."""
    parts, missing = [], size
    while missing and (part := sock.recv(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class Task(threading.Thread):
    """A thread whose result or exception is handed to the one who joins it."""

    def __init__(self, function, *arguments, **options):
        super().__init__(daemon=True)
        self._call = (function, arguments, options)
        self._value = None
        self._error = None
        self.start()

    def run(self):
        function, arguments, options = self._call
        try:
            self._value = function(*arguments, **options)
        except BaseException as error:  # handed on by result()
            self._error = error

    def result(self, limit: float | None = None):
        """Waits for the end and gives the value back, or raises what the thread raised."""
        self.join(limit)
        if self.is_alive():
            name = self._call[0].__name__
            raise TimeoutError(f"{name} did not end within {limit} seconds")
        if self._error is not None:
            raise self._error
        return self._value


def gather(tasks: dict[str, Task]) -> dict:
    """Results of all tasks; the first one that fails ends the wait, whatever the others do."""
    while any(task.is_alive() for task in tasks.values()):
        for name, task in tasks.items():
            task.join(0.05)
            if not task.is_alive():
                _result_of(name, task)
    return {name: _result_of(name, task) for name, task in tasks.items()}


def _result_of(name: str, task: Task):
    try:
        return task.result()
    except Exception as error:
        error.add_note(f"in the {name}")
        raise


def exchange(client: socket.socket, server: socket.socket, up: int, down: int, **reader) -> None:
    """Streams `up` bytes to the server and `down` bytes back at the same time; checks both."""
    tasks = {
        "upload sender": Task(send_stream, client, up, 1),
        "upload receiver": Task(receive_stream, server, **reader),
        "download sender": Task(send_stream, server, down, 2),
        "download receiver": Task(receive_stream, client, **reader),
    }
    results = gather(tasks)
    check_stream("upload", results["upload receiver"], up, 1)
    check_stream("download", results["download receiver"], down, 2)


def check_stream(what: str, got: Received, size: int, seed: int) -> None:
    """Raises unless exactly the stream of that size and seed was received."""
    if got.size != size:
        raise AssertionError(f"{what}: {got.size} of {size} bytes arrived before end of file")
    if got.sha256 != digest(size, seed):
        raise AssertionError(f"{what}: all {size} bytes arrived but SHA-256 differs")
