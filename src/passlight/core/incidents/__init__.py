"""Incidents: the steps of the chain of report, their clocks and proofs."""
