"""Tracing in the database: cases and their windows, what was found, and who decided on it.

A person stands here under two pseudonyms: ``subject`` of the facts and ``visits_key`` of the
records. What was found is a row with a state and events that are added and never changed; a
colour follows from the fact that lands (``exposure.derived``) and from nothing here.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from passlight.office.exposures.states import (
    BatchState,
    CaseState,
    Decision,
    ExposureState,
    Origin,
    What,
)


def _in(field: str, states: type) -> models.Q:
    return models.Q(**{f"{field}__in": [state.value for state in states]})  # type: ignore[attr-defined]


class PendingPresence(models.Model):
    """A record of somebody at a venue that tracing has not looked at; a trigger adds it.

    It is taken out in the transaction that acts on it: killed anywhere, nothing is passed over
    and nothing is done twice.
    """

    seq = models.BigAutoField(primary_key=True)
    visits_key = models.TextField()
    venue_id = models.UUIDField()
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "exposures_arrival"

    def __str__(self) -> str:
        return f"arrival {self.seq}"


class TracePosition(models.Model):
    """How far the log of facts has been followed: one row."""

    id = models.SmallIntegerField(primary_key=True)
    facts_seq = models.BigIntegerField()

    class Meta:
        db_table = "exposures_position"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="exposures_one")]

    def __str__(self) -> str:
        return f"facts {self.facts_seq}"


class ParametersVersion(models.Model):
    """Parameters of tracing as one officer asked for them and another put them in force."""

    values = models.JSONField()
    hash = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    impact = models.JSONField(null=True)
    impact_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    in_force_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exposures_parameters"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("asked_by")),
                name="exposures_parameters_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None, decided_at=None, in_force_at=None)
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="exposures_parameters_decided_whole",
            ),
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(decided_at=None),
                name="exposures_parameters_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.hash[:19]


class ForeignList(models.Model):
    """A publication of places elsewhere, uploaded by one officer and matched after another's."""

    name = models.CharField(max_length=120)
    layout = models.CharField(max_length=24)
    digest = models.CharField(max_length=80)
    rows = models.JSONField()
    uploaded_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "exposures_foreign"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("uploaded_by")),
                name="exposures_foreign_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None, decided_at=None, accepted=None)
                | models.Q(
                    decided_by__isnull=False, decided_at__isnull=False, accepted__isnull=False
                ),
                name="exposures_foreign_decided_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TracedCase(models.Model):
    """A case as tracing reads it now: its infectious window, and how far it has been traced.

    ``fact_id`` is the fact that makes it a case, or names a row of a foreign list. ``own_keys``
    are the visits keys of the case itself, ``household_keys`` those of who lives with it.
    ``isolated_at`` is when the window ends; not ``is_isolated`` means by ``OPEN_DAYS_MAX`` alone.
    """

    fact_id = models.TextField(unique=True)
    subject = models.TextField()
    kind = models.CharField(max_length=32)
    case_id = models.TextField()
    origin = models.CharField(max_length=12, default=Origin.FACT.value)
    foreign = models.ForeignKey(ForeignList, models.PROTECT, null=True, related_name="cases")
    state = models.CharField(max_length=12)
    begins_by = models.CharField(max_length=12)
    infectious_from = models.DateTimeField()
    isolated_at = models.DateTimeField()
    is_isolated = models.BooleanField()
    own_keys = ArrayField(models.TextField(), default=list)
    household_keys = ArrayField(models.TextField(), default=list)
    params_hash = models.CharField(max_length=80)
    known_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    swept_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exposures_case"
        constraints = [
            models.CheckConstraint(condition=_in("state", CaseState), name="exposures_case_state"),
            models.CheckConstraint(condition=_in("origin", Origin), name="exposures_case_origin"),
        ]
        indexes = [
            models.Index(fields=["params_hash", "id"], name="exposures_case_params"),
            models.Index(fields=["subject"], name="exposures_case_subject"),
            models.Index(fields=["origin", "-known_at"], name="exposures_case_known"),
        ]

    def __str__(self) -> str:
        return self.case_id


