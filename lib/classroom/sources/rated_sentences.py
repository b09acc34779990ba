"""The human-rated sentences of Hutto and Gilbert (2014), from the source release of vaderSentiment 2.5.

The archive is never unpacked to disk: its few members are read by their exact names, out of bytes whose
SHA-256 is known.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import shutil
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from classroom.sources.fetching import PipFile, SourceError, fetch

VADER = PipFile(
    requirement="vaderSentiment==2.5",
    filename="vaderSentiment-2.5.tar.gz",
    sha256="b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84",
)

_ARCHIVE = "vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz"
_LICENSE = "vaderSentiment-2.5/LICENSE.txt"
_FILES = {
    "film": "hutto_ICWSM_2014/movieReviewSnippets",
    "product": "hutto_ICWSM_2014/amazonReviewSnippets",
    "editorial": "hutto_ICWSM_2014/nytEditorialSnippets",
    "tweet": "hutto_ICWSM_2014/tweets",
}
SPLITS = ("train", "validation", "test")


class RatedSentence(TypedDict):
    """One sentence and what people felt when they read it.

    `id` is `source-number` (films, tweets) or `source-document_number` (products, editorials); `rating` is
    the mean of `ratings`, whole numbers from -4 (extremely negative) to +4 (extremely positive), one a rater.
    """

    id: str
    text: str
    rating: float
    ratings: list[int]
    source: str
    split: str


def rated_sentences(archive: Path | None = None) -> list[RatedSentence]:
    """The human-rated sentences of Hutto and Gilbert (2014), cleaned, without repeats, split in three.

    - Text: HTML entities are decoded, the doubled single quotes of the film reviews become double quotes, and
      white space is collapsed. Nothing else is changed: case, spelling and emoticons are the authors'.
    - Repeats: a sentence that occurs twice word for word is kept once, with the ratings of both panels.
    - Split: by hash, about 80 / 10 / 10. All sentences of one review or editorial fall into the same split,
      and so do sentences that differ only in case or punctuation. Tweets that the authors wrote as variants
      of one another ("GREAT!", "very great!!") are all in the training split.

    Args:
        archive: the source release of vaderSentiment 2.5; by default it is fetched once and then cached.

    Raises:
        SourceError: as `fetch`.
    """
    kept: dict[str, RatedSentence] = {}
    variants: set[str] = set()
    for row, is_variant in _published_rows(fetch(VADER) if archive is None else archive):
        first = kept.setdefault(row["text"], row)
        if first is not row:
            first["ratings"] += row["ratings"]
        if is_variant:
            variants.add(first["id"])
    rows = list(kept.values())
    for row in rows:
        row["rating"] = round(sum(row["ratings"]) / len(row["ratings"]), 4)
    _assign_splits(rows, variants)
    return rows


def published_counts(archive: Path | None = None) -> dict[str, int]:
    """Sentences of each source as published, before repeats are merged."""
    rows = _published_rows(fetch(VADER) if archive is None else archive)
    return dict(Counter(row["source"] for row, _ in rows))


def _published_rows(archive: Path) -> Iterator[tuple[RatedSentence, bool]]:
    """Yield each published sentence, and whether it is one of a family of variants.

    The files hold a mean beside the text and single ratings in a second file. The two agree, except for about
    two hundred tweets: those were rated a second time, side by side with their variants. That is how they are
    known here; for them too we keep the single ratings, so that `rating` is always the mean of `ratings`.
    """
    with tarfile.open(archive, "r:gz") as release:
        inner = io.BytesIO(_member(release, _ARCHIVE))
    with tarfile.open(fileobj=inner, mode="r:gz") as corpus:
        for source, stem in _FILES.items():
            ratings = {
                number: json.loads(values)
                for number, _, _, values in _table(_member(corpus, f"{stem}_anonDataRatings.txt"))
            }
            for number, mean, text in _table(_member(corpus, f"{stem}_GroundTruth.txt")):
                own = ratings[number]
                is_variant = abs(sum(own) / len(own) - float(mean)) > 0.001
                yield (
                    RatedSentence(
                        id=f"{source}-{number}",
                        text=_clean(text),
                        rating=float(mean),
                        ratings=own,
                        source=source,
                        split="",
                    ),
                    is_variant,
                )


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    if stream is None:
        raise SourceError(f"{name} is not a plain file in the archive.")
    return stream.read()


def _table(content: bytes) -> Iterator[list[str]]:
    for line in content.decode("utf-8-sig").splitlines():
        if line.strip():
            yield line.split("\t")


def _clean(text: str) -> str:
    text = html.unescape(html.unescape(text))  # some were encoded twice
    return " ".join(text.replace("''", '"').split())


def _assign_splits(rows: list[RatedSentence], variants: set[str]) -> None:
    """Group sentences that belong together, and put each group into a split by the hash of its name."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for row in rows:
        document = row["id"].partition("_")[0] if row["source"] in ("product", "editorial") else row["id"]
        letters = re.sub(r"\W+", " ", row["text"].casefold()).strip()
        for other in [document, f"letters:{letters}"] if letters else [document]:
            first, second = sorted((find(row["id"]), find(other)))
            leader[second] = first
    in_training = {find(name) for name in variants}
    for row in rows:
        group = find(row["id"])
        row["split"] = "train" if group in in_training else _split_of(group)


