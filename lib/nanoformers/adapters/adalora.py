"""AdaLoRA: "Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning", https://arxiv.org/abs/2303.10512.

The change of a weight is written as B diag(E) A, like a singular value decomposition. In training, all layers
share a budget of ranks: numbers in E whose triplets (a row of A, a number of E, a column of B) matter least
are set to 0, in whichever layer they are, until the budget is as small as wanted.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .config import AdaLoraConfig
from .layers import ATTRIBUTE, LayerAdapter, adapted_modules, device_for, dtype_for, sizes_of

__all__ = ["AdaLoraLinear", "RankAllocator", "adalora_on"]

Tensor = torch.Tensor


def adalora_on(layer: nn.Module, name: str, config: AdaLoraConfig) -> AdaLoraLinear:
    """Make the adapter of a linear layer, with the ranks that `config.rank_pattern` leaves it."""
    kept = (config.rank_pattern or {}).get(f"{name}.lora_E", [True] * config.init_r)
    return AdaLoraLinear(layer, [bool(rank) for rank in kept], config)


class AdaLoraLinear(LayerAdapter):
    """A change B diag(E) A of a linear layer's weight.

    Args:
        layer: the layer.
        kept: for each of the first `init_r` ranks, whether it still exists.
        config: the adapter's.

    Attributes:
        lora_A: (r, in).
        lora_E: (r, 1), zeros for ranks that were taken away in this training.
        lora_B: (out, r).
    """

    def __init__(self, layer: Any, kept: list[bool], config: AdaLoraConfig) -> None:
        super().__init__()
        width_in, width_out = sizes_of(layer)
        kind: dict[str, Any] = {"device": device_for(layer), "dtype": dtype_for(layer.weight)}
        r = sum(kept)
        self.kept = kept
        alpha = config.lora_alpha if config.lora_alpha > 0 else config.init_r
        self.scaling = alpha / (config.init_r + 1e-5)
        self.dropout = nn.Dropout(config.lora_dropout)
        self.lora_A = nn.Parameter(torch.randn(r, width_in, **kind))
        self.lora_E = nn.Parameter(torch.randn(r, 1, **kind))
        self.lora_B = nn.Parameter(torch.randn(width_out, r, **kind))
        if config.init_lora_weights is not False:
            nn.init.normal_(self.lora_A, std=0.02)
            nn.init.zeros_(self.lora_E)
            nn.init.normal_(self.lora_B, std=0.02)

    def change_output(self, layer: nn.Module, x: Tensor, output: Tensor) -> Tensor:
        """Return W x + s B diag(E) A x."""
        x = self.dropout(x.to(self.lora_A.dtype))
        return output + x @ (self.lora_A * self.lora_E).t() @ self.lora_B.t() * self.scaling

    def merged(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return W + s B diag(E) A."""
        delta = self.lora_B @ (self.lora_A * self.lora_E) * self.scaling
        return weight.to(delta.dtype) + delta, bias

    def not_orthogonal(self) -> Tensor:
        """Return how far A and B are from having orthogonal rows and columns: `|A A' - 1| + |B' B - 1|`."""
        one = torch.eye(self.lora_A.shape[0], device=self.lora_A.device, dtype=self.lora_A.dtype)
        return torch.linalg.norm(self.lora_A @ self.lora_A.t() - one) + torch.linalg.norm(
            self.lora_B.t() @ self.lora_B - one
        )

    def ranks(self, mask: list[bool]) -> list[bool]:
        """Return which of the first `init_r` ranks are left when `mask` says it of those that exist."""
        left = iter(mask)
        return [next(left) if exists else False for exists in self.kept]


