# SPDX-License-Identifier: GPL-2.0
"""A capture of connections, decoded by tshark: no malformed option, and the options expected."""

import collections
import os
import signal
import subprocess
import tempfile
import time

from lib.events import SIOCOUTQ, queued, wait_until
from lib.network import LINK
from lib.registry import OURS_ONLY, scenario
from lib.transfer import exchange, receive_exactly

SUBTYPES = {"0": "MP_CAPABLE", "2": "DSS", "7": "MP_FASTCLOSE", "8": "MP_TCPRST"}
# Of the severities of the expert's notes the one that says that a packet is broken; retransmissions and the like
# have others.
ERROR = "8388608"


class Capture:
    """tcpdump on one end's link for the time of a `with` block."""

    def __init__(self, case):
        self.namespace = case.client.namespace
        self.file = case.keep(tempfile.NamedTemporaryFile(suffix=".pcap"))
        self.process = None

    def __enter__(self):
        self.process = self.namespace.start(
            "tcpdump", "-i", LINK, "-U", "--immediate-mode", "-s", "200",
            "-Z", "root", "-w", self.file.name, "tcp",
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while line := self.process.stderr.readline():
            if "listening on" in line:
                return self
        raise RuntimeError("tcpdump did not start")

    def __exit__(self, *_):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)

    def read(self, *arguments: str) -> list[str]:
        """Lines of tshark over the captured file."""
        done = subprocess.run(
            ["tshark", "-n", "-r", self.file.name, *arguments],
            capture_output=True, text=True, timeout=200, env=os.environ | {"HOME": "/tmp"},
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"tshark: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def fields(self, *names: str) -> list[list[str]]:
        """Of each packet the fields with these names."""
        words = (word for name in names for word in ("-e", name))
        rows = self.read("-T", "fields", "-E", "separator=;", *words)
        return [row.split(";") for row in rows]


@scenario(limit=300, plain=True)
# rfc8684:3.5-2 rfc8684:3.7-2
def decoded(case):
    """Handshake, data both ways, end of the connection, and an abort."""
    with Capture(case) as capture:
        client, server = case.connect_pair()
        exchange(client, server, 300_000, 300_000)
        client.close()
        server.close()
        client, server = case.connect_pair()
        client.sendall(b"read by nobody")
        server.recv(1)
        server.close()
        time.sleep(0.2)
    # In one go: it takes tshark long to start.
    rows = capture.fields(
        "tcp.options.mptcp.subtype", "tcp.len", "_ws.malformed", "_ws.expert.severity"
    )
    counts = collections.Counter()
    without, broken = [], []
    for number, (subtypes, length, malformed, severities) in enumerate(rows, 1):
        if malformed or ERROR in severities.split(","):
            broken.append(number)
        for subtype in filter(None, subtypes.split(",")):
            counts[SUBTYPES.get(subtype, subtype)] += 1
        if int(length) > 0 and not subtypes:
            without.append(number)
    case.expect(not broken, f"malformed packets: {broken[:10]}")
    case.notes.append(f"{len(rows)} packets: {dict(counts)}")
    case.expect(not without, f"data packets without any MPTCP option: {without[:10]}")
    case.expect(counts["MP_CAPABLE"] >= 6, f"MP_CAPABLE was seen {counts['MP_CAPABLE']} times")
    case.expect(counts["MP_FASTCLOSE"] >= 1, "the abort carried no MP_FASTCLOSE")


@scenario(limit=300, plain=True, alike=True)
# rfc8684:3.3.3-2 rfc8684:3.3.3-3
def data_fin(case):
    """DATA_FIN ends each direction, and is acknowledged, before the subflows' FIN."""
    with Capture(case) as capture:
        client, server = case.connect_pair()
        exchange(client, server, 10_000, 10_000)
        client.close()
        server.close()
        time.sleep(0.5)
    rows = capture.read("-T", "fields", "-e", "ip.src", "-Y", "tcp.options.mptcp.datafin.flag == 1")
    for end in case.ends:
        case.expect(end.address() in rows, f"the {end.name} sent no DATA_FIN")


@scenario(roles=OURS_ONLY, needs_module=True, limit=300, plain=True)
# rfc8684:3.3.3-1 rfc8684:3.3.3-8
def fin_with_data_fin(case):
    """Where nothing else is outstanding, DATA_FIN and FIN share a segment: a connection ends by three, as TCP's."""
    with Capture(case) as capture:
        client, server = case.connect_pair()
        for sock, other in ((client, server), (server, client)):
            sock.sendall(b"a" * 1000)
            receive_exactly(other, 1000)
            wait_until(lambda sock=sock: queued(sock, SIOCOUTQ) == 0, "all acknowledgements")
        client.close()
        case.expect(server.recv(1) == b"", "data after the end")
        server.close()
        time.sleep(0.5)
    rows = capture.fields("ip.src", "tcp.flags.fin", "tcp.options.mptcp.datafin.flag")
    said = []
    for source, *flags in rows:
        said.append((source, *(flag in ("1", "True") for flag in flags)))
    first = next(number for number, (_, fin, data_fin) in enumerate(said) if fin or data_fin)
    here, there = case.client.address(), case.server.address()
    expected = [(here, True, True), (there, True, True), (here, False, False)]
    case.expect(said[first:] == expected, f"the end was {said[first:]}")
