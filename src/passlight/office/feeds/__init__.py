"""Feeds: batches from agencies, their reconciliation and quarantine."""
