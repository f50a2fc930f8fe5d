# SPDX-License-Identifier: GPL-2.0
"""Runs scenarios one by one, each in a process of its own, and judges what came of them."""

import faulthandler
import fnmatch
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from .case import Case
from .child import die_with_parent
from .kernel_log import KernelLog
from .registry import Scenario
from .stack import Stack, read_references

SLOWDOWN = {"test": 4, "stock": 1}
KNOWN_FAULTS = Path(__file__).resolve().parent.parent / "known_faults.txt"
GRACE = 40  # seconds in which a scenario that ran out of time may still say where it was


@dataclass(frozen=True)
class Run:
    """One scenario with one pair of stacks."""

    scenario: Scenario
    client: str
    server: str

    @property
    def name(self) -> str:
        """What is printed and selected, for example bulk.upload[ours-builtin]."""
        return f"{self.scenario.name}[{self.client}-{self.server}]"


def known_faults(kernel: str) -> dict[str, str]:
    """What the module does not pass yet on a kernel, with the reason, from tests/known_faults.txt."""
    faults = {}
    for line in KNOWN_FAULTS.read_text().splitlines():
        if line and not line.startswith("#"):
            where, pattern, reason = line.split(maxsplit=2)
            if where in ("any", kernel):
                faults[pattern] = reason
    return faults


def plan_runs(
    scenarios: list[Scenario], kernel: str, pattern: str | None, reference: bool, brief: bool
) -> list[Run]:
    """Every scenario with each of its role pairs, as far as the pattern selects it."""
    runs = [
        Run(entry, client, server)
        for entry in scenarios
        if not (reference and entry.needs_module)
        for client, server in entry.roles_on(kernel, brief)
    ]
    if pattern is None:
        faults = known_faults(kernel)
        return [run for run in runs if reference or not any(_matches(run.name, f) for f in faults)]
    wanted = pattern.split(",")
    return [run for run in runs if any(_matches(run.name, one) for one in wanted)]


