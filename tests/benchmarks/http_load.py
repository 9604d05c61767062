"""A small HTTP/1.1 load client: keep-alive connections, prepared requests, one latency each.

An ordinary client library costs as much CPU a request as the server; on two cores that would be measured instead.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_END_OF_HEAD = b"\r\n\r\n"


@dataclass(slots=True)
class LoadResult:
    """Latencies in milliseconds and, where they are kept, bodies in the order of completion; the run in seconds."""

    latencies_ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies_ms) / self.seconds if self.seconds else 0.0


def request(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def run(host: str, port: int, requests: Sequence[bytes], connections: int, *, keep: bool = False) -> LoadResult:
    """Send all requests over `connections` keep-alive connections, each waiting for its answer before the next.

    `keep`: the bodies of the answers.
    """
    result = LoadResult()
    waiting = iter(requests)
    started = time.perf_counter()
    await asyncio.gather(*(_connection(host, port, waiting, result, keep=keep) for _ in range(connections)))
    result.seconds = time.perf_counter() - started
    return result


async def run_paced(host: str, port: int, requests: Sequence[bytes], connections: int, per_second: float) -> LoadResult:
    """Send requests at a steady rate; each is timed from the instant at which it was due, so a queue shows."""
    result = LoadResult()
    started = time.perf_counter()
    due = iter([(started + number / per_second, sent) for number, sent in enumerate(requests)])
    await asyncio.gather(*(_paced_connection(host, port, due, result) for _ in range(connections)))
    result.seconds = time.perf_counter() - started
    return result


async def _paced_connection(host: str, port: int, due: Iterator[tuple[float, bytes]], result: LoadResult) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for at, sent in due:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        writer.write(sent)
        status, _ = await _answer(reader)
        result.latencies_ms.append((time.perf_counter() - at) * 1_000)
        result.statuses[status] = result.statuses.get(status, 0) + 1
    writer.close()
    await writer.wait_closed()


async def _connection(host: str, port: int, waiting: Iterator[bytes], result: LoadResult, *, keep: bool) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for sent in waiting:
        began = time.perf_counter()
        writer.write(sent)
        status, body = await _answer(reader)
        result.latencies_ms.append((time.perf_counter() - began) * 1_000)
        result.statuses[status] = result.statuses.get(status, 0) + 1
        if keep:
            result.answers.append(body)
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(_END_OF_HEAD)
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    if at >= 0:
        length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
        return int(head[9:12]), await reader.readexactly(length)
    return int(head[9:12]), b""


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of the values, rounded to a hundredth."""
    ordered = sorted(values)
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 2) for share in (50, 95, 99)
    }
