"""HTTP/1.1 on asyncio streams: requests read, answers written whole or broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

CHAT = "/v1/chat/completions"

CUT = (
    "reset-before-headers", "reset-mid-headers", "reset-mid-body", "close-before-headers",
    "close-mid-body", "cut-stream", "silence", "stall", "not-http",
)  # fmt: skip
"""Ways in which an answer does not arrive."""

MOST_BYTES = 300 << 20
"""Longest body that is read: a batch file may have 200 MB."""

_SETTLE = 0.02
"""Seconds in which a client can read what came before a reset, which else would swallow it."""


@dataclass
class Request:
    """One request as it came.

    Attributes:
        method: GET, POST and so on.
        path: Without the query.
        query: The query, last value of each name.
        headers: Names in lower case.
        body: The whole body, chunks joined.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What goes back.

    Attributes:
        status: HTTP status.
        body: The body, unless `events` are streamed.
        headers: Besides length and type.
        content_type: The type.
        events: Bodies of server-sent events.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    events: list[bytes] | None = None


@dataclass(frozen=True)
class Pace:
    """Seconds to wait: before the answer, before the first event, between events."""

    answer: float = 0.0
    first: float = 0.0
    event: float = 0.0


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer that carries JSON."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, dict(headers or {}))


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read the next request of a connection; None if the client is done or speaks no HTTP."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        return None
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    else:
        length = int(headers.get("content-length", "0"))
        if length > MOST_BYTES:
            return None
        body = await reader.readexactly(length)
    split = urlsplit(words[1])
    return Request(words[0], unquote(split.path), dict(parse_qsl(split.query)), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        body += await reader.readexactly(size)
        await reader.readline()
        if not size:
            return bytes(body)


def uploaded(request: Request) -> dict[str, tuple[str, bytes]]:
    """Return the fields of a multipart body: name to (file name or "", content)."""
    kind, _, rest = request.headers.get("content-type", "").partition("boundary=")
    if not kind.startswith("multipart/form-data") or not rest:
        return {}
    boundary = b"--" + rest.strip().strip('"').encode()
    fields = {}
    for part in request.body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        names = {}
        for piece in head.decode("utf-8", "replace").replace("\r\n", ";").split(";"):
            name, equals, value = piece.strip().partition("=")
            if equals:
                names[name] = value.strip('"')
        fields[names.get("name", "")] = (names.get("filename", ""), content.removesuffix(b"\r\n"))
    return fields


async def deliver(
    answer: Answer,
    fault: str | None,
    pace: Pace,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> tuple[bool, bool]:
    """Write an answer, or as much of it as the fault lets through.

    Returns:
        Whether all of it was sent to a client that was still there; and whether the connection
        can be used again.
    """
    await asyncio.sleep(pace.answer)
    if fault in ("silence", "reset-before-headers", "close-before-headers"):
        await _part(writer, b"", fault, reader)
        return False, False
    if reader.at_eof():
        return False, False
    if fault == "not-http":
        await _part(writer, b"SSH-2.0-OpenSSH_9.6\r\n", "close", reader)
        return False, False
    head = _head(answer)
    if fault == "reset-mid-headers":
        await _part(writer, head[: len(head) // 2], fault, reader)
        return False, False
    if answer.events is not None:
        whole = await _stream(answer.events, head, fault, pace, reader, writer)
    elif fault in CUT:
        await _part(writer, head + answer.body[: len(answer.body) // 2], fault, reader)
        whole = False
    else:
        writer.write(head + answer.body)
        await writer.drain()
        whole = True
    return whole, whole and fault != "idle-close"


def _head(answer: Answer) -> bytes:
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Site is overloaded" if answer.status == 529 else "Unknown"
    headers = {"content-type": answer.content_type, **answer.headers}
    if answer.events is None:
        headers["content-length"] = str(len(answer.body))
    else:
        headers["transfer-encoding"] = "chunked"
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


async def _stream(
    events: list[bytes],
    head: bytes,
    fault: str | None,
    pace: Pace,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Write server-sent events as chunks; return whether all of them went out."""
    writer.write(head)
    await writer.drain()
    await asyncio.sleep(pace.first)
    cut = len(events) // 2 if fault in CUT else len(events)
    for event in events[:cut]:
        if reader.at_eof():
            return False
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        if pace.event:
            await asyncio.sleep(pace.event)
    if fault in CUT and fault != "cut-stream":
        await _part(writer, b"", fault, reader)
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return fault != "cut-stream"


async def _part(
    writer: asyncio.StreamWriter, sent: bytes, fault: str | None, reader: asyncio.StreamReader
) -> None:
    """Send some bytes, then hang until the client leaves, reset, or close."""
    if sent:
        writer.write(sent)
        await writer.drain()
    if fault in ("silence", "stall"):
        await reader.read()
    elif fault and fault.startswith("reset"):
        await asyncio.sleep(_SETTLE if sent or fault == "reset-mid-body" else 0)
        # A linger time of zero turns the close into a reset; a client that was killed has left.
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        writer.transport.abort()
