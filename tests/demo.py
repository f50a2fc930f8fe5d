#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows to a person what the module does: curl, nginx, mptcpize and haproxy are the distribution's, unmodified.

Runs in the guest that scripts/demo boots: a stock kernel whose own MPTCP is the peer of the first transfers.
"""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from demonstration import both_ends, paths, proxy, voice  # noqa: E402
from demonstration.words import say  # noqa: E402
from lib.kernel_log import KernelLog  # noqa: E402


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: tests/demo.py MODULE.ko FIGURE NAME (in a guest; see scripts/demo)", file=sys.stderr)
        return 2
    module, figure, shown_as = sys.argv[1:]
    log = KernelLog()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        both_ends.show(module, place)
        show_several_paths(module, place, Path(figure), shown_as)
    complaints = log.complaints()
    if complaints:
        print("\nThe kernel complained:\n" + "\n".join(complaints))
        return 1
    print("\nAll transfers arrived unchanged.")
    return 0


def show_several_paths(module: str, place: str, figure: Path, shown_as: str) -> None:
    """What needs several links, this module at both ends."""
    say("And now several paths, this module at both ends")
    both_ends.insert(module)
    paths.show_together(place)
    paths.show_cut(place, figure, shown_as)
    voice.show()
    proxy.show(place)
    both_ends.take_out()


if __name__ == "__main__":
    sys.exit(main())
