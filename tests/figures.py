#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Downloads under simulated caches: how steering changes what the receiving processors must fetch.

Runs in the guest that scripts/figures boots with the cache plugin. One process sends on processor 0, which
also handles the acknowledgements; another reads on the last. What arrives is spread over all processors but the
first by its hash, as a network card with several queues spreads it, unless somebody steers it. Segments are not
merged: each is handled by itself. Writes a line of JSON for each measurement to the file that is named, under
the number by which the plugin knows it.
"""

import argparse
import json
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib.downloads import CHUNK, OURS, Paths, send  # noqa: E402
from lib.marks import make_marks  # noqa: E402
from lib.stack import BUILTIN, Stack, module_has  # noqa: E402
from lib.steering import MODES, on_processor, processors, set_table  # noqa: E402
from lib.transfer import Task  # noqa: E402

WARM_UP = 1 << 20
MARK = 0x4D500000


def receive(sock: socket.socket, amount: int, begin, end) -> int:
    """Reads until the end of the stream; what comes after the warm-up, and before the last bytes, is
    between the marks. Gives the bytes between them."""
    buffer = bytearray(CHUNK)
    got, marked = 0, 0
    while count := sock.recv_into(buffer):
        got += count
        if not marked and got >= WARM_UP:
            begin()
            marked = got
        elif got >= amount - CHUNK and end:
            end()
            end, marked = None, got - marked
    return marked


def measure(paths: Paths, stack: Stack, amount: int, begin, end) -> int:
    """One download; gives the bytes that were counted."""
    client, server, listener = paths.connect(stack)
    first, *_, last = processors()
    sender = Task(on_processor, first, send, client, amount)
    reader = Task(on_processor, last, receive, server, amount, begin, end)
    counted = reader.result(600)
    sender.result(600)
    for sock in (client, server, listener):
        sock.close()
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--mebibytes", type=int, default=4)
    parser.add_argument("--subflows", default="1,2,4,8")
    options = parser.parse_args()
    if not module_has(OURS.protocol):
        raise SystemExit("the module is not loaded with protocol=261")
    counts = [int(count) for count in options.subflows.split(",")]
    rows = [(count, mode) for count in counts for mode in (*MODES, "builtin")]
    marks = make_marks(MARK, len(rows) + 1)
    set_table(32768)
    # Whatever happens only once shall not count.
    measure(Paths(1), OURS, options.mebibytes << 20, marks[0], marks[0])
    with options.results.open("w") as results:
        for phase, (count, mode) in enumerate(rows, start=1):
            paths = Paths(count)
            stack = BUILTIN if mode == "builtin" else OURS
            if stack is OURS:
                paths.network.server.sysctl("net.mptcp_rs.steering", mode)
                paths.network.server.sysctl("net.mptcp_rs.steering_cpus", "1-%d" % processors()[-1])
            counted = measure(paths, stack, options.mebibytes << 20, marks[phase], marks[0])
            line = {"phase": phase, "mode": mode, "subflows": count, "bytes": counted}
            print(json.dumps(line), file=results, flush=True)
            print(f"{mode} with {count} subflows: {counted} bytes", flush=True)


if __name__ == "__main__":
    main()
