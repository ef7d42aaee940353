"""Enough HTTP/1.1 for a test's server: requests with a body, keep-alive, an answer for each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol


class Reply(Protocol):
    """Answers a request. `header` is one more line of the head."""

    def __call__(self, status: int, content: str, header: str = "") -> None: ...


Exchange = tuple[str, dict[str, str], str, Reply]


async def exchanges(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[Exchange]:
    """Path, headers by lower-case name, body, and how to answer, for each request until the client leaves."""

    def answer(status: int, content: str, header: str = "") -> None:
        body = content.encode()
        more = f"{header}\r\n".encode() if header else b""
        writer.write(b"HTTP/1.1 %d \r\n%scontent-length: %d\r\n\r\n" % (status, more, len(body)) + body)

    try:
        while True:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            yield first.split()[1], headers, body.decode(), answer
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()
