"""Records: what happened at doors, as gateways recorded it; appended and never changed."""

from django.db import models


class Record(models.Model):
    """One record of a gateway: a check-in, a verification, a door's act, or a code issued.

    A door's act holds in ``payload["entry"]`` what was asked, measured and registered
    (``core.entry.record``).

    Rows are added by gateways alone (``journal.drain``); ``key`` is the sender's, so however
    often a record is sent it is here once. A person appears only as the pseudonym of the
    domain of visits.
    """

    key = models.TextField(primary_key=True)
    kind = models.CharField(max_length=16)
    gateway = models.CharField(max_length=32)
    spool_seq = models.BigIntegerField()
    device = models.CharField(max_length=43, blank=True)
    actor = models.CharField(max_length=64)
    venue_id = models.UUIDField(null=True)
    entrance = models.CharField(max_length=8, blank=True)
    visits_key = models.TextField(null=True)  # noqa: DJ001  # nobody, and not an empty key
    answer = models.CharField(max_length=16, blank=True)
    reason = models.TextField(blank=True)
    body_hash = models.BinaryField(null=True)
    occurred_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField()
    digest = models.BinaryField()
    payload = models.JSONField()

    class Meta:
        db_table = "records_record"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        *("checkin", "verification", "issue"),
                        *("admit", "ask", "refuse", "isolate", "exit", "report"),
                    ]
                ),
                name="records_record_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    answer__in=[
                        *("", "green", "yellow", "red", "undetermined"),
                        *("expired", "not-found", "closed"),
                    ]
                ),
                name="records_record_answer",
            ),
        ]
        indexes = [
            models.Index(fields=["-occurred_at"], name="records_record_time"),
            models.Index(fields=["venue_id", "-occurred_at"], name="records_record_venue"),
            models.Index(fields=["visits_key", "-occurred_at"], name="records_record_person"),
            models.Index(fields=["actor", "-occurred_at"], name="records_record_actor"),
        ]

    def __str__(self) -> str:
        return self.key
