"""The set-based form of the rules: each module writes one part of the SQL."""
