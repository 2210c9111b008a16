"""A seeded outbreak: infection happens inside a visit, so everything has a truth."""
