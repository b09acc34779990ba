"""Commands of `classroom` that stand in a file of their own; `classroom.cli` puts them together."""
