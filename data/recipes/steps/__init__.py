"""What recipes share, and the longer steps of single recipes."""
