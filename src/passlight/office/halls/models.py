"""Halls: zones, plans with dates, staff and duty rosters, and the places of each zone.

Plans, corrections and leases are never changed, only ended; who is inside is what their rows
say together, so a recount is always possible.
"""

from django.db import models

from passlight.core.entry.zone_places import EndedBy
from passlight.core.places.hall import DutyRole, HallLevel, HallState, ZoneKind
from passlight.core.places.venue import ZONE_CODE


def _choices(words: type[HallLevel | HallState | ZoneKind | DutyRole]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


class Hall(models.Model):
    """A service hall: a venue with zones, a level in the tree, and a state."""

    id = models.UUIDField(primary_key=True)
    venue = models.OneToOneField("venues.Venue", models.PROTECT, related_name="hall")
    level = models.CharField(max_length=16, choices=_choices(HallLevel))
    state = models.CharField(max_length=16, choices=_choices(HallState), default="open")
    state_reason = models.CharField(max_length=200, blank=True)
    state_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    state_at = models.DateTimeField()

    class Meta:
        ordering = ["venue__name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(level__in=[word.value for word in HallLevel]),
                name="halls_hall_level",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[word.value for word in HallState]),
                name="halls_hall_state",
            ),
        ]

    def __str__(self) -> str:
        return f"hall {self.id}"


class Zone(models.Model):
    """A part of a hall; ``cap`` is what its walls allow, a plan may allow fewer."""

    hall = models.ForeignKey(Hall, models.PROTECT, related_name="zones")
    code = models.CharField(max_length=8)
    kind = models.CharField(max_length=16, choices=_choices(ZoneKind))
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=80)
    cap = models.PositiveIntegerField(null=True)
    # Counted up, and so locked, by every transaction that moves this zone's places.
    turn = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["hall", "code"], name="halls_zone_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex=f"^{ZONE_CODE.pattern}$") & ~models.Q(code=""),
                name="halls_zone_code",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class StoredPlan(models.Model):
    """A version of a plan: what a unit, or one hall, sets from a moment on.

    Withdrawn before that moment it never held; nothing else of it ever changes.
    """

    id = models.UUIDField(primary_key=True)
    unit = models.ForeignKey("accounts.Unit", models.PROTECT, related_name="plans")
    hall = models.ForeignKey(Hall, models.PROTECT, null=True, related_name="plans")
    effective_from = models.DateTimeField()
    changes = models.JSONField()
    reason = models.CharField(max_length=200)
    published_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "halls_plan"
        ordering = ["-effective_from", "-published_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(withdrawn_at=None)
                | models.Q(withdrawn_at__lt=models.F("effective_from")),
                name="halls_plan_withdrawn_in_time",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.id}"


class StaffMember(models.Model):
    """Somebody who works in a hall: a person found by document, a post, hours, from and until."""

    hall = models.ForeignKey(Hall, models.PROTECT, related_name="staff")
    person = models.ForeignKey("people.Person", models.PROTECT, related_name="+")
    post = models.CharField(max_length=40)
    starts_at = models.TimeField()
    ends_at = models.TimeField()
    added_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    ended_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "halls_staff"
        ordering = ["post", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hall", "person"],
                condition=models.Q(ended_at=None),
                name="halls_staff_once",
            ),
        ]

    def __str__(self) -> str:
        return f"staff {self.pk}"


class Duty(models.Model):
    """Who is on duty for a unit in a role, and their deputy, from one moment until another."""

    unit = models.ForeignKey("accounts.Unit", models.PROTECT, related_name="duties")
    role = models.CharField(max_length=16, choices=_choices(DutyRole))
    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    deputy = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    added_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "halls_duty"
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["unit", "role", "ends_at"], name="halls_duty_unit")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="halls_duty_period"
            ),
        ]

    def __str__(self) -> str:
        return f"duty {self.pk}"


class DoorHolding(models.Model):
    """What one device at one door holds of a zone's places (``core.entry.zone_places``).

    ``reply`` is the last answer, given again when the same request comes again.
    """

    zone = models.ForeignKey(Zone, models.PROTECT, related_name="holdings")
    entrance = models.CharField(max_length=8)
    device = models.CharField(max_length=64)
    is_gate = models.BooleanField()
    session = models.BigIntegerField(default=0)
    request = models.BigIntegerField(default=0)
    greeted = models.BooleanField(default=False)
    standing = models.PositiveIntegerField(default=0)
    lent = models.PositiveIntegerField(default=0)
    lent_until = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    digest = models.BinaryField(default=b"")
    reply = models.JSONField(null=True)

    class Meta:
        db_table = "halls_door_places"
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "entrance", "device"], name="halls_door_places_once"
            ),
        ]

    def __str__(self) -> str:
        return f"door {self.entrance}"


class Lease(models.Model):
    """One place taken by one person: opened once, closed once. The entry record names it, too.

    ``own_of``: it is inside that door's standing share. ``told``: that door knows it is over.
    """

    id = models.UUIDField(primary_key=True)
    zone = models.ForeignKey(Zone, models.PROTECT, related_name="leases")
    own_of = models.ForeignKey(DoorHolding, models.PROTECT, null=True, related_name="leases")
    entrance = models.CharField(max_length=8, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(
        max_length=16, blank=True, choices=[(word.value, word.value) for word in EndedBy]
    )
    exit_entrance = models.CharField(max_length=8, blank=True)
    told = models.BooleanField(default=False)

    class Meta:
        db_table = "halls_lease"
        indexes = [
            models.Index(
                fields=["zone", "opened_at"],
                condition=models.Q(closed_at=None),
                name="halls_lease_open",
            ),
            models.Index(
                fields=["own_of"],
                condition=models.Q(told=False, closed_at__isnull=False),
                name="halls_lease_untold",
            ),
            models.Index(fields=["zone", "-opened_at"], name="halls_lease_zone"),
        ]

    def __str__(self) -> str:
        return f"lease {self.id}"


class Hold(models.Model):
    """Places held for people whom a door forgot, until the last of them has timed out."""

    zone = models.ForeignKey(Zone, models.PROTECT, related_name="holds")
    count = models.PositiveIntegerField()
    entrance = models.CharField(max_length=8)
    made_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        db_table = "halls_hold"

    def __str__(self) -> str:
        return f"{self.count} held"


class Correction(models.Model):
    """A head count: who counted how many, and why it differed from what was known."""

    zone = models.ForeignKey(Zone, models.PROTECT, related_name="corrections")
    counted = models.PositiveIntegerField()
    known = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "halls_correction"
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.known} → {self.counted}"
