"""Full recomputes: each run, and every person for whom it found something else than is served."""

from django.db import models


class Run(models.Model):
    """The whole city computed again by the set-based engine, compared with what is served.

    ``fact_seq`` and ``packs_seq`` say what it was computed from: what was served on the same
    facts and packs must be the same. ``step_*`` say what the process is at.
    """

    class State(models.TextChoices):
        """Where a run is; ``asked`` waits for its process."""

        ASKED = "asked"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    state = models.TextField(choices=State.choices)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    at = models.DateTimeField(null=True)  # the moment from which on colours are computed
    fact_seq = models.BigIntegerField(null=True)
    packs_seq = models.BigIntegerField(null=True)
    people = models.IntegerField(db_default=0)
    compared = models.IntegerField(db_default=0)
    # How many differ, by kind of difference; rows are kept for the first of them alone.
    counts = models.JSONField(default=dict)
    bucket = models.IntegerField(db_default=0)
    attempts = models.SmallIntegerField(db_default=0)
    step = models.TextField(blank=True, db_default="")
    step_done = models.BigIntegerField(db_default=0)
    step_total = models.BigIntegerField(db_default=0)
    fault = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [models.Index(fields=["-id"], name="recompute_run_newest")]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.state}"

    @property
    def folder(self) -> str:
        """Return the name of its folder; a restored database never finds another one's."""
        return f"{self.pk}-{self.asked_at:%Y%m%dT%H%M%S%f}"

    @property
    def different(self) -> int:
        """Return for how many people something else was computed than is served."""
        return sum(self.counts.values())


class Difference(models.Model):
    """A person whom doors are told something else about than the whole city's evaluation gives.

    The worker is asked to evaluate the person again; what stays different after that is an
    alarm, because then two evaluators that must agree do not.
    """

    class Kind(models.TextChoices):
        """What differs, the gravest first."""

        COLOUR = "colour"
        MISSING = "missing"
        LATER = "later"
        REASON = "reason"
        SAMPLED = "sampled"

    class State(models.TextChoices):
        """What became of it: ``open`` waits for the worker."""

        OPEN = "open"
        CORRECTED = "corrected"
        OVERTAKEN = "overtaken"
        STAYS = "stays"

    run = models.ForeignKey(Run, models.PROTECT, related_name="differences")
    ordinal = models.IntegerField()
    kind = models.TextField(choices=Kind.choices)
    state = models.TextField(choices=State.choices)
    served = models.JSONField(null=True)
    computed = models.JSONField()
    publication_seq = models.BigIntegerField(null=True)
    request_seq = models.BigIntegerField(null=True)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "ordinal"], name="recompute_difference_once"),
        ]
        indexes = [
            models.Index(fields=["run", "kind", "ordinal"], name="recompute_difference_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.ordinal} {self.kind}"
