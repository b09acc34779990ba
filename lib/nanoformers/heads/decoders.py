"""Heads on top of a decoder's states, where the last token is the one that has seen all others.

In the shapes, `b` is the batch, `s` the sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..nn.cache import KeyValueCache
from ..outputs import SequenceClassifierOutputWithPast
from ..utils import logging
from .base import Head
from .losses import answer, classification_loss

__all__ = ["ForSequenceClassificationByLastToken"]

logger = logging.get_logger(__name__)

Tensor = torch.Tensor


class ForSequenceClassificationByLastToken(Head):
    """A class, several classes or a number for each input, from the state of its last token.

    With a `pad_token_id` in the configuration, that is the last token which is not padding, on whichever side
    the padding is; without one, the last of all, which is known to be right in a batch of one only.
    """

    def add_head(self) -> None:
        """Build the scores of one state."""
        self.score = nn.Linear(self.config.hidden_size, self.num_labels, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | Sequence[Sequence[Tensor]] | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **others: Any,
    ) -> SequenceClassifierOutputWithPast | tuple[Any, ...]:
        """Classify whole inputs.

        It takes what the base model takes (what only some architectures have is among `others`), and

        - `labels`: see `classification_loss`.

        Returns:
            `logits` (b, num_labels), `loss` when there are labels, and what else was asked for.

        Raises:
            ValueError: there are several inputs, and the configuration has no `pad_token_id`.
        """
        given = input_ids if input_ids is not None else inputs_embeds
        if given is not None and given.shape[0] > 1 and self.config.pad_token_id is None:
            raise ValueError(
                "Cannot handle batch sizes > 1 if no padding token is defined: set `pad_token_id` in the "
                "model's configuration (`model.config.pad_token_id = tokenizer.pad_token_id`), or pass one "
                "input at a time."
            )
        outputs = self.run_base_model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            **others,
        )
        states = outputs.last_hidden_state
        rows = torch.arange(states.shape[0], device=states.device)
        logits = self.score(states[rows, self.last_token(input_ids)])
        loss = None if labels is None else classification_loss(logits, labels, self.config)
        output = SequenceClassifierOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return answer(output, self.config.use_return_dict if return_dict is None else return_dict)

    def last_token(self, input_ids: Tensor | None) -> Tensor | int:
        """Find each row's last token: (b,) places, or one place for all when padding is not known."""
        pad = self.config.pad_token_id
        if pad is None:
            return -1
        if input_ids is None:
            logger.warning_once(
                f"{type(self).__name__} will not detect padding tokens in `inputs_embeds`. Results may be "
                "unexpected if using padding tokens in conjunction with `inputs_embeds.`"
            )
            return -1
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        return (places * (input_ids != pad)).argmax(-1)
