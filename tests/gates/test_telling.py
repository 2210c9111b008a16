"""What changes at a door reaches its document with the commit: a pack, a venue, an entrance.

The hours are those of the two packs' own sources: none in February 2020, 48 and 24 in May 2022
(S4 三(二)1 and 4).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passlight.core.entry.door_document import DoorDocument
from passlight.core.kernel.problem import ProblemError
from passlight.core.places.venue import Entrance as Door
from passlight.office.gates.models import GateDoor
from passlight.office.packs.actions import publish_pack, store_pack
from passlight.office.packs.models import StoredPack
from passlight.office.venues import actions as venues
from passlight.runtime.keys import KeyFolder
from tests.gates.conftest import Cast
from tests.gates.test_publishing import Moment, opened

POLICIES = Path(__file__).parents[2] / "policies"
Capture = Callable[..., Any]


@pytest.fixture
def moment() -> Moment:
    return Moment()


def files_of(name: str) -> dict[str, str]:
    folder = POLICIES / name
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def put_in_force(name: str, moment: Moment) -> None:
    stored = store_pack(files_of(name), user=None, clock=moment)
    publish_pack(stored, effective_from=None, user=None, clock=moment)


def newest(cast: Cast, keys: KeyFolder, code: str = "east") -> DoorDocument:
    row = GateDoor.objects.filter(entrance=code).order_by("-version").first()
    assert row is not None
    return opened(row, keys)


def hours(door: DoorDocument, role: str) -> int | None:
    rule = door.policy(role).test
    return None if rule is None else rule.hours_max


def test_another_pack_reaches_every_door_at_once(
    cast: Cast, keys: KeyFolder, moment: Moment, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        put_in_force("shanghai-2020-02", moment)
    door = newest(cast, keys)
    assert (door.plan.partition("/")[0], hours(door, "visitor")) == ("shanghai-2020-02", None)
    with django_capture_on_commit_callbacks(execute=True):
        put_in_force("qingpu-2022-05", moment)
        assert newest(cast, keys).plan == door.plan, "not before it is committed"
    door = newest(cast, keys)
    assert door.plan.partition("/")[0] == "qingpu-2022-05"
    asked = [hours(door, role) for role in ("visitor", "staff", "staff-reentry")]
    assert asked == [48, 24, 48]


def test_a_policy_with_a_gap_is_named_and_every_door_keeps_its_own(
    cast: Cast, keys: KeyFolder, moment: Moment, django_capture_on_commit_callbacks: Capture
) -> None:
    """The same pack without a word for yellow: nobody could say what the door does then."""
    with django_capture_on_commit_callbacks(execute=True):
        put_in_force("qingpu-2022-05", moment)
    before = newest(cast, keys)
    files = files_of("qingpu-2022-05")
    text = files["admission.yaml"]
    start, end = text.index("    yellow:\n"), text.index("    unknown:\n")
    files["admission.yaml"] = text[:start] + text[end:]
    files["pack.yaml"] = files["pack.yaml"].replace("2022.05.18", "2022.05.19", 1)
    with pytest.raises(ProblemError) as refused, django_capture_on_commit_callbacks(execute=True):
        store_pack(files, user=None, clock=moment)
    first = refused.value.problems[0]
    assert (first.file, first.line is not None) == ("admission.yaml", True)
    assert "yellow" in f"{first.field} {first.message}"
    assert newest(cast, keys) == before
    assert StoredPack.objects.count() == 1


def test_a_venue_and_its_entrances_reach_their_doors_at_once(
    cast: Cast, keys: KeyFolder, moment: Moment, django_capture_on_commit_callbacks: Capture
) -> None:
    venue = cast.entrance.venue
    with django_capture_on_commit_callbacks(execute=True):
        door = Door(code="west", zone="", name="西门", name_en="West gate")
        venues.add_entrance(venue, door, clock=moment)
    assert newest(cast, keys, "west").entrance_name.zh == "西门"
    details = venues.VenueDetails(
        name="新名大厅",
        name_en="Renamed hall",
        address="示例路 1 号",
        kind=venues.VenueClass.HALL,
        unit=venue.unit,
    )
    with django_capture_on_commit_callbacks(execute=True):
        venues.change_venue(venue, details, clock=moment)
    assert newest(cast, keys).venue_name.zh == "新名大厅"


def test_without_keys_nothing_else_fails(
    cast: Cast,
    keys: KeyFolder,
    moment: Moment,
    django_capture_on_commit_callbacks: Capture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A new installation registers its venues before it has keys."""
    from dataclasses import replace

    from django.conf import settings

    monkeypatch.setattr(settings, "PASSLIGHT", replace(settings.PASSLIGHT, keys=tmp_path))
    with django_capture_on_commit_callbacks(execute=True):
        venues.set_activity(cast.entrance.venue, active=True, actor=None, clock=moment)
    assert not GateDoor.objects.exists()
