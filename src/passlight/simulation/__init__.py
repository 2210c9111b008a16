"""The simulated district: fictional people and venues, their feeds, phones and doors."""
