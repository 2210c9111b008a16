"""Codes: the exact bytes that a phone shows and a door reads."""
