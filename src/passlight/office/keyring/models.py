"""The published trust lists; private keys are in key files and never in a table."""

from django.db import models


class TrustListVersion(models.Model):
    """One signed trust list; the newest counts, and none is ever changed."""

    version = models.BigIntegerField(primary_key=True)
    document = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "keyring_trustlist"
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"trust list {self.version}"
