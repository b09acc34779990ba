"""People's ratings as train, validation and test, and the bag of words that any model has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from classroom import sources
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor

NEUTRAL = 0.5  # sentences rated closer to zero than this have no label


@dataclass
class Split:
    """Sentences, and the mean rating of each, (n,) float32 from -4 to 4."""

    texts: list[str]
    ratings: Tensor
    sources: list[str]

    @property
    def labelled(self) -> Tensor:
        """Which sentences count when accuracy is measured, (n,) bool."""
        return self.ratings.abs() >= NEUTRAL

    def accuracy(self, predicted: Tensor, source: str | None = None) -> float:
        """Share of labelled sentences (of one source) whose predicted rating has the right sign."""
        counted = self.labelled
        if source is not None:
            counted = counted & torch.tensor([name == source for name in self.sources])
        return ((predicted > 0) == (self.ratings > 0))[counted].float().mean().item()

    def correlation(self, predicted: Tensor) -> float:
        """Pearson correlation of predicted and mean ratings, over all sentences."""
        return float(np.corrcoef(predicted, self.ratings)[0, 1])


def load_splits(limit: int | None) -> dict[str, Split]:
    rows = sources.rated_sentences()
    splits = {}
    for name in sources.SPLITS:
        own = [row for row in rows if row["split"] == name]
        own = own[:: 1 if limit is None else max(1, len(own) // limit)]
        ratings = torch.tensor([row["rating"] for row in own])
        splits[name] = Split([row["text"] for row in own], ratings, [row["source"] for row in own])
    return splits


def bag_of_words(splits: dict[str, Split]) -> tuple[float, str]:
    """Test accuracy of the best of sixteen bags of words on the validation split, and its settings."""
    features = {}
    for min_df in (1, 2):
        for tokens, pattern in {"words": r"\b\w\w+\b", "words and punctuation": r"\w+|[^\w\s]+"}.items():
            vectorizer = TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=min_df, token_pattern=pattern
            )
            vectorizer.fit(splits["train"].texts)
            features[f"{tokens}, min_df={min_df}"] = vectorizer
    best = (0.0, 0.0, "")
    train, validation, test = (splits[name] for name in sources.SPLITS)
    kept = train.labelled.numpy()
    for name, vectorizer in features.items():
        x = {split: vectorizer.transform(splits[split].texts) for split in sources.SPLITS}
        for c in (1, 3, 10, 30):
            model = LogisticRegression(C=c, max_iter=400).fit(
                x["train"][kept], (train.ratings > 0).numpy()[kept]
            )
            on_validation = validation.accuracy(torch.from_numpy(model.decision_function(x["validation"])))
            on_test = test.accuracy(torch.from_numpy(model.decision_function(x["test"])))
            best = max(best, (on_validation, on_test, f"{name}, C={c}"))
    return best[1], best[2]
