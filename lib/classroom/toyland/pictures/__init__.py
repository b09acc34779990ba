"""Scenes as pictures with exact ground truth (needs Pillow and NumPy)."""
