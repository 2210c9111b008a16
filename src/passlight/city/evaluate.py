"""Everybody's status at once: the same packs and the same bytes as for one person.

Full answers tell each measure with its facts and what it still needs. Compact ones are a row a
person for the office: the colour now, the segments to come, when the last negative test was.
Both go bucket by bucket, so that memory does not grow with the city.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from passlight.city.columns import instant, micros
from passlight.city.compiling import Asked, Compiled, compile_schedule
from passlight.city.dialect import EVER, NEVER
from passlight.city.engine import Engine, Row
from passlight.city.sql.answers import BADGE
from passlight.city.sql.compact import Compact
from passlight.city.sql.occurrences import NONE
from passlight.city.sql.standing import CLOSED, GREEN, RED, UNKNOWN, YELLOW
from passlight.city.store import Store, write_durably
from passlight.core.kernel.colour import Colour
from passlight.core.rules.schedule import PackSchedule
from passlight.core.rules.terms import Text
from passlight.core.status.line import (
    LineBadge,
    LineMeasure,
    LineRow,
    line_for,
    need_sentence,
    row_line,
)

Moment = tuple[datetime, datetime | None]
Progress = Callable[[int], None]
COLOURS = {
    UNKNOWN: Colour.UNKNOWN,
    GREEN: Colour.GREEN,
    YELLOW: Colour.YELLOW,
    RED: Colour.RED,
    CLOSED: Colour.CLOSED,
}
PLAN = "plan.json"


def evaluate_full(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    moments: Sequence[Moment],
) -> Iterator[tuple[Moment, LineRow]]:
    """Yield every person's row at every moment, moment by moment, in the order of subjects."""
    for part, asked, rows in _answered(engine, store, schedule, moments, None):
        teller = Teller(part, asked)
        others = _others(part, asked, ())
        yield from ((moments[asked.place], row) for row in _merged(teller.rows(rows), others))


def told_lines(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    moments: Sequence[Moment],
    *,
    named: Iterable[str] = (),
    progress: Progress | None = None,
) -> Iterator[tuple[Moment, Colour, bytes]]:
    """Yield the moment, the colour and the line of each person at each moment."""
    for part, asked, rows in _answered(engine, store, schedule, moments, progress):
        teller = Teller(part, asked)
        moment = moments[asked.place]
        others = _others(part, asked, named)
        if others:
            for row in _merged(teller.rows(rows), others):
                yield moment, row.colour, row_line(row)
            continue
        for colour, line in teller.lines(rows):
            yield moment, colour, line


Answered = tuple[Compiled, Asked, Iterator[Row]]


def _answered(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    moments: Sequence[Moment],
    progress: Progress | None,
) -> Iterator[Answered]:
    """Yield the rows of each moment, in the order of the moments.

    In a store of one bucket all moments are answered together. In a larger one each is answered
    by itself: what it asks of one bucket must fit in memory, and no more.
    """
    if store.manifest.buckets > 1:
        for moment in range(len(moments)):
            yield from _one_moment(engine, store, schedule, moments, moment, progress)
        return
    parts = compile_schedule(engine, store, schedule, moments, telling=True)
    if len(parts) == 1:
        yield from _one_bucket(parts[0], store, progress)
        return
    # Moments that see other packs are answered apart, and told in the order asked all the same.
    answered = [
        (part, asked, iter(list(rows)))
        for each in parts
        for part, asked, rows in _one_bucket(each, store, progress)
    ]
    yield from sorted(answered, key=lambda one: one[1].place)


def _one_moment(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    moments: Sequence[Moment],
    place: int,
    progress: Progress | None,
) -> Iterator[Answered]:
    (part,) = compile_schedule(engine, store, schedule, [moments[place]], telling=True)
    part.asked = [replace(part.asked[0], place=place)]
    part.prepare()
    yield part, part.asked[0], _all_buckets(part, store, progress)


def _all_buckets(part: Compiled, store: Store, progress: Progress | None) -> Iterator[Row]:
    for bucket in store.buckets:
        for _, row in _rows(part, bucket):
            yield row
        if progress is not None:
            progress(store.manifest.people_a_bucket)


def _one_bucket(part: Compiled, store: Store, progress: Progress | None) -> Iterator[Answered]:
    part.prepare()
    found = _rows(part, 0) if store.manifest.buckets else iter(())
    ahead = next(found, None)

    def of(place: int) -> Iterator[Row]:
        nonlocal ahead
        while ahead is not None and ahead[0] == place:
            yield ahead[1]
            ahead = next(found, None)

    for asked in part.asked:
        yield part, asked, of(asked.place)
        if progress is not None:
            progress(store.people_count)


