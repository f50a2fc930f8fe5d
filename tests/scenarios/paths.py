# SPDX-License-Identifier: GPL-2.0
"""What the path managers of both ends do with endpoints, limits, addresses and links."""

import socket
import struct
import threading

from lib.events import wait_until
from lib.netlink import attributes, u8, u32
from lib.network import filter_counts, filter_packets
from lib.path_manager import (
    ADDR_REMOTE,
    ANNOUNCE,
    BACKUP,
    CLOSED,
    CREATED,
    DEL_ADDR,
    ESTABLISHED,
    EVENT_LOC_ID,
    EVENT_SPORT,
    EVENT_TOKEN,
    EVENTS,
    FULLMESH,
    LOC_ID,
    REMOVE,
    SET_FLAGS,
    SIGNAL,
    SUB_CLOSED,
    SUB_ESTABLISHED,
    SUBFLOW,
    SUBFLOW_CREATE,
    SUBFLOW_DESTROY,
    TOKEN,
    PathManager,
    described,
)
from lib.registry import MPTCP_ROLES, OURS_ONLY, scenario
from lib.transfer import exchange, receive_exactly

MEGABYTE = 1 << 20
OUR_CLIENT = (("ours", "ours"), ("ours", "builtin"))


class Paths:
    """Two ends on two links, with a path manager each."""

    def __init__(self, case, links: int = 2):
        self.case = case
        self.links = [case.network.add_link(number) for number in range(2, links + 1)]
        self.client = case.keep(PathManager(case.client.namespace, case.client.stack))
        self.server = case.keep(PathManager(case.server.namespace, case.server.stack))
        self.client.limits(8, 8)
        self.server.limits(8, 8)

    def index(self, end, number: int) -> int:
        """The index of the link with this number at an end."""
        with end.namespace:
            return socket.if_nametoindex(f"veth{number - 1}")

    def leave_from(self, number: int, flags: int = SUBFLOW) -> None:
        """An endpoint of the client on the link with this number."""
        index = self.index(self.case.client, number)
        self.client.add(f"10.0.{number}.1", flags, interface=index)

    def begin(self) -> tuple[socket.socket, socket.socket]:
        """A connection over which a byte went in each direction."""
        # The kernel's own takes subflows in only as long as somebody listens.
        listener = self.case.listen()
        client = self.case.connect()
        server = self.case.keep(listener.accept()[0])
        self.ping(client, server)
        return client, server

    def begin_with_two(self) -> tuple[socket.socket, socket.socket]:
        """As `begin`, with a second subflow from the client's second link."""
        self.leave_from(2)
        pair = self.begin()
        self.joined()
        return pair

    def ping(self, client: socket.socket, server: socket.socket) -> None:
        """A byte in each direction."""
        client.sendall(b"?")
        self.case.expect(receive_exactly(server, 1) == b"?", "the question")
        server.sendall(b"!")
        self.case.expect(receive_exactly(client, 1) == b"!", "the answer")

    def wait_for(self, end, name: str, count: int = 1) -> None:
        """Until a counter has come so far; then it must not be further."""
        wait_until(lambda: end.counter(name) >= count, f"{name}={count} at the {end.name}")
        self.case.expect_counter(end, name, count, count)

    def joined(self, count: int = 1) -> None:
        """So many subflows joined, opened by the client."""
        self.wait_for(self.case.server, "MPJoinAckRx", count)
        self.case.expect_counter(self.case.client, "MPJoinSynAckRx", count, count)


@scenario(all_roles=True)
def subflow_endpoint(case):
    """An endpoint of the client: a subflow leaves from it, and carries data."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_mptcp()


@scenario(all_roles=True)
def subflow_endpoint_later(case):
    """An endpoint that the client gets while the connection lives."""
    paths = Paths(case)
    client, server = paths.begin()
    paths.leave_from(2)
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(all_roles=True)
def signal_endpoint(case):
    """An endpoint of the server: it is announced and confirmed, and the client connects to it."""
    paths = Paths(case)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    paths.wait_for(case.client, "AddAddr")
    paths.wait_for(case.server, "EchoAdd")
    paths.joined()
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(all_roles=True)
def announced_and_not_accepted(case):
    """Without the limits for it an announced address is confirmed and not used."""
    paths = Paths(case)
    paths.client.limits(0, 8)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    paths.wait_for(case.server, "EchoAdd")
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", 0, 0)


@scenario(all_roles=True)
def no_more_than_the_limits(case):
    """The client opens as many subflows as both ends' limits allow."""
    paths = Paths(case, links=4)
    paths.client.limits(0, 2)
    for number in (2, 3, 4):
        paths.leave_from(number)
    client, server = paths.begin()
    paths.joined(2)
    exchange(client, server, MEGABYTE, MEGABYTE)
    case.expect_counter(case.client, "MPJoinSynTx", 2, 2)


