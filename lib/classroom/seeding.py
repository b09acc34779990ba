"""Fill the shared store before it is used, and say so when it takes a moment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classroom.hub import SeededRepo, Store

_PATIENCE_SECONDS = 0.7


def ensure_seeded(store: Store) -> list[SeededRepo]:
    """Bring the course's repositories into `store`; milliseconds when they are there.

    Whoever waits longer than a moment (the first time) sees on stderr what is being done.
    """
    from tqdm import tqdm

    from classroom.hub import seed

    with tqdm(
        desc="Filling the course's hub, once",
        bar_format="{desc}: {n} repositories, {elapsed}{postfix}",
        delay=_PATIENCE_SECONDS,
        leave=False,
        file=sys.stderr,
    ) as bar:

        def progress(repo_id: str) -> None:
            bar.set_postfix_str(repo_id, refresh=False)
            bar.update()

        return seed(store, progress)


def describe_problems(seeded: list[SeededRepo]) -> list[str]:
    """Return one sentence for each repository that could not be seeded."""
    return [f"{repo.repo_id} is not on the hub: {repo.problem}" for repo in seeded if repo.problem]