def _rows(part: Compiled, bucket: int) -> Iterator[tuple[int, Row]]:
    """Yield (moment, row) of one bucket: a row is the columns of ``full``, with the ids told."""
    part.open_bucket(bucket)
    part.run(part.statements())
    answers = part.answers()
    part.run(list(answers.statements()))
    ids = {
        number: fact_id
        for batch in part.engine.rows(answers.facts_shown())
        for number, fact_id in batch
    }
    for batch in part.engine.rows(answers.full()):
        for moment, *row in batch:
            yield moment, (*row, ids)


@dataclass(slots=True)
class Teller:
    """Makes rows and lines of what SQL found for one moment."""

    part: Compiled
    asked: Asked

    @property
    def _zone(self) -> ZoneInfo:
        return self.part.zone(self.asked.span)

    def _base_row(self, subject: str) -> LineRow:
        """Return what is told of a person with no measure."""
        at = micros(self.asked.at)
        base = self.part.bases[self.asked.known]
        change = base.change(at)
        told = (instant(change[0]), COLOURS[change[1]]) if change is not None else None
        return LineRow(
            subject=subject,
            at=self.asked.at,
            zone=self._zone,
            colour=COLOURS[base.colour(at)],
            valid_until=told[0] if told is not None else None,
            next_change=told,
            measures=(),
            badges=self._stale(),
        )

    def _stale(self) -> list[LineBadge]:
        base = self.part.bases[self.asked.known]
        silent = base.stale(self.asked.span, micros(self.asked.at))
        return [LineBadge(id=f"stale-{one.source}", text=one.text, until=None) for one in silent]

    def lines(self, rows: Iterable[Row]) -> Iterator[tuple[Colour, bytes]]:
        """Yield the colour and the line of each row."""
        row = self._base_row("")
        colour, line = row.colour, row_line(row)
        for found in rows:
            if found[1] is None and found[6] is None:
                yield colour, line_for(found[0], line)
            else:
                told = self._row(found)
                yield told.colour, row_line(told)

    def rows(self, rows: Iterable[Row]) -> Iterator[LineRow]:
        """Yield what is told of each row."""
        for found in rows:
            yield self._row(found)

    def _row(self, found: Row) -> LineRow:
        subject, code, valid_until, change_at, change_code, measures, badges, ids = found
        row = self._base_row(subject)
        badges_told = [*self._badges(badges or ()), *row.badges]
        if code is None:
            return replace(row, badges=badges_told)
        change = None
        if change_at is not None:
            change = (instant(change_at), COLOURS[change_code])
        colour = COLOURS[code]
        coloured = colour in {Colour.YELLOW, Colour.RED}
        return replace(
            row,
            colour=colour,
            valid_until=instant(valid_until) if valid_until is not None else None,
            next_change=change,
            measures=self._measures(measures or (), ids) if coloured else (),
            badges=badges_told if colour is not Colour.CLOSED else (),
        )

    def _measures(self, found: Sequence[dict[str, Any]], ids: dict[int, str]) -> list[LineMeasure]:
        """Return the measures: red first, then from, rule, phase, facts."""
        told = [
            (-one["strict"], one["mstart"], one["rule"], one["phase"], self._facts(one, ids), one)
            for one in found
        ]
        told.sort(key=lambda one: one[:5])
        return [self._measure(one, facts) for *_, facts, one in told]

    def _facts(self, one: dict[str, Any], ids: dict[int, str]) -> tuple[str, ...]:
        numbers = [number for number in (one["t1"], one["t2"]) if number != NONE]
        named = [
            ids[number] if number >= 0 else self.part.other_ids[-1 - number]
            for number in (*numbers, *one["closing"])
        ]
        return tuple(dict.fromkeys(named))

    def _measure(self, one: dict[str, Any], facts: tuple[str, ...]) -> LineMeasure:
        rule = self.part.packs[one["pack"]].pack.rule(self.part.rules[one["rule"]])
        phase = rule.phases[one["phase"]]
        return LineMeasure(
            rule=rule.id,
            phase=phase.index,
            colour=phase.colour,
            starts=instant(one["mstart"]),
            ends=instant(one["mend"]) if one["mend"] < NEVER else None,
            facts=facts,
            reason=phase.reason,
            needs=self._needs(one["needs"]),
        )

    def _needs(self, found: Sequence[dict[str, int]]) -> list[Text]:
        texts = self.part.needs.all()
        needs = dict.fromkeys((one["number"], one["missing"], one["from_at"]) for one in found)
        return [
            need_sentence(
                texts[number][0],
                missing=missing,
                from_at=instant(from_at) if from_at > EVER else None,
                sampled=texts[number][1],
                zone=self._zone,
            )
            for number, missing, from_at in needs
        ]

    def _badges(self, found: Sequence[dict[str, int]]) -> Iterator[LineBadge]:
        pack = self.part.epochs[self.asked.span].pack
        if pack is None:
            return
        for one in found:
            kind = pack.badges if one["form"] == BADGE else pack.waivers
            told = kind[one["which"]]
            until = instant(one["until"]) if one["until"] < NEVER else None
            yield LineBadge(id=told.id, text=told.text, until=until)

    def unknown(self, subject: str) -> LineRow:
        """Return what is told of somebody who is not identified."""
        return LineRow(
            subject=subject,
            at=self.asked.at,
            zone=self._zone,
            colour=Colour.UNKNOWN,
            valid_until=None,
            next_change=None,
            measures=(),
            badges=(),
        )


