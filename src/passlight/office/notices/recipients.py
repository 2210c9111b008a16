"""Who a notice is for: a user, or whoever holds a role in a unit."""

from dataclasses import dataclass

from passlight.office.accounts.models import Role, Unit, User


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHolder:
    """Whoever holds ``role`` in ``unit``: the street's epidemic-control office, for one."""

    unit: Unit
    role: Role


Recipient = User | RoleHolder
