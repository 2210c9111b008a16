"""Exposures (时空伴随): tracing a case, holding and releasing what it finds."""