def _others(part: Compiled, asked: Asked, named: Iterable[str]) -> list[LineRow]:
    """Return in order what is told of those named, and of those whom SQL left out."""
    teller = Teller(part, asked)
    told = {subject: teller.unknown(subject) for subject in named}
    told |= {row.subject: row for row in part.apart.get(asked.place, ())}
    return [told[subject] for subject in sorted(told)]


def _merged(rows: Iterator[LineRow], others: list[LineRow]) -> Iterator[LineRow]:
    """Yield the rows and those of the others in order; whoever has facts is no other."""
    waiting = list(reversed(others))
    for row in rows:
        while waiting and waiting[-1].subject < row.subject:
            yield waiting.pop()
        if waiting and waiting[-1].subject == row.subject:
            waiting.pop()
        yield row
    while waiting:
        yield waiting.pop()


def evaluate_compact(
    engine: Engine,
    store: Store,
    schedule: PackSchedule,
    *,
    at: datetime,
    known_at: datetime | None,
    out_folder: Path,
    progress: Progress | None = None,
    resume: bool = True,
) -> list[Path]:
    """Write a Parquet file a bucket with a row a person, and return the files in order.

    A bucket that an earlier, broken-off run of the same question has written is kept.
    """
    (part,) = compile_schedule(engine, store, schedule, [(at, known_at)], telling=False)
    out_folder.mkdir(parents=True, exist_ok=True)
    part.prepare()
    plan = _plan(store, part, at, known_at)
    going_on = resume and _read(out_folder / PLAN) == plan
    if not going_on:
        for old in out_folder.glob("bucket=*.parquet"):
            old.unlink()
        write_durably(out_folder / PLAN, plan)
    files: list[Path] = []
    for bucket in store.buckets:
        target = out_folder / f"bucket={bucket:03}.parquet"
        if not target.exists():
            part.open_bucket(bucket)
            part.run(part.statements())
            draft = target.with_suffix(".part")
            engine.copy(_compact(part, bucket), draft)
            draft.replace(target)
        files.append(target)
        if progress is not None:
            progress(store.manifest.people_a_bucket)
    return files


def _compact(part: Compiled, bucket: int) -> str:
    """Return the query of the compact rows of a bucket."""
    told = Compact(part=part, asked=part.asked[0]).sql()
    if part.crowded is None or not part.crowded.in_bucket(bucket):
        return told
    return f"{told} UNION ALL {part.crowded.register_compact(bucket)}"


def _plan(store: Store, part: Compiled, at: datetime, known_at: datetime | None) -> bytes:
    """Return what makes one question the same as another, and what answers it."""
    asked = [one.sql for one in part.statements()]
    asked.append(Compact(part=part, asked=part.asked[0]).sql())
    packs = [
        [epoch.pack.key, epoch.pack.hash, str(epoch.when)] for epoch in part.epochs if epoch.pack
    ]
    told = {
        "at": at.isoformat(),
        "known_at": known_at.isoformat() if known_at is not None else None,
        "packs": packs,
        "store": sha256(store.manifest.to_json()).hexdigest(),
        # A later Passlight may ask otherwise: what an earlier one found is not gone on with.
        "sql": sha256("\n".join(asked).encode()).hexdigest(),
    }
    return (json.dumps(told, indent=1) + "\n").encode()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
