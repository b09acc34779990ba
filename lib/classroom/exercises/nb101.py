"""Exercises of notebook 101: trainer, callbacks, optimizers."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from typing import Any

from classroom.exercises import Wrong, exercise

EXAMPLES, ON_DEVICE, STEPS, WARMUP, EVERY = 64, 16, 300, 30, 50


@exercise(
    "101.1",
    "Which arguments make 300 steps of 64 examples on a device that takes 16 at once?",
    hints=[
        "A step sees the batch of a device times the batches that are accumulated.",
        "`max_steps` counts steps; `warmup_steps` counts those of the warm-up.",
        "`load_best_model_at_end` wants evaluation and saving at the same steps: both strategies 'steps'.",
    ],
)
def plan(answer: dict[str, Any]) -> str:
    """Arguments of `TrainingArguments`, as a dictionary."""
    from nanoformers import TrainingArguments

    if not isinstance(answer, dict):
        raise Wrong('Give a dictionary of arguments, such as {"max_steps": 300}.')
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = TrainingArguments(**{**answer, "output_dir": folder})
        except Exception as error:
            raise Wrong(f"TrainingArguments refuses these: {error}") from error
    batch = made.per_device_train_batch_size
    if batch > ON_DEVICE:
        raise Wrong(f"The device takes {ON_DEVICE} examples at once, and this gives it {batch}.")
    if batch * made.gradient_accumulation_steps != EXAMPLES:
        seen = batch * made.gradient_accumulation_steps
        raise Wrong(f"A step sees {batch} x {made.gradient_accumulation_steps} = {seen} examples, not 64.")
    if made.max_steps != STEPS:
        raise Wrong(f"There should be {STEPS} steps; max_steps is {made.max_steps}.")
    if made.get_warmup_steps(STEPS) != WARMUP:
        raise Wrong(f"The warm-up has {made.get_warmup_steps(STEPS)} steps, not {WARMUP}.")
    for what, strategy, every in (
        ("evaluated", made.eval_strategy, made.eval_steps),
        ("saved", made.save_strategy, made.save_steps),
    ):
        if str(strategy) != "steps" or every not in (EVERY, EVERY / STEPS):
            raise Wrong(f"The model is not {what} every {EVERY} steps: strategy {strategy}, steps {every}.")
    if not made.load_best_model_at_end:
        raise Wrong("The model at the end is the last one, not the best.")
    return "Smaller batches with more accumulation would do too, only slower."


@exercise(
    "101.2",
    "What is the factor of the linear schedule at step t?",
    hints=[
        "Two straight lines meet at step 20, where the factor is 1.",
        "The second one loses 1 over the 80 steps that are left, and stays at 0 afterwards.",
        "return t / 20 if t < 20 else max(0, (100 - t) / ...)",
    ],
)
def linear_factor(answer: Callable[[int], float]) -> str:
    """A function of the step, compared with the schedule itself."""
    import torch
    from nanoformers import get_scheduler

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_scheduler("linear", optimizer, 20, 100)
    for step in range(110):
        expected = optimizer.param_groups[0]["lr"]
        found = float(answer(step))
        if not math.isclose(found, expected, abs_tol=1e-6):
            part = "in the warm-up" if step < 20 else "after the warm-up" if step <= 100 else "after the end"
            raise Wrong(
                f"At step {step}, {part}, the schedule has {expected:.4f} and this gives {found:.4f}."
            )
        optimizer.step()
        schedule.step()
    return "Equal at every step, also after the last."


@exercise(
    "101.3",
    "How does a callback stop a training whose loss has run away?",
    hints=[
        "Logs arrive in `on_log(self, args, state, control, logs=None, **kwargs)`.",
        "Not every log has a `loss`. And nan: every comparison with it is False.",
        "if not (logs or {}).get('loss', 0) <= 10: control.should_training_stop = True",
    ],
)
def runaway(answer: Any) -> str:
    """A subclass of TrainerCallback; it is shown some logs."""
    from nanoformers import TrainingArguments
    from nanoformers.trainer_callback import TrainerCallback, TrainerControl, TrainerState

    if not (isinstance(answer, type) and issubclass(answer, TrainerCallback)):
        raise Wrong("Give the class itself, a subclass of TrainerCallback.")
    logs: list[tuple[dict[str, float], bool]] = [
        ({"loss": 0.7, "learning_rate": 1e-3}, False),
        ({"eval_loss": 50.0, "epoch": 1.0}, False),
        ({"loss": 10.5}, True),
        ({"loss": math.nan}, True),
        ({"loss": math.inf}, True),
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(output_dir=folder)
        for entry, should_stop in logs:
            control = TrainerControl()
            try:
                returned = answer().on_log(arguments, TrainerState(), control, logs=entry)
            except Exception as error:
                raise Wrong(f"With the log {entry} it raises {type(error).__name__}: {error}") from error
            control = returned or control
            if bool(control.should_training_stop) is not should_stop:
                wish = "should stop" if should_stop else "should go on"
                raise Wrong(f"With the log {entry} the training {wish}, and this does the opposite.")
    return "It looks at logged losses only, so log often enough."
