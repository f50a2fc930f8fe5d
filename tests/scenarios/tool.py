# SPDX-License-Identifier: GPL-2.0
"""The mptcp-rs command: like ip(8) where ip has the same, on the kernel's own path manager and on ours."""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from lib.events import wait_until
from lib.network import LINK
from lib.path_manager import FAMILIES
from lib.registry import OURS_ONLY, scenario
from lib.tool import Monitor, Screen, ToolError, ask_tool, run_tool, tool_path
from lib.transfer import exchange, receive_exactly

BUILTIN_ONLY = (("builtin", "builtin"),)
KERNEL_FAMILY = "mptcp_pm"

# What both commands are asked to do, one after the other; `*` marks what both
# refuse, `!` what ip(8) lets pass and ours refuses.
COMMANDS = f"""
limits
limits set subflows 8
limits set add_addr_accepted 3 subflows 4
limits show
*limits set subflows 65
!limits set
endpoint
endpoint add 10.0.1.1 dev {LINK} id 7 signal
endpoint add 10.0.1.3 subflow backup
endpoint add fd00:1::5 dev {LINK} subflow fullmesh
endpoint add fd00:1::6
*endpoint add 10.0.1.1
*endpoint add 10.0.1.4 id 7
!endpoint add 10.0.1.4 id 0
*endpoint add 10.0.1.4 id 256
*endpoint add 10.0.1.4 dev nothing
*endpoint add 10.0.1.4 port 80
*endpoint add 10.0.1.4 signal fullmesh
!endpoint add 10.0.1
*endpoint add
!endpoint add 10.0.1.4 implicit
endpoint show
endpoint show id 7
*endpoint show id 99
endpoint change id 7 backup
endpoint change 10.0.1.3 nobackup
*endpoint change id 7 signal
*endpoint change 10.0.9.9 backup
*endpoint change id 99 backup
endpoint show
endpoint add 10.0.1.1 port 8684 signal
endpoint show
endpoint change 10.0.1.1 port 8684 backup
endpoint
endpoint delete id 7
endpoint del id 8
*endpoint delete id 7
*endpoint delete id 2 10.0.1.1
*endpoint delete id 0
*endpoint delete
e s
endpoint flush
endpoint show
limits set subflows 0 add_addr_accepted 0
l sh
"""


def family_of(end) -> str:
    """The netlink family of an end's implementation."""
    return FAMILIES[end.stack.counters]


def outcome(namespace, *command):
    """What the command prints, or None where it refuses."""
    with namespace:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else None


@scenario(roles=(("ours", "builtin"), ("builtin", "builtin")), plain=True)
def as_ip(case):
    """Every command of ip-mptcp does the same, line by line and as JSON, with our family and the kernel's own."""
    family = family_of(case.client)
    ours, theirs = case.client.namespace, case.server.namespace
    theirs.run("ip", "addr", "add", "10.0.1.1/24", "dev", LINK)
    for line in COMMANDS.strip().splitlines():
        words = line.lstrip("*!").split()
        got = outcome(ours, tool_path(), "--family", family, *words)
        wanted = None if line.startswith("!") else outcome(theirs, "ip", "mptcp", *words)
        case.expect(got == wanted, f"{words}: {got!r}, ip says {wanted!r}")
        case.expect((got is None) == line.startswith(("*", "!")), f"mptcp-rs {words}: {got!r}")
    for arguments in (("10.0.1.1", "dev", LINK, "signal", "port", "90"), ("fd00:1::5", "subflow", "backup")):
        run_tool(ours, "endpoint", "add", *arguments, family=family)
        theirs.run("ip", "mptcp", "endpoint", "add", *arguments)
    got = ask_tool(ours, "endpoint", "show", family=family)
    wanted = json.loads(theirs.run("ip", "-j", "mptcp", "endpoint", "show"))
    case.expect(got == wanted, f"{got}, ip says {wanted}")
    run_tool(ours, "endpoint", "flush", family=family)
    theirs.run("ip", "mptcp", "endpoint", "flush")
    limits = ask_tool(ours, "limits", family=family)
    case.expect(limits == {"add_addr_accepted": 0, "subflows": 0}, f"limits as JSON: {limits}")


