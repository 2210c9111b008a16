"""Incidents: their events, the findings they grew from, evidence, and requests to the district.

Events are appended and chained by hash; what ``StoredIncident`` keeps beside them is only what
lists and the follower search by, derived from the events in the transaction that adds one.
"""

from django.db import models

from passlight.core.incidents.event import What
from passlight.core.incidents.steps import Channel, FindingKind, Step


def _choices(words: type[FindingKind] | type[Step] | type[What] | type[Channel]) -> list[str]:
    return [word.value for word in words]


class StoredIncident(models.Model):
    """An incident as lists show it; what happened is in its events alone.

    ``number`` counts a venue's incidents of a day: 0608-03. ``visits_key`` is the person's
    pseudonym, None for somebody whom nobody could name.
    """

    id = models.UUIDField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="incidents")
    unit = models.ForeignKey("accounts.Unit", models.PROTECT, related_name="incidents")
    entrance = models.CharField(max_length=8, blank=True)
    day = models.DateField()
    ordinal = models.PositiveIntegerField()
    number = models.CharField(max_length=12)
    kind = models.CharField(max_length=24, choices=[(k, k) for k in _choices(FindingKind)])
    visits_key = models.CharField(max_length=34, null=True)  # noqa: DJ001  # nobody, not an empty key
    role = models.CharField(max_length=16, blank=True)
    found_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    plan = models.CharField(max_length=160, blank=True)
    # Minutes by step, as the plan set them when it was found; a setting, never law.
    limits = models.JSONField()
    place = models.CharField(max_length=60, blank=True)
    # Derived from the events
    owner = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    deputy = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    events = models.PositiveIntegerField()
    step = models.CharField(max_length=24, choices=[(s, s) for s in _choices(Step)])
    end = models.CharField(max_length=16, blank=True)
    due_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    isolated_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    street_told_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "incidents_incident"
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "day", "ordinal"], name="incidents_incident_number"
            ),
            models.UniqueConstraint(
                fields=["venue", "visits_key"],
                condition=models.Q(closed_at=None),
                name="incidents_incident_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(ordinal__gte=1), name="incidents_incident_counted"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(closed_at=None),
                name="incidents_incident_due",
            ),
            models.Index(fields=["unit", "-opened_at"], name="incidents_incident_unit"),
            models.Index(fields=["visits_key", "venue"], name="incidents_incident_person"),
        ]

    def __str__(self) -> str:
        return self.number


class StoredEvent(models.Model):
    """One event, with its link in the incident's chain (``core.kernel.hash_chain``)."""

    incident = models.ForeignKey(StoredIncident, models.PROTECT, related_name="log")
    number = models.PositiveIntegerField()
    what = models.CharField(max_length=16, choices=[(w, w) for w in _choices(What)])
    step = models.CharField(max_length=24, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    body = models.JSONField()
    link = models.BinaryField()

    class Meta:
        db_table = "incidents_event"
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="incidents_event_once"),
        ]

    def __str__(self) -> str:
        return f"event {self.number}"


class Sight(models.Model):
    """A unit that has or had an incident, and keeps reading it after a hand-over."""

    incident = models.ForeignKey(StoredIncident, models.PROTECT, related_name="sights")
    unit = models.ForeignKey("accounts.Unit", models.PROTECT, related_name="+")

    class Meta:
        db_table = "incidents_sight"
        constraints = [
            models.UniqueConstraint(fields=["incident", "unit"], name="incidents_sight_once"),
        ]

    def __str__(self) -> str:
        return f"sight of {self.incident_id}"


class RecordLink(models.Model):
    """A record of a door and the incident that it opened or joined: once, however often read."""

    record = models.TextField(primary_key=True)
    incident = models.ForeignKey(StoredIncident, models.PROTECT, related_name="records")

    class Meta:
        db_table = "incidents_record"

    def __str__(self) -> str:
        return self.record


class PendingRecord(models.Model):
    """An abnormal record that came in, waiting to be followed; a trigger on the records adds it.

    ``fault`` says why it was set aside; a fault never stops what comes after it.
    """

    seq = models.BigAutoField(primary_key=True)
    record = models.TextField(unique=True)
    followed_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "incidents_arrival"
        indexes = [
            models.Index(
                fields=["seq"],
                condition=models.Q(followed_at=None),
                name="incidents_arrival_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"arrival {self.seq}"


class NumberOfDay(models.Model):
    """The last number given to an incident of one venue on one day; its row is the lock."""

    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="+")
    day = models.DateField()
    last = models.PositiveIntegerField()

    class Meta:
        db_table = "incidents_number"
        constraints = [
            models.UniqueConstraint(fields=["venue", "day"], name="incidents_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"


class EvidenceFile(models.Model):
    """A recording or screenshot, sealed under a key of its own incident; ``digest`` of the clear.

    The event that names the digest is what proves it; the file can be erased, the event not.
    """

    id = models.UUIDField(primary_key=True)
    incident = models.ForeignKey(StoredIncident, models.PROTECT, related_name="files")
    event = models.PositiveIntegerField()
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    digest = models.BinaryField()
    sealed = models.BinaryField()
    added_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "incidents_evidence"

    def __str__(self) -> str:
        return f"evidence {self.id}"


class CorrectionRequest(models.Model):
    """The street office's request on one fact, and the district's decision on it.

    ``proposed`` is None to withdraw the fact, or the payload that it should have had. The colour
    is nobody's to write: it follows from the fact.
    """

    incident = models.ForeignKey(StoredIncident, models.PROTECT, related_name="corrections")
    fact_id = models.TextField()
    fact_ver = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    proposed = models.JSONField(null=True)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    corrected = models.BooleanField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "incidents_correction"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("asked_by")),
                name="incidents_correction_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None, decided_at=None, corrected=None)
                | models.Q(
                    decided_by__isnull=False, decided_at__isnull=False, corrected__isnull=False
                ),
                name="incidents_correction_decided_whole",
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=models.Q(decided_at=None),
                name="incidents_correction_one_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(decided_at=None),
                name="incidents_correction_open",
            ),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}"
