"""The resident's pages."""
