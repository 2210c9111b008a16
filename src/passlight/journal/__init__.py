"""The journal: append-only records, durable before they are acknowledged."""
