"""Records: what doors and venues sent, once each."""
