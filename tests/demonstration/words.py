# SPDX-License-Identifier: GPL-2.0
"""What a person reads."""


def say(words: str) -> None:
    """A heading."""
    print(f"\n\033[1m{words}\033[0m", flush=True)


def explain(words: str) -> None:
    """A line under a heading."""
    print(f"   {words}", flush=True)
