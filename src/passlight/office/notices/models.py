"""Contacts of users and duty posts, and the notices on their way to them."""

from typing import ClassVar

from django.db import models

from passlight.office.accounts.models import Role, Unit, User


class NoticeChannel(models.TextChoices):
    """Ways to reach somebody; ``in-app`` is the bell, which everybody has."""

    IN_APP = "in-app"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    MAIL = "mail"
    SMS = "sms"
    URL = "url"


class NoticeState(models.TextChoices):
    """Where a notice is. One in the bell is ``sent`` from the first; only those are read."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    READ = "read"


class Contact(models.Model):
    """Where one user, or whoever holds a duty post of a unit, is reached outside Passlight.

    The address is sealed under a key of its own; removing the contact destroys that key.
    ``mark`` is a keyed digest: two contacts of one address get a message once.
    """

    id = models.UUIDField(primary_key=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="contacts")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="contacts")
    role = models.CharField(max_length=24, choices=Role.choices, blank=True)
    channel = models.CharField(max_length=12, choices=NoticeChannel.choices)
    language = models.CharField(max_length=2, choices=[("zh", "中文"), ("en", "English")])
    address_sealed = models.BinaryField()
    mark = models.BinaryField()
    # What the page shows of the address: 138****2261, or its last characters.
    hint = models.CharField(max_length=80)
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(user=None) ^ models.Q(role=""),
                name="notices_contact_user_or_post",
            ),
            models.UniqueConstraint(
                fields=["unit", "user", "role", "channel", "mark"],
                condition=models.Q(removed_at=None),
                nulls_distinct=False,
                name="notices_contact_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.hint}"


class Notice(models.Model):
    """One message to one recipient over one channel: a row of the outbox.

    Written in the transaction that has the news; sent after its commit. A notice in the bell
    is for ``user``, or for everybody with ``role`` in ``unit``.
    """

    # Equal for the same words to the same address about the same thing.
    digest = models.BinaryField()
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="notices")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="notices")
    role = models.CharField(max_length=24, choices=Role.choices, blank=True)
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="notices")
    channel = models.CharField(max_length=12, choices=NoticeChannel.choices)
    language = models.CharField(max_length=2)
    code = models.CharField(max_length=64)
    params = models.JSONField()
    incident = models.UUIDField(null=True)
    state = models.CharField(max_length=8, choices=NoticeState.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Why the last attempt did not succeed: a code below ``messages.fault``.
    fault = models.CharField(max_length=24, blank=True)
    # The guard let nothing out but "log in to read".
    withheld = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    read_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    # When the next one up was told, because nobody had read it.
    passed_on_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(channel="in-app") ^ models.Q(contact__isnull=False),
                name="notices_notice_contact_outside",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["digest", "created_at"], name="notices_notice_digest"),
            models.Index(
                fields=["user", "-created_at"],
                condition=models.Q(channel="in-app"),
                name="notices_notice_bell",
            ),
            models.Index(
                fields=["unit", "role", "-created_at"],
                condition=models.Q(channel="in-app"),
                name="notices_notice_post",
            ),
            models.Index(fields=["incident"], name="notices_notice_incident"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["queued", "failed"]),
                name="notices_notice_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} by {self.channel}: {self.state}"
