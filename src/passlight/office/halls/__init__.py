"""Halls: zones, plans with dates, staff, and how many people are inside."""
