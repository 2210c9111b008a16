"""The whole city at once: set-based rules and exposure tracing over Parquet."""