def _matches(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch.fnmatchcase(name, pattern)


class Runner:
    """Runs the plan and prints one line per run."""

    def __init__(self, stacks: dict[str, Stack], kernel: str, brief: bool):
        self.stacks = stacks
        self.kernel = kernel
        self.brief = brief
        self.log = KernelLog()
        self.passed = 0
        self.failed = 0
        self.second_attempts: list[str] = []

    def report(self, name: str, seconds: float, problems: list[str], notes=()) -> None:
        """Prints the line of one test, and below it what went wrong or was noted."""
        if problems:
            self.failed += 1
        else:
            self.passed += 1
        print(f"{'not ok' if problems else 'ok'} {name} ({seconds:.1f} s)")
        for text in [*problems, *notes]:
            for line in text.splitlines():
                print(f"    {line}")
        sys.stdout.flush()

    def run_all(self, runs: list[Run]) -> None:
        """All runs in order; a failed one does not stop the others."""
        for run in runs:
            started = time.monotonic()
            problems, notes = self._run_once(run)
            complaints = ["kernel log:\n" + line for line in self._complaints()]
            if problems and not complaints:
                # Emulated machines stall now and then: what fails only once is told, not counted.
                # What the kernel complains of is never given a second chance.
                first = [f"second attempt, the first failed: {text}" for text in problems]
                # A run that is broken off in the second attempt shall have told of the first.
                print(f"# {run.name} is tried again: {'; '.join(problems)}", flush=True)
                problems, notes = self._run_once(run)
                complaints = ["kernel log:\n" + line for line in self._complaints()]
                notes = [*notes, *first]
                self.second_attempts.append(run.name)
            self.report(run.name, time.monotonic() - started, problems + complaints, notes)

    def _run_once(self, run: Run) -> tuple[list[str], list[str]]:
        problems, notes = self._run_apart(run)
        # Also after a failure, and then for as long as a connection that nobody ends may wait, so that what it
        # left does not count against the next one.
        held = self._wait_for_release(10 if run.scenario.settles and not problems else 120)
        return problems or held, notes

    def check(self, name: str, function) -> None:
        """A check outside of any scenario; it gives back its problems."""
        started = time.monotonic()
        try:
            problems = function()
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        problems += ["kernel log:\n" + line for line in self._complaints()]
        self.report(name, time.monotonic() - started, problems)

    def _complaints(self) -> list[str]:
        lines = self.log.complaints()
        return ["\n".join(lines)] if lines else []

    def _wait_for_release(self, limit: float) -> list[str]:
        deadline = time.monotonic() + limit * SLOWDOWN[self.kernel]
        while now := read_references():
            if time.monotonic() > deadline:
                return [f"{now} references to the module remain {limit} seconds after the scenario"]
            time.sleep(0.05)
        return []

    def _run_apart(self, run: Run) -> tuple[list[str], list[str]]:
        """Runs in a child process group with a time limit; gives problems and notes."""
        limit = run.scenario.limit * SLOWDOWN[self.kernel]
        reader, writer = os.pipe()
        with tempfile.TemporaryFile("w+") as stacks:
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                os.setpgid(0, 0)
                die_with_parent()
                faulthandler.register(signal.SIGUSR1, stacks, all_threads=True)
                set_deadline(limit)
                self._run_here(run, writer)
            os.close(writer)
            text, timed_out = _read_until(reader, limit + GRACE)
            if timed_out:
                kernel_stack = _kernel_stacks(pid)
                os.kill(pid, signal.SIGUSR1)
                time.sleep(0.5)
            _kill_group(pid)
            os.close(reader)
            if timed_out:
                stacks.seek(0)
                words = f"did not end within {limit} seconds; it was at:\n"
                return [words + stacks.read() + kernel_stack], []
        problems, _, notes = text.partition("\x00")
        if not text:
            problems = "the process of the scenario died without a result"
        return ([problems] if problems else []), ([notes] if notes else [])

    def _run_here(self, run: Run, writer: int) -> None:
        problems, notes = "", []
        try:
            stacks = self.stacks[run.client], self.stacks[run.server]
            case = Case(*stacks, self.kernel, brief=self.brief)
            notes = case.notes
            try:
                run.scenario.function(case, *run.scenario.arguments)
            except BaseException:
                signal.alarm(0)
                problems = describe_failure() + describe_counters(case)
                case.cleanup.close()
            else:
                if run.scenario.settles:
                    case.finish()
                else:
                    case.cleanup.close()
                signal.alarm(0)
        except BaseException:
            problems += describe_failure()
        finally:
            os.write(writer, f"{problems}\x00{chr(10).join(notes)}".encode(errors="replace"))
            os._exit(0)


def set_deadline(limit: int) -> None:
    """Raises TimeoutError in the main thread of this process when the limit is over."""

    def give_up(*_):
        places = []
        for frame in sys._current_frames().values():
            frames = [f for f in traceback.extract_stack(frame) if "/tests/" in f.filename]
            places += [f"{os.path.basename(f.filename)}:{f.lineno}" for f in frames[-1:]]
        raise TimeoutError(f"did not end within {limit} seconds; threads at {', '.join(places)}")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit)


def describe_failure() -> str:
    """The exception and the lines of the tests that led to it."""
    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)[-4:]
    places = " <- ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames))
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
    return f"{kind.__name__}: {error}{notes} at {places}\n"


def describe_counters(case: Case) -> str:
    """The counters that are not zero, of both ends, for whoever reads a failure."""
    lines = []
    for end in case.ends:
        try:
            values = " ".join(f"{k}={v}" for k, v in end.counters().items() if v)
        except OSError as error:
            values = str(error)
        lines.append(f"{end.name} ({end.stack.name}): {values or 'no event counted'}\n")
    return "".join(lines)


def _read_until(fd: int, limit: float) -> tuple[str, bool]:
    deadline, parts = time.monotonic() + limit, []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([fd], [], [], left)[0]:
            break
        part = os.read(fd, 65536)
        if not part:
            return b"".join(parts).decode(), False
        parts.append(part)
        if b"\x00" in part:
            return b"".join(parts).decode(), False
    return "", True


def _kill_group(pid: int) -> None:
    """Kills the scenario's process group: whatever it started ends with it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)


def _kernel_stacks(pid: int) -> str:
    found = []
    for task in sorted(os.listdir(f"/proc/{pid}/task")):
        try:
            with open(f"/proc/{pid}/task/{task}/stack") as file:
                found.append(f"kernel stack of thread {task}:\n{file.read()}")
        except OSError:
            continue
    return "".join(found)
