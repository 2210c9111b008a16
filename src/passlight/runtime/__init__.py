"""The effects: clock, entropy, settings, keys, the embedded database."""
