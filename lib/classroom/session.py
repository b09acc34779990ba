"""`classroom.start()`: the first cell of every notebook."""

from __future__ import annotations

import contextlib
import html
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from classroom import environment, paths
from classroom.seeding import describe_problems, ensure_seeded
from classroom.watching import Seen

if TYPE_CHECKING:
    from classroom.hub import HubServer, SeededRepo

_current: Session | None = None


class Session:
    """The hub that this process talks to, and what was set for it. Made by `start()`.

    Attributes:
        endpoint: address of the hub.
        home: folder with everything the course wrote; delete it to start anew.
        user: account whose token is in use (None on the real Hub, where it is your own).
        environment: the variables that were set. Processes you start inherit them.
        seeded: what the course put on the hub of this process, with its commits.
    """

    def __init__(
        self,
        endpoint: str,
        user: str | None,
        variables: dict[str, str],
        server: HubServer | None = None,
        seeded: list[SeededRepo] | None = None,
        replaced: dict[str, str | None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.home: Path = paths.home()
        self.user = user
        self.environment = variables
        self._server = server
        self.seeded = seeded or []
        self._replaced = replaced or {}
        self._announced_in_cell: int | None = None

    @property
    def requests(self) -> Seen:
        """Every request that the embedded hub answered since it started, as a list that shows as a table.

        Empty for a hub outside this process, which keeps its log for itself.
        """
        if self._server is None:
            return Seen(note="requests are listed only for the hub inside this notebook")
        return Seen(self._server.requests)

    @contextlib.contextmanager
    def watch(self) -> Iterator[Seen]:
        """Collect the requests of a block: `with session.watch() as seen: ...`, then show `seen`."""
        seen = Seen(
            note="no requests"
            if self._server
            else "requests are listed only for the hub inside this notebook"
        )
        before = len(self._server.requests) if self._server else 0
        try:
            yield seen
        finally:
            if self._server is not None:
                seen.fill(self._server.requests[before:])

    def stop_hub(self) -> None:
        """Switch the hub off, as a pulled network cable would; what is cached still loads."""
        self._own_server().stop()

    def restart_hub(self) -> None:
        """Switch the hub on again, at the same address and with the same repositories."""
        self._own_server().start()

    def cut_next_download(self, after: int) -> None:
        """Break off the next download of a file after `after` bytes, as a bad connection would."""
        self._own_server().cut_next_download(after)

    def _own_server(self) -> HubServer:
        if self._server is None:
            raise RuntimeError(
                f"{self.endpoint} is not run by this notebook, so it cannot be switched off or on here. "
                "Restart the kernel and call classroom.start() without hub= to have a hub of your own."
            )
        return self._server

    def _is_at(self, address: str | None) -> bool:
        """Whether `start()` with this address asks for the hub that is in use already."""
        return address == self.endpoint or (address is None and self._server is not None)

    def _sign_in(self, user: str) -> None:
        """Change the account; the clients read the token anew for each request."""
        from classroom.hub.accounts import token_of

        self.environment["HF_TOKEN"] = os.environ["HF_TOKEN"] = token_of(user)
        self.user = user

    def _close(self) -> None:
        """Stop the hub of this process, if there is one, and put the environment back as it was."""
        if self._server is not None:
            self._server.stop()
        environment.restore(self._replaced)

    def __repr__(self) -> str:
        if self.user is None:
            return f"Using the real Hub ({self.endpoint}), with your own cache and token."
        whose = "The class's hub" if self._server is None else f"The course's hub ({self.contents})"
        return f"{whose} is ready at {self.endpoint}; you are signed in as {self.user}."

    @property
    def contents(self) -> str:
        """What the course itself put on the hub, in words: '2 models, 1 dataset'."""
        there = [repo.kind for repo in self.seeded if repo.commit]
        counts = {kind: there.count(kind) for kind in ("models", "datasets", "spaces")}
        words = [f"{count} {kind if count > 1 else kind[:-1]}" for kind, count in counts.items() if count]
        return ", ".join(words) or "empty"

    def _repr_html_(self) -> str:
        facts = {
            "Hub": self.endpoint,
            "Signed in as": self.user or "yourself",
            "Cache": self.environment.get("HF_HOME", "your own"),
            "To start anew": f"delete {self.home}",
        }
        rows = "".join(
            f'<tr><th style="text-align:left">{name}</th>'
            f'<td style="text-align:left"><code>{html.escape(value)}</code></td></tr>'
            for name, value in facts.items()
        )
        return f"<details><summary>{html.escape(repr(self))}</summary><table>{rows}</table></details>"

    def _ipython_display_(self) -> None:
        """Show the card; but not as the value of the cell in which `start()` has just printed its line."""
        cell = _cell_number()
        if cell is not None and cell == self._announced_in_cell:
            return
        from IPython.display import display

        display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)

    def _announce(self) -> None:
        self._announced_in_cell = _cell_number()
        print("\n".join([repr(self), *describe_problems(self.seeded)]), flush=True)


def start(hub: str | None = None, *, user: str = "learner", quiet: bool = True) -> Session:
    """Make this process ready for the course: a hub, its repositories, a cache of its own.

    Call it before anything imports `huggingface_hub`. Calling it again is harmless.

    Args:
        hub: None for a hub inside this process; the address of the class's hub, such as
            `http://192.168.0.10:8000`; or `https://huggingface.co`, which changes nothing: endpoint, cache
            and token stay your own.
        user: account of the course's hub, `learner` or `instructor`.
        quiet: switch off the clients' progress bars and a warning about links that Windows users see.

    Raises:
        ValueError: an unknown user, or a `hub` that is no http address.
        ConnectionError: no hub answers at the address.
        HubImportedTooEarlyError: `huggingface_hub` was imported before, and reads from another hub.
    """
    before = _current
    session = connect(hub, user=user, quiet=quiet)
    if session is not before:
        session._announce()
    return session


def current() -> Session | None:
    """Return the session of this process, None before `start()`."""
    return _current


def connect(hub: str | None = None, *, user: str = "learner", quiet: bool = True) -> Session:
    """Do what `start()` does, and print nothing."""
    global _current
    address = _checked_address(hub)
    if _current is None or not _current._is_at(address):
        environment.require_endpoint(address or "a hub inside this notebook")
        if _current is not None:
            _current._close()
            _current = None
        _current = _use_real_hub() if address == environment.REAL_HUB else _enter(address, user, quiet)
    elif _current.user not in (user, None):
        _current._sign_in(user)
    return _current


def _checked_address(hub: str | None) -> str | None:
    if hub is None:
        return None
    if urlsplit(hub).scheme not in ("http", "https") or not urlsplit(hub).hostname:
        raise ValueError(
            f"hub={hub!r} is no address. Leave it out for a hub inside this notebook, or give the class's "
            f"hub, such as 'http://192.168.0.10:8000', or '{environment.REAL_HUB}'."
        )
    return hub.rstrip("/")


def _use_real_hub() -> Session:
    return Session(environment.REAL_HUB, None, {})


def _enter(address: str | None, user: str, quiet: bool) -> Session:
    """Use the class's hub at `address`, or one inside this process over the store of all notebooks."""
    from classroom.hub.accounts import token_of

    token = token_of(user)
    server, seeded = None, None
    if address is None:
        server, seeded = _start_server()
        address = server.endpoint
    else:
        _require_answer(address)
    variables = environment.course_environment(address, token, quiet=quiet)
    return Session(address, user, variables, server, seeded, environment.apply(variables))


def _start_server() -> tuple[HubServer, list[SeededRepo]]:
    from classroom.hub import HubServer, Store

    store = Store(paths.store_root())
    seeded = ensure_seeded(store)
    return HubServer(store).start(), seeded


def _require_answer(address: str) -> None:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{address}/api/models?limit=1", timeout=5
        ):
            pass
    except OSError as error:
        raise ConnectionError(
            f"No hub answers at {address} ({error}). Ask your instructor for the address that `classroom "
            "hub` printed, and whether this machine is in the same network; or leave hub= out "
            "for a hub of your own."
        ) from error


def _cell_number() -> int | None:
    """Number of the notebook cell that runs now; None outside IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.execution_count if shell else None
