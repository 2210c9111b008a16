"""Places: venues (场所), their classes and entrances, and the venue code (场所码)."""
