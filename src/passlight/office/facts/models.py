"""The fact log: one row a version of a fact, added and never changed."""

from django.db import models


class FactVersion(models.Model):
    """One version of a fact, as it landed.

    Rows are added by ``facts.actions`` alone, under one advisory lock; a trigger refuses
    change and removal to everyone but the owner of the database. Indexes and constraints
    that Django has no words for are in the first migration.
    """

    seq = models.BigIntegerField(primary_key=True)
    fact_id = models.TextField()
    ver = models.IntegerField()
    op = models.TextField()
    kind = models.TextField()
    subject = models.TextField()
    occurred_at = models.DateTimeField()
    occurred_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    source = models.TextField()
    batch_id = models.TextField()
    payload = models.JSONField()

    class Meta:
        db_table = "facts_fact"
        constraints = [
            models.UniqueConstraint(fields=["fact_id", "ver"], name="facts_fact_version"),
            models.CheckConstraint(
                condition=models.Q(op__in=["assert", "retract"]), name="facts_fact_op"
            ),
            models.CheckConstraint(
                condition=models.Q(ver__gte=1, seq__gte=1), name="facts_fact_counted"
            ),
            models.CheckConstraint(
                condition=~models.Q(fact_id="") & ~models.Q(subject="") & ~models.Q(source=""),
                name="facts_fact_named",
            ),
            models.CheckConstraint(
                condition=models.Q(occurred_until__isnull=True)
                | models.Q(occurred_until__gte=models.F("occurred_at")),
                name="facts_fact_interval",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "seq"], name="facts_fact_subject"),
            models.Index(fields=["kind", "-seq"], name="facts_fact_kind"),
            models.Index(fields=["source", "-seq"], name="facts_fact_source"),
            models.Index(fields=["batch_id", "seq"], name="facts_fact_batch"),
            models.Index(fields=["-recorded_at"], name="facts_fact_recorded"),
        ]

    def __str__(self) -> str:
        return f"{self.fact_id} v{self.ver}"
