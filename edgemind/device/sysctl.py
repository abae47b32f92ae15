"""What macOS says of itself, by name (`hw.model`, `hw.optional.arm.FEAT_DotProd`)."""

from __future__ import annotations

import ctypes
import sys


def sysctl_bytes(name: str) -> bytes:
    """The value as bytes; empty on another system and for a name that it does not know."""
    if sys.platform != "darwin":
        return b""
    try:
        call = ctypes.CDLL(None).sysctlbyname
        size = ctypes.c_size_t(0)
        if call(name.encode(), None, ctypes.byref(size), None, 0) or not size.value:
            return b""
        value = ctypes.create_string_buffer(size.value)
        if call(name.encode(), value, ctypes.byref(size), None, 0):
            return b""
    except (OSError, AttributeError):
        return b""
    return value.raw[: size.value]


def sysctl_text(name: str) -> str:
    """The value as text."""
    return sysctl_bytes(name).rstrip(b"\0").decode("utf-8", "replace")


def sysctl_number(name: str) -> int | None:
    """The value as a whole number; None where there is none."""
    value = sysctl_bytes(name)
    return int.from_bytes(value, sys.byteorder) if value else None
