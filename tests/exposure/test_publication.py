"""The New Zealand publications, read by the trace and by a method that shares nothing with it.

The oracle reads the files with a regular expression of its own and turns the local times into
minutes with the two offsets of the time: +12:00 until 2021-09-26 02:00, +13:00 from 03:00 on.
Neither zoneinfo nor the product's code is part of it.
"""

import csv
import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from passlight.city.publication import (
    FIRST_LAYOUT,
    LAYOUTS,
    SECOND_LAYOUT,
    PublishedEvent,
    is_publication,
    read_publication,
    write_publication,
)
from passlight.cli.trace import command

DATA = Path(os.environ.get("PASSLIGHT_DATA", Path(__file__).parents[2] / "../shared/data"))
SNAPSHOTS = (
    *("2021-08-25", "2021-09-01", "2021-10-15"),
    *("2021-11-15", "2021-12-15", "2022-01-20"),
)
LOCAL = re.compile(r"(\d+)/(\d+)/(\d+), (\d+):(\d+) ([ap]m)")
CHANGE = (2021, 9, 26, 2, 0)
HEADER = ("subject", "venue", "zone", "entered_at", "left_at")


def snapshot(name):
    path = DATA / "nz-locations" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the real data nz-locations is not beside the repository (PASSLIGHT_DATA)")
    return path


def minutes_of(text):
    """Return minutes since 1970 in UTC, by the table of offsets above; no time here is skipped."""
    day, month, year, hour, minute, half = LOCAL.fullmatch(text).groups()
    clock = (int(hour) % 12 + (12 if half == "pm" else 0), int(minute))
    moment = (int(year), int(month), int(day), *clock)
    assert not (*CHANGE[:3], 2, 0) <= moment < (*CHANGE[:3], 3, 0)
    offset = 12 if moment < CHANGE else 13
    days = date(*moment[:3]).toordinal() - date(1970, 1, 1).toordinal()
    return days * 1440 + clock[0] * 60 + clock[1] - offset * 60


def windows_in(path):
    """Return id, begin and end in minutes of each row; one row of 2021-09-01 ends before it begins."""
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    return [(row["id"], minutes_of(row["Start"]), minutes_of(row["End"])) for row in rows]


def text(minute):
    days, rest = divmod(minute, 1440)
    day = date.fromordinal(days + date(1970, 1, 1).toordinal())
    return f"{day.isoformat()}T{rest // 60:02}:{rest % 60:02}:00+00:00"


