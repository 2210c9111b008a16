"""Who a notice is for: a user, or a duty post of a unit."""

from dataclasses import dataclass

from passlight.office.accounts.models import Role, Unit, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Whoever holds ``role`` in ``unit``: the street's epidemic-control office, for one."""

    unit: Unit
    role: Role


Recipient = User | Post
