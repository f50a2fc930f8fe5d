#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows the main job to a person: curl fetches a file over MPTCP, this module at one end or both.

curl, nginx and mptcpize are the distribution's, unmodified. Runs in the guest that scripts/demo
boots: a stock kernel whose own MPTCP is the peer.
"""

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib import stack  # noqa: E402
from lib.case import Case  # noqa: E402
from lib.kernel_log import KernelLog  # noqa: E402
from lib.programs import program  # noqa: E402
from lib.stack import IPPROTO_MPTCP, SPARE_PROTOCOL, Stack, read_references  # noqa: E402

MEGABYTES = 64
PORT = 8080
NGINX = """
daemon off; master_process off; pid {place}/nginx.pid; error_log stderr crit;
events {{}}
http {{
    access_log off; sendfile on; default_type application/octet-stream;
    client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place};
    uwsgi_temp_path {place}; scgi_temp_path {place};
    server {{ listen {port}; root {place}; }}
}}
"""
OURS = Stack("ours", IPPROTO_MPTCP, "module")
OURS_BESIDE = Stack("ours", SPARE_PROTOCOL, "module")


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: tests/demo.py MODULE.ko (in a guest; see scripts/demo)", file=sys.stderr)
        return 2
    module, log = sys.argv[1], KernelLog()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        file = make_file(Path(place, "file"))
        say("1. This module's client, the kernel's own MPTCP as the server")
        explain("nginx starts first: its sockets are the kernel's own. Then the module is")
        explain("inserted and stands before it on protocol 262: curl's socket is ours.")
        case = Case(OURS, stack.BUILTIN, "stock")
        with Server(case, place):
            insert(module)
            fetch(case, file)
        remove(case)
        say("2. The kernel's own MPTCP as the client, this module's server")
        explain(f"The module is inserted on protocol {SPARE_PROTOCOL}; nginx gets it there the way")
        explain("mptcpize does it, by a preloaded socket(). curl asks for 262: the kernel's own.")
        insert(module, f"protocol={SPARE_PROTOCOL}")
        case = Case(stack.BUILTIN, OURS_BESIDE, "stock")
        with Server(case, place):
            fetch(case, file)
        remove(case)
        say("3. This module at both ends")
        insert(module)
        case = Case(OURS, OURS, "stock")
        with Server(case, place):
            fetch(case, file)
        remove(case)
        say("4. After rmmod protocol 262 is the kernel's own again")
        case = Case(stack.BUILTIN, stack.BUILTIN, "stock")
        prove_builtin(case)
        with Server(case, place):
            fetch(case, file)
        case.finish()
    complaints = log.complaints()
    if complaints:
        print("\nThe kernel complained:\n" + "\n".join(complaints))
        return 1
    print("\nAll four transfers arrived unchanged, none fell back to plain TCP.")
    return 0


def say(words: str) -> None:
    print(f"\n\033[1m{words}\033[0m", flush=True)


def explain(words: str) -> None:
    print(f"   {words}", flush=True)


def make_file(path: Path) -> Path:
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(os.urandom(1 << 20))
    path.chmod(0o644)
    print(f"A file of {MEGABYTES} MB of random bytes, SHA-256 {sha256(path)}")
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def insert(module: str, *parameters: str) -> None:
    print(f"   $ insmod {Path(module).name} {' '.join(parameters)}", flush=True)
    subprocess.run(["insmod", module, *parameters], check=True, timeout=60)


def remove(case: Case) -> None:
    """rmmod, as soon as the last connection has ended."""
    case.finish()
    deadline = time.monotonic() + 20
    while read_references() and time.monotonic() < deadline:
        time.sleep(0.05)
    print(f"   $ rmmod {stack.MODULE}", flush=True)
    subprocess.run(["rmmod", stack.MODULE], check=True, timeout=60)


def speak(end_stack: Stack, command: list[str]) -> tuple[list[str], dict[str, str]]:
    """How an unmodified program is made to ask for the protocol: command and environment."""
    if end_stack.protocol == IPPROTO_MPTCP:
        return ["mptcpize", "run", *command], {}
    preload = {"LD_PRELOAD": program("preload.so"), "MPTCP_RS_PROTOCOL": str(end_stack.protocol)}
    return command, preload


def shell_words(command: list[str], extra: dict[str, str]) -> str:
    return " ".join([*(f"{name}={value}" for name, value in extra.items()), *command])


class Server:
    """nginx in the server's namespace for the time of a `with` block."""

    def __init__(self, case: Case, place: str):
        self.case = case
        self.place = place

    def __enter__(self):
        settings = Path(self.place, "nginx.conf")
        settings.write_text(NGINX.format(place=self.place, port=PORT))
        plain = ["nginx", "-c", str(settings)]
        command, extra = speak(self.case.server.stack, plain)
        explain(f"server $ {shell_words(command, extra)}")
        self.process = self.case.server.namespace.start(*command, env=os.environ | extra)
        self._wait_until_it_listens()
        return self

    def _wait_until_it_listens(self) -> None:
        wanted = f":{PORT:04X} 00000000:0000 0A"
        deadline = time.monotonic() + 30
        while wanted not in self.case.server.namespace.read("/proc/thread-self/net/tcp"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("nginx does not listen")
            time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def fetch(case: Case, file: Path) -> None:
    """curl fetches the file; then what both ends say about it."""
    target = file.with_name("fetched")
    url = f"http://{case.server.address()}:{PORT}/{file.name}"
    command, extra = speak(case.client.stack, ["curl", "-sS", "-o", str(target), url])
    explain(f"client $ {shell_words(command, extra)}")
    started = time.monotonic()
    curl = case.client.namespace.start(*command, env=os.environ | extra)
    seen = watch_sockets(case, curl)
    seconds = time.monotonic() - started
    if curl.returncode != 0:
        raise SystemExit(f"curl ended with status {curl.returncode}")
    same = sha256(target) == sha256(file)
    target.unlink()
    print(f"   {MEGABYTES} MB in {seconds:.1f} s, SHA-256 {'equal' if same else 'DIFFERS'}")
    for end in case.ends:
        show_counters(end)
    if seen:
        print("   ss -Mti at the kernel's own end, during the transfer:")
        print("\n".join(f"      {line.strip()[:150]}" for line in seen))
    if not same:
        raise SystemExit("The file arrived differently.")
    case.expect_mptcp()


def show_counters(end) -> None:
    where = "/proc/net/mptcp_rs/counters" if end.stack.counters == "module" else "MPTcpExt"
    shown = " ".join(f"{name}={value}" for name, value in end.counters().items() if value)
    print(f"   {end.name}, {where}: {shown}")


def watch_sockets(case: Case, curl: subprocess.Popen) -> list[str]:
    """What ss(8) tells of the built-in end while curl runs; until curl has ended."""
    seen: list[str] = []
    builtin = [end for end in case.ends if end.stack.name == "builtin"]
    deadline = time.monotonic() + 120
    while curl.poll() is None:
        if time.monotonic() > deadline:
            curl.kill()
            curl.wait()
        if builtin and not seen:
            words = ("ss", "-MtinH", "state", "established")
            seen = [line for line in builtin[0].namespace.run(*words).splitlines() if line.strip()]
        time.sleep(0.1)
    return seen


def prove_builtin(case: Case) -> None:
    """A socket of protocol 262 answers MPTCP_INFO and no module holds it."""
    if stack.module_is_loaded():
        raise SystemExit("The module is still loaded.")
    with case.client.namespace.new_socket(socket.AF_INET, socket.SOCK_STREAM, 262) as sock:
        size = len(sock.getsockopt(284, 1, 256))
    print(f"   no /sys/module/{stack.MODULE}; MPTCP_INFO of a new socket has {size} bytes")


if __name__ == "__main__":
    sys.exit(main())
