"""Rule packs that nobody would write: any point in any other, from one seed.

The words are those of the load check; what it refuses is thrown away and drawn anew. Zones are
chosen for what is odd about them: a day that is skipped, a midnight that comes twice or never.
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from passlight.core.kernel.problem import ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule

Words = dict[str, Any]
#: A zone and the days around which its clocks are odd.
ZONES = (
    ("Asia/Shanghai", ("2021-08-01",)),
    ("Europe/Berlin", ("2022-03-27", "2021-10-31")),
    ("Pacific/Auckland", ("2021-09-26", "2022-04-03")),
    ("America/St_Johns", ("2006-10-29", "2007-03-11", "2011-11-06")),
    ("Asia/Tehran", ("2021-03-22", "2021-09-22", "1978-08-05")),
    ("Pacific/Apia", ("2011-12-30", "2011-09-24", "2012-04-01")),
    ("America/Sao_Paulo", ("2018-11-04", "2019-02-17")),
    ("Australia/Lord_Howe", ("2021-04-04", "2021-10-03")),
    ("Africa/Casablanca", ("2021-04-11", "2021-05-16")),
    ("Asia/Kolkata", ("2020-02-29",)),
)
TEXT = {"zh": "理由", "en": "reason"}
BASIS = {"text": "规定", "ref": "test"}
TRIGGERS: dict[str, list[Words]] = {
    "travel.arrived": [{}, {"via": "some"}, {"via_present": False}],
    "stay": [{}, {"place_present": True}],
    "residence": [{}],
    "case.confirmed": [{}],
    "case.suspected": [{}],
    "order.started": [{}, {"type": ["some", "close"]}, {"type_present": True}],
    "lab.result": [{}, {"value": "pos"}, {"value": "neg", "pool_id_present": False}],
    "lab.sampled": [{}, {"value": "pos"}],
    "exposure.assessed": [{}, {"class": "close"}],
    "exposure.derived": [{}, {"minutes_gte": 10}, {"minutes_gte": 9.5, "minutes_lte": 11}],
    "temp.measured": [{}, {"value_gte": 10}],
    "symptom.reported": [{}],
    "health.declared": [{}, {"value": "some"}],
    "relation.household": [{}],
    "person.born": [{}],
    "dispute.decided": [{}, {"outcome": "some"}],
}
ENDS: dict[str, list[Words]] = {
    **TRIGGERS,
    "case.ruled_out": [{}],
    "case.discharged": [{}],
    "order.lifted": [{}],
    "order.extended": [{}],
    "symptom.cleared": [{}, {"place": "some"}],
}
LEVELS = ("high", "medium", "key")
LEAVERS = {"travel.arrived", "stay", "residence"}
_TRIES = 400


class PackMaker:
    """Makes the packs of one seed, all in one zone and around one day."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"pack/{seed}")
        self.zone, days = self.one(*ZONES)
        self.day = date.fromisoformat(self.one(*days))

    def one(self, *of: Any) -> Any:
        return self.random.choice(of)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def duration(self) -> Any:
        if self.chance(0.55):
            return self.one("6h", "24h", "1d", "2d", "36h", "3d", "10min", "7d", "0h")
        found: Words = {"calendar": f"{self.one(0, 1, 1, 2, 3, 7)}d"}
        found[self.one("day_zero", "day_one")] = "occurred_date"
        if self.chance(0.3):
            found["inclusive"] = True
        if self.chance(0.4):
            found["release"] = self.one("00:00", "02:30", "08:00", "23:59:59", "00:00:00.000001")
        return found

    def amount(self) -> Any:
        return f"param.{self.one('d1', 'd2', 'd3')}" if self.chance(0.5) else self.duration()

    def parameters(self) -> Words:
        """Return parameters that have a value on any first day, and change near the odd one."""
        found = {name: self._dated(self.duration) for name in ("d1", "d2", "d3")}
        found["n1"] = self._dated(lambda: str(self.one(1, 2, 3)))
        return found

    def _dated(self, value: Any) -> Words:
        found = {(self.day - timedelta(days=60)).isoformat(): {"value": value()}}
        for _ in range(self.one(0, 1, 1, 2)):
            when = self.day + timedelta(days=self.random.randrange(-12, 12))
            found[f"{when}{self.one('', 'T06:00', 'T02:30')}"] = {"value": value()}
        return found

    def filter(self, table: dict[str, list[Words]]) -> Words:
        kind = self.one(*table)
        if self.chance(0.2):
            return {"kind": list(dict.fromkeys((kind, self.one(*table), self.one(*table))))}
        where = self.one(*table[kind])
        return {"kind": kind, **({"where": where} if where else {})}

    def point(self, moments: list[str], depth: int) -> Any:
        """Return a point with at most ``depth`` others inside each other."""
        if depth <= 0 or self.chance(0.18):
            return self.one(*moments)
        what = self.one(
            *("after", "after", "next", "next", "nth", "nth", "earliest", "latest", "never")
        )
        if what == "never":
            return "never"
        if what == "after":
            return {"after": [self.point(moments, depth - 1), self.amount()]}
        if what in {"earliest", "latest"}:
            return {what: [self.point(moments, depth - 1) for _ in range(self.one(1, 2, 2, 3))]}
        found = self.filter(ENDS)
        if self.chance(0.8):
            found["since"] = self.point(moments, depth - 1)
        if what == "next" and self.chance(0.3):
            found["same"] = self.one("case_id", "order_id", "sample_id", "place", "value", "area")
        return {what: found if what == "next" else self._counted(found)}

    def _counted(self, found: Words) -> Words:
        found["n"] = "param.n1" if self.chance(0.4) else self.one(1, 2, 2, 3)
        if self.chance(0.6):
            found |= self.one({"gap": self.amount()}, {"every": "1d"})
        kind = found["kind"]
        if self.chance(0.4) and isinstance(kind, str):
            others = [one for one in ENDS[kind] if one and one != found.get("where")]
            if others:
                found["reset_on"] = {"where": self.one(*others)}
        return found

    def rule(self, number: int) -> Words:
        form = self.one("on", "on", "on", "during", "absence")
        made: Words = {"id": f"r{number}", "basis": BASIS}
        if form == "on":
            made["on"], moments = self._trigger()
        elif form == "during":
            stay = self.one("stay", "residence", ["stay", "residence"])
            made["during"] = {"all": [{"stay": stay}, {"listed": self.levels()}]}
            moments = ["interval.from", "interval.until", "stay.until", "listing.until"]
        else:
            since = ["policy.effective", *(self.one(*TRIGGERS) for _ in range(self.one(0, 1, 2)))]
            if self.chance(0.4):
                since.append(f"birth+{self.one('3y', '1y', '30d')}")
            made["absence"] = {**self.filter(ENDS), "max_gap": self.duration(), "since": since}
            moments = ["interval.from", "interval.until"]
        count = self.one(1, 1, 2, 2, 3)
        made["phases"] = [self.phase(moments, place, form) for place in range(count)]
        return made

    def _trigger(self) -> tuple[Words, list[str]]:
        on = self.filter(TRIGGERS)
        moments = ["trigger.occurred", "trigger.recorded", "trigger.ended"]
        kinds = {on["kind"]} if isinstance(on["kind"], str) else set(on["kind"])
        if kinds <= LEAVERS:
            moments += ["trigger.left"] * 2
            if self.chance(0.7):
                on["area"] = self.area()
        if kinds <= {"lab.result", "lab.sampled"}:
            moments += ["trigger.sampled"] * 2
        return on, moments

    def levels(self) -> list[str]:
        return list(dict.fromkeys(self.one(*LEVELS) for _ in range(self.one(1, 2))))

    def area(self) -> Words:
        if self.chance(0.25):
            return {"within": self.one("abroad", "b-1", "420000", "new-1", "ring-1")}
        match = self.one("listed_at_departure", "listed_during_stay", "listed_within")
        found: Words = {"listed": self.levels(), "match": match}
        if match == "listed_within":
            found["lookback"] = self.duration()
        return found

    def phase(self, moments: list[str], place: int, form: str) -> Words:
        known = [*moments, "prev.until", "prev.until"] if place else moments
        found: Words = {
            "colour": self.one("red", "yellow", "yellow"),
            "reason": {**TEXT, "en": f"reason {place}"},
            "advice": TEXT,
            "open_ended": True,
        }
        if self.chance(0.45):
            found["from"] = self.point(known, self.one(0, 1, 1, 2))
        if form == "on" or self.chance(0.75):
            found["until"] = self.point(known, self.one(1, 2, 2, 3, 3))
        return found

    def head(self, version: str, start: date, end: date | None) -> Words:
        hour = self.one("00:00", "02:30", "10:00")
        found: Words = {
            "id": "odd",
            "version": version,
            "timezone": self.zone,
            "effective": [f"{start}T{hour}", None if end is None else f"{end}T{hour}"],
            "published_at": f"{start}T00:00",
            "existing_measures": self.one("keep", "convert"),
            "cap": {"chained_yellow": self.one("2d", "7d", "21d")},
        }
        if self.chance(0.5):
            ranked = {"lab.result": ["cdc", "hospital", "site"], "order.started": ["site", "cdc"]}
            found["sources"] = ranked
        if self.chance(0.5):
            found["mandatory"] = [
                {"source": one, "within": self.duration(), "when_stale": stale, "text": TEXT}
                for one, stale in (("cdc", "unknown"), ("site", "badge"))
            ]
        return found

    def extras(self, rules: list[Words]) -> Words:
        found: Words = {}
        ids = [rule["id"] for rule in rules]
        if self.chance(0.7):
            found["waivers"] = [
                {
                    "id": f"w{place}",
                    "rules": self.random.sample(ids, k=self.random.randint(1, len(ids))),
                    "longest": self.duration(),
                    "text": TEXT,
                    "basis": BASIS,
                }
                for place in range(self.one(1, 2))
            ]
        if self.chance(0.7):
            found["badges"] = [
                {
                    "id": f"b{place}",
                    "while": {"after_within": [self.filter(ENDS), self.duration()]},
                    "text": TEXT,
                }
                for place in range(self.one(1, 2))
            ]
        return found

    def areas(self) -> str:
        """Return areas that became others, moved to another parent, and lie in a ring."""
        day, three = self.day, timedelta(days=3)
        return (
            "area,name,parent,from,until,successor\n"
            f"old-1,,,,{day},new-1\n"
            f"new-1,,420000,{day - three},,\n"
            f"old-2,,,,{day + three},old-1\n"
            f"old-2,,,,{day - three},b-1\n"
            "ring-1,,ring-2,,,\n"
            f"ring-2,,ring-3,,{day},\n"
            "ring-3,,ring-1,,,\n"
            f"b-1,,new-1,,{day},\n"
            f"b-1,,ring-1,{day},,\n"
        )

    def pack(
        self, version: str, *, start: date, end: date | None = None, rules: list[Words]
    ) -> Pack:
        """Return a pack; ``rules`` gains what it lacks, so that the next pack may have the same."""
        head, params = self.head(version, start, end), self.parameters()
        areas = {"areas.csv": self.areas()} if self.chance(0.7) else {}

        def load(some: list[Words], more: Words) -> Pack:
            text = {"pack": head, "params": params, **more}
            return load_pack(
                {"pack.yaml": json.dumps(text), "rules/r.yaml": json.dumps(some), **areas}
            )

        for _ in range(_TRIES):
            try:
                if len(rules) >= 4:
                    return load(rules, self.extras(rules))
                made = self.rule(len(rules))
                load([made], {})
            except ProblemError:
                continue
            rules.append(made)
        raise AssertionError("no pack was good enough")


