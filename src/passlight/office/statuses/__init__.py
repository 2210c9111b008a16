"""Statuses: evaluation, explanation, publication to the gateways."""
