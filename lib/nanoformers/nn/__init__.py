"""The parts that models are made of; each model file imports the few that it uses."""