def odd_schedule(seed: int) -> PackSchedule:
    """Return one pack for ever, or several in turn: other times, gaps, zones, late publication."""
    maker = PackMaker(seed)
    rules: list[Words] = []
    if maker.chance(0.4):
        start = maker.day - timedelta(days=maker.one(2, 10, 20))
        return PackSchedule.only(maker.pack("0", start=start, rules=rules))
    days = maker.random.sample(range(-8, 9), maker.one(2, 3, 4))
    starts = sorted(maker.day + timedelta(days=day) for day in days)
    zone = maker.zone
    packs: list[Pack] = []
    for place, start in enumerate(starts):
        end = None
        if place + 1 < len(starts) and maker.chance(0.3):
            end = start + timedelta(days=maker.random.randint(1, (starts[place + 1] - start).days))
        maker.zone = maker.one(*ZONES)[0] if maker.chance(0.15) else zone
        made = maker.pack(str(place), start=start, end=end, rules=rules)
        assert made.effective.start is not None
        late = timedelta(hours=maker.one(-48, 0, 0, 5, 60))
        packs.append(
            made.published(effective=made.effective, published_at=made.effective.start + late)
        )
    if maker.chance(0.3):
        first = starts[0] + timedelta(days=1)
        over = maker.pack("over", start=first, end=first + timedelta(days=2), rules=rules)
        packs.append(replace(over, supersedes=packs[0].version))
    try:
        return PackSchedule.of(packs)
    except ProblemError:  # Two claim the same time: the first is enough.
        return PackSchedule.of(packs[:1])
