"""The command `nanoformers-cli`."""
