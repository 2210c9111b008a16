"""Places: units, venues, entrances and what a venue asks of a code."""
