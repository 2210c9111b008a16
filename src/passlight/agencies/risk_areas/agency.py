"""The feed of the national list of risk areas: files that each replace the one before."""

from datetime import timedelta

from passlight.agencies.agency import SnapshotAgency
from passlight.agencies.risk_areas.snapshot import published_at, read_snapshot

AGENCY = SnapshotAgency(
    name="risk-areas",
    suffixes=(".json",),
    freshness=timedelta(hours=36),
    read=read_snapshot,
    published_at=published_at,
)
