"""Tables by a mapping file: the documented example, and every way to get one wrong."""

from pathlib import Path

import pytest
import yaml

import passlight.agencies.csv
from tests.agencies.files import counts, feed

FOLDER = Path(passlight.agencies.csv.__file__).parent


def test_the_documented_example_does_what_the_readme_says(tmp_path: Path) -> None:
    text = (FOLDER / "example.csv").read_text(encoding="utf-8")
    path = tmp_path / "results.csv"
    path.write_bytes(text.encode("gb18030"))
    run = feed("csv", path, "--mapping", FOLDER / "example.yaml", out=tmp_path / "out")
    assert run.status == 1
    assert run.counts == counts(declared=3, landed=2, quarantined=1)
    assert run.errors[0].startswith("results.csv:3: payload.value: ")
    first = run.facts[0]
    assert first["fact_id"] == "lab:YS-0001"
    # 15:30 in Shanghai is 07:30 UTC.
    assert first["occurred_at"] == "2026-03-01T07:30:00+00:00"
    assert first["payload"] == {
        "sample_id": "YS-0001",
        "sampled_at": "2026-03-01T08:10:00+08:00",
        "value": "neg",
        "place": "云杉区采样点",
    }
    assert run.facts[1]["payload"]["pool_id"] == "M-17"


def test_no_document_number_is_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes((FOLDER / "example.csv").read_text(encoding="utf-8").encode("gb18030"))
    out, aside = tmp_path / "out", tmp_path / "aside"
    run = feed("csv", path, "--mapping", FOLDER / "example.yaml", "--quarantine", aside, out=out)
    said = out.read_text() + aside.read_text() + "\n".join(run.errors)
    assert "E0000000" not in said
    # The same document is the same subject in the next run; another one is another.
    again = feed("csv", path, "--mapping", FOLDER / "example.yaml", out=tmp_path / "out2")
    assert [fact["subject"] for fact in again.facts] == [fact["subject"] for fact in run.facts]
    assert len({fact["subject"] for fact in run.facts}) == 2


def test_a_document_with_a_wrong_check_digit_is_put_aside_masked(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    # 11010519491231002X is the example of GB 11643 itself; its last character is X.
    header = "样本编号,证件类型,证件号,采样时间,报告时间,结果,混采管号\n"
    row = "YS-{n},身份证,{number},2026-03-01 08:10,2026-03-01 15:30,阴性,\n"
    good, bad = "11010519491231002x", "110105194912310021"
    text = header + row.format(n=1, number=good) + row.format(n=2, number=bad)
    path.write_bytes(text.encode("gb18030"))
    aside = tmp_path / "aside"
    run = feed(
        "csv",
        path,
        *("--mapping", FOLDER / "example.yaml", "--quarantine", aside),
        out=tmp_path / "out",
    )
    assert run.counts == counts(declared=2, landed=1, quarantined=1)
    assert bad not in aside.read_text()
    assert "110*" in aside.read_text()
    assert "people.document-check-digit" in aside.read_text()


def mapping(tmp_path: Path, **changes: object) -> Path:
    """Write a small mapping; ``None`` removes a key."""
    document = {
        "feed": "orders",
        "source": "street",
        "zone": "Asia/Shanghai",
        "fact_id": "order:{no}",
        "kind": {"column": "what", "values": {"start": "order.started", "end": "order.lifted"}},
        "subject": {"key": "who"},
        "occurred_at": {"column": "day", "time": "%Y-%m-%d"},
        "payload": {"order_id": "no"},
        **changes,
    }
    kept = {key: value for key, value in document.items() if value is not None}
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(kept, allow_unicode=True))
    return path


def test_kinds_may_come_from_a_column_and_keys_get_the_feeds_name(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("no,what,who,day\n1,start,a7,2026-03-01\n2,end,a7,2026-03-05\n3,stop,a7,x\n")
    run = feed("csv", path, "--mapping", mapping(tmp_path), out=tmp_path / "out")
    assert run.counts == counts(declared=3, landed=2, quarantined=1)
    assert [fact["kind"] for fact in run.facts] == ["order.started", "order.lifted"]
    assert {fact["subject"] for fact in run.facts} == {"orders:a7"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"feed": "Big Feed"}, "feed"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"fact_id": "constant"}, "fact_id"),
        ({"kind": {"column": "what", "constant": "x"}}, "kind"),
        ({"subject": {"key": "a", "area": "b"}}, "subject"),
        ({"subject": {"document": "a"}}, "subject"),
        ({"subject": {"document": "a", "type": "library-card"}}, "subject"),
        ({"occurred_at": "day"}, "occurred_at"),
        ({"occurred_at": None}, "occurred_at"),
        ({"payload": ["no"]}, "payload"),
        ({"encoding": "latin-1"}, "encoding"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_mapping_is_refused_before_a_row_is_read(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("no,what,who,day\n1,start,a7,2026-03-01\n")
    run = feed("csv", path, "--mapping", mapping(tmp_path, **changes), out=tmp_path / "out")
    assert run.status == 2
    assert run.errors[0].startswith(f"mapping.yaml: {field}: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["no,what,who\n1,start,a7\n", "no,what,who,day,day\n1,a,b,c,d\n"])
def test_a_table_without_the_columns_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(text)
    run = feed("csv", path, "--mapping", mapping(tmp_path), out=tmp_path / "out")
    assert run.status == 2
    assert "day" in run.errors[0]


def test_without_a_mapping_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    run = feed("csv", tmp_path / "a.csv", out=tmp_path / "out")
    assert run.status == 2
    assert "--mapping" in run.errors[0]


def test_a_header_alone_is_a_report_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("no,what,who,day\n")
    run = feed("csv", path, "--mapping", mapping(tmp_path), out=tmp_path / "out")
    assert (run.status, run.counts) == (0, counts())
