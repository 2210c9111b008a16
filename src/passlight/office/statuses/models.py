"""What is published about people: the status log, its reasons, the worker's heartbeat."""

from django.db import models


class Publication(models.Model):
    """What one person's code shows from now on; the newest row of an ordinal is in force.

    ``segments`` holds the colour of all times to come, so a change by time needs no row:
    ``[{"from": epoch seconds | null, "colour": …, "reason": key | null}, …]``.
    Added by the worker alone, in the order of ``seq``, and never changed: the log of what
    every door was told.
    """

    class State(models.TextChoices):
        """Whether the person has a colour at all."""

        ACTIVE = "active"
        CLOSED = "closed"
        UNKNOWN = "unknown"

    seq = models.BigIntegerField(primary_key=True)
    ordinal = models.IntegerField()
    segments = models.JSONField()
    sampled_at = models.DateTimeField(null=True)
    state = models.TextField(choices=State.choices)
    as_of = models.DateTimeField()
    fact_seq = models.BigIntegerField()
    packs_seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "closed", "unknown"]),
                name="statuses_publication_state",
            ),
            models.CheckConstraint(
                condition=models.Q(seq__gte=1, ordinal__gte=0),
                name="statuses_publication_counted",
            ),
        ]
        indexes = [
            models.Index(fields=["ordinal", "-seq"], name="statuses_publication_person"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.ordinal}"


class Reason(models.Model):
    """The words behind a colour, by the key that segments carry; there before its first use."""

    key = models.TextField(primary_key=True)
    colour = models.TextField()
    reason = models.JSONField()
    advice = models.JSONField()

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """How far the worker is; the one row of the one table here that is updated.

    Every fact committed before ``at`` is evaluated and published. ``sweep_seq`` and
    ``sweep_ordinal`` say how far a changed rule pack has been carried to everyone:
    people below that ordinal have been evaluated under the packs of ``sweep_seq``.
    ``sweep_again``: something since concerns everybody too, so another round follows this one.
    ``switch``: the round is carried by that switch, set-based, and not person by person.
    ``request_seq``: people whom the office asked to have evaluated again, up to that number.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    fact_seq = models.BigIntegerField()
    publication_seq = models.BigIntegerField()
    packs_seq = models.BigIntegerField()
    sweep_seq = models.BigIntegerField()
    sweep_ordinal = models.IntegerField()
    sweep_again = models.BooleanField(db_default=False)
    switch = models.BigIntegerField(null=True)
    request_seq = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="statuses_heartbeat_single"),
        ]

    def __str__(self) -> str:
        return f"{self.at} at fact {self.fact_seq}"


class Task(models.Model):
    """Something about a person's status that somebody has to look into."""

    class Kind(models.TextChoices):
        """What happened."""

        EVALUATION_FAILED = "evaluation-failed"
        CONFLICT = "conflict"
        QUESTION = "question"

    ordinal = models.IntegerField()
    kind = models.TextField(choices=Kind.choices)
    detail = models.TextField()
    fact_seq = models.BigIntegerField()
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-id"], name="statuses_task_newest"),
            models.Index(fields=["ordinal", "-id"], name="statuses_task_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


class Switch(models.Model):
    """A change that concerns everybody, carried to them set-based and bucket by bucket.

    ``fact_seq`` is the log as the set-based evaluation saw it: whoever a later fact touches is
    the worker's own, person by person. ``bucket`` is the first bucket that is not published; it
    moves in the transaction that publishes the last rows of the one before it. ``step_*`` say
    what the evaluating process is at, and are written by it alone.
    """

    class State(models.TextChoices):
        """Where the switch is."""

        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        OVERTAKEN = "overtaken"

    packs_seq = models.BigIntegerField()
    fact_seq = models.BigIntegerField()
    state = models.TextField(choices=State.choices)
    people = models.IntegerField()
    people_done = models.IntegerField(db_default=0)
    changed = models.IntegerField(db_default=0)
    bucket = models.IntegerField(db_default=0)
    attempts = models.SmallIntegerField(db_default=0)
    step = models.TextField(blank=True, db_default="")
    step_done = models.BigIntegerField(db_default=0)
    step_total = models.BigIntegerField(db_default=0)
    fault = models.TextField(blank=True, db_default="")
    started_at = models.DateTimeField()
    publishing_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["running", "done", "failed", "overtaken"]),
                name="statuses_switch_state",
            ),
        ]

    def __str__(self) -> str:
        return f"packs {self.packs_seq} at fact {self.fact_seq}: {self.state}"

    @property
    def folder(self) -> str:
        """Return the name of its folder; a restored database never finds another one's."""
        return f"{self.pk}-{self.started_at:%Y%m%dT%H%M%S%f}"


class Request(models.Model):
    """Somebody whom the worker shall evaluate again; it says who and why, never a colour.

    Numbers are given under one lock held until commit, as facts' are: the worker follows them.
    """

    seq = models.BigIntegerField(primary_key=True)
    ordinal = models.IntegerField()
    because = models.TextField()
    asked_at = models.DateTimeField()

    class Meta:
        # Not statuses_…: what begins so is written by the evaluator alone, and a test holds it.
        db_table = "recompute_request"

    def __str__(self) -> str:
        return f"{self.seq}: {self.ordinal}"
