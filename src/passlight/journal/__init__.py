"""The journal: records that are durable before they are acknowledged, and arrive once."""
