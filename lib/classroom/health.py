"""Is this machine fit for the course? One check after another, each with a remedy."""

from __future__ import annotations

import html
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from classroom import paths
from classroom.environment import PIPELINE_DEFAULTS

_MARKS = {
    "ok": ("✓", "#2e7d32"),
    "warning": ("!", "#b26a00"),
    "problem": ("✗", "#c62828"),
    "optional": ("–", "#757575"),
}
_GIB = 1024**3
_OLDEST_PYTHON = (3, 10)
_MEMORY_NEEDED = 2 * _GIB
_DISK_NEEDED = 2 * _GIB


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: what was looked at.
        state: 'ok', 'warning' (works, perhaps slowly), 'problem' (must be mended) or 'optional' (not there,
            and not needed).
        detail: what was found.
        remedy: what to do; empty when there is nothing to do.
    """

    subject: str
    state: str
    detail: str
    remedy: str = ""

    @property
    def mark(self) -> str:
        """One character that stands for the state."""
        return _MARKS[self.state][0]


class Report(list[Finding]):
    """All findings: a list that shows as a table."""

    @property
    def ok(self) -> bool:
        """Whether nothing must be mended before the course can begin."""
        return all(finding.state != "problem" for finding in self)

    @property
    def problems(self) -> list[Finding]:
        """The findings that must be mended."""
        return [finding for finding in self if finding.state == "problem"]

    @property
    def verdict(self) -> str:
        """The report in one sentence."""
        if self.ok:
            return "This machine is ready for the course."
        subjects = [finding.subject for finding in self.problems]
        return f"{len(subjects)} thing{'s' if len(subjects) > 1 else ''} to mend: {', '.join(subjects)}."

    def __repr__(self) -> str:
        width = max((len(finding.subject) for finding in self), default=0)
        lines = []
        for finding in self:
            lines.append(f"{finding.mark} {finding.subject:<{width}}  {finding.detail}")
            if finding.remedy:
                lines.append(f"  {'':<{width}}  -> {finding.remedy}")
        return "\n".join([*lines, self.verdict])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="color:{_MARKS[finding.state][1]};font-weight:bold">{finding.mark}</td>'
            f'<th style="text-align:left">{html.escape(finding.subject)}</th>'
            f'<td style="text-align:left">{html.escape(finding.detail)}'
            + (f"<br><em>{html.escape(finding.remedy)}</em>" if finding.remedy else "")
            + "</td></tr>"
            for finding in self
        )
        return f"<table>{rows}</table><p><strong>{html.escape(self.verdict)}</strong></p>"


def doctor() -> Report:
    """Look at everything the course needs; takes a few seconds. `doctor().ok` says whether all is well."""
    return Report(examine())


def examine() -> Iterator[Finding]:
    """Yield the findings one by one, as they are made. A check that breaks is a finding too."""
    for subject, look in CHECKS.items():
        try:
            finding = look()
        except Exception as error:
            finding = Finding(
                subject,
                "problem",
                f"{type(error).__name__}: {error}",
                "Install anew: pip install -e '.[course]'",
            )
        yield finding


def check_python() -> Finding:
    """Python is recent enough."""
    version = platform.python_version()
    detail = f"{version}, {platform.system()} on {platform.machine()}"
    if sys.version_info < _OLDEST_PYTHON:
        return Finding(
            "Python", "problem", detail, "Install Python 3.11 or later, and make the environment anew."
        )
    return Finding("Python", "ok", detail)


def check_packages() -> Finding:
    """Every package of constraints.txt (in a checkout), or of the `course` extra, is there."""
    pins = pinned_versions()
    wanted = _required_packages()
    missing, other = [], []
    for name in wanted:
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        pinned = pins.get(_normal(name))
        if pinned and installed.partition("+")[0] != pinned:
            other.append(f"{name} {installed} instead of {pinned}")
    reinstall = (
        "pip install -c constraints.txt -e '.[course]'" if pins else "pip install 'nanoformers[course]'"
    )
    if missing:
        return Finding("Packages", "problem", f"missing: {_listed(missing)}", reinstall)
    if other:
        return Finding("Packages", "warning", _listed(other), f"To have the tested versions: {reinstall}")
    tested = ", at the tested versions" if pins else ""
    return Finding("Packages", "ok", f"all {len(wanted)} there{tested}")


def check_torch() -> Finding:
    """PyTorch computes, and on how many threads."""
    import torch

    with torch.inference_mode():
        product = torch.ones(64, 64) @ torch.ones(64, 64)
    if product[0, 0].item() != 64:
        return Finding("PyTorch", "problem", f"{torch.__version__} multiplies wrongly", "Install torch anew.")
    return Finding("PyTorch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")


def check_memory() -> Finding:
    """Enough memory for one notebook."""
    import psutil

    memory = psutil.virtual_memory()
    detail = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free"
    if memory.available < _MEMORY_NEEDED:
        return Finding("Memory", "warning", detail, "Close other programs: a notebook needs up to 1.5 GiB.")
    return Finding("Memory", "ok", detail)


def check_disk() -> Finding:
    """The course's folder can be written, and there is space."""
    folder = paths.home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "Set CLASSROOM_HOME to a folder that you may write to."
        return Finding("Disk", "problem", f"{folder} cannot be written ({error.strerror})", remedy)
    free = shutil.disk_usage(folder).free
    detail = f"{free / _GIB:.0f} GiB free for {_readable(folder)}"
    if free < _DISK_NEEDED:
        return Finding("Disk", "warning", detail, "Free some space, or set CLASSROOM_HOME to another disk.")
    return Finding("Disk", "ok", detail)