def _split_of(group: str) -> str:
    tenth = int(hashlib.sha256(group.encode()).hexdigest(), 16) % 10
    return {0: "validation", 1: "test"}.get(tenth, "train")


def write_rated_sentences(folder: Path) -> None:
    """Write the rated sentences as a hub data set: one JSON-lines file a split, the card and the licence.

    The bytes are the same on every machine. The folder appears whole or not at all.

    Raises:
        SourceError: as `fetch`.
        FileExistsError: when `folder` exists and is not empty.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; give a new or empty folder.")
    archive = fetch(VADER)
    rows = rated_sentences(archive)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for split in SPLITS:
            lines = [_json_line(row) for row in rows if row["split"] == split]
            (beside / f"{split}.jsonl").write_bytes("".join(lines).encode())
        (beside / "README.md").write_bytes(_card(rows, published_counts(archive)).encode())
        with tarfile.open(archive, "r:gz") as release:
            (beside / "LICENSE").write_bytes(_member(release, _LICENSE).replace(b"\r\n", b"\n"))
        beside.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _json_line(row: RatedSentence) -> str:
    columns = {name: row[name] for name in ("id", "text", "rating", "ratings", "source")}  # type: ignore[literal-required]
    return json.dumps(columns, ensure_ascii=False) + "\n"


def _card(rows: list[RatedSentence], published: dict[str, int]) -> str:
    """Card of the data set, its table computed from the rows."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        sign = "negative" if row["rating"] <= -0.5 else "positive" if row["rating"] >= 0.5 else "neutral"
        tally[row["source"]].update([row["split"], sign, "kept"])
    columns = ("kept", *SPLITS, "negative", "neutral", "positive")
    lines = []
    for source in _FILES:
        numbers = [published[source], *(tally[source][column] for column in columns)]
        lines.append(f"| {source} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    totals = [sum(published.values())]
    totals += [sum(tally[source][column] for source in _FILES) for column in columns]
    lines.append("| **all** | " + " | ".join(f"{number:,}" for number in totals) + " |")
    raters = [len(row["ratings"]) for row in rows]
    counts = {
        "table": "\n".join(lines),
        "published": f"{sum(published.values()):,}",
        "kept": f"{len(rows):,}",
        "fewest": min(raters),
        "median": sorted(raters)[len(raters) // 2],
        "most": max(raters),
    }
    return _CARD.format(**counts)


_CARD = """---
license: mit
language: [en]
pretty_name: Rated sentences
size_categories: [10K<n<100K]
task_categories: [text-classification]
task_ids: [sentiment-scoring, sentiment-classification]
source_datasets: [original]
annotations_creators: [crowdsourced]
tags: [sentiment, valence, ratings]
configs:
- config_name: default
  data_files:
  - split: train
    path: train.jsonl
  - split: validation
    path: validation.jsonl
  - split: test
    path: test.jsonl
---

# Rated sentences

English sentences from film reviews, product reviews, newspaper editorials and tweets, each rated by a panel
of people on a scale from -4 (extremely negative) over 0 (neutral) to +4 (extremely positive). A sentence
has between {fewest} and {most} single ratings, {median} in the median.

| column | type | meaning |
|---|---|---|
| `id` | string | source and number; product and editorial ids also name the document: `editorial-12_3` |
| `text` | string | one sentence, or a few (tweets) |
| `rating` | float | mean of `ratings` |
| `ratings` | list of int | one value a rater, -4 ... +4 |
| `source` | string | `film`, `product`, `editorial` or `tweet` |

| source | published | kept | train | validation | test | rating <= -0.5 | between | rating >= 0.5 |
|---|---|---|---|---|---|---|---|---|
{table}

## What was done to it

- The authors published {published} sentences; {kept} are left after word-for-word repeats were merged, with
  the ratings of all their panels together.
- HTML entities are decoded, the doubled single quotes of the film reviews are double quotes, white space is
  collapsed. Case, spelling and emoticons were left alone. The authors had replaced user names by
  `@anonymous` and addresses by `http://url_removed`.
- About two hundred tweets are variants of one another in emphasis ("GREAT!", "very great!!"), written by
  the authors and rated twice; the ratings here are the published single ones, and all of these tweets are
  in `train`.
- The splits are made by hash. Sentences of one review or editorial are never in two splits, nor are
  sentences that differ only in case and punctuation. Each film sentence stands alone: which review it came
  from is not recorded.

## What to keep in mind

The texts are from before 2014, American for the most part, and some are coarse. A rating says how a
sentence struck its readers without its context; an editorial sentence about a sad event is negative,
whatever the editorial argued.

## Source and licence

C.J. Hutto and Eric Gilbert, *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
Text*, Eighth International Conference on Weblogs and Social Media (ICWSM-14), Ann Arbor, June 2014. The
sentences are distributed with the source release of the Python package vaderSentiment 2.5 under the MIT
licence (see `LICENSE`). Please cite the paper when you use them.

```bibtex
@inproceedings{{hutto2014vader,
  title     = {{VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text}},
  author    = {{Hutto, C.J. and Gilbert, Eric}},
  booktitle = {{Eighth International Conference on Weblogs and Social Media}},
  address   = {{Ann Arbor, MI}},
  year      = {{2014}}
}}
```
"""
