"""Whom new facts touch: the people whose status may differ because of them (field/08 1.5)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from passlight.core.facts.fact import AREA_PREFIX, SOURCE_PREFIX, Fact
from passlight.core.rules.areas import AreaCodes, AreaHistory, Listings
from passlight.office.statuses.shared import News, SharedFacts, named_by_links

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


def touched_by(news: News, shared: SharedFacts, *, codes: AreaCodes) -> Touched:
    """Return whom ``news`` touch; ``shared`` has read them already.

    Somebody from whom a correction takes a fact away is touched as much as the one it goes to,
    and whom a word on who is whom names, now or in a version before, as much as its subject.
    """
    named = {fact.subject for fact in news.versions}
    subjects = {name for name in named if not name.startswith((AREA_PREFIX, SOURCE_PREFIX))}
    subjects |= named_by_links(news.versions)
    if any(name.startswith(AREA_PREFIX) for name in named):
        subjects |= _near_areas(news, shared.area_facts, codes=codes)
    return Touched(
        subjects=frozenset(
            member for subject in subjects for member in shared.ever_linked(subject)
        ),
        everybody=any(name.startswith(SOURCE_PREFIX) for name in named),
    )


def _near_areas(news: News, facts: Collection[Fact], *, codes: AreaCodes) -> set[str]:
    """Return who named an area that changed, or one above or below it."""
    changed = _changed_areas(news)
    new = {fact.seq for fact in news.facts}
    older = [fact for fact in facts if fact.seq not in new]
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


def _changed_areas(news: News) -> set[str]:
    """Return the areas that changed facts name, now or in a version before.

    A correction may move a listing to another area: the first is touched as much as the second.
    """
    about = {fact.fact_id for fact in news.versions if fact.subject.startswith(AREA_PREFIX)}
    changed = set()
    for fact in news.versions:
        if fact.fact_id in about:
            if fact.subject.startswith(AREA_PREFIX):
                changed.add(fact.subject.removeprefix(AREA_PREFIX))
            changed.update(
                str(fact.payload[name]) for name in ("area", "parent") if fact.payload.get(name)
            )
    return changed


def _covering(view: Listings, area: str) -> set[str]:
    return {identity for identity, _, _ in view.covers(area)}
