"""The status book: looked up by time, unknown by absence, whole after a copy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from passlight.core.kernel.colour import Colour
from passlight.gateway.book import Line, StatusBook
from passlight.gateway.keys import CodeKeys
from passlight.gateway.published import Published, Reason, load_copy, save_copy
from passlight.runtime.keys import KeyFolder

NOW = 1_800_000_000


def line(
    ordinal: int, *segments: tuple[int | None, str, str | None], state: str = "active"
) -> Line:
    rows = [
        {"from": start, "colour": colour, "reason": reason} for start, colour, reason in segments
    ]
    return Line.of_publication(ordinal=ordinal, segments=rows, sampled_at=None, state=state)


@pytest.mark.parametrize("year", [1800, 1969, 2107, 2999])
def test_a_sampling_time_that_no_test_can_have_is_no_sampling(year: int) -> None:
    """One odd test must not stop the book from following everybody else."""
    taken = datetime(year, 1, 1, tzinfo=UTC)
    made = StatusBook()
    rows = [{"from": None, "colour": "green", "reason": None}]
    made.put(
        Line.of_publication(ordinal=0, segments=rows, sampled_at=taken, state="active"), now=NOW
    )
    assert made.at(0, NOW).colour is Colour.GREEN
    assert made.at(0, NOW).sampled_at is None


@pytest.fixture
def book() -> StatusBook:
    made = StatusBook()
    made.put(
        line(
            5,
            (None, "green", None),
            (NOW - 10, "red", "r"),
            (NOW + 100, "yellow", "y"),
            (NOW + 200, "yellow", "z"),
            (NOW + 300, "green", None),
        ),
        now=NOW,
    )
    return made


@pytest.mark.parametrize(
    ("after", "colour", "reason", "until", "following"),
    [
        (0, "red", "r", 100, "yellow"),
        (99, "red", "r", 100, "yellow"),
        (100, "yellow", "y", 300, "green"),  # half-open: the change holds from its second on
        (199, "yellow", "y", 300, "green"),
        (200, "yellow", "z", 300, "green"),
        (299, "yellow", "z", 300, "green"),
        (300, "green", None, None, None),
        (10**8, "green", None, None, None),
    ],
)
def test_time_alone_moves_on(book: StatusBook, after, colour, reason, until, following) -> None:
    found = book.at(5, NOW + after)
    assert (found.colour, found.reason) == (colour, reason)
    assert found.until == (None if until is None else NOW + until)
    assert found.next_colour == following


@pytest.mark.parametrize("ordinal", [-1, 0, 4, 6, 10**9])
def test_who_is_not_in_the_book_is_unknown(book: StatusBook, ordinal: int) -> None:
    assert book.at(ordinal, NOW).colour is Colour.UNKNOWN
    assert book.first_worse(ordinal, NOW) is None


def test_closed_and_unknown_states_outrank_their_segments(book: StatusBook) -> None:
    book.put(line(1, (None, "green", None), state="closed"), now=NOW)
    book.put(line(2, (None, "green", None), state="unknown"), now=NOW)
    assert book.at(1, NOW).colour is Colour.CLOSED
    assert book.at(2, NOW).colour is Colour.UNKNOWN


def test_an_empty_line_is_unknown(book: StatusBook) -> None:
    book.put(Line(ordinal=5, segments=[], sampled_at=None), now=NOW)
    assert book.at(5, NOW).colour is Colour.UNKNOWN


@pytest.mark.parametrize(
    ("segments", "worse"),
    [
        ([(None, "green", None)], None),
        ([(None, "red", "r"), (NOW + 9, "green", None)], None),
        ([(None, "red", "r"), (NOW + 9, "yellow", "y"), (NOW + 19, "red", "r")], 19),
        ([(None, "green", None), (NOW + 9, "yellow", "y")], 9),
        ([(None, "yellow", "y"), (NOW + 9, "green", None), (NOW + 19, "yellow", "y")], 19),
        ([(None, "yellow", "y"), (NOW + 9, "unknown", None)], 9),
        ([(None, "red", "r"), (NOW + 9, "closed", None)], 9),
    ],
)
def test_the_next_change_to_a_worse_colour(segments, worse) -> None:
    made = StatusBook()
    made.put(line(0, *segments), now=NOW)
    assert made.first_worse(0, NOW) == (None if worse is None else NOW + worse)


def published(tmp_path: Path) -> Published:
    return Published(keys=CodeKeys(KeyFolder(tmp_path / "keys"), realm="cn-310118"))


def test_a_copy_is_the_same_book_and_a_damaged_one_is_none(
    book: StatusBook, tmp_path: Path
) -> None:
    book.as_of, book.seq, book.source = datetime.fromtimestamp(NOW, UTC), 17, "db"
    whole = published(tmp_path)
    whole.book = book
    whole.reasons = {"r": Reason(reason={"zh": "红", "en": "red"}, advice={"zh": "", "en": ""})}
    path, key = tmp_path / "copy", b"k" * 32
    save_copy(whole, path, key=key)
    again = published(tmp_path)
    assert load_copy(again, path, key=key)
    for after in (0, 100, 200, 300):
        assert again.book.at(5, NOW + after) == book.at(5, NOW + after)
    assert (again.book.as_of, again.book.seq, again.book.source) == (book.as_of, 17, "db")
    assert again.reasons["r"].reason["zh"] == "红"
    assert not load_copy(published(tmp_path), path, key=b"x" * 32)
    data = path.read_bytes()
    for place in (0, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert not load_copy(published(tmp_path), path, key=key)
    path.write_bytes(data[: len(data) // 2])
    assert not load_copy(published(tmp_path), path, key=key)
    assert not load_copy(published(tmp_path), tmp_path / "none", key=key)
