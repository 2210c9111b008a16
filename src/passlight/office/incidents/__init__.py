"""Incidents: an abnormal code or sign, from the door to its end."""
