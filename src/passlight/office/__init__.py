"""The control plane: people, feeds, facts, packs, venues, users."""