class RankAllocator:
    """Shares the budget of ranks out among the layers of one model and adapter.

    Args:
        config: the adapter's; its `rank_pattern` says, from the first sharing on, which ranks are left.
        name: the adapter's.
        model: the model, whose adapters have all their ranks.
    """

    def __init__(self, config: AdaLoraConfig, name: str, model: nn.Module) -> None:
        self.config = config
        self.name = name
        self.first_budget = sum(adapter.lora_E.shape[0] for _, adapter in self._adapters(model))
        self.final_budget = config.target_r * len(self._adapters(model))
        # {(layer, "lora_A"): (importance, its uncertainty)}, both averaged over the steps
        self._averages: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}
        self._masks: dict[str, Tensor] = {}  # {layer: (r,) whether a rank is left}
        self._last_step: int | None = None
        self.decided = False  # for good; until then a rank may come back
        self._hook = model.register_forward_hook(self._add_penalty)

    def _adapters(self, model: nn.Module) -> list[tuple[str, AdaLoraLinear]]:
        found = []
        for name, module in adapted_modules(model):
            adapters: Any = getattr(module, ATTRIBUTE)
            if self.name in adapters and isinstance(adapters[self.name], AdaLoraLinear):
                found.append((name, adapters[self.name]))
        return found

    def _add_penalty(self, model: nn.Module, inputs: Any, output: Any) -> Any:
        """Let the loss count, in training, that A and B are not orthogonal."""
        loss = getattr(output, "loss", None)
        adapters = [adapter for _, adapter in self._adapters(model) if adapter.lora_E.requires_grad]
        if loss is not None and model.training and adapters and self.config.orth_reg_weight:
            penalty = torch.stack([adapter.not_orthogonal() for adapter in adapters]).sum()
            output.loss = loss + self.config.orth_reg_weight * penalty / (2 * len(adapters))
        return output

    def remove(self) -> None:
        """Leave the model's loss alone."""
        self._hook.remove()

    def budget(self, step: int) -> int:
        """Return how many ranks all layers may have together: all, then fewer by a cubic curve."""
        config = self.config
        assert config.total_step is not None
        last = config.total_step - config.tfinal
        if step <= config.tinit:
            return self.first_budget
        if step >= last:
            return self.final_budget
        left = 1 - (step - config.tinit) / (last - config.tinit)
        return int((self.first_budget - self.final_budget) * left**3 + self.final_budget)

    def update(self, model: nn.Module, step: int) -> None:
        """Take notice of the gradients of a step, and take ranks away when it is time.

        Args:
            model: the model, after `loss.backward()` and before `optimizer.zero_grad()`.
            step: the number of the step.

        Raises:
            ValueError: there are no gradients.
        """
        if step == self._last_step:  # a callback and the Trainer may both call
            return
        config, self._last_step = self.config, step
        assert config.total_step is not None
        last = config.total_step - config.tfinal
        if step <= last:
            self._notice(model)
        time_to_share = config.tinit < step < last and step % config.deltaT == 0
        if time_to_share or step == last:
            self._share(model, self.budget(step))
        if step >= last:
            self._averages.clear()
            self.decided = True
        with torch.no_grad():  # what was taken away stays away, whatever the optimizer does
            for name, adapter in self._adapters(model):
                if name in self._masks and (time_to_share or step >= last):
                    adapter.lora_E.masked_fill_(~self._masks[name][:, None], 0.0)

    def _notice(self, model: nn.Module) -> None:
        """Average the importance |weight * gradient| of each weight, and how much it varies."""
        slow, slower = self.config.beta1, self.config.beta2
        for name, adapter in self._adapters(model):
            for part, weight in adapter.named_parameters():
                if weight.grad is None:
                    raise ValueError(
                        "`update_and_allocate` needs the gradients of the adapter: call it in every step "
                        "after `loss.backward()` and before `optimizer.zero_grad()`."
                    )
                importance = (weight * weight.grad).abs().detach()
                zeros = torch.zeros_like(importance)
                average, uncertainty = self._averages.get((name, part), (zeros, zeros))
                average = slow * average + (1 - slow) * importance
                uncertainty = slower * uncertainty + (1 - slower) * (importance - average).abs()
                self._averages[name, part] = average, uncertainty

    def _share(self, model: nn.Module, budget: int) -> None:
        """Decide which ranks are left: the most important ones of all layers."""
        scores: dict[str, Tensor] = {}
        for name, _ in self._adapters(model):
            parts = {}
            for part in ("lora_A", "lora_E", "lora_B"):
                average, uncertainty = self._averages[name, part]
                parts[part] = average * uncertainty
            scores[name] = parts["lora_E"][:, 0] + parts["lora_A"].mean(1) + parts["lora_B"].mean(0)  # (r,)
        away = self.first_budget - budget
        if away <= 0:
            return
        limit = torch.cat(list(scores.values())).kthvalue(away).values
        self._masks = {name: score > limit for name, score in scores.items()}
        self.config.rank_pattern = self._pattern(model)

    def _pattern(self, model: nn.Module) -> dict[str, list[bool]]:
        """Return {name of a `lora_E`: which of the first `init_r` ranks are left}."""
        pattern = {}
        for name, adapter in self._adapters(model):
            mask = self._masks.get(name, torch.ones_like(adapter.lora_E[:, 0], dtype=torch.bool))
            pattern[f"{name}.lora_E"] = adapter.ranks(mask.tolist())
        return pattern

    # The file, which has only the ranks that are left

    def pattern_in_file(self, model: nn.Module) -> dict[str, list[bool]] | None:
        """Return the `rank_pattern` for a file: None while there are all ranks, or all may come back."""
        masks, self._masks = self._masks, self._masks if self.decided else {}
        pattern = self._pattern(model)
        self._masks = masks
        return None if all(map(all, pattern.values())) else pattern

    def without_lost(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Leave out, from the weights for a file, the ranks that were taken away for good."""
        left = dict(weights)
        for name, mask in self._masks.items() if self.decided else ():
            for part, dim in _RANKS.items():
                key = f"{name}.{part}"
                left[key] = weights[key].index_select(dim, mask.nonzero()[:, 0].to(weights[key].device))
        return left

    def with_lost(
        self, model: nn.Module, weights: dict[str, Tensor], pattern: dict[str, list[bool]] | None
    ) -> dict[str, Tensor]:
        """Put the weights of a file, {name in the model: tensor}, where they belong among all ranks here.

        Ranks that the file lacks stay in the model, and stay away.

        Raises:
            RuntimeError: the pattern is of other ranks than the weights.
        """
        for name, adapter in self._adapters(model):
            in_file = (pattern or {}).get(f"{name}.lora_E")
            path = f"{name}.{ATTRIBUTE}.{self.name}."
            if in_file is None or any(path + part not in weights for part in _RANKS):
                continue  # what is missing is told later
            if weights[f"{path}lora_E"].shape == adapter.lora_E.shape:
                continue
            if len(in_file) != len(adapter.kept) or sum(in_file) != len(weights[f"{path}lora_E"]):
                raise RuntimeError(
                    f"The file of the adapter {self.name} contradicts itself: its `rank_pattern` says of "
                    f"{name}.lora_E that {sum(in_file)} of {len(in_file)} ranks are left, the weights have "
                    f"{len(weights[f'{path}lora_E'])}, and `init_r` is {len(adapter.kept)}."
                )
            mask = [left for left, exists in zip(in_file, adapter.kept, strict=True) if exists]
            self._masks[name] = torch.tensor(mask, device=adapter.lora_E.device)
            self.decided = True
            rows = self._masks[name].nonzero()[:, 0]
            whole = {"lora_E": torch.zeros_like(adapter.lora_E), "lora_A": adapter.lora_A.detach()}
            whole["lora_B"] = adapter.lora_B.detach()
            for part, dim in _RANKS.items():
                given = weights[path + part].to(whole[part])
                weights[path + part] = whole[part].index_copy(dim, rows, given)
        return weights


_RANKS = {"lora_A": 0, "lora_E": 0, "lora_B": 1}  # {weight: its dimension of ranks}
