"""The Trainers of both libraries in two processes: `torchrun training_processes.py LIBRARY FOLDER`."""

import importlib
import json
import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "nanoformers" / "training"))
from processes import WORDS, Sentences, accuracy

SMALL = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SMALL_GPT2 = {"vocab_size": WORDS, "n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 2}
NO_DROPOUT = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}


def run(library, folder, model, weights, language_model, **changes):
    class Recorder(library.Trainer):
        seen = ()

        def training_step(self, model, inputs, *args, **kwargs):
            self.seen = [*self.seen, inputs["input_ids"][:, 0].tolist()]
            return super().training_step(model, inputs, *args, **kwargs)

    if weights.is_file():
        model.load_state_dict(torch.load(weights))
    elif os.environ["RANK"] == "0":
        torch.save(model.state_dict(), weights)
    model.accepts_loss_kwargs = language_model
    args = library.TrainingArguments(
        str(folder),
        per_device_train_batch_size=3,
        per_device_eval_batch_size=4,
        num_train_epochs=2,
        logging_steps=1,
        save_strategy="no",
        learning_rate=1e-3,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        **changes,
    )
    trainer = Recorder(
        model=model,
        args=args,
        train_dataset=Sentences(41, language_model=language_model),
        eval_dataset=Sentences(19, seed=1),
        compute_metrics=None if language_model else accuracy,
    )
    trainer.train()
    history = trainer.state.log_history
    found = {
        "losses": [entry["loss"] for entry in history if "loss" in entry],
        "norms": [float(entry["grad_norm"]) for entry in history if "grad_norm" in entry],
        "rates": [entry["learning_rate"] for entry in history if "learning_rate" in entry],
        "epochs": [entry["epoch"] for entry in history],
        "seen": trainer.seen,
    }
    if not language_model:
        output = trainer.predict(Sentences(19, seed=1))
        found["predictions"], found["labels"] = output.predictions.tolist(), output.label_ids.tolist()
        found["accuracy"] = output.metrics["test_accuracy"]
    return found


def main():
    name, folder = sys.argv[1], Path(sys.argv[2])
    library = importlib.import_module(name)
    found = {}
    torch.manual_seed(0)
    bert = library.BertForSequenceClassification(library.BertConfig(**SMALL))
    found["bert"] = run(library, folder / name, bert, folder / "bert.pt", False)
    gpt2 = library.GPT2LMHeadModel(library.GPT2Config(**SMALL_GPT2, **NO_DROPOUT))
    found["gpt2"] = run(library, folder / name, gpt2, folder / "gpt2.pt", True, gradient_accumulation_steps=2)
    (folder / f"{name}-{os.environ['RANK']}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
