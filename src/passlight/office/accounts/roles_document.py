"""The table of roles × actions as a document; ``docs/roles.md`` is this, checked by a test.

To write it again: ``python -m django roles_document > docs/roles.md``.
"""

from passlight.office.accounts.models import Role
from passlight.office.accounts.roles import ACTIONS, INCOMPATIBLE
from passlight.runtime.catalogue import text

HEAD = """# 岗位与权限 Roles and actions

Made from `src/passlight/office/accounts/roles.py`; change it there, then run
`python -m django roles_document > docs/roles.md`.

Every right ends at the user's own unit and those below it. No action sets a colour.
每项权限只及于本单位和下级单位；没有任何岗位能改码色。
"""


def render() -> str:
    """Return the document."""
    used = [role for role in Role if any(role in roles for roles in ACTIONS.values())]
    lines = [HEAD, _row(["", *(_both(f"accounts.role.{role.value}") for role in used)])]
    lines.append(_row(["---", *("---" for _ in used)]))
    for action, roles in ACTIONS.items():
        name = f"`{action}` {_both(f'accounts.action.{action}')}"
        lines.append(_row([name, *("●" if role in roles else "" for role in used)]))
    lines += ["", "One person may not hold both 同一人不得兼任:", ""]
    for pair in INCOMPATIBLE:
        names = " + ".join(_both(f"accounts.role.{role.value}") for role in Role if role in pair)
        lines.append(f"- {names}")
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _both(code: str) -> str:
    return f"{text(code, 'zh')} {text(code, 'en')}"
