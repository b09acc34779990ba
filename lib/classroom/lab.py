"""JupyterLab, opened at the first notebook."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from classroom import paths
from classroom.atomic import write_text

FIRST_NOTEBOOK = "notebooks/0_start/00_welcome.ipynb"
_ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"
_PORTS_TRIED = 50
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Lab:
    """How a JupyterLab is started, and where it answers.

    Attributes:
        root: folder that it shows.
        host: address to listen on.
        port: port to listen on.
        token: what a browser must know to come in.
        opened: file to open, relative to `root`.
    """

    root: Path
    host: str
    port: int
    token: str
    opened: str = FIRST_NOTEBOOK

    @property
    def address(self) -> str:
        """The address for a browser on this machine, token included."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}/lab/tree/{self.opened}?token={self.token}"

    def command(self) -> list[str]:
        """The command that starts it; the token goes through the environment, which no process list shows."""
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            f"--ServerApp.ip={self.host}",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.answer_yes=True",
            "--KernelManager.transport_encryption=auto",
            "--Application.log_level=ERROR",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        return command

    def environment(self) -> dict[str, str]:
        """The environment that it runs in: the token, and a page that asks nobody about news."""
        settings = paths.home() / "jupyter"
        page = settings / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True, exist_ok=True)
        write_text(page, json.dumps({"disabledExtensions": {_ANNOUNCEMENTS: True}}) + "\n")
        config_path = os.pathsep.join(filter(None, [str(settings), os.environ.get("JUPYTER_CONFIG_PATH")]))
        return {
            **os.environ,
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_CONFIG_PATH": config_path,
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def run(self, when_ready: Callable[[str], None]) -> int:
        """Start it, call `when_ready` with its address once it answers, and wait until it ends.

        Returns:
            The exit status of JupyterLab.
        """
        process = subprocess.Popen(self.command(), env=self.environment())
        try:
            if self._wait_until_ready(process):
                when_ready(self.address)
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            return 0
        finally:
            if process.poll() is None:
                process.kill()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                with opener.open(f"http://{host}:{self.port}/api", timeout=2):
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        return False


def new_token() -> str:
    """Return the token that the user has chosen for Jupyter (`$JUPYTER_TOKEN`), or a fresh one."""
    return os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(16)


def free_port(host: str, wanted: int) -> int:
    """Return the first free port from `wanted` on.

    Raises:
        OSError: none of the next fifty is free, or `host` is no address of this machine.
    """
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"No free port on {host} from {wanted} on; choose another with --port.")


def has_browser() -> bool:
    """Whether a browser window can appear for the person at this terminal."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def address_in_network() -> str:
    """Return this machine's address in its local network, or the loopback address when it has none.

    No packet is sent: asking for a route is enough.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
