"""Simulated devices behind the same ports: for the demonstration, the simulation and tests."""
