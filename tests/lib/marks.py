# SPDX-License-Identifier: GPL-2.0
"""No-operations by which a program tells a plugin of the emulator what to do."""

import ctypes
import mmap
import struct


def make_marks(base: int, count: int) -> list:
    """Functions that execute a no-operation with the displacement `base` plus 0, 1 and so on."""
    code = b"".join(
        b"\x0f\x1f\x84\x00" + struct.pack("<I", base + number) + b"\xc3" + bytes(7)
        for number in range(count)
    )
    memory = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    marks = [ctypes.CFUNCTYPE(None)(start + 16 * number) for number in range(count)]
    marks[0].memory = memory
    return marks
