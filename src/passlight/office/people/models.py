"""People: pseudonyms and sealed fields; no name, number or phone in the clear."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from passlight.core.kernel.documents import DocumentType


class Person(models.Model):
    """A natural person. ``facts_key`` and ``visits_key`` cannot be joined without the key.

    ``ordinal`` is dense (0 … n−1): a gateway's status book is an array over it.
    """

    id = models.UUIDField(primary_key=True)
    ordinal = models.IntegerField(unique=True)
    facts_key = models.CharField(max_length=34, unique=True)
    visits_key = models.CharField(max_length=34, unique=True)
    name_sealed = models.BinaryField(null=True)
    # Keyed digest of the canonical name: tells "another name" without reading the name (E43).
    name_mark = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    birth_sealed = models.BinaryField(null=True)
    registered_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ordinal__gte=0), name="people_person_ordinal_counts_from_0"
            ),
        ]

    def __str__(self) -> str:
        return f"person {self.ordinal}"


class DocumentLink(models.Model):
    """A document that names a person from ``valid_from`` until ``valid_until``."""

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="documents")
    type = models.CharField(
        max_length=16, choices=[(kind.value, kind.value) for kind in DocumentType]
    )
    handle = models.CharField(max_length=34)
    number_sealed = models.BinaryField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_document"
        constraints = [
            models.UniqueConstraint(
                fields=["handle"],
                condition=models.Q(valid_until=None),
                name="people_document_one_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} of person {self.person_id}"


class Access(models.Model):
    """One reading of a person's sealed data: who, what, why, where and when. Never changed."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "document", "phone", "birth")

    seq = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="accesses")
    actor = models.ForeignKey("accounts.User", models.PROTECT, related_name="accesses")
    unit = models.ForeignKey("accounts.Unit", models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=24)
    fields = ArrayField(models.CharField(max_length=16))
    masked = models.BooleanField()
    purpose = models.CharField(max_length=32)
    case = models.CharField(max_length=64, blank=True)
    place = models.CharField(max_length=160, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "people_access"
        indexes = [
            models.Index(fields=["person", "-seq"], name="people_access_person"),
            models.Index(fields=["actor", "-seq"], name="people_access_actor"),
            models.Index(fields=["-at"], name="people_access_at"),
        ]

    def __str__(self) -> str:
        return f"access {self.seq}"


class IdentityTask(models.Model):
    """What a registration claims and the register does not say: somebody has to look (E43).

    One document number came with two names; or, with ``other``, two documents that name two
    people came as one person's.
    """

    document = models.ForeignKey(DocumentLink, models.PROTECT, related_name="tasks")
    other = models.ForeignKey(DocumentLink, models.PROTECT, null=True, related_name="other_tasks")
    name_sealed = models.BinaryField()
    name_mark = models.BinaryField()
    source = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "people_identitytask"
        constraints = [
            models.UniqueConstraint(
                fields=["document", "name_mark"],
                condition=models.Q(other=None),
                name="people_identitytask_once",
            ),
            models.UniqueConstraint(
                fields=["document", "other"], name="people_identitytask_pair_once"
            ),
        ]

    def __str__(self) -> str:
        return f"identity task {self.pk}"
