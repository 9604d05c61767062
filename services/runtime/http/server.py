"""The HTTP server of a process: uvicorn with uvloop and httptools, without signal handling of its own."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_BACKLOG = 2_048
_KEEP_ALIVE_S = 5


class HttpServer:
    """Serves an application until `stop`; requests in hand are answered first."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, *, grace_s: float, keep_alive_s: int = _KEEP_ALIVE_S
    ) -> None:
        configuration = uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=keep_alive_s,
            timeout_graceful_shutdown=max(1, int(grace_s)),
        )
        self._server = _Server(configuration)

    async def run(self) -> None:
        """Listen and answer."""
        await self._server.serve()

    def stop(self) -> None:
        """Take no more connections, and end when requests in hand are answered."""
        self._server.should_exit = True

    async def port(self) -> int:
        """Give the port it listens on, once it does: chosen by the system where 0 was asked for."""
        await self._server.listening.wait()
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port


class _Server(uvicorn.Server):
    def __init__(self, configuration: uvicorn.Config) -> None:
        super().__init__(configuration)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when connections are taken."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process, which may run more than this server."""
        yield
