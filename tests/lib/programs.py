# SPDX-License-Identifier: GPL-2.0
"""The C programs of tests/programs: taken from build/programs, or compiled when first asked for."""

import os
import subprocess
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
BUILT = TESTS.parent / "build" / "programs"


def program(name: str) -> str:
    """Path of the built program (or shared object), up to date with its source."""
    source = TESTS / ("lib" if name.endswith(".so") else "programs") / f"{Path(name).stem}.c"
    ready = BUILT / name
    if ready.exists() and ready.stat().st_mtime >= source.stat().st_mtime:
        return str(ready)
    place = Path(tempfile.gettempdir(), f"mptcp_rs-programs-{os.getuid()}")
    made = place / name
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        make = ["make", "-s", "-C", str(TESTS / "programs"), f"O={place}", str(made)]
        done = subprocess.run(make, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"compiling {name} failed: {done.stderr.strip()}")
    return str(made)
