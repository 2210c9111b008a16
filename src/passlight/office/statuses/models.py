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
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    fact_seq = models.BigIntegerField()
    publication_seq = models.BigIntegerField()
    packs_seq = models.BigIntegerField()
    sweep_seq = models.BigIntegerField()
    sweep_ordinal = models.IntegerField()
    sweep_again = models.BooleanField(db_default=False)

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
