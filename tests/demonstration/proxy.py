# SPDX-License-Identifier: GPL-2.0
"""A server that knows only TCP, reached over two paths through haproxy."""

from pathlib import Path

from lib.case import Case
from lib.namespace import Namespace
from lib.shaped import add_links, use_links
from lib.stack import TCP

from .both_ends import OURS
from .paths import LINKS, SMALL, speed
from .web import PORT, Daemon, Download, make_file, nginx, show_counters
from .words import explain, say

HAPROXY = """
global
    maxconn 100
    nbthread 1
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen all
    bind 0.0.0.0:{port}
    server origin {origin}:{port}
"""
ORIGIN = "10.0.9.2"


def show(place: str) -> None:
    """curl, this module, two paths, haproxy, plain TCP, nginx."""
    say("8. A server that knows only TCP, behind a proxy that knows both")
    case = Case(OURS, OURS, "stock")
    use_links(case, add_links(case, LINKS))
    origin = Namespace("origin")
    connect_origin(case.server.namespace, origin)
    settings = Path(place, "haproxy.cfg")
    settings.write_text(HAPROXY.format(port=PORT, origin=ORIGIN))
    file = make_file(Path(place, "small"), SMALL)
    command = ["haproxy", "-q", "-db", "-f", str(settings)]
    with (
        nginx("origin", origin, TCP, place),
        Daemon("proxy", case.server.namespace, OURS, command, PORT),
    ):
        seconds = Download(case, file, case.server.address()).finish()
    explain(f"{SMALL} MB in {seconds:.1f} s ({speed(SMALL, seconds):.1f} Mbit/s), SHA-256 equal")
    for end in case.ends:
        show_counters(end)
    explain("The client spoke MPTCP over both paths; to the origin the proxy fell back to TCP.")
    file.unlink()
    case.finish()


def connect_origin(proxy: Namespace, origin: Namespace) -> None:
    """A link of its own between the proxy and the server behind it."""
    proxy.run(
        "ip", "link", "add", "origin", "type", "veth", "peer", "name", "proxy", "netns", origin.path
    )
    for namespace, device, address in ((proxy, "origin", "10.0.9.1"), (origin, "proxy", ORIGIN)):
        namespace.run("ip", "addr", "add", f"{address}/24", "dev", device)
        namespace.run("ip", "link", "set", device, "up")
