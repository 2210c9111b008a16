"""Gates: devices that stand at doors, how they were let in, and what they sent.

What a gate sends is appended by gateways alone and never changed. A device has a key of its
own and no secret of ours; its tokens are kept as digests.
"""

from django.db import models

STATES = ("pending", "active", "wiping", "wiped", "revoked")
ALARMS = ("fork", "set-aside", "gap", "fingerprint", "receipt")


class GateDevice(models.Model):
    """A device at one entrance; it holds a grant only while it is active (or about to be wiped)."""

    id = models.UUIDField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="gates")
    entrance = models.CharField(max_length=8)
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=[(state, state) for state in STATES])
    thumbprint = models.CharField(max_length=43, unique=True)
    software = models.CharField(max_length=40, blank=True)
    # Who made the token and who confirmed the fingerprint: never the same user.
    invited_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    # Who it is in the access log: an account that nobody can log in with.
    account = models.OneToOneField("accounts.User", models.PROTECT, null=True, related_name="gate")
    # How often somebody read six other digits than the device's.
    misread = models.PositiveSmallIntegerField(default=0)
    enrolled_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    granted_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    # Why it was revoked, in the words of whoever did; names no person.
    reason = models.CharField(max_length=80, blank=True)
    wipe_order = models.CharField(max_length=43, blank=True)

    class Meta:
        db_table = "gates_device"
        ordering = ("venue__name", "entrance", "name")
        indexes = [models.Index(fields=["state", "venue"], name="gates_device_by_state")]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=STATES), name="gates_device_state"),
            models.CheckConstraint(
                condition=models.Q(confirmed_by=None)
                | ~models.Q(confirmed_by=models.F("invited_by")),
                name="gates_device_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="active") | models.Q(confirmed_by__isnull=False),
                name="gates_device_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GateToken(models.Model):
    """A one-time token by which one device may ask to be let in; used once, for 15 minutes."""

    digest = models.BinaryField(unique=True)
    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="+")
    entrance = models.CharField(max_length=8)
    name = models.CharField(max_length=60)
    made_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    device = models.OneToOneField(GateDevice, models.PROTECT, null=True, related_name="token")

    class Meta:
        db_table = "gates_token"

    def __str__(self) -> str:
        return f"token {self.pk}"


class GateDoor(models.Model):
    """One signed door document; the newest version of an entrance counts, none is changed."""

    venue = models.ForeignKey("venues.Venue", models.PROTECT, related_name="+")
    entrance = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    # Of what the document says, without when it was made: the same again is not signed anew.
    digest = models.BinaryField()
    document = models.BinaryField()
    made_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        db_table = "gates_door"
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "entrance", "version"], name="gates_door_version"
            ),
        ]

    def __str__(self) -> str:
        return f"door {self.entrance} v{self.version}"


class _Sent(models.Model):
    """What every record of a gate has: its place in the chain, and the bytes sealed to our key."""

    device = models.ForeignKey(GateDevice, models.PROTECT, related_name="+")
    boot = models.BigIntegerField()
    seq = models.BigIntegerField()
    hash = models.BinaryField()
    prev = models.BinaryField()
    body = models.BinaryField()
    gateway = models.CharField(max_length=32)
    received_at = models.DateTimeField()
    # Why it is not among the office's records; empty when it is.
    fault = models.CharField(max_length=40, blank=True)

    class Meta:
        abstract = True


class GateRecord(_Sent):
    """One record of a gate, once; a torn or unreadable one is kept with its fault."""

    class Meta:
        db_table = "gates_record"
        constraints = [
            models.UniqueConstraint(fields=["device", "boot", "seq"], name="gates_record_once"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}:{self.boot}:{self.seq}"


class GateBranch(_Sent):
    """A record that does not follow from what a device sent before: of a copy of its disk."""

    class Meta:
        db_table = "gates_branch"
        constraints = [
            models.UniqueConstraint(
                fields=["device", "boot", "seq", "hash"], name="gates_branch_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}:{self.boot}:{self.seq}"


class GateReport(models.Model):
    """How a device last said it was; written over by gateways."""

    device = models.OneToOneField(
        GateDevice, models.PROTECT, primary_key=True, related_name="report"
    )
    at = models.DateTimeField()
    waiting = models.PositiveIntegerField(default=0)
    feed_as_of = models.DateTimeField(null=True)
    software = models.CharField(max_length=40, blank=True)
    clock_sure = models.BooleanField(default=True)

    class Meta:
        db_table = "gates_report"

    def __str__(self) -> str:
        return f"report of {self.device_id}"


class GateAlarm(models.Model):
    """Something about a device that a person must look at; closed by name, never removed."""

    device = models.ForeignKey(GateDevice, models.PROTECT, related_name="alarms")
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in ALARMS])
    # The place in the device's chain and the fault; no personal field.
    details = models.JSONField(default=dict)
    at = models.DateTimeField()
    seen_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "gates_alarm"
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["device", "-at"], name="gates_alarm_device")]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ALARMS), name="gates_alarm_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.device_id}"


class GateReceipt(models.Model):
    """A device's signed word that it has wiped itself, on the order that it names."""

    device = models.OneToOneField(GateDevice, models.PROTECT, related_name="receipt")
    order = models.CharField(max_length=43)
    document = models.TextField()
    # Records that it could not send before; 0 when all were.
    left = models.PositiveIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "gates_receipt"

    def __str__(self) -> str:
        return f"receipt of {self.device_id}"