class StoredWindow(models.Model):
    """One stretch of a case in one zone, as ``core.exposure.window.CaseWindow`` says it."""

    case = models.ForeignKey(TracedCase, models.CASCADE, related_name="windows")
    visit = models.TextField()
    # Whose visit it is: one of the case's own keys; empty in a window that was published.
    visits_key = models.TextField(blank=True)
    venue_id = models.UUIDField()
    zone = models.CharField(max_length=8, blank=True)
    since = models.DateTimeField()
    direct_until = models.DateTimeField()
    until = models.DateTimeField()
    certain_direct_until = models.DateTimeField()
    certain_until = models.DateTimeField()
    presence = models.SmallIntegerField()

    class Meta:
        db_table = "exposures_window"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(direct_until__gt=models.F("since"))
                & models.Q(until__gte=models.F("direct_until")),
                name="exposures_window_interval",
            ),
            models.UniqueConstraint(fields=["case", "visit"], name="exposures_window_once"),
        ]
        indexes = [models.Index(fields=["case", "venue_id"], name="exposures_window_venue")]

    def __str__(self) -> str:
        return f"{self.venue_id}/{self.zone}"


class PendingSweep(models.Model):
    """A venue that has to be looked at again for a case; gone in the transaction that did it."""

    case = models.ForeignKey(TracedCase, models.CASCADE, related_name="sweeps")
    venue_id = models.UUIDField()
    reason = models.CharField(max_length=24)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "exposures_sweep"
        constraints = [
            models.UniqueConstraint(fields=["case", "venue_id"], name="exposures_sweep_once")
        ]
        indexes = [models.Index(fields=["due_at", "id"], name="exposures_sweep_due")]

    def __str__(self) -> str:
        return f"sweep {self.pk}"


class VenueBatch(models.Model):
    """What one case left behind in one zone: it lands by itself, or waits for two people."""

    id = models.UUIDField(primary_key=True)
    case = models.ForeignKey(TracedCase, models.PROTECT, related_name="batches")
    venue_id = models.UUIDField()
    zone = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=12)
    present = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    asked_people = models.PositiveIntegerField(default=0)
    # Whose bell rang about it, as [unit, role]: a withdrawal goes where the notice went.
    told = models.JSONField(default=list)

    class Meta:
        db_table = "exposures_batch"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "venue_id", "zone"], name="exposures_batch_once"
            ),
            models.CheckConstraint(
                condition=_in("state", BatchState), name="exposures_batch_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=models.Q(state__in=[BatchState.HELD.value, BatchState.ASKED.value]),
                name="exposures_batch_waiting",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BatchDecision(models.Model):
    """What one officer decided on a batch, and why; never changed."""

    batch = models.ForeignKey(VenueBatch, models.PROTECT, related_name="decisions")
    what = models.CharField(max_length=12)
    by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    people = models.PositiveIntegerField()
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "exposures_decision"
        constraints = [
            models.CheckConstraint(condition=_in("what", Decision), name="exposures_decision_what")
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.batch_id}"


class StoredExposure(models.Model):
    """One pair of visits as it stands now; ``fact_id`` is the fact that it lands as."""

    fact_id = models.TextField(primary_key=True)
    batch = models.ForeignKey(VenueBatch, models.PROTECT, related_name="exposures")
    subject = models.TextField()
    visits_key = models.TextField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    direct_minutes = models.PositiveIntegerField()
    imputed = models.BooleanField()
    params_hash = models.CharField(max_length=80)
    state = models.CharField(max_length=12)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "exposures_exposure"
        constraints = [
            models.CheckConstraint(
                condition=_in("state", ExposureState), name="exposures_exposure_state"
            )
        ]
        indexes = [
            models.Index(fields=["batch", "state"], name="exposures_exposure_batch"),
            models.Index(fields=["visits_key"], name="exposures_exposure_visits"),
        ]

    def __str__(self) -> str:
        return self.fact_id


class ExposureEvent(models.Model):
    """One thing that became of a found exposure; added and never changed."""

    LISTED: ClassVar[int] = 200

    seq = models.BigAutoField(primary_key=True)
    exposure = models.TextField()
    batch = models.ForeignKey(VenueBatch, models.PROTECT, related_name="events")
    what = models.CharField(max_length=12)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    params_hash = models.CharField(max_length=80)
    body = models.JSONField()

    class Meta:
        db_table = "exposures_event"
        constraints = [
            models.CheckConstraint(condition=_in("what", What), name="exposures_event_what")
        ]
        indexes = [
            models.Index(fields=["exposure", "seq"], name="exposures_event_exposure"),
            models.Index(fields=["batch", "-seq"], name="exposures_event_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.exposure}"


class PublishedLocation(models.Model):
    """A place and a time that an officer made public; nothing of the case but when it was there."""

    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField()
    advice_zh = models.CharField(max_length=300)
    advice_en = models.CharField(max_length=300)
    added_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exposures_location"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="exposures_location_interval"
            ),
            models.UniqueConstraint(
                fields=["venue", "start", "end"],
                condition=models.Q(withdrawn_at=None),
                name="exposures_location_once",
            ),
        ]

    def __str__(self) -> str:
        return f"location {self.pk}"
