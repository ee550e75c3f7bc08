"""How a large CSV file is cut into spans that workers read side by side.

A span has to begin where a row begins, and a line break inside a quoted cell begins none. Under
RFC 4180 every quote that opens is closed and a quote inside a quoted cell is doubled, so a line
break ends a row exactly where the number of quotes before it is even: one pass that counts
quotes, which happens while the file is hashed anyway, finds all the cuts without parsing a cell.
"""

from __future__ import annotations

import codecs

from medsins.raw.files import count_quotes


class RowCutter:
    """Finds row starts by counting quotes: a line break ends a row where their number is even.

    Args:
        quoting: False where quotes are ordinary characters, so that any line break ends a row.
    """

    def __init__(self, quoting: bool = True) -> None:
        self._quoting = quoting
        self._odd = False

    def feed(self, block: bytes | bytearray) -> None:
        """Take the next bytes of the file."""
        # Only whether the count is odd matters, so nothing that grows with the file is kept.
        if self._quoting and count_quotes(block) % 2:
            self._odd = not self._odd

    def boundary(self, block: bytes | bytearray) -> int | None:
        """Return where the first row starts in the bytes that follow those fed so far."""
        odd, start = self._odd, 0
        while (end := block.find(b"\n", start)) >= 0:
            if self._quoting and block.count(b'"', start, end) % 2:
                odd = not odd
            start = end + 1
            # A byte order mark is left out where a span starts: this one would belong to a cell.
            if not odd and not codecs.BOM_UTF8.startswith(bytes(block[start : start + 3])):
                return start
        return None
