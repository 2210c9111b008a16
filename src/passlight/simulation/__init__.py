"""A seeded fictional district that drives all of it."""
