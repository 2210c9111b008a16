"""Passlight (随行码): a health-status code, self-hosted and open."""
