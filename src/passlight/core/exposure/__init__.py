"""Exposure (时空伴随): who shared a room with a case, for how long, as a pure definition."""
