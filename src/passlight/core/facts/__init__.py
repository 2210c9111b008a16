"""Facts: what agencies say, append-only, sourced and dated."""
