"""Accounts: units, users, roles, login, grants."""
