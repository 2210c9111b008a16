"""From a fact to a served status: 500 facts a second on the embedded database, at the gateway.

Real processes: facts land as every feed lands them, the worker follows them, and a gateway's
follower keeps its book. The clock runs from the moment at which a fact is handed in until the
book has the publication that it made. Beside it stands the bare way of one row: insert, commit
and ``NOTIFY``, heard in another process, on the same database in the same run.

    .venv/bin/python -m bench incremental --seconds 30
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from bench.row import Row
from passlight.runtime.database import Role, url_for
from passlight.runtime.settings import child_environment, read_settings

PEOPLE = 20_000
FACTS_A_SECOND = 500
FACTS_A_LANDING = 25
SECONDS_MIN = 10
AREAS = [f"{province}{city:02}00" for province in (42, 33, 44) for city in range(1, 60)]
LISTED = frozenset(AREAS[:40])


def run(seconds: float) -> list[Row]:
    """Return the figures; facts come for ``seconds``, ten at the least unless it is a trial."""
    if seconds < 1:
        return measure(people=200, seconds=1)
    return measure(people=PEOPLE, seconds=max(SECONDS_MIN, seconds))


def measure(*, people: int, seconds: float) -> list[Row]:
    """Return the figures of one run in an installation of its own."""
    with tempfile.TemporaryDirectory(prefix="passlight-bench-") as home, _installation(home):
        found = subprocess.run(
            [sys.executable, "-m", "bench.incremental", "feed", str(people), str(seconds)],
            env=child_environment(PASSLIGHT_ROLE="office"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures = json.loads(found.stdout.splitlines()[-1])
    bare = figures["bare_p50"]
    beside = f"one row and NOTIFY: {bare:.2f} ms"
    return [
        Row(
            name=f"a fact to the gateway's book, {name}, {figures['rate']:.0f} facts/s",
            value=figures[name],
            unit="ms",
            compared_with=beside if name == "p50" else "",
            ratio=figures[name] / bare if name == "p50" else None,
        )
        for name in ("p50", "p99", "worst")
    ]


@contextlib.contextmanager
def _installation(home: str) -> Iterator[None]:
    """Migrate an installation of its own below ``home`` and name it to every process."""
    from passlight.runtime.database import embedded

    before = dict(os.environ)
    os.environ |= {
        "PASSLIGHT_HOME": home,
        "PASSLIGHT_KEYS": f"{home}/keys",
        "DJANGO_SETTINGS_MODULE": "passlight.office.settings",
    }
    os.environ.pop("PASSLIGHT_DATABASE_URL", None)
    try:
        subprocess.run(
            [sys.executable, "-m", "passlight.cli.main", "migrate", "--quiet"],
            env=child_environment(),
            check=True,
        )
        yield
    finally:
        embedded(read_settings()).stop(mode="immediate")
        os.environ.clear()
        os.environ |= before


def feed(people: int, seconds: float) -> dict[str, float]:
    """Land facts for ``seconds`` with worker and follower beside, and return what was seen."""
    import django

    django.setup()
    seed_town(people)
    worker = subprocess.Popen(
        [sys.executable, "-m", "passlight.office.statuses.worker"],
        env=child_environment(PASSLIGHT_ROLE="evaluator"),
        stderr=subprocess.DEVNULL,
    )
    watcher = subprocess.Popen(
        [sys.executable, "-m", "bench.incremental", "watch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until_swept()
        bare = bare_notify()
        handed = land_steadily(people, seconds)
        wait_until_followed(max(seq for seq, _ in handed))
        time.sleep(1.0)
        seen, _ = watcher.communicate("", timeout=60)
    finally:
        for process in (worker, watcher):
            process.terminate()
            process.wait()
    return {
        "bare_p50": bare * 1000,
        **latencies(handed, json.loads(seen.splitlines()[-1])),
    }


def seed_town(people: int) -> None:
    """Fill the log as a town has it: registrations, arrivals, tests, cases, links, lists."""
    import uuid

    from passlight.office.facts.actions import land_facts
    from passlight.office.packs.actions import publish_pack, store_pack
    from passlight.office.people.models import Person
    from passlight.runtime.clock import SystemClock
    from passlight.runtime.packs import read_pack_folder, shipped_packs

    clock, chance = SystemClock(), Random(1)
    now = clock.now()
    Person.objects.bulk_create(
        (
            Person(
                id=uuid.UUID(int=n + 1),
                ordinal=n,
                facts_key=handle(n),
                visits_key=f"v-{n:032x}",
                registered_at=now,
            )
            for n in range(people)
        ),
        batch_size=5000,
    )
    files = read_pack_folder(shipped_packs() / "shanghai-2020-02")
    stored = store_pack(files, user=None, clock=clock)
    publish_pack(stored, effective_from=None, user=None, clock=clock)
    facts = [
        _fact(
            f"list:{area}",
            "area.listed",
            f"area:{area}",
            now - timedelta(days=60),
            area=area,
            level="key",
        )
        for area in AREAS[:40]
    ]
    for n in range(people):
        facts.append(_fact(f"reg:{n}", "person.registered", handle(n), now - timedelta(days=9)))
        facts += [
            some_fact(chance, f"old:{n}:{i}", n, now - timedelta(hours=chance.randrange(400)))
            for i in range(2)
        ]
    facts += [
        _fact(
            f"link:{n}",
            "identity.link",
            handle(n),
            now - timedelta(days=1),
            a=handle(n),
            b=handle(n + 1),
        )
        for n in range(0, people // 20, 2)
    ]
    for start in range(0, len(facts), 20_000):
        land_facts(facts[start : start + 20_000], batch_id="seed", clock=clock).require_all()
    with psycopg.connect(url_for(Role.OWNER, read_settings()), autocommit=True) as owner:
        owner.execute("analyze")


def handle(n: int) -> str:
    return f"p-{n:032x}"


def some_fact(chance: Random, fact_id: str, n: int, at: datetime) -> Any:
    """Return one fact about one person, as a day brings them: mostly tests."""
    kind = chance.random()
    if kind < 0.75:
        return _fact(fact_id, "lab.result", handle(n), at, value="neg", sampled_at=at.isoformat())
    if kind < 0.9:
        area = chance.choice(AREAS)
        left = (at - timedelta(hours=5)).isoformat()
        return _fact(
            fact_id,
            "travel.arrived",
            handle(n),
            at,
            from_area=area,
            left_at=left,
            arrived_at=at.isoformat(),
        )
    if kind < 0.95:
        return _fact(fact_id, "case.confirmed", handle(n), at, case_id=f"c{n}")
    return _fact(fact_id, "case.discharged", handle(n), at, case_id=f"c{n}")


def _fact(fact_id: str, kind: str, subject: str, at: datetime, **payload: Any) -> Any:
    from passlight.office.facts.intake import NewFact

    return NewFact(
        fact_id=fact_id, kind=kind, subject=subject, occurred_at=at, source="bench", payload=payload
    )


def wait_until_swept() -> None:
    from passlight.office.facts.queries import last_seq
    from passlight.office.statuses.models import Heartbeat

    newest, end = last_seq(), time.monotonic() + 300
    while time.monotonic() < end:
        beat = Heartbeat.objects.filter(pk=1).first()
        if beat is not None and beat.fact_seq >= newest and beat.sweep_ordinal < 0:
            return
        time.sleep(0.2)
    raise TimeoutError("the town was not evaluated in time")


def wait_until_followed(seq: int) -> None:
    from passlight.office.statuses.models import Heartbeat

    end = time.monotonic() + 120
    while Heartbeat.objects.get(pk=1).fact_seq < seq:
        if time.monotonic() > end:
            raise TimeoutError("the worker did not keep up")
        time.sleep(0.05)


def land_steadily(people: int, seconds: float) -> list[tuple[int, float]]:
    """Land facts at the rate and return (number, when handed in) of every one."""
    from passlight.office.facts.actions import land_facts
    from passlight.runtime.clock import SystemClock

    clock, chance = SystemClock(), Random(2)
    pause = FACTS_A_LANDING / FACTS_A_SECOND
    handed: list[tuple[int, float]] = []
    start = time.monotonic()
    for batch in range(round(seconds / pause)):
        due = start + batch * pause
        time.sleep(max(0.0, due - time.monotonic()))
        now = datetime.now(UTC) - timedelta(seconds=1)
        facts = [
            some_fact(chance, f"new:{batch}:{i}", chance.randrange(people), now)
            for i in range(FACTS_A_LANDING)
        ]
        if batch % 20 == 0:  # every second somebody is linked, and something taken back
            n = people // 2 + batch
            facts[0] = _fact(
                f"new-link:{batch}", "identity.link", handle(n), now, a=handle(n), b=handle(n + 1)
            )
            facts[1] = _fact(
                f"old:{batch}:0",
                "lab.result",
                handle(batch),
                now,
                value="neg",
                sampled_at=now.isoformat(),
            )
        at = time.monotonic()
        landing = land_facts(facts, batch_id=f"bench-{batch}", clock=clock)
        assert landing.last_seq is not None
        handed += [(seq, at) for seq in range(landing.first_seq or 0, landing.last_seq + 1)]
    return handed


def latencies(
    handed: Sequence[tuple[int, float]], seen: Sequence[tuple[int, float]]
) -> dict[str, float]:
    """Return percentiles: a fact is served when the book has the publication that followed it."""
    from passlight.office.facts.models import FactVersion
    from passlight.office.people.models import Person
    from passlight.office.statuses.models import Publication

    first = min(seq for seq, _ in handed)
    ordinals = dict(Person.objects.values_list("facts_key", "ordinal"))
    subject = dict(FactVersion.objects.filter(seq__gte=first).values_list("seq", "subject"))
    made: dict[int, list[tuple[int, int]]] = {}
    for seq, ordinal, fact_seq in (
        Publication.objects.order_by("seq")
        .filter(fact_seq__gte=first)
        .values_list("seq", "ordinal", "fact_seq")
    ):
        made.setdefault(ordinal, []).append((fact_seq, seq))
    ends = sorted({fact_seq for rows in made.values() for fact_seq, _ in rows})
    taken = []
    for seq, at in handed:
        rows = made.get(ordinals[subject[seq]], ())
        # A pass's rows carry the number up to which it followed the facts.
        followed = ends[bisect_left(ends, seq)]
        publication = next((number for fact_seq, number in rows if fact_seq == followed), None)
        if publication is None:
            continue  # the fact changed nothing that is served
        taken.append(next(when for number, when in seen if number >= publication) - at)
    taken.sort()
    span = max(at for _, at in handed) - min(at for _, at in handed)
    return {
        "facts": len(taken),
        "rate": len(handed) / span,
        "p50": taken[len(taken) // 2] * 1000,
        "p99": taken[int(len(taken) * 0.99)] * 1000,
        "worst": taken[-1] * 1000,
    }


def bare_notify() -> float:
    """Return the median seconds of one insert, commit and notification heard."""
    with psycopg.connect(url_for(Role.OWNER, read_settings()), autocommit=True) as owner:
        owner.execute("create table bench_row (n int)")
        with psycopg.connect(url_for(Role.OWNER, read_settings()), autocommit=True) as ears:
            ears.execute("listen bench_row")
            taken = []
            for n in range(100):
                start = time.monotonic()
                with owner.transaction():
                    owner.execute("insert into bench_row values (%s)", (n,))
                    owner.execute("notify bench_row")
                for _ in ears.notifies(timeout=2, stop_after=1):
                    pass
                taken.append(time.monotonic() - start)
        owner.execute("drop table bench_row")
    return sorted(taken)[50]


def watch() -> None:
    """Follow as a gateway does until standard input ends; print when the book had which number."""
    from passlight.gateway.follower import Follower
    from passlight.gateway.keys import CodeKeys
    from passlight.gateway.published import Published
    from passlight.runtime.clock import SystemClock
    from passlight.runtime.keys import KeyFolder

    settings = read_settings()
    published = Published(keys=CodeKeys(KeyFolder(settings.keys), realm=settings.realm))
    follower = Follower(
        published,
        clock=SystemClock(),
        url=lambda: url_for(Role.GATEWAY, settings),
        copy=Path(os.environ["PASSLIGHT_HOME"]) / "bench.copy",
        copy_key=bytes(32),
        keys_changed=lambda: None,
    )
    follower.start()
    seen: list[tuple[int, float]] = []
    over = threading.Event()

    def look() -> None:
        last = -1
        while not over.is_set():
            seq = published.book.seq
            if seq != last:
                seen.append((seq, time.monotonic()))
                last = seq
            time.sleep(0.001)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    sys.stdin.read()
    over.set()
    looking.join()
    print(json.dumps(seen))


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch()
    else:
        print(json.dumps(feed(int(sys.argv[2]), float(sys.argv[3]))))
