"""Gates: the devices at doors, how they are enrolled, and what they sent."""
