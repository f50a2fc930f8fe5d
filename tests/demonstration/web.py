# SPDX-License-Identifier: GPL-2.0
"""curl and nginx, unmodified, over whichever protocol."""

import hashlib
import os
import subprocess
import time
from pathlib import Path

from lib.case import Case
from lib.programs import program
from lib.stack import IPPROTO_MPTCP, IPPROTO_TCP, Stack

from .words import explain

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


def make_file(path: Path, megabytes: int) -> Path:
    """A file of random bytes that nginx may read."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    path.chmod(0o644)
    return path


def sha256(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def speak(stack: Stack, command: list[str]) -> tuple[list[str], dict[str, str]]:
    """How an unmodified program is made to ask for the protocol: command and environment."""
    if stack.protocol == IPPROTO_TCP:
        return command, {}
    if stack.protocol == IPPROTO_MPTCP:
        return ["mptcpize", "run", *command], {}
    preload = {"LD_PRELOAD": program("preload.so"), "MPTCP_RS_PROTOCOL": str(stack.protocol)}
    return command, preload


def shell_words(command: list[str], extra: dict[str, str]) -> str:
    """A command as it would be typed."""
    return " ".join([*(f"{name}={value}" for name, value in extra.items()), *command])


class Daemon:
    """A program that listens in a namespace for the time of a `with` block."""

    def __init__(self, name: str, namespace, stack: Stack, command: list[str], port: int):
        self.name, self.namespace = name, namespace
        self.command, self.extra = speak(stack, command)
        self.port = port

    def __enter__(self):
        explain(f"{self.name} $ {shell_words(self.command, self.extra)}")
        self.process = self.namespace.start(*self.command, env=os.environ | self.extra)
        self._wait_until_it_listens()
        return self

    def _wait_until_it_listens(self) -> None:
        wanted = f":{self.port:04X} 00000000:0000 0A"
        deadline = time.monotonic() + 90
        while wanted not in self.namespace.read("/proc/thread-self/net/tcp"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} does not listen")
            time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def nginx(name: str, namespace, stack: Stack, place: str) -> Daemon:
    """nginx that serves the files of a folder."""
    settings = Path(place, "nginx.conf")
    settings.write_text(NGINX.format(place=place, port=PORT))
    return Daemon(name, namespace, stack, ["nginx", "-c", str(settings)], PORT)


class Download:
    """curl that fetches a file."""

    def __init__(self, case: Case, file: Path, address: str, stack: Stack | None = None):
        self.file, self.target = file, file.with_name("fetched")
        url = f"http://{address}:{PORT}/{file.name}"
        command, extra = speak(
            stack or case.client.stack, ["curl", "-sS", "-w", "%{time_total}", "-o", str(self.target), url]
        )
        explain(f"client $ {shell_words(command, extra)}")
        self.started = time.monotonic()
        self.process = case.client.namespace.start(
            *command, env=os.environ | extra, text=True, stdout=subprocess.PIPE
        )

    def runs(self) -> bool:
        """Whether curl still runs; it is killed after two minutes."""
        if self.process.poll() is None and time.monotonic() > self.started + 120:
            self.process.kill()
            self.process.wait()
        return self.process.poll() is None

    def finish(self) -> float:
        """Waits until curl has ended, and checks the file; gives the seconds that curl says it took."""
        while self.runs():
            time.sleep(0.02)
        if self.process.returncode != 0:
            raise SystemExit(f"curl ended with status {self.process.returncode}")
        seconds = float(self.process.communicate()[0])
        same = sha256(self.target) == sha256(self.file)
        self.target.unlink()
        if not same:
            raise SystemExit("The file arrived differently.")
        return seconds


def show_counters(end) -> None:
    """The counters of an end that are not zero."""
    where = "/proc/net/mptcp_rs/counters" if end.stack.counters == "module" else "MPTcpExt"
    shown = " ".join(f"{name}={value}" for name, value in end.counters().items() if value)
    explain(f"{end.name}, {where}: {shown}")


def established(namespace) -> list[str]:
    """What ss(8) tells of the established MPTCP sockets of the kernel's own."""
    words = ("ss", "-MtinH", "state", "established")
    lines = namespace.run(*words).splitlines()
    return [line.strip()[:150] for line in lines if line.strip()]


def run_quietly(*words: str) -> None:
    """A command of the host that must succeed."""
    subprocess.run(words, check=True, timeout=60)
