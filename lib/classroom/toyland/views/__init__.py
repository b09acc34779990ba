"""Views of a scene as text with labels: headlines, questions, entities, sentiment, intents, and more."""
