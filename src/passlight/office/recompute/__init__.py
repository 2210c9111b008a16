"""Recompute (全市重算): the whole city again, compared with what is served."""
