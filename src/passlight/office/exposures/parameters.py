"""Parameters of tracing: which hold now, asking for others, and what those would change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from passlight.core.exposure.parameters import Cap, Dwell, TracingParameters
from passlight.core.kernel.clock import Clock
from passlight.core.places.venue import VenueClass
from passlight.office.accounts.models import User
from passlight.office.accounts.roles import allowed
from passlight.office.exposures.models import ParametersVersion
from passlight.office.exposures.refusing import refused


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


def ask_parameters(
    parameters: TracingParameters, *, reason: str, actor: User, clock: Clock
) -> ParametersVersion:
    """Ask for other parameters; what they would change is counted before somebody decides.

    Raises:
        ProblemError: when the actor may not, nothing would change, or another request waits.
    """
    if not allowed(actor, "exposures.change"):
        raise refused("not-yours", "Somebody else asks for parameters.")
    if parameters.params_hash == parameters_in_force().params_hash:
        raise refused("same", "These parameters hold already.")
    try:
        with transaction.atomic():
            return ParametersVersion.objects.create(
                values=parameters.to_json(),
                hash=parameters.params_hash,
                reason=reason[:300],
                asked_by=actor,
                asked_at=clock.now(),
            )
    except IntegrityError as error:
        raise refused("waiting", "Another request waits for an answer.") from error


def decide_parameters(pk: int, *, accepted: bool, actor: User, clock: Clock) -> ParametersVersion:
    """Put asked parameters in force, by somebody else, or turn them down.

    The follower finds every open case again under their hash.

    Raises:
        ProblemError: when the actor is no second person, or the change is not counted yet.
    """
    with transaction.atomic():
        asked = ParametersVersion.objects.select_for_update().get(pk=pk)
        if asked.decided_at is not None:
            raise refused("state", "This request has its answer.")
        if not allowed(actor, "exposures.change") or not actor.is_second_person(asked.asked_by):
            raise refused("one-person", "Somebody else decides on what you asked for.")
        if accepted and asked.impact is None:
            raise refused("uncounted", "What it changes is not counted yet.")
        asked.decided_by, asked.decided_at = actor, clock.now()
        asked.in_force_at = clock.now() if accepted else None
        asked.save(update_fields=["decided_by", "decided_at", "in_force_at"])
        return asked
