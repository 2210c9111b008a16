"""Storing a rule pack, and putting it in force."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.core.rules.load import load_pack
from passlight.core.rules.pack import Pack
from passlight.core.status.scenario import run_scenarios
from passlight.office.accounts.models import User
from passlight.office.packs.models import PackPublication, Preview, StoredPack
from passlight.office.packs.schedule import compiled, latest_seq
from passlight.office.venues.doors import every_door_changed

CHANNEL = "passlight_packs"
LOCK = 0x9A55_0003


def store_pack(files: Mapping[str, str], *, user: User | None, clock: Clock) -> StoredPack:
    """Check a pack and keep its text; the same text again returns what is kept.

    Raises:
        ProblemError: with every fault of the pack, or when its version is taken by another text.
    """
    pack = load_pack(files)
    assert pack.effective.start is not None, "every pack has a first day"
    problems = failed_tests(pack, files)
    if problems:
        raise ProblemError(*problems)
    kept = StoredPack.objects.filter(hash=pack.hash).first()
    if kept is not None:
        return kept
    try:
        with transaction.atomic():
            return StoredPack.objects.create(
                name=pack.id,
                version=pack.version,
                hash=pack.hash,
                files=dict(files),
                effective_from=pack.effective.start,
                effective_until=pack.effective.end,
                uploaded_at=clock.now(),
                uploaded_by=user,
            )
    except IntegrityError as error:
        raise _version_taken(pack) from error


def failed_tests(pack: Pack, files: Mapping[str, str]) -> list[Problem]:
    """Run the scenarios that the pack carries and return those that do not hold."""

    def named(name: str) -> Pack:
        if name in {pack.id, pack.key}:
            return pack
        stored = StoredPack.objects.filter(name=name.partition("@")[0]).order_by("-id").first()
        if stored is None:
            raise ValueError(f"no pack {name!r} is stored here")
        return compiled(stored.hash)

    return [
        Problem(
            code="packs.test-failed",
            message=f"test {result.id} fails: {failure}",
            remedy="Correct the rule or the test; a pack whose own tests fail is not stored.",
            file=result.file,
            line=result.line,
        )
        for path in sorted(files)
        if path.startswith("tests/") and path.endswith((".yaml", ".yml"))
        for result in run_scenarios(files[path], file=path, pack_named=named, default=pack)
        for failure in result.failures
    ]


def publish_pack(
    stored: StoredPack,
    *,
    effective_from: datetime | None,
    user: User | None,
    clock: Clock,
    note: str = "",
) -> PackPublication:
    """Put a pack in force from ``effective_from``, in place of all that was to hold from there.

    None is the first moment possible: now, or the pack's own start when that is later.

    Publishing an earlier version again is the way back. The past stays as it was: only where
    no pack ever held may a publication reach back.

    Raises:
        ProblemError: when the date lies in the past or outside the pack's own dates.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        published_at = _published_at(clock)
        not_before = published_at if PackPublication.objects.exists() else None
        if effective_from is None:
            effective_from = max(published_at, stored.effective_from)
        problem = _date_problem(stored, effective_from, not_before)
        if problem is not None:
            raise ProblemError(problem)
        publication = PackPublication.objects.create(
            seq=latest_seq() + 1,
            pack=stored,
            effective_from=effective_from,
            effective_until=stored.effective_until,
            published_at=published_at,
            published_by=user,
            note=note,
        )
        cursor.execute("select pg_notify(%s, %s)", [CHANNEL, str(publication.seq)])
        every_door_changed(clock=clock)
    return publication


def previewed(stored: StoredPack) -> Preview | None:
    """Return the newest finished preview that still compares with what is in force."""
    return (
        Preview.objects.filter(pack=stored, finished_at__isnull=False, after_seq=latest_seq())
        .order_by("-id")
        .first()
    )


def _published_at(clock: Clock) -> datetime:
    last = PackPublication.objects.order_by("-seq").values_list("published_at", flat=True).first()
    now = clock.now()
    return now if last is None else max(last, now)


def _date_problem(
    stored: StoredPack, effective_from: datetime, not_before: datetime | None
) -> Problem | None:
    if not_before is not None and effective_from < not_before:
        return Problem(
            code="packs.date-past",
            message="the effective date lies in the past",
            remedy="Choose this moment or a later one: what was shown stays as it was.",
            field="effective_from",
        )
    if effective_from < stored.effective_from or (
        stored.effective_until is not None and effective_from >= stored.effective_until
    ):
        return Problem(
            code="packs.date-outside",
            message="the pack itself is not effective at that date",
            remedy="Choose a date inside the pack's own dates, or upload a new version.",
            field="effective_from",
        )
    return None


def _version_taken(pack: Pack) -> ProblemError:
    return ProblemError(
        Problem(
            code="packs.version-taken",
            message=f"{pack.key} is stored with another text",
            remedy="Give the changed pack a new version in pack.yaml.",
            file="pack.yaml",
            field="version",
            params={"pack": pack.key},
        )
    )
