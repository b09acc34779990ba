"""The hub as a server: in a thread of this process for a notebook, or in the foreground for a class."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

import uvicorn

from classroom.hub.app import State, build_app
from classroom.hub.log import RequestLog
from classroom.hub.store import Store

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_MOST_LOGGED = 1000


class HubServer:
    """Serve a store over HTTP from a thread of its own, with an event loop of its own.

    It can be stopped and started again on the same port, and it works inside a notebook's kernel.

    Args:
        store: what to serve.
        host: address to listen on; the default is reachable from this machine only.
        port: port to listen on; 0 takes a free one at the first start and keeps it.
    """

    def __init__(self, store: Store, host: str = "127.0.0.1", port: int = 0) -> None:
        self.store = store
        self.host = host
        self.port = port
        self.requests = RequestLog()
        self._state = State(store, self.requests)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """The address for `HF_ENDPOINT`, without a slash at the end."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it answers requests."""
        return self._server is not None and self._server.started

    def start(self) -> HubServer:
        """Listen, and return when requests are answered; does nothing when it runs already.

        Raises:
            OSError: the port is taken by another program.
        """
        if self.running:
            return self
        listening = _listen(self.host, self.port)
        self.port = listening.getsockname()[1]
        server = _quiet_server(self._state)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name=f"classroom-hub-{self.port}", daemon=True
        )
        thread.start()
        self._server, self._thread = server, thread
        _wait(lambda: server.started or not thread.is_alive(), _START_SECONDS)
        if not server.started:
            listening.close()
            self._server = self._thread = None
            raise RuntimeError(f"The hub did not start at {self.endpoint}.")
        return self

    def stop(self) -> None:
        """Close the port and wait until the thread has ended; does nothing when it does not run."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.should_exit = True
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            server.force_exit = True
            thread.join(_STOP_SECONDS)

    def cut_next_download(self, after: int) -> None:
        """Break off the next download of a file after `after` bytes, as a bad network would."""
        self._state.cut_after = after

    def __enter__(self) -> HubServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"HubServer({self.endpoint!r}, {'running' if self.running else 'stopped'})"


def serve(store: Store, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve a store in the foreground until Ctrl-C, for `classroom hub`.

    Raises:
        OSError: the port is taken by another program.
    """
    listening = _listen(host, port)
    _quiet_server(State(store, RequestLog(most=_MOST_LOGGED))).run(sockets=[listening])


class _Server(uvicorn.Server):
    """uvicorn, but only the main thread has signal handlers, and none are wanted in a kernel."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            for listening in sockets or []:
                listening.close()


def _quiet_server(state: State) -> _Server:
    return _Server(
        uvicorn.Config(
            build_app(state),
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            loop="asyncio",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=30,
            backlog=512,
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # The port of a hub that was just stopped can be had at once.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno,
            f"The hub cannot listen on {host}:{port} ({error.strerror}); stop the other program or "
            "choose another port.",
        ) from error
    return listening


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
