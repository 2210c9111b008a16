"""Venues: places, entrances, posters."""