def refusal(namespace, *words, family=None) -> str:
    """The words with which the command refuses."""
    try:
        run_tool(namespace, *words, family=family)
    except ToolError as error:
        return str(error).split("error: ", 1)[-1]
    raise AssertionError(f"mptcp-rs {words} was not refused")


@scenario(roles=BUILTIN_ONLY, plain=True)
def refusals(case):
    """A refusal is one sentence: the kernel's reason, missing rights, a family that is not there."""
    here = case.client.namespace
    said = refusal(here, "endpoint", "del", "id", "9", family=KERNEL_FAMILY)
    case.expect(said == "the kernel refused: address not found (Invalid argument)", said)
    said = refusal(here, "announce", "10.0.1.1", "id", "9", "token", "beef", family=KERNEL_FAMILY)
    case.expect(said == "the kernel refused: invalid token (Invalid argument)", said)
    said = refusal(here, "limits", family="mptcp_none")
    case.expect(said.startswith("the kernel has no netlink family mptcp_none:"), said)
    # Nobody's rights: reading is free, changing is not.
    nobody = ("setpriv", "--reuid=65534", "--clear-groups", tool_path(), "--family", KERNEL_FAMILY)
    here.run(*nobody, "endpoint", "show")
    with here:
        done = subprocess.run((*nobody, "endpoint", "flush"), capture_output=True, text=True, timeout=60)
    case.expect(done.returncode == 1, f"status {done.returncode} without rights")
    case.expect("CAP_NET_ADMIN" in done.stderr, done.stderr)


def two_addresses(case) -> None:
    """Gives the client a second address, and both ends room for a second subflow."""
    case.client.namespace.run("ip", "addr", "add", "10.0.1.3/24", "dev", LINK)
    for end in case.ends:
        run_tool(end.namespace, "limits", "set", "subflows", "4", family=family_of(end))


def converse(client, server) -> None:
    """Some bytes each way, after which both ends may have more subflows; the streams stay open."""
    for sender, receiver in ((client, server), (server, client), (client, server)):
        sender.sendall(bytes(1000))
        receive_exactly(receiver, 1000)


def as_later_versions(line: str) -> str:
    """A line of ip-mptcp 6.15 as later versions print it: names for flags, kinds 16 wide, listeners known."""
    line = re.sub(r"^\[\s*(\w+)\]", lambda found: f"[{found[1]:>16}]", line)
    line = line.replace("[UNKNOWN 15]", "").replace("[UNKNOWN 16]", "")
    return re.sub(r" flags=2$", " server_side", line)


@scenario(roles=BUILTIN_ONLY, plain=True)
def events_as_ip(case):
    """monitor prints what ip-mptcp prints, while subflows come and go."""
    two_addresses(case)
    here = case.client.namespace
    ours = case.keep(Monitor(here, tool_path(), "--family", KERNEL_FAMILY, "monitor"))
    theirs = case.keep(Monitor(here, "ip", "mptcp", "monitor"))
    time.sleep(1)
    listener = case.listen()
    client = case.connect()
    server = case.keep(listener.accept()[0])
    converse(client, server)
    run_tool(here, "endpoint", "add", "10.0.1.3", "id", "5", "subflow", family=KERNEL_FAMILY)
    wait_until(lambda: case.server.counter("MPJoinAckRx") == 1, "the second subflow")
    run_tool(here, "endpoint", "change", "id", "5", "backup", family=KERNEL_FAMILY)
    run_tool(here, "endpoint", "delete", "id", "5", family=KERNEL_FAMILY)
    client.close()
    server.close()
    time.sleep(1)
    got, wanted = ours.stop(), [as_later_versions(line) for line in theirs.stop()]
    for name in ("CREATED", "ESTABLISHED", "SF_ESTABLISHED", "SF_CLOSED", "CLOSED"):
        case.expect(any(f"{name}]" in line for line in got), f"no {name} in {got}")
    case.expect(got == wanted, f"{got}, ip says {wanted}")


def subflows_of(end) -> list[dict]:
    """What the command says of an end's subflows."""
    return ask_tool(end.namespace, "subflows", family=family_of(end))


