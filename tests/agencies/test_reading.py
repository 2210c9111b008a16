"""Files as they really come: every encoding, every damage; a bad line is a row, not the end."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from passlight.agencies.reading import read_lines, survey
from passlight.core.kernel.problem import ProblemError
from tests.agencies.files import counts, fact, feed, jsonl

NAMES = ["云杉区疾控中心", "陈家桥镇杨旗岭社区", "桦皮厂镇桦皮厂社区"]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030")],
)
def test_the_encoding_is_found_and_the_text_is_right(
    tmp_path: Path, encoding: str, found: str
) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("\n".join(NAMES).encode(encoding))
    seen = survey(path)
    assert seen.encoding == found
    assert [line.text for line in read_lines(seen)] == NAMES


def test_a_fact_file_reads_the_same_in_every_encoding_and_with_crlf(tmp_path: Path) -> None:
    facts = [fact(n, source=name) for n, name in enumerate(NAMES)]
    wanted = feed("jsonl", jsonl(tmp_path / "a.jsonl", *facts), out=tmp_path / "a.out").facts
    assert [one["source"] for one in wanted] == NAMES
    for number, (encoding, end) in enumerate(
        [("utf-8-sig", "\n"), ("gb18030", "\n"), ("utf-8", "\r\n"), ("gb18030", "\r\n")]
    ):
        path = jsonl(tmp_path / f"{number}.jsonl", *facts, encoding=encoding, end=end)
        run = feed("jsonl", path, out=tmp_path / "b.out")
        assert (run.status, run.facts) == (0, wanted)


def test_one_broken_line_does_not_change_the_encoding_of_the_others(tmp_path: Path) -> None:
    lines = [name.encode() for name in NAMES * 10]
    lines[4] = NAMES[0].encode("gb18030")
    path = tmp_path / "names.txt"
    path.write_bytes(b"\n".join(lines))
    seen = survey(path)
    read = list(read_lines(seen))
    assert seen.encoding == "utf-8"
    assert [line.number for line in read if line.problem] == [5]
    assert read[4].problem is not None
    assert read[4].problem.code == "feeds.line-encoding"
    assert [line.text for line in read if not line.problem] == [
        name for n, name in enumerate(NAMES * 10) if n != 4
    ]


def test_half_and_half_is_refused_unless_declared(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(b"\n".join([NAMES[0].encode(), NAMES[1].encode("gb18030")]))
    with pytest.raises(ProblemError) as refused:
        survey(path)
    assert refused.value.problems[0].code == "feeds.encoding-mixed"
    declared = survey(path, encoding="gb18030")
    assert [line.text for line in read_lines(declared)][1] == NAMES[1]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "feeds.file-empty"),
        (b"\n  \n\r\n", "feeds.file-empty"),
        (b"\xef\xbb\xbf", "feeds.file-empty"),
        ("{}".encode("utf-16"), "feeds.file-utf16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "feeds.file-spreadsheet"),
        (b"\x1f\x8b\x08\x00", "feeds.file-packed"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(ProblemError) as refused:
        survey(path)
    assert [problem.code for problem in refused.value.problems] == [code]
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.status == 2
    assert len(run.errors) == 1
    assert run.errors[0].startswith("x.jsonl: ")
    assert not (tmp_path / "out").exists()


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(ProblemError) as refused:
        survey(path)
    assert refused.value.problems[0].code == "feeds.file-packed"


def test_damaged_lines_are_put_aside_and_the_rest_lands(tmp_path: Path) -> None:
    """Expected by hand: 3 good rows of 8; each bad one named with its line and its reason."""
    good = [json.dumps(fact(n)).encode() for n in range(3)]
    lines = [
        good[0],
        b'{"fact_id": "nul\0inside"}',  # 2
        b'{"big": "' + b"x" * 1_000_000 + b'"}',  # 3
        good[1],
        b"\xff\xfe\xfa garbage",  # 5
        b"not json",  # 6
        b'["a list"]',  # 7
        good[2],
    ]
    path = tmp_path / "facts.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    aside = tmp_path / "aside.jsonl"
    run = feed("jsonl", path, "--quarantine", aside, out=tmp_path / "out")
    assert run.status == 1
    assert run.counts == counts(declared=8, landed=3, quarantined=5)
    assert [one["fact_id"] for one in run.facts] == [f"cdc:case-{n}" for n in range(3)]
    written = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [(row["line"], row["code"]) for row in written] == [
        (2, "feeds.line-nul"),
        (3, "feeds.line-long"),
        (5, "feeds.line-encoding"),
        (6, "feeds.line-json"),
        (7, "intake.not-an-object"),
    ]
    assert len(run.errors) == 5
    assert all(line.startswith("facts.jsonl:") for line in run.errors)


def test_a_line_with_a_field_twice_is_put_aside(tmp_path: Path) -> None:
    """It could mean either value; the same at the top and inside the payload."""
    twice = (
        json.dumps(fact(1)).replace('"ver": 1', '"ver": 1, "ver": 2'),
        json.dumps(fact(2)).replace('"case_id"', '"case_id": "9", "case_id"'),
    )
    path = tmp_path / "facts.jsonl"
    path.write_text("\n".join((*twice, json.dumps(fact(3)))) + "\n")
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.counts == counts(declared=3, landed=1, quarantined=2)
    assert all("names a field twice" in line for line in run.errors)


def test_a_torn_last_line_is_said_to_be_torn(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "facts.jsonl", fact(1), fact(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.counts == counts(declared=2, landed=1, quarantined=1)
    assert "cut off" in run.errors[0]
    # Control: a last line that only lacks its line break is whole.
    path.write_bytes(whole[:-1])
    assert feed("jsonl", path, out=tmp_path / "out").counts == counts(declared=2, landed=2)


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text(f"\n{json.dumps(fact(1))}\n\nbad\n")
    run = feed("jsonl", path, out=tmp_path / "out")
    assert run.counts == counts(declared=2, landed=1, quarantined=1)
    assert run.errors[0].startswith("facts.jsonl:4:")


def test_memory_stays_bounded_on_a_line_without_end(tmp_path: Path) -> None:
    """A 64 MB line is never held: the traced peak stays under 4 MB."""
    import tracemalloc

    path = tmp_path / "x.jsonl"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * 1024**2)
    tracemalloc.start()
    read = list(read_lines(survey(path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.problem.code for line in read if line.problem] == ["feeds.line-long"]
    assert peak < 4 * 1024**2, f"{peak:,} bytes on {sys.version}"
