"""The agencies by name; each is loaded when it is asked for."""

import importlib

from passlight.agencies.agency import Agency

#: Name at the command line and in addresses → folder below ``passlight.agencies``.
FOLDERS = {"jsonl": "jsonl", "csv": "csv", "risk-areas": "risk_areas", "kcdc": "kcdc"}


def agency(name: str) -> Agency:
    """Return the agency of that name.

    Raises:
        KeyError: when there is none.
    """
    module = importlib.import_module(f"passlight.agencies.{FOLDERS[name]}.agency")
    found: Agency = module.AGENCY
    return found