@scenario(roles=(("ours", "builtin"), ("builtin", "ours")), all_roles=True)
def events(case):
    """monitor tells of a connection's life at both ends, with our family and the kernel's own."""
    watches = {}
    for end in case.ends:
        words = ("--family", family_of(end), "--json", "monitor")
        watches[end.name] = case.keep(Monitor(end.namespace, tool_path(), *words))
    time.sleep(1)
    client, server = case.connect_pair()
    converse(client, server)
    tokens = {end.name: int(subflows_of(end)[0]["token"], 16) for end in case.ends}
    client.close()
    server.close()
    time.sleep(1)
    for name, watch in watches.items():
        lived = [json.loads(line) for line in watch.stop()]
        lived = [event for event in lived if not event["event"].startswith("LISTENER")]
        kinds = [event["event"] for event in lived]
        case.expect(kinds == ["CREATED", "ESTABLISHED", "CLOSED"], f"{name}: {lived}")
        case.expect({int(event["token"], 16) for event in lived} == {tokens[name]}, f"{name}: {lived}")
        served = lived[1].get("server_side", False)
        case.expect(served == (name == "server"), f"{name}: {lived}")


@scenario(roles=(*BUILTIN_ONLY, *OURS_ONLY))
def by_hand(case):
    """A path manager in user space: subflows opened, made backups and closed, addresses announced and taken back."""
    for end in case.ends:
        place = "mptcp_rs" if end.stack.counters == "module" else "mptcp"
        end.namespace.sysctl(f"net.{place}.pm_type", 1)
    two_addresses(case)
    watch = (tool_path(), "--family", family_of(case.client), "--json", "monitor")
    events = case.keep(Monitor(case.client.namespace, *watch))
    time.sleep(1)
    listener = case.listen()
    client = case.connect()
    server = case.keep(listener.accept()[0])
    converse(client, server)
    tokens = {end.name: subflows_of(end)[0]["token"] for end in case.ends}

    def order(end, *words):
        run_tool(end.namespace, *words, "token", tokens[end.name], family=family_of(end))

    def count(end, name, value):
        wait_until(lambda: end.counter(name) == value, f"{name} {value} of the {end.name}")

    remote = f"10.0.1.2:{case.port}"
    order(case.client, "subflow", "add", "local", "10.0.1.3", "id", "5", "remote", remote)
    count(case.server, "MPJoinAckRx", 1)
    words = ("endpoint", "show", "token", tokens["client"])
    shown = ask_tool(case.client.namespace, *words, family=family_of(case.client))
    case.expect([(one["id"], one["address"]) for one in shown] == [(5, "10.0.1.3")], f"{shown}")
    for id, found in (("5", shown), ("6", [])):
        one = ask_tool(case.client.namespace, *words, "id", id, family=family_of(case.client))
        case.expect(one == found, f"{one}")
    [local] = [end["local"] for end in subflows_of(case.client) if "10.0.1.3" in end["local"]]
    path = ("local", local, "remote", remote)
    order(case.client, "subflow", "backup", *path)
    count(case.server, "MPPrioRx", 1)
    order(case.client, "subflow", "backup", *path, "off")
    count(case.server, "MPPrioRx", 2)
    order(case.server, "announce", "10.0.1.2", "id", "9")
    count(case.client, "AddAddr", 1)
    order(case.server, "remove", "id", "9")
    count(case.client, "RmAddr", 1)
    order(case.client, "subflow", "del", *path)
    wait_until(lambda: len(subflows_of(case.client)) == 1, "the end of the second subflow")
    events = [json.loads(line) for line in events.stop()]
    kinds = [event["event"] for event in events]
    for kind in ("SF_ESTABLISHED", "ANNOUNCED", "REMOVED", "SF_CLOSED"):
        case.expect(kinds.count(kind) == 1, f"not one {kind} in {kinds}")
    joined = next(event for event in events if event["event"] == "SF_ESTABLISHED")
    case.expect(joined["saddr4"] == "10.0.1.3" and joined["locid"] == 5, f"{joined}")
    token = int(tokens["client"], 16)
    case.expect(int(joined["token"], 16) == token, f"{joined}, not {token:x}")


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def tables(case):
    """connections, subflows and counters tell of a connection while it lives."""
    here = case.client.namespace
    case.expect(ask_tool(here, "connections") == [], "a connection before there is one")
    case.expect(run_tool(here, "counters") == "", "something was counted before")
    client, server = case.connect_pair()
    converse(client, server)
    connections = ask_tool(here, "connections")
    case.expect(len(connections) == 1, f"not one connection: {connections}")
    case.expect(connections[0]["state"] == "Established", f"{connections}")
    [path] = connections[0]["paths"]
    name = "{}:{}".format(*client.getsockname())
    case.expect(path["local"] == name, f"{path}, not {name}")
    token = connections[0]["token"]
    subflows = ask_tool(here, "subflows", "token", token)
    case.expect([subflow["local"] for subflow in subflows] == [name], f"{subflows}")
    case.expect(subflows[0]["bytes_sent"] == 2000, f"figures of TCP: {subflows}")
    case.expect(ask_tool(here, "subflows", "token", "1") == [], "a subflow of no connection")
    case.expect(f"token {token}" in run_tool(here, "connections"), "no token for people")
    counters = ask_tool(here, "counters", "mpcapable")
    case.expect(counters.get("MPCapableSYNTX") == 1, f"{counters}")
    case.expect("RxHookSegments" not in counters, f"{counters}")
    case.expect("RmAddr" not in ask_tool(here, "counters"), "a counter that is 0")