def check_kernel() -> Finding:
    """Jupyter finds a Python kernel, and it is this Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(
            "Jupyter kernel", "problem", "no kernel named python3", "python -m ipykernel install --sys-prefix"
        )
    # Jupyter takes a plain "python" for the interpreter that it runs on itself.
    plain = spec.argv[0] in ("python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    executable = sys.executable if plain else spec.argv[0]
    if Path(executable).parent.resolve() != Path(sys.executable).parent.resolve():
        remedy = "Start Jupyter from this environment: classroom lab"
        return Finding("Jupyter kernel", "warning", f"python3 is {_readable(Path(executable))}", remedy)
    return Finding("Jupyter kernel", "ok", f"{spec.display_name}, in this environment")


def check_hub() -> Finding:
    """The hub starts and answers."""
    from classroom import session as sessions
    from classroom.seeding import describe_problems

    session = sessions.current() or sessions.connect()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{session.endpoint}/api/models", timeout=10) as answer:
        found = answer.status == 200
    if not found:
        return Finding(
            "Course hub", "problem", f"{session.endpoint} answers {answer.status}", "Restart the kernel."
        )
    if missing := describe_problems(session.seeded):
        return Finding("Course hub", "warning", missing[0], "With internet access, once: classroom seed")
    return Finding("Course hub", "ok", f"answers; {session.contents}")


def check_checkpoint() -> Finding:
    """A real model loads from the hub and answers."""
    from classroom import session as sessions

    session = sessions.current() or sessions.connect()
    model = PIPELINE_DEFAULTS["sentiment-analysis"] if session.user else None
    from nanoformers import pipeline

    try:
        answer = pipeline("sentiment-analysis", model=model)("we love you")[0]
    except OSError as error:
        return Finding("A model's answer", "problem", str(error), "Bring the repositories in: classroom seed")
    detail = f"'we love you' is {answer['label']} ({answer['score']:.2f})"
    if answer["label"] != "POSITIVE":
        return Finding(
            "A model's answer", "problem", detail, "Repositories are damaged: classroom seed --fresh"
        )
    return Finding("A model's answer", "ok", detail)


def check_accelerator() -> Finding:
    """A GPU makes big experiments faster; nothing in the course needs one."""
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", "ok", torch.cuda.get_device_name(0))
    if torch.backends.mps.is_available():
        return Finding("GPU", "ok", "Apple silicon (mps)")
    return Finding("GPU", "optional", "none; every notebook is made for the processor")


def check_tensorflow() -> Finding:
    """The notebooks on Keras need TensorFlow."""
    if importlib.util.find_spec("tensorflow") is None:
        return Finding("TensorFlow", "optional", "not installed; only the Keras notebooks need it")
    return Finding("TensorFlow", "ok", importlib.metadata.version("tensorflow"))


def check_ffmpeg() -> Finding:
    """Reading mp3 and mp4 files from elsewhere needs ffmpeg; the course's own sound does not."""
    found = shutil.which("ffmpeg")
    if found is None:
        return Finding("ffmpeg", "optional", "not found; only your own mp3 and mp4 files need it")
    return Finding("ffmpeg", "ok", _readable(Path(found)))


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": check_python,
    "Packages": check_packages,
    "Memory": check_memory,
    "Disk": check_disk,
    "PyTorch": check_torch,
    "Jupyter kernel": check_kernel,
    "Course hub": check_hub,
    "A model's answer": check_checkpoint,
    "GPU": check_accelerator,
    "TensorFlow": check_tensorflow,
    "ffmpeg": check_ffmpeg,
}


def pinned_versions() -> dict[str, str]:
    """Versions in the checkout's constraints.txt, by normalised package name; empty outside a checkout."""
    root = paths.repository_root()
    if root is None or not (root / "constraints.txt").is_file():
        return {}
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.partition("#")[0].partition(";")[0].strip().partition("==") for line in lines)
    return {_normal(name): version.strip() for name, equals, version in pins if equals}


def _required_packages() -> list[str]:
    """Names of the packages that nanoformers with its `course` extra requires on this machine."""
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in importlib.metadata.requires("nanoformers") or []]
    wanted = [
        item for item in requirements if item.marker is None or item.marker.evaluate({"extra": "course"})
    ]
    return sorted({item.name for item in wanted})


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _listed(items: list[str], most: int = 4) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _readable(path: Path) -> str:
    """`path` relative to the checkout or the home folder, where that is shorter."""
    for base, prefix in ((paths.repository_root(), ""), (Path.home(), "~/")):
        if base is not None and path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return str(path)
