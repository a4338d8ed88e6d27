"""Text that others wrote, made safe for a terminal.

What a container logs is in part what its users sent it; a terminal obeys escape sequences, which can change what is
shown above, the title of the window or the clipboard.
"""

from __future__ import annotations

import re

_COLOURS = re.compile(r"(\x1b\[[0-9;:]*m)")
"""Colours and weights ("select graphic rendition", ECMA-48), which harm nobody."""
_RESET = "\x1b[0m"
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for the tab and the end of a line, and those that turn the direction of writing."""
_CONTINUED = "\n    "


def printable(text: str) -> str:
    """``text`` with control characters as escapes (``\\x1b``), further lines indented, and colours ended at its end."""
    pieces = _COLOURS.split(text.replace("\r\n", "\n").rstrip("\r"))
    plain = [_OBEYED.sub(_escape, piece) for piece in pieces[::2]]
    colours = pieces[1::2]
    shown = "".join(part for pair in zip(plain, [*colours, ""], strict=True) for part in pair)
    end = _RESET if colours and not (colours[-1] == _RESET and not plain[-1]) else ""
    return shown.replace("\n", _CONTINUED) + end


def _escape(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
