"""The verdict of a door at the gateway: the core's decision by the signed door document."""

import msgspec

from passlight.core.codes.sampling import age_seconds
from passlight.core.entry.decide import Verdict, decide
from passlight.core.entry.door_document import DoorDocument
from passlight.core.entry.presented import Presented, presented_from_json
from passlight.core.entry.roles import role_for
from passlight.core.kernel.problem import ProblemError
from passlight.gateway.errors import RefusedError
from passlight.gateway.published import Published
from passlight.gateway.schemas import Both, PresentedIn, VerdictOut

GRID_SECONDS = 600


def grid(sampled_at: int | None) -> int | None:
    """Return a sampling time on the ten-minute grid that a code carries (PL1 2.7)."""
    return None if sampled_at is None else sampled_at - sampled_at % GRID_SECONDS


def test_hours(sampled_at: int | None, now: int) -> int | None:
    """Return the age of a test by PL1 2.7: to now, on the grid."""
    sampled_from = grid(sampled_at)
    return None if sampled_from is None else age_seconds(sampled_from, now=now) // 3600


def presented_of(
    given: PresentedIn, *, answer: str, reason: str, sampled_at: int | None, kind: str | None
) -> Presented:
    """Return what a visitor presents: the answer to their code, and what was observed besides.

    A genuine code or document registers whoever shows it, unless the door says how else.

    Raises:
        RefusedError: 400 ``bad-presented`` naming the field, as for a temperature in Fahrenheit.
    """
    form = msgspec.to_builtins(given)
    if form["registered"] is None and kind is not None:
        form["registered"] = {"how": "document" if kind == "document" else "code"}
    form |= {"answer": answer, "reason": reason, "sampled_from": grid(sampled_at)}
    try:
        return presented_from_json(form)
    except ProblemError as error:
        problem = error.problems[0]
        more = {"reason": problem.code, "field": problem.field or ""}
        raise RefusedError(400, "bad-presented", more=more) from None


def role_at(published: Published, *, venue: str, ordinal: int | None, claimed: str | None) -> str:
    """Return under which role a door decides about a person."""
    staff = ordinal is not None and ordinal in published.staff.get(venue, ())
    started = ordinal is not None and ordinal in published.started.get(venue, ())
    return role_for(staff=staff, started_today=started, claimed=claimed)


def verdict_of(door: DoorDocument, role: str, presented: Presented, *, now: int) -> VerdictOut:
    """Return the verdict of a door about one visitor at ``now``."""
    policy = door.policy(role)
    verdict = decide(policy, presented, now=now, offset=door.offset)
    return verdict_out(verdict, role=role, policy=policy.id)


def verdict_out(verdict: Verdict, *, role: str, policy: str) -> VerdictOut:
    """Return a verdict as answers write it."""
    return VerdictOut(
        outcome=verdict.outcome.value,
        requirement=verdict.requirement,
        say=Both(zh=verdict.say.zh, en=verdict.say.en),
        prompt=verdict.prompt,
        age_hours=verdict.age_hours,
        role=role,  # type: ignore[arg-type]  # one of core's five
        policy=policy,
    )
