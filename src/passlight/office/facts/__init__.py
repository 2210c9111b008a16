"""Facts: the append-only log."""
