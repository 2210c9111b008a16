"""Pages: what all pages share, and the style guide."""
