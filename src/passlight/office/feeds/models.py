"""Feeds, their batches and what was put aside; no personal field on any of these tables."""

from typing import ClassVar

from django.db import models

from passlight.agencies.rows import Reconciliation


class BatchState(models.TextChoices):
    """Where a batch is. A batch that was killed half-way stays ``landing`` until resumed."""

    LANDING = "landing"
    COMPLETE = "complete"
    HELD = "held"
    UNREADABLE = "unreadable"


class Feed(models.Model):
    """A stream of files from one agency; ``name`` tells the tables of the agency csv apart."""

    agency = models.CharField(max_length=16)
    name = models.CharField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "name"], name="feeds_feed_once")
        ]

    def __str__(self) -> str:
        return self.name


class Batch(models.Model):
    """One file of a feed and the account of its rows.

    Counts, quarantine and ``position`` (the last line that was dealt with) are written in the
    transaction that lands the facts of those lines, so a batch can be resumed at any moment.
    """

    feed = models.ForeignKey(Feed, models.PROTECT, related_name="batches")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    encoding = models.CharField(max_length=16)
    mapping = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=BatchState.choices)
    # What the file says of itself, or what the operator said; judged against this time.
    published_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    # Why it is held or cannot be read: a message code and its parameters.
    reason = models.CharField(max_length=64, blank=True)
    reason_params = models.JSONField(default=dict)
    position = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    declared = models.BigIntegerField(default=0)
    landed = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    closed = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["feed", "-received_at"], name="feeds_batch_feed"),
            models.Index(fields=["-received_at"], name="feeds_batch_received"),
            models.Index(fields=["sha256"], name="feeds_batch_digest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=["landing", "unreadable"])
                | models.Q(
                    declared=models.F("landed")
                    + models.F("unchanged")
                    + models.F("quarantined")
                    + models.F("held")
                ),
                name="feeds_batch_balances",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def reconciliation(self) -> Reconciliation:
        """Return the account of the rows."""
        return Reconciliation(
            declared=self.declared,
            landed=self.landed,
            unchanged=self.unchanged,
            quarantined=self.quarantined,
            held=self.held,
            closed=self.closed,
        )

    def add(self, counts: Reconciliation) -> None:
        """Add what became of some rows; ``declared`` is known from the start and stays."""
        self.landed += counts.landed
        self.unchanged += counts.unchanged
        self.quarantined += counts.quarantined
        self.held += counts.held
        self.closed += counts.closed


class QuarantinedRow(models.Model):
    """A row that was put aside: where, which field, why, and its masked text."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="quarantined_rows")
    line = models.BigIntegerField()
    field = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    raw = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "feeds_quarantinedrow"
        indexes: ClassVar = [models.Index(fields=["batch", "line"], name="feeds_quarantine_line")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line} {self.code}"


class Doubt(models.Model):
    """Something about a row that landed, or a list that was applied, that somebody should see."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="doubts")
    line = models.BigIntegerField(null=True)
    field = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["batch", "line"], name="feeds_doubt_line")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.line} {self.code}"


class PublishedList(models.Model):
    """A list of a feed whose files replace each other: applied, or held for a person.

    ``listed`` is what is in force and is kept on the newest applied list alone; ``content`` is
    what a held list says, so that it can be released without its file.
    """

    feed = models.ForeignKey(Feed, models.PROTECT, related_name="lists")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="lists")
    list_id = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    listed = models.JSONField(null=True)
    content = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["feed", "list_id"], name="feeds_list_once")
        ]
        indexes: ClassVar = [models.Index(fields=["feed", "-published_at"], name="feeds_list_feed")]

    def __str__(self) -> str:
        return self.list_id
