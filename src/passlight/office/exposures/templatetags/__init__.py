"""Template tags of tracing."""
