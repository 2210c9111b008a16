"""Units, users, their devices and what was revoked."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UnitKind(models.TextChoices):
    """The four levels of the tree: district → branch → town or street → village."""

    DISTRICT = "district"
    BRANCH = "branch"
    TOWN = "town"
    VILLAGE = "village"


class Role(models.TextChoices):
    """Who a user is; what each may do is in ``roles.py`` alone."""

    RESIDENT = "resident"
    CHECKER = "checker"
    VENUE_OPERATOR = "venue-operator"
    GUIDE = "guide"
    COUNTER_CLERK = "counter-clerk"
    HALL_MANAGER = "hall-manager"
    DUTY_LEADER = "duty-leader"
    STREET_OFFICE = "street-office"
    DISTRICT_OFFICE = "district-office"
    STEWARD = "steward"
    AUDITOR = "auditor"
    PARTNER = "partner"


class Unit(models.Model):
    """An organisation in the tree; ``path`` is ``/1/4/9/``, so a subtree is one prefix."""

    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    kind = models.CharField(max_length=16, choices=UnitKind.choices)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    path = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.name

    def contains(self, other: "Unit") -> bool:
        """Return whether ``other`` is this unit or below it."""
        return other.path.startswith(self.path)


class UserManager(BaseUserManager["User"]):
    """Finds users by name; they are made by ``accounts.actions.add_user`` alone."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of that name, whatever its case."""
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser):
    """Somebody who logs in: one role, one unit; a resident (or staff) may be a person too."""

    username = models.CharField(max_length=64, unique=True)  # lower-case
    role = models.CharField(max_length=24, choices=Role.choices)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="users")
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="users")
    display_name = models.CharField(max_length=80)
    display_name_en = models.CharField(max_length=120)
    # What a citizen's access log shows instead of the name.
    badge = models.CharField(max_length=16, unique=True)
    second_factor = models.CharField(max_length=16, blank=True, choices=[("totp", "TOTP")])
    second_factor_sealed = models.BinaryField(null=True)
    second_factor_step = models.BigIntegerField(default=0)
    locked_at = models.DateTimeField(null=True)
    lock_reason = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    # Who made this account, and so knew its first password; None for those made at setup.
    added_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.username

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Return whether this user may log in: nobody has locked them."""
        return self.locked_at is None

    def is_second_person(self, first: "User") -> bool:
        """Return whether two people act when this user confirms what ``first`` began.

        Not two accounts of one human being, nor an account beside the one that made it: whoever
        gives out accounts would hold both keys of every act that asks for two.
        """
        one_human = self.person_id is not None and self.person_id == first.person_id
        made = self.pk == first.added_by_id or first.pk == self.added_by_id
        return self.pk != first.pk and not one_human and not made


class Registration(models.Model):
    """A device key that a user registered; its handle is the ``sub`` of every grant for it."""

    handle = models.CharField(max_length=43, unique=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="registrations")
    person = models.ForeignKey(
        "people.Person", models.PROTECT, null=True, related_name="registrations"
    )
    thumbprint = models.CharField(max_length=43)
    device_name = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=32, blank=True)
    # When another device of the same person was told of this one (field/09 3.6).
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "thumbprint"],
                condition=models.Q(revoked_at=None),
                name="accounts_registration_live",
            ),
        ]

    def __str__(self) -> str:
        return f"device of user {self.user_id}"


class Revocation(models.Model):
    """A grant (``jti``) or every grant of a handle that no longer holds; gateways follow it."""

    seq = models.BigAutoField(primary_key=True)
    jti = models.CharField(max_length=43, blank=True)
    handle = models.CharField(max_length=43, blank=True)
    revoked_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_revocation"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(jti="", handle=""), name="accounts_revocation_names_something"
            ),
        ]

    def __str__(self) -> str:
        return f"revocation {self.seq}"


class LoginFailure(models.Model):
    """A wrong password or second factor; too many of them make the next one wait."""

    username = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["username", "at"], name="accounts_failure_username"),
            models.Index(fields=["address", "at"], name="accounts_failure_address"),
        ]

    def __str__(self) -> str:
        return f"failure at {self.at}"
