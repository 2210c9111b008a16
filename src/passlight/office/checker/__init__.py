"""The checker's pages."""
