"""What the doctor finds, on this machine and on one where something is missing."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple

import pytest
from classroom import health, paths
from classroom.health import Finding, Report


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class TestReport:
    GOOD = Finding("Python", "ok", "3.11")
    ABSENT = Finding("GPU", "optional", "none")
    SLOW = Finding("Memory", "warning", "1 GiB", "Close other programs.")
    BAD = Finding("Disk", "problem", "full <disk>", "Free some space.")

    def test_warnings_and_optional_things_do_no_harm(self):
        report = Report([self.GOOD, self.ABSENT, self.SLOW])
        assert report.ok
        assert report.verdict == "This machine is ready for the course."

    def test_a_problem_does_and_is_named(self):
        report = Report([self.GOOD, self.BAD])
        assert not report.ok
        assert report.problems == [self.BAD]
        assert report.verdict == "1 thing to mend: Disk."

    def test_as_text_every_finding_has_a_line_and_its_remedy_another(self):
        assert repr(Report([self.GOOD, self.BAD])).splitlines() == [
            "✓ Python  3.11",
            "✗ Disk    full <disk>",
            "          -> Free some space.",
            "1 thing to mend: Disk.",
        ]

    def test_as_html_it_is_a_table_with_everything_escaped(self):
        html = Report([self.GOOD, self.BAD])._repr_html_()
        assert html.count("<tr>") == 2
        assert "full &lt;disk&gt;" in html
        assert "Free some space." in html


class TestChecks:
    def test_this_python_torch_and_kernel_are_fit(self):
        for look in (health.check_python, health.check_torch, health.check_kernel):
            assert look().state == "ok", look()

    def test_every_package_is_there(self):
        assert health.check_packages().state in ("ok", "warning")

    def test_a_missing_package_is_named_with_the_command_that_installs_it(self, monkeypatch):
        monkeypatch.setattr(health, "_required_packages", lambda: ["torch", "no-such-package"])
        finding = health.check_packages()
        assert (finding.state, finding.detail) == ("problem", "missing: no-such-package")
        assert finding.remedy.startswith("pip install")

    def test_another_version_than_the_pinned_one_is_a_warning(self, monkeypatch):
        monkeypatch.setattr(health, "_required_packages", lambda: ["torch"])
        monkeypatch.setattr(health, "pinned_versions", lambda: {"torch": "0.1"})
        finding = health.check_packages()
        assert finding.state == "warning"
        assert "instead of 0.1" in finding.detail

    def test_pins_are_read_from_the_constraints_file(self, monkeypatch, tmp_path):
        text = (
            "# a comment\ntorch==2.13.0\nPy_Yaml==6.0  # why\nuvloop==1.0 ; python_version > '3'\nloose>=1\n"
        )
        (tmp_path / "constraints.txt").write_text(text)
        monkeypatch.setattr(paths, "repository_root", lambda: tmp_path)
        assert health.pinned_versions() == {"torch": "2.13.0", "py-yaml": "6.0", "uvloop": "1.0"}

    def test_little_memory_is_a_warning(self, monkeypatch):
        import psutil

        memory = namedtuple("Memory", "available total")(10**9, 4 * 10**9)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
        assert health.check_memory().state == "warning"

    def test_little_space_is_a_warning(self, monkeypatch):
        usage = namedtuple("Usage", "total used free")(10**9, 9 * 10**8, 10**8)
        monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage)
        assert health.check_disk().state == "warning"

    def test_a_home_that_cannot_be_written_is_a_problem(self, home):
        home.write_text("a file, no folder")
        finding = health.check_disk()
        assert finding.state == "problem"
        assert "CLASSROOM_HOME" in finding.remedy

    def test_no_kernel_is_a_problem_with_its_remedy(self, monkeypatch):
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        def none(self, name):
            raise NoSuchKernel(name)

        monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
        finding = health.check_kernel()
        assert finding.state == "problem"
        assert "ipykernel install" in finding.remedy

    def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(self, monkeypatch):
        def breaks() -> Finding:
            raise RuntimeError("no such thing")

        monkeypatch.setattr(health, "CHECKS", {"Broken": breaks, "Python": health.check_python})
        broken, python = health.examine()
        assert (broken.subject, broken.state, broken.detail) == (
            "Broken",
            "problem",
            "RuntimeError: no such thing",
        )
        assert python.state == "ok"


def test_a_notebook_gets_the_whole_report(home):
    """In a process of its own, since it starts a hub and sets the environment."""
    code = (
        "import classroom\n"
        "classroom.start()\n"
        "report = classroom.doctor()\n"
        "print(report)\n"
        "assert report.ok, report\n"
        "assert '<table>' in report._repr_html_()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'we love you' is POSITIVE" in done.stdout
