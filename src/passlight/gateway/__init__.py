"""The data plane: codes, verification, check-ins; answers from memory, never loads Django."""
