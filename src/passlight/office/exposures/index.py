"""The windows of all cases in memory, by venue: what every record that arrives is probed with.

It is a copy of the table of windows, changed by the one follower alone; forgotten, it is read
again. A record of which it knows no window costs a look-up and no query.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from passlight.core.exposure.parameters import TracingParameters
from passlight.office.exposures.models import StoredWindow, TracedCase
from passlight.office.exposures.presence import CONFIRMED_WITHIN
from passlight.office.exposures.states import CaseState

Span = tuple[datetime, datetime]


class WindowIndex:
    """Windows by venue and case, and cases by the visits keys of the person."""

    def __init__(self) -> None:
        """Begin unread."""
        self.forget()

    def forget(self) -> None:
        """Throw everything away; it is read again when it is needed."""
        self._read = False
        self._by_venue: dict[UUID, dict[int, list[Span]]] = defaultdict(dict)
        self._venues_of: dict[int, set[UUID]] = {}
        self._cases: dict[str, set[int]] = defaultdict(set)
        self._keys_of: dict[int, list[str]] = {}

    def read(self) -> None:
        """Read all active cases, unless that is done."""
        if not self._read:
            self._read = True
            self._add(TracedCase.objects.filter(state=CaseState.ACTIVE.value))

    def learn(self, cases: Iterable[TracedCase]) -> None:
        """Read these cases again, after the commit that changed them."""
        changed = {case.pk for case in cases}
        if not self._read or not changed:
            return
        for pk in changed:
            for venue in self._venues_of.pop(pk, ()):
                self._by_venue[venue].pop(pk, None)
            for key in self._keys_of.pop(pk, ()):
                self._cases[key].discard(pk)
        self._add(TracedCase.objects.filter(pk__in=changed, state=CaseState.ACTIVE.value))

    def probe(self, venue: UUID, at: datetime, parameters: TracingParameters) -> list[int]:
        """Return the cases that a record at ``venue`` may concern.

        The stay that it begins, ends or confirms may be as long as a stay can be, before it
        and after it.
        """
        reach = timedelta(hours=parameters.stay_hours_max) + CONFIRMED_WITHIN
        return [
            case
            for case, spans in self._by_venue.get(venue, {}).items()
            if any(since - reach <= at <= until + reach for since, until in spans)
        ]

    def cases_of(self, keys: Collection[str]) -> set[int]:
        """Return the cases that are one of these people themselves."""
        return {case for key in keys for case in self._cases.get(key, ())}

    def _add(self, cases: Iterable[TracedCase]) -> None:
        known = {case.pk: case for case in cases}
        for pk, case in known.items():
            self._keys_of[pk] = list(case.own_keys)
            for key in case.own_keys:
                self._cases[key].add(pk)
        rows = StoredWindow.objects.filter(case_id__in=known)
        for pk, venue, since, until in rows.values_list("case_id", "venue_id", "since", "until"):
            self._by_venue[venue].setdefault(pk, []).append((since, until))
            self._venues_of.setdefault(pk, set()).add(venue)
