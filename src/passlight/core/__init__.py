"""The pure core: every decision, no input or output, no clock, no randomness."""