def visits_about(windows):
    """Return visits about every window: before, touching, into, inside, over, out of, after it."""
    visits = []
    for place, (venue, begin, end) in enumerate(windows):
        length = end - begin
        spans = (
            *((begin - 60, begin - 1), (begin - 60, begin), (begin - 60, begin + 9)),
            *((begin - 60, begin + 10), (begin, end), (begin - 5, end + 5), (end - 10, end + 60)),
            *((end - 9, end + 60), (end, end + 60), (begin + length // 2, end), (begin, begin)),
        )
        visits += [
            (f"p{place}-{number}", venue, *span)
            for number, span in enumerate(spans)
            if span[0] <= span[1]
        ]
        # An hour off: what a wrong offset would match and a right one must not.
        visits += [(f"h{place}", venue, end, end + 60), (f"b{place}", venue, begin - 60, begin)]
    return visits


def overlaps(windows, visits):
    at = {}
    for venue, begin, end in windows:
        at.setdefault(venue, []).append((begin, end))
    found = []
    for subject, venue, entered, left in visits:
        for begin, end in at.get(venue, ()):
            first, last = max(begin, entered), min(end, left)
            if last - first >= 10:
                minutes = str(last - first)
                found.append(
                    (venue, subject, venue, "", text(first), text(last), minutes, minutes, "0")
                )
    return sorted(found)


def traced(folder, visits, *files, status=0, more=()):
    lines = [",".join(HEADER)]
    lines += [f"{who},{where},,{text(a)},{text(b)}" for who, where, a, b in visits]
    (folder / "visits.csv").write_text("\n".join(lines) + "\n")
    named = [word for file in files for word in ("--windows", str(file))]
    done = CliRunner().invoke(command, ["--visits", str(folder / "visits.csv"), *named, *more])
    assert done.exit_code == status, done.stderr
    return [tuple(row) for row in csv.reader(done.stdout.splitlines()[1:])], done.stderr


@pytest.mark.data
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_exactly_the_overlaps_of_a_snapshot(tmp_path, name):
    path = snapshot(name)
    windows = windows_in(path)
    wrong = [one for one in windows if one[2] <= one[1]]
    good = [one for one in windows if one[2] > one[1]]
    assert len(wrong) == (name == "2021-09-01")
    visits = visits_about(good)
    rows, said = traced(tmp_path, visits, path, status=bool(wrong))
    assert rows == overlaps(good, visits)
    assert len(rows) > 3 * len(good)
    if wrong:
        assert f"{path}:324: End: '19/08/2021, 12:00 am' is not after" in said


@pytest.mark.data
def test_all_snapshots_at_once_with_what_changed_between_them(tmp_path):
    paths = [snapshot(name) for name in SNAPSHOTS]
    windows = {one for path in paths for one in windows_in(path) if one[2] > one[1]}
    # Half of the year is before the change and half after it.
    assert {begin < minutes_of("26/09/2021, 12:00 am") for _, begin, _ in windows} == {True, False}
    visits = visits_about(sorted(windows))
    rows, _ = traced(tmp_path, visits, *paths, status=1)
    assert sorted(rows) == overlaps(windows, visits)


@pytest.mark.data
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_publication_written_again_reads_the_same(tmp_path, name):
    path = snapshot(name)
    events = read_publication(path).events
    second = "Updated" in path.read_text(encoding="utf-8").splitlines()[0]
    again = tmp_path / "again.csv"
    again.write_text(
        write_publication(events, layout=SECOND_LAYOUT if second else FIRST_LAYOUT),
        encoding="utf-8",
    )
    assert read_publication(again).events == events
    if name != "2021-09-01":  # the row that was put aside is not written
        written, given = (
            [row[4:6] for row in csv.reader(file.read_text(encoding="utf-8").splitlines(True))]
            for file in (again, path)
        )
        assert written == given  # the times are written as the ministry wrote them


def published(folder, *rows, layout=FIRST_LAYOUT):
    path = folder / "published.csv"
    cells = [
        [f"id{n}", "Café", "1 Some Road", "", a, b] + [""] * (len(layout) - 6)
        for n, (a, b) in enumerate(rows)
    ]
    with path.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink).writerows([layout, *cells])
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_over_the_change_has_the_minutes_that_there_were(tmp_path, layout):
    # 26 September 2021: 1:30 am is 13:30Z, 3:30 am is 14:30Z: an hour, where the clocks say two.
    path = published(tmp_path, ("26/09/2021, 1:30 am", "26/09/2021, 3:30 am"), layout=layout)
    begin = minutes_of("26/09/2021, 1:30 am")
    assert minutes_of("26/09/2021, 3:30 am") - begin == 60
    visits = [("a", "id0", begin - 60, begin + 600), ("b", "id0", begin + 60, begin + 120)]
    rows, _ = traced(tmp_path, visits, path)
    assert rows == [
        (
            *("id0", "a", "id0", "", "2021-09-25T13:30:00+00:00", "2021-09-25T14:30:00+00:00"),
            *("60", "60", "0"),
        )
    ]


@pytest.mark.parametrize(
    ("begin", "end", "since", "until"),
    [
        # Never shown: 02:30 is 14:30Z by the old offset and 13:30Z by the new one.
        ("26/09/2021, 2:30 am", "26/09/2021, 4:00 am", "2021-09-25T13:30", "2021-09-25T15:00"),
        ("26/09/2021, 1:00 am", "26/09/2021, 2:30 am", "2021-09-25T13:00", "2021-09-25T14:30"),
        # Shown twice, 3 April 2022: first with +13:00, then with +12:00.
        ("3/04/2022, 2:30 am", "3/04/2022, 4:00 am", "2022-04-02T13:30", "2022-04-02T16:00"),
        ("3/04/2022, 1:00 am", "3/04/2022, 2:30 am", "2022-04-02T12:00", "2022-04-02T14:30"),
        # Just outside.
        ("3/04/2022, 1:59 am", "3/04/2022, 3:00 am", "2022-04-02T12:59", "2022-04-02T15:00"),
        ("31/12/2021, 11:59 pm", "1/01/2022, 12:01 am", "2021-12-31T10:59", "2021-12-31T11:01"),
        ("1/01/2022, 12:00 pm", "1/01/2022, 12:30 pm", "2021-12-31T23:00", "2021-12-31T23:30"),
    ],
)
def test_a_time_that_is_two_or_none_makes_the_window_wider(tmp_path, begin, end, since, until):
    [event] = read_publication(published(tmp_path, (begin, end))).events
    assert event.since == datetime.fromisoformat(f"{since}:00+00:00")
    assert event.until == datetime.fromisoformat(f"{until}:00+00:00")


def test_bad_rows_are_told_with_their_line_and_the_rest_counts(tmp_path):
    path = tmp_path / "bad.csv"
    head = ",".join(FIRST_LAYOUT).encode()
    good = b'a,Caf\xc3\xa9,"1 Road,\nTown",T,"1/10/2021, 9:00 am","1/10/2021, 10:00 am",,,,'
    rows = [
        head,
        good,  # lines 2 and 3
        b'b,Caf\xe9,1 Road,T,"1/10/2021, 9:00 am","1/10/2021, 10:00 am",,,,',
        b'c,Shop,1 Road,T,"1/10/2021, 9:00 am","1/10/2021, 9:00 am",,,,',
        b'd,Shop,1 Road,T,"31/09/2021, 9:00 am","1/10/2021, 9:00 am",,,,',
        b'e,Shop,1 Road,T,"1/10/2021, 13:00 pm","1/10/2021, 2:00 pm",,,,',
        b'f,Shop,1 Road,T,"2021-10-01 09:00","1/10/2021, 2:00 pm",,,,',
        b',Shop,1 Road,T,"1/10/2021, 9:00 am","1/10/2021, 2:00 pm",,,,',
        b'h,Shop,1 Road,T,"1/10/2021, 9:00 am"',
        b'i,"Shop"x,1 Road,T,"1/10/2021, 9:00 am","1/10/2021, 2:00 pm",,,,',
        good.replace(b"a,", b"j,", 1),
    ]
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(rows) + b"\n")
    read = read_publication(path)
    assert [event.id for event in read.events] == ["a", "j"]
    assert read.events[0].event == "Café"
    assert [(one.line, one.field, one.code) for one in read.problems] == [
        (4, "Event", "trace.encoding"),
        (5, "End", "trace.order"),
        (6, "Start", "trace.time"),
        (7, "Start", "trace.time"),
        (8, "Start", "trace.time"),
        (9, "id", "trace.missing"),
        (10, None, "trace.cells"),
        (11, None, "trace.cells"),
    ]


