"""Whom new facts touch: the people whose status may differ because of them (field/08 1.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection

from passlight.core.facts.fact import AREA_PREFIX, SOURCE_PREFIX, Fact, Op
from passlight.core.facts.identity import clusters
from passlight.core.rules.areas import AreaCodes, AreaHistory, Listings
from passlight.office.facts import queries
from passlight.office.facts.models import FactVersion

LINK = "identity.link"
# A person's fact names areas in these fields; which of them a rule reads is the kind's matter.
_FIELDS = ("from_area", "area")


def _named_sql(area: str) -> str:
    """Return the query for every area that a person's fact names in one field.

    Each is found by one step in the field's index (``facts_fact_names_…``), whose condition
    is repeated here so that it is used.
    """
    persons = _persons_sql(area)
    return f"""
with recursive named as (
    (select {area} as area {persons} order by {area} using ~<~ limit 1)
    union all
    select (select {area} {persons} and {area} ~>~ named.area order by {area} using ~<~ limit 1)
      from named where named.area is not null
)
select area from named where area is not null
"""  # noqa: S608  # made of the words above alone


def _persons_sql(area: str) -> str:
    return f"from facts_fact where subject not like 'area:%%' and {area} is not null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The subjects to evaluate again; ``everybody`` when a fact concerns all."""

    subjects: frozenset[str]
    everybody: bool


def touched_by(*, after: int, up_to: int, codes: AreaCodes) -> Touched:
    """Return whom the facts with a number in ``(after, up_to]`` touch.

    Somebody from whom a correction takes a fact away is touched as much as the one it goes to.
    """
    rows = FactVersion.objects.filter(seq__gt=after, seq__lte=up_to)
    named = set(rows.values_list("subject", flat=True).distinct())
    corrected = rows.filter(ver__gt=1).values("fact_id")
    earlier = FactVersion.objects.filter(fact_id__in=corrected, seq__lte=up_to)
    named |= set(earlier.values_list("subject", flat=True).distinct())
    subjects = {name for name in named if not name.startswith((AREA_PREFIX, SOURCE_PREFIX))}
    subjects |= _named_by_links(after=after, up_to=up_to)
    if any(name.startswith(AREA_PREFIX) for name in named):
        subjects |= _near_areas(after=after, up_to=up_to, codes=codes)
    ever = _ever_linked(up_to)
    return Touched(
        subjects=frozenset(
            member for subject in subjects for member in ever.get(subject, (subject,))
        ),
        everybody=any(name.startswith(SOURCE_PREFIX) for name in named),
    )


def _named_by_links(*, after: int, up_to: int) -> set[str]:
    """Return whom the changed words on who is whom name, now or in a version before.

    The pair stands in the payload; the subject may be a handle that is neither of the two.
    """
    facts = queries.identity_facts(up_to=up_to)
    changed = {fact.fact_id for fact in facts if fact.seq is not None and fact.seq > after}
    told = (fact.payload for fact in facts if fact.fact_id in changed)
    return {str(pair[name]) for pair in told for name in ("a", "b") if pair.get(name)}


def _ever_linked(up_to: int) -> Mapping[str, frozenset[str]]:
    """Return the clusters that any link ever made: whom a change of links may touch."""
    links = (
        replace(fact, fact_id=f"{fact.fact_id} {fact.ver}")
        for fact in queries.identity_facts(up_to=up_to)
        if fact.kind == LINK and fact.op is Op.ASSERT
    )
    return clusters(links, known_at=None)


def _near_areas(*, after: int, up_to: int, codes: AreaCodes) -> set[str]:
    """Return who named an area that changed, or one above or below it."""
    facts = queries.area_facts(up_to=up_to)
    changed = _changed_areas(facts, after=after)
    older = [fact for fact in facts if fact.seq is not None and fact.seq <= after]
    # As it was and as it is: a withdrawn listing may have been what placed an area.
    views = [AreaHistory.of(known, codes).known(None) for known in (older, facts)]
    above = {upper for view in views for area in changed for upper in _covering(view, area)}

    def near(area: str) -> bool:
        return area in above or any(not changed.isdisjoint(_covering(view, area)) for view in views)

    found: set[str] = set()
    with connection.cursor() as cursor:
        for field in _FIELDS:
            area = f"(payload ->> '{field}')"
            cursor.execute(_named_sql(area), [])
            areas = [named for (named,) in cursor.fetchall() if near(named)]
            persons = f"{_persons_sql(area)} and {area} = any(%s)"
            cursor.execute(f"select distinct subject {persons}", [areas])  # as above
            found.update(subject for (subject,) in cursor.fetchall())
    return found


def _changed_areas(facts: Sequence[Fact], *, after: int) -> set[str]:
    """Return the areas that changed facts name, now or in a version before.

    A correction may move a listing to another area: the first is touched as much as the second.
    """
    changed_ids = {fact.fact_id for fact in facts if fact.seq is not None and fact.seq > after}
    changed = set()
    for fact in facts:
        if fact.fact_id in changed_ids:
            if fact.subject.startswith(AREA_PREFIX):
                changed.add(fact.subject.removeprefix(AREA_PREFIX))
            changed.update(
                str(fact.payload[name]) for name in ("area", "parent") if fact.payload.get(name)
            )
    return changed


def _covering(view: Listings, area: str) -> set[str]:
    return {identity for identity, _, _ in view.covers(area)}
