"""Entry: what a door must see, what it decides, how many may be inside."""
