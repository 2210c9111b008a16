"""Rule packs as they were uploaded, and which of them was published from when."""

from django.db import models


class StoredPack(models.Model):
    """The text of one version of a rule pack; never changed, found by its hash."""

    name = models.TextField()
    version = models.TextField()
    hash = models.TextField(unique=True)
    files = models.JSONField()
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "packs_pack"
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="packs_pack_version"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class PackPublication(models.Model):
    """A pack put in force from ``effective_from``; it replaces all that was to hold from there.

    ``seq`` grows in the order of publication, under one lock: what holds is what the rows up
    to a number say, so the packs in force at any past moment can be told (E40).
    """

    seq = models.BigIntegerField(primary_key=True)
    pack = models.ForeignKey(StoredPack, models.PROTECT, related_name="publications")
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)

    class Meta:
        db_table = "packs_publication"
        constraints = [
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="packs_publication_count"),
            models.CheckConstraint(
                condition=models.Q(effective_until__isnull=True)
                | models.Q(effective_until__gt=models.F("effective_from")),
                name="packs_publication_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.pack_id} from {self.effective_from}"


class Preview(models.Model):
    """What a pack would change, counted over the stored facts in batches that can be resumed.

    ``changes`` counts people by ``"from>to"``; ``causes`` by ``"from>to|reason key"``.
    Only the counting action updates it, under a row lock. ``engine`` says who counts: the page
    itself, person by person, or a process that evaluates everybody set-based; ``step_*`` say
    what that process is at, and ``fault`` why it gave up and left the count to the page.
    """

    class Engine(models.TextChoices):
        """Who counts."""

        PERSON = "person"
        CITY = "city"

    pack = models.ForeignKey(StoredPack, models.PROTECT, related_name="previews")
    effective_from = models.DateTimeField()
    known_seq = models.BigIntegerField()
    after_seq = models.BigIntegerField()  # the publications it was compared with
    position = models.IntegerField(default=0)
    total = models.IntegerField()
    evaluated = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    changes = models.JSONField(default=dict)
    causes = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    started_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    engine = models.TextField(choices=Engine.choices, db_default="person", default="person")
    attempts = models.SmallIntegerField(db_default=0)
    step = models.TextField(blank=True, db_default="")
    step_done = models.BigIntegerField(db_default=0)
    step_total = models.BigIntegerField(db_default=0)
    fault = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.pack_id}: {self.position}/{self.total}"

    @property
    def folder(self) -> str:
        """Return the name of its folder; a restored database never finds another one's."""
        return f"{self.pk}-{self.started_at:%Y%m%dT%H%M%S%f}"
