"""Venues and their entrances. The venue code names a venue by its id, so a rename voids none."""

from django.db import models

from passlight.core.places.venue import (
    ENTRANCE_CODE,
    FRESHNESS_SECONDS_MAX,
    FRESHNESS_SECONDS_MIN,
    ZONE_CODE,
    VenueClass,
)


class Venue(models.Model):
    """A place that people enter. Registered by a unit; nobody can check in until it is active."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=160)
    address = models.CharField(max_length=160)
    kind = models.CharField(
        max_length=16, choices=[(kind.value, kind.value) for kind in VenueClass]
    )
    unit = models.ForeignKey("accounts.Unit", models.PROTECT, related_name="venues")
    freshness_seconds = models.PositiveIntegerField()
    active = models.BooleanField(default=False)
    registered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    registered_at = models.DateTimeField()
    # Who opened or closed it last.
    activity_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    activity_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["unit", "name"], name="venues_venue_unit")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in VenueClass]),
                name="venues_venue_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    freshness_seconds__gte=FRESHNESS_SECONDS_MIN,
                    freshness_seconds__lte=FRESHNESS_SECONDS_MAX,
                ),
                name="venues_venue_freshness",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Entrance(models.Model):
    """One door. Its code and zone are inside the venue code, so they never change."""

    venue = models.ForeignKey(Venue, models.PROTECT, related_name="entrances")
    code = models.CharField(max_length=8)
    zone = models.CharField(max_length=8, blank=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=80)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "code"], name="venues_entrance_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex=f"^{ENTRANCE_CODE.pattern}$"),
                name="venues_entrance_code",
            ),
            models.CheckConstraint(
                condition=models.Q(zone__regex=f"^{ZONE_CODE.pattern}$"),
                name="venues_entrance_zone",
            ),
        ]

    def __str__(self) -> str:
        return self.code