@scenario(all_roles=True)
def live_view(case):
    """top tells what each path carries, and how fast."""
    family = family_of(case.client)
    client, server = case.connect_pair()
    words = ("--family", family, "--json", "top", "--interval", "300", "--count", "3")
    looks = case.keep(Monitor(case.client.namespace, tool_path(), *words))
    for _ in range(20):
        client.sendall(bytes(10_000))
        receive_exactly(server, 10_000)
        time.sleep(0.05)
    looks = [json.loads(line) for line in looks.process.communicate(timeout=60)[0].splitlines()]
    name = "{}:{}-{}:{}".format(*client.getsockname(), *client.getpeername())
    case.expect([look["path"] for look in looks] == [name] * 3, f"not three looks at {name}: {looks}")
    case.expect(looks[0]["bytes"] < looks[-1]["bytes"] <= 200_000, f"{looks}")
    grown = 8000 * (looks[2]["bytes"] - looks[1]["bytes"]) / (looks[2]["time"] - looks[1]["time"])
    case.expect(abs(looks[2]["rate_out"] - grown) < grown / 50 + 1, f"not {grown}: {looks}")
    lines = "\n".join(json.dumps(look) for look in looks)
    figure = Path(case.keep(tempfile.TemporaryDirectory()), "figure.svg")
    case.client.namespace.run(str(Path(tool_path()).with_name("goodput")), str(figure), text_input=lines)
    case.expect(name in figure.read_text(), "the figure does not name the path")
    text = run_tool(case.client.namespace, "top", "-n", "1", "-i", "100", family=family)
    case.expect(f"{name} token {looks[0]['token']} out 0 in 0 rtt " in text, f"a quiet path: {text}")


@scenario(roles=(("builtin", "ours"),), all_roles=True)
def several_paths(case):
    """connections, subflows and top bring the paths of a connection together."""
    family = family_of(case.server)
    two_addresses(case)
    run_tool(case.client.namespace, "endpoint", "add", "10.0.1.3", "subflow", family=KERNEL_FAMILY)
    listener = case.listen()
    client = case.connect()
    server = case.keep(listener.accept()[0])
    converse(client, server)
    wait_until(lambda: case.server.counter("MPJoinAckRx") == 1, "the second subflow")
    converse(client, server)
    [connection] = ask_tool(case.server.namespace, "connections", family=family)
    remotes = sorted(path["remote"].split(":")[0] for path in connection["paths"])
    case.expect(remotes == ["10.0.1.1", "10.0.1.3"], f"{connection}")
    words = ("subflows", "token", connection["token"])
    subflows = ask_tool(case.server.namespace, *words, family=family)
    received = sum(subflow["bytes_received"] for subflow in subflows)
    case.expect(len(subflows) == 2 and received == 4000, f"{subflows}")
    looks = run_tool(case.server.namespace, "--json", "top", "-n", "1", "-i", "100", family=family)
    looks = [json.loads(line) for line in looks.splitlines()]
    case.expect([look["token"] for look in looks] == [connection["token"]] * 2, f"{looks}")


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def schedulers(case):
    """scheduler shows what there is, and chooses for one network namespace."""
    here, there = case.client.namespace, case.server.namespace
    first = ask_tool(there, "scheduler")
    case.expect(first["scheduler"] in first["available"], f"{first}")
    for name in first["available"]:
        run_tool(here, "scheduler", "set", name)
        chosen = here.read("/proc/sys/net/mptcp_rs/scheduler").strip()
        case.expect(chosen == name, f"{chosen}, not {name}")
    case.expect(ask_tool(there, "scheduler") == first, "the other namespace changed too")
    said = refusal(here, "scheduler", "set", "x")
    case.expect(said == f"there is no scheduler x: choose of {', '.join(first['available'])}", said)


