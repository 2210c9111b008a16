"""Parameters of tracing: which hold now, asking for others, and what those would change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from passlight.core.exposure.parameters import Cap, Dwell, TracingParameters
from passlight.core.places.venue import VenueClass
from passlight.office.exposures.models import ParametersVersion


def parameters_in_force() -> TracingParameters:
    """Return what tracing counts by now: the version last put in force, else the usual values."""
    version = version_in_force()
    return TracingParameters() if version is None else parameters_from_json(version.values)


def version_in_force() -> ParametersVersion | None:
    """Return the version that was put in force last."""
    held = ParametersVersion.objects.filter(in_force_at__isnull=False)
    return held.order_by("-in_force_at", "-pk").first()


def parameters_from_json(values: Mapping[str, Any]) -> TracingParameters:
    """Return the parameters that ``TracingParameters.to_json`` wrote."""
    return TracingParameters(
        lead_hours=values["lead_hours"],
        linger_minutes=values["linger_minutes"],
        minutes_min=values["minutes_min"],
        stay_hours_max=values["stay_hours_max"],
        dwell={kind: Dwell(**values["dwell"][kind.value]) for kind in VenueClass},
        cap=Cap(**values["cap"]),
    )


def asked_version() -> ParametersVersion | None:
    """Return the version that waits for a second officer."""
    return ParametersVersion.objects.filter(decided_at=None).first()


def history() -> list[tuple[ParametersVersion, datetime]]:
    """Return the versions that were ever in force, newest first, each with its first moment."""
    held = ParametersVersion.objects.filter(in_force_at__isnull=False).order_by("-in_force_at")
    rows = held.select_related("asked_by", "decided_by")
    return [(row, row.in_force_at) for row in rows if row.in_force_at is not None]