def test_what_is_published_never_gets_shorter(tmp_path):
    since = datetime(2021, 9, 25, 13, 59, 59, 999_999, tzinfo=UTC)
    until = datetime(2021, 9, 25, 14, 0, 0, 1, tzinfo=UTC)
    event = PublishedEvent(id="x", event="=Shop", location="1, Road", since=since, until=until)
    path = tmp_path / "out.csv"
    path.write_text(write_publication([event]), encoding="utf-8")
    assert '"26/09/2021, 1:59 am","26/09/2021, 3:01 am"' in path.read_text(encoding="utf-8")
    [again] = read_publication(path).events
    assert again.since == datetime(2021, 9, 25, 13, 59, tzinfo=UTC)
    assert again.until == datetime(2021, 9, 25, 14, 1, tzinfo=UTC)
    # In the hour that is shown twice it may only get longer.
    twice = PublishedEvent(
        id="y",
        event="Shop",
        location="1 Road",
        since=datetime(2022, 4, 2, 14, 30, tzinfo=UTC),
        until=datetime(2022, 4, 2, 14, 45, tzinfo=UTC),
    )
    path.write_text(write_publication([twice]), encoding="utf-8")
    [again] = read_publication(path).events
    assert again.since <= twice.since and twice.until <= again.until


def test_the_venue_is_the_id_or_the_event_or_the_place(tmp_path):
    path = published(tmp_path, ("1/10/2021, 9:00 am", "1/10/2021, 10:00 am"))
    begin = minutes_of("1/10/2021, 9:00 am")
    visits = [
        ("a", "id0", begin, begin + 20),
        ("b", "Café", begin, begin + 20),
        ("c", "1 Some Road", begin, begin + 20),
    ]
    for match, who in (("id", "a"), ("event", "b"), ("location", "c")):
        rows, _ = traced(tmp_path, visits, path, more=["--match", match])
        assert [(row[0], row[1]) for row in rows] == [("id0", who)]


def test_another_table_is_no_publication(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("case_id,venue,zone,from,until\n")
    assert not is_publication(path)
    (tmp_path / "empty.csv").write_text("")
    assert not is_publication(tmp_path / "empty.csv")
