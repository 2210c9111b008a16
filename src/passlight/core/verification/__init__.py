"""Verification: from a scanned text to an answer and its one reason."""
