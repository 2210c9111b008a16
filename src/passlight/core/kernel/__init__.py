"""What every part of the core stands on: colour, time, problems, documents, limits."""
