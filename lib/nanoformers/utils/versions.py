"""Which release of the documentation this library answers to, and scripts that ask for one."""

from __future__ import annotations

__all__ = ["DOCUMENTED_RELEASE", "check_min_version"]

DOCUMENTED_RELEASE = "4.37.2"
"""The release of Transformers whose names, arguments and file formats are followed here."""


def check_min_version(min_version: str) -> None:
    """Stop a script that was written for a later release of the documented interface than this one's.

    Args:
        min_version: a release of Transformers, such as "4.35.0" or "4.36.0.dev0"; it is compared with
            `DOCUMENTED_RELEASE`, so that the scripts of the documentation run unchanged.

    Raises:
        ImportError: the script needs a later release.
        ValueError: `min_version` is no version.
    """
    from packaging.version import Version

    if Version(DOCUMENTED_RELEASE) < Version(min_version):
        raise ImportError(
            f"This script requires a minimum version of {min_version}, but the version found is "
            f"{DOCUMENTED_RELEASE}: that is the documented interface which this installation follows. "
            "Install a later one, or take the script's version for this release."
        )
