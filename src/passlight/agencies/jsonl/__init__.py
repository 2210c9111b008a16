"""Facts as JSON Lines: Passlight's own file format (design.md 3)."""
