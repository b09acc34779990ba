"""The documented methods of `Trainer`, by what they are about; `trainer.py` puts them together."""