def outside(*words):
    """What the command prints outside of all namespaces, where the machine's own settings are, as JSON."""
    command = (tool_path(), "--json", *words)
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@scenario(roles=OURS_ONLY, needs_module=True, plain=True)
def steering(case):
    """steering shows the module's choices, turns the kernel's receive-flow steering on, and takes it back."""
    case.client.namespace.sysctl("net.mptcp_rs.steering", "pin")
    shown = ask_tool(case.client.namespace, "steering")
    case.expect(shown["mode"] == "pin", f"{shown}")
    case.expect(len(shown["processors"]) == len(os.sched_getaffinity(0)), f"{shown}")
    before = outside("steering")
    changes = outside("steering", "setup", "lo")
    try:
        [queue] = [queue for queue in outside("steering")["queues"] if queue["dev"] == "lo"]
        mask = int(queue["rps_cpus"].replace(",", ""), 16)
        case.expect(mask == (1 << os.cpu_count()) - 1, f"{queue}")
        case.expect(queue["rps_flow_cnt"] == 32768, f"{queue}")
        case.expect(Path("/proc/sys/net/core/rps_sock_flow_entries").read_text() == "32768\n", "no table")
        case.expect(outside("steering", "setup", "lo") == [], "the second time changed something")
    finally:
        undone = outside("steering", "undo")
    case.expect({change["file"] for change in undone} == {change["file"] for change in changes}, f"{undone}")
    case.expect(outside("steering") == before, f"{outside('steering')}, before {before}")
    said = refusal(case.client.namespace, "steering", "undo")
    case.expect(said == "nothing was set up that could be undone", said)


@scenario(roles=OURS_ONLY, plain=True)
def screen(case):
    """top draws a screen, and q ends it."""
    family = family_of(case.client)
    client, _server = case.connect_pair()
    top = case.keep(Screen(case.client.namespace, tool_path(), "--family", family, "top", "-i", "100"))
    top.wait_for("{}:{}-{}:{}".format(*client.getsockname(), *client.getpeername()))
    top.press("q")
    status = top.process.wait(timeout=20)
    case.expect(status == 0, f"status {status}")


@scenario(roles=BUILTIN_ONLY, plain=True)
def of_the_kernel(case):
    """subflows, counters and scheduler of the kernel's own Multipath TCP."""
    client, server = case.connect_pair(socket.AF_INET6)
    [subflow] = subflows_of(case.client)
    case.expect(subflow["local"] == "[{}]:{}".format(*client.getsockname()), f"{subflow}")
    token = re.search(r"token:([0-9a-f]+) ", case.client.namespace.run("ss", "-Mnti"))[1]
    case.expect(int(subflow["token"], 16) == int(token, 16), f"{subflow}, not {token}")
    exchange(client, server, 10_000, 10_000)
    counters = ask_tool(case.client.namespace, "counters", "--zeros", family=KERNEL_FAMILY)
    case.expect(counters == case.client.counters(), f"{counters}")
    said = run_tool(case.client.namespace, "scheduler", family=KERNEL_FAMILY)
    case.expect(said == "scheduler default available default\n", said)
    run_tool(case.client.namespace, "scheduler", "set", "default", family=KERNEL_FAMILY)
    said = refusal(case.client.namespace, "scheduler", "set", "x", family=KERNEL_FAMILY)
    case.expect(said == "there is no scheduler x: choose of default", said)