@scenario(all_roles=True, at_once=True)
def endpoint_removed(case):
    """The client removes an endpoint: its subflow goes, the peer is told, the connection goes on."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    paths.client.remove(1)
    paths.wait_for(case.server, "RmAddr")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_CLIENT, all_roles=True, variants={"idle": (False,), "busy": (True,)}, at_once=True)
# rfc8684:3.4.2-8
def endpoint_removed_in_order(case, busy):
    """The subflow of an endpoint that is removed ends by FIN, and the client resets nothing.

    The kernel's own closes its end when it is told of the removal, and answers data that comes after that with a
    RST. Then the client has nothing left to end.
    """
    filter_packets(case.client.namespace, "prerouting", "iifname veth1 tcp flags & rst == rst counter")
    filter_packets(
        case.server.namespace,
        "prerouting",
        "iifname veth1 tcp flags & rst == rst counter",
        "iifname veth1 tcp flags & fin == fin counter",
    )
    paths = Paths(case)
    client, server = paths.begin_with_two()
    timer = threading.Timer(0.2 if busy else 0, paths.client.remove, (1,))
    timer.start()
    if not busy:
        timer.join()
        paths.wait_for(case.server, "RmAddr")
    size = case.size(stock=16 * MEGABYTE, test=4 * MEGABYTE) if busy else MEGABYTE
    exchange(client, server, size, size)
    timer.join()
    paths.wait_for(case.server, "RmAddr")
    may_reset = busy and case.server.stack.name == "builtin"
    wait_until(
        lambda: filter_counts(case.server.namespace)[1] > 0
        or (may_reset and filter_counts(case.client.namespace)[0] > 0),
        "a FIN",
    )
    resets = filter_counts(case.server.namespace)[0]
    case.expect(resets == 0, f"{resets} RSTs")


@scenario(roles=OURS_ONLY, at_once=True)
def endpoint_removed_while_closing(case):
    """An endpoint is removed while connections end whose subflows from it are about to join: no socket stays."""
    paths = Paths(case)
    listener = case.listen()
    # The subflows wait so long for the answers to their third ACKs.
    case.server.namespace.run("tc", "qdisc", "add", "dev", "veth1", "root", "netem", "delay", "400ms")
    count = case.size(stock=20, test=8)
    for turn in range(1, 6):
        paths.leave_from(2)
        pairs = []
        for _ in range(count):
            client = case.connect()
            pairs.append((client, listener.accept()[0]))
            paths.ping(*pairs[-1])
        paths.wait_for(case.client, "MPJoinSynAckRx", turn * count)
        for client, server in pairs:
            server.close()
            case.expect(client.recv(1) == b"", "data after the end")
        ((id, *_),) = paths.client.endpoints()
        removing = threading.Thread(target=paths.client.remove, args=(id,))
        removing.start()
        for client, _ in pairs:
            client.close()
        removing.join()


@scenario(all_roles=True)
def announcement_removed(case):
    """The server withdraws an address: the client gives its subflow up and the connection goes on."""
    paths = Paths(case)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    paths.joined()
    paths.server.remove(1)
    paths.wait_for(case.client, "RmAddr")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(all_roles=True)
def backup_later(case):
    """A subflow becomes a backup and stops to be one, and the peer is told each time."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    paths.client.must(SET_FLAGS, described(id=1, flags=BACKUP))
    paths.wait_for(case.server, "MPPrioRx", 1)
    paths.client.must(SET_FLAGS, described(id=1, flags=0))
    paths.wait_for(case.server, "MPPrioRx", 2)
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(all_roles=True)
def fullmesh(case):
    """From each fullmesh endpoint to each address of the server."""
    paths = Paths(case, links=3)
    paths.leave_from(2, SUBFLOW | FULLMESH)
    paths.leave_from(3, SUBFLOW | FULLMESH)
    paths.server.add("10.0.2.2", SIGNAL)
    client, server = paths.begin()
    paths.joined(4)
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_CLIENT, all_roles=True, needs_module=True)
def address_gone(case):
    """An address goes away: its subflow too, and the peer is told; it comes back and is used again."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    link = paths.links[0]
    case.client.namespace.run("ip", "addr", "del", "10.0.2.1/24", "dev", link)
    paths.wait_for(case.server, "RmAddr")
    paths.ping(client, server)
    case.client.namespace.run("ip", "addr", "add", "10.0.2.1/24", "dev", link)
    paths.joined(2)
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OUR_CLIENT, all_roles=True, needs_module=True)
def link_down(case):
    """The first subflow's link goes down: the connection goes on over the other."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    case.client.namespace.run("ip", "link", "set", "veth0", "down")
    paths.wait_for(case.server, "RmAddr")
    exchange(client, server, MEGABYTE, MEGABYTE)
    # What the kernel's own MPTCP still says there is answered only now; it would repeat it for minutes.
    case.client.namespace.run("ip", "link", "set", "veth0", "up")


