"""Any table of comma-separated values, read by a mapping file."""
