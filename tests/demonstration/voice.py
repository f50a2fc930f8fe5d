# SPDX-License-Identifier: GPL-2.0
"""A voice-like stream that moves from one network to another."""

import time

from lib.case import Case
from lib.prepared import Prepared
from lib.shaped import Shape, add_links, connect, use_links
from lib.transfer import Task

from .both_ends import OURS
from .words import explain, say

WIFI, CELLULAR = Shape(10, 5), Shape(3, 25)
MESSAGE, INTERVAL = 160, 0.02
MESSAGES, HANDOVER = 400, 200


def show() -> None:
    """160 bytes every 20 ms, while Wi-Fi goes away."""
    say("7. A call moves from Wi-Fi to the cellular network")
    explain(f"Wi-Fi: {WIFI} each way; cellular: {CELLULAR} each way")
    case = Case(OURS, OURS, "stock")
    links = add_links(case, (WIFI, CELLULAR))
    use_links(case, links)
    listener, speaker = connect(case)
    tool = case.keep(Prepared(case.client.namespace, "ip"))
    hearing = Task(hear, listener)
    start = time.monotonic()
    for number in range(1, MESSAGES + 1):
        speaker.sendall(bytes(MESSAGE))
        if number == HANDOVER:
            explain(f"after {number * INTERVAL:.0f} s: client $ ip link set {links[0]} down")
            tool.do(f"link set {links[0]} down")
        time.sleep(max(0.0, start + number * INTERVAL - time.monotonic()))
    gaps = hearing.result(60)
    rate = MESSAGE * 8 / INTERVAL / 1000
    every = f"{MESSAGES} messages of {MESSAGE} bytes every {INTERVAL * 1000:.0f} ms"
    explain(
        f"{every} ({rate:.0f} kbit/s): all arrived; the longest gap between two was {max(gaps) * 1000:.0f} ms "
        f"(usually {sorted(gaps)[len(gaps) // 2] * 1000:.0f} ms)"
    )
    case.finish()


def hear(sock) -> list[float]:
    """Seconds between arrivals, until all messages are there."""
    last, size, gaps = time.monotonic(), 0, []
    while size < MESSAGES * MESSAGE:
        part = sock.recv(4096)
        if not part:
            raise SystemExit("the call was cut off")
        now = time.monotonic()
        gaps.append(now - last)
        last, size = now, size + len(part)
    return gaps