@scenario(roles=MPTCP_ROLES, all_roles=True)
def first_address_removed(case):
    """The administrator removes the address of the first subflow, which has the id 0."""
    paths = Paths(case)
    client, server = paths.begin_with_two()
    paths.client.must(DEL_ADDR, described("10.0.1.1", id=0))
    paths.wait_for(case.server, "RmAddr")
    exchange(client, server, MEGABYTE, MEGABYTE)


@scenario(roles=OURS_ONLY, needs_module=True)
def several_per_pair(case):
    """net.mptcp_rs.subflows_per_pair: subflows that differ in the client's port alone."""
    paths = Paths(case, links=1)
    case.client.namespace.sysctl("net.mptcp_rs.subflows_per_pair", 3)
    client, server = paths.begin()
    paths.joined(2)
    exchange(client, server, MEGABYTE, MEGABYTE)


def expect_event(case, program: PathManager, number: int) -> dict[int, bytes]:
    """The attributes of the next event, which is this one."""
    found, raw = program.news()
    case.expect(found == number, f"event {found} came in place of {number}")
    return attributes(raw)


@scenario(all_roles=True)
def managed_by_a_program(case):
    """A program at the client is told of the connection, and gives orders."""
    paths = Paths(case)
    directory = "mptcp_rs" if case.client.stack.counters == "module" else "mptcp"
    case.client.namespace.sysctl(f"net.{directory}.pm_type", 1)
    program = case.keep(PathManager(case.client.namespace, case.client.stack))
    program.listen(EVENTS)
    client, server = paths.begin()
    token = expect_event(case, program, CREATED)[EVENT_TOKEN]
    expect_event(case, program, ESTABLISHED)
    token = u32(TOKEN, struct.unpack("=I", token)[0])
    wrong = paths.client.request(ANNOUNCE, u32(TOKEN, 1) + described("10.0.2.1", 3, SIGNAL))
    case.expect(wrong.message == "invalid token", f"{wrong}")

    index = paths.index(case.client, 2)
    local = described("10.0.2.1", id=2, interface=index)
    remote = described("10.0.1.2", port=case.port, number=ADDR_REMOTE)
    paths.client.must(SUBFLOW_CREATE, token + local + remote)
    event = expect_event(case, program, SUB_ESTABLISHED)
    case.expect(event[EVENT_LOC_ID] == b"\2", f"the subflow has the id {event[EVENT_LOC_ID]}")
    paths.ping(client, server)

    paths.client.must(ANNOUNCE, token + described("10.0.3.1", id=3, flags=SIGNAL))
    paths.wait_for(case.server, "AddAddr")
    unknown = paths.client.request(REMOVE, token + u8(LOC_ID, 77))
    case.expect(unknown.message == "address with id 77 not found", f"{unknown}")
    paths.client.must(REMOVE, token + u8(LOC_ID, 3))
    paths.wait_for(case.server, "RmAddr")

    port = struct.unpack("!H", event[EVENT_SPORT])[0]
    local = described("10.0.2.1", id=2, port=port)
    paths.client.must(SUBFLOW_DESTROY, token + local + remote)
    expect_event(case, program, SUB_CLOSED)
    exchange(client, server, MEGABYTE, MEGABYTE)
    client.close()
    server.close()
    while program.news()[0] != CLOSED:
        pass
