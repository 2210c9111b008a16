"""A list replaces the one before: the difference becomes facts, unless too much vanishes.

Pure: the list in force comes in, facts and the next list in force go out. A change of level
is an end and a new listing. A list that loses more places at once than the breaker allows,
or that is shorter than it says of itself, is held for a person: a broken export must not
turn thousands of people green (field/08 1.6, NHS risky venues' circuit breaker).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from passlight.agencies.risk_areas.snapshot import Place, Snapshot
from passlight.agencies.rows import Reconciliation, Row
from passlight.core.facts.fact import Fact, Op
from passlight.core.kernel.problem import Problem

SOURCE = "risk-areas"
VANISH_PERCENT_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A place in force: its level and the list that began it."""

    level: str
    list_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInForce:
    """The last list that was applied."""

    list_id: str
    published_at: datetime
    listed: Mapping[str, Listed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What a new list does: facts to land, or the reason why it is held."""

    in_force: ListInForce | None
    facts: tuple[Fact, ...] = ()
    reconciliation: Reconciliation
    held: Problem | None = None
    doubts: tuple[Problem, ...] = field(default_factory=tuple)
    refused: tuple[Row, ...] = ()


def replace_list(
    current: ListInForce | None,
    snapshot: Snapshot,
    *,
    vanish_percent_max: int = VANISH_PERCENT_MAX,
    release: bool = False,
    recorded_at: datetime | None = None,
) -> Replacement:
    """Return what ``snapshot`` does to the list in force; ``release`` applies it on purpose."""
    if current is not None and current.list_id == snapshot.list_id:
        return unchanged(current, snapshot)
    problem = _reason_to_hold(current, snapshot, vanish_percent_max)
    # A list older than the one in force can never be applied: time would run backwards.
    if problem is not None and (not release or problem.code == "feeds.held-older"):
        return Replacement(
            in_force=current,
            held=problem,
            refused=snapshot.refused,
            reconciliation=Reconciliation(
                declared=snapshot.declared,
                held=len(snapshot.places),
                quarantined=len(snapshot.refused),
            ),
        )
    return _apply(current, snapshot, recorded_at or snapshot.published_at)


def unchanged(current: ListInForce | None, snapshot: Snapshot) -> Replacement:
    """Return that a list which was applied before changes nothing."""
    return Replacement(
        in_force=current,
        refused=snapshot.refused,
        reconciliation=Reconciliation(
            declared=snapshot.declared,
            unchanged=len(snapshot.places),
            quarantined=len(snapshot.refused),
        ),
    )


def _reason_to_hold(
    current: ListInForce | None, snapshot: Snapshot, vanish_percent_max: int
) -> Problem | None:
    if current is not None and snapshot.published_at < current.published_at:
        return _held(
            snapshot,
            "feeds.held-older",
            f"It was published before the list in force ({current.list_id}).",
            "Nothing to do: the newer list holds.",
            {"list": current.list_id},
        )
    if current is not None and snapshot.published_at == current.published_at:
        return _held(
            snapshot,
            "feeds.held-same-hour",
            "Another list of the same hour is in force.",
            "Ask the source which one holds; then release it or leave it.",
            {"list": current.list_id},
        )
    if not snapshot.counts_agree:
        return _held(
            snapshot,
            "feeds.held-counts",
            "It holds another number of rows than it says of itself.",
            "Ask the source for it again, or release it after a look.",
            {},
        )
    if current is None or not current.listed:
        return None
    gone = len(current.listed.keys() - {place.area for place in snapshot.places})
    if gone * 100 <= vanish_percent_max * len(current.listed):
        return None
    return _held(
        snapshot,
        "feeds.held-vanished",
        f"{gone} of {len(current.listed)} places vanish at once (limit {vanish_percent_max} %).",
        "Ask the source; then release it with --release or in the office.",
        {
            "gone": str(gone),
            "listed": str(len(current.listed)),
            "limit": str(vanish_percent_max),
        },
    )


def _held(
    snapshot: Snapshot, code: str, message: str, remedy: str, params: dict[str, str]
) -> Problem:
    return Problem(
        code=code, message=f"Held: {message}", remedy=remedy, file=snapshot.file, params=params
    )


def _apply(current: ListInForce | None, snapshot: Snapshot, recorded_at: datetime) -> Replacement:
    before = dict(current.listed) if current else {}
    after: dict[str, Listed] = {}
    facts: list[Fact] = []
    rows = {place.area: place for place in reversed(snapshot.places)}
    new = 0
    for area, place in rows.items():
        known = before.get(area)
        if known is not None and known.level == place.level:
            after[area] = known
            continue
        new += 1
        after[area] = Listed(level=place.level, list_id=snapshot.list_id)
        if known is not None:
            facts.append(_delisted(area, known, snapshot, recorded_at))
        facts.append(_listed(place, snapshot, recorded_at))
    ended = [area for area in before if area not in after]
    doubts: tuple[Problem, ...] = ()
    if snapshot.unread and ended:
        # A row that could not be read may be one of these: nobody turns green by a typing error.
        after |= {area: before[area] for area in ended}
        doubts = (_ends_wait(snapshot, len(ended)),)
    else:
        facts += [_delisted(area, before[area], snapshot, recorded_at) for area in ended]
    closed = sum(fact.kind == "area.delisted" for fact in facts)
    return Replacement(
        in_force=ListInForce(
            list_id=snapshot.list_id, published_at=snapshot.published_at, listed=after
        ),
        facts=tuple(sorted(facts, key=lambda fact: (fact.kind != "area.delisted", fact.fact_id))),
        doubts=doubts,
        refused=snapshot.refused,
        reconciliation=Reconciliation(
            declared=snapshot.declared,
            landed=new,
            unchanged=len(snapshot.places) - new,
            quarantined=len(snapshot.refused),
            closed=closed,
        ),
    )


def _ends_wait(snapshot: Snapshot, ended: int) -> Problem:
    return Problem(
        code="feeds.ends-wait",
        message=f"{ended} places are missing, but {snapshot.unread} rows could not be read; "
        "the places stay listed.",
        remedy="Ask the source for the list again.",
        file=snapshot.file,
        params={"ended": str(ended), "unread": str(snapshot.unread)},
    )


def _listed(place: Place, snapshot: Snapshot, recorded_at: datetime) -> Fact:
    payload = {
        "area": place.area,
        "level": place.level,
        "list_id": snapshot.list_id,
        "province": place.province,
        "city": place.city,
        "county": place.county,
        "name": place.name,
    }
    return _said("listed", payload, snapshot, recorded_at)


def _delisted(area: str, known: Listed, snapshot: Snapshot, recorded_at: datetime) -> Fact:
    """Return the end of a listing; it names the list that began it and the list that ended it."""
    payload = {
        "area": area,
        "level": known.level,
        "list_id": known.list_id,
        "ended_by": snapshot.list_id,
    }
    return _said("delisted", payload, snapshot, recorded_at)


def _said(event: str, payload: dict[str, str], snapshot: Snapshot, recorded_at: datetime) -> Fact:
    """Return what ``snapshot`` says of one area."""
    area = payload["area"]
    return Fact(
        fact_id=f"{snapshot.list_id}:{area}:{event}",
        ver=1,
        op=Op.ASSERT,
        kind=f"area.{event}",
        subject=f"area:{area}",
        occurred_at=snapshot.published_at,
        occurred_until=None,
        recorded_at=recorded_at,
        source=SOURCE,
        payload=payload,
    )
