"""A card reader over a pty; 11010519491231002X is the example of GB 11643-1999 itself."""

import asyncio

import pytest

from passlight.gate.drivers.id_texts import read_id_text
from passlight.gate.drivers.serial_id_reader import SerialIdReader
from passlight.gate.drivers.serial_port import SerialLine
from tests.gate.drivers.ptys import CLOCK, Cable, cable, served, until


@pytest.mark.parametrize(
    ("line", "kind", "number"),
    [
        ("type=id,value=11010519491231002X", "resident-id", "11010519491231002X"),
        ("TYPE = 10 , VALUE = 11010519491231002x", "resident-id", "11010519491231002X"),
        ("11010519491231002X", "resident-id", "11010519491231002X"),
        ("type=hk-mo-permit,value=H12345678", "hk-mo-permit", "H12345678"),
        ("type=20,value=E12345678", "passport", "E12345678"),
    ],
)
def test_lines_that_name_a_document(line: str, kind: str, number: str) -> None:
    found = read_id_text(line)
    assert not isinstance(found, str)
    assert (found.type.value, found.number) == (kind, number)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("type=id,value=110105194912310020", "kiosk.device.id-read"),  # check digit
        ("type=id,value=1101051949123", "kiosk.device.id-read"),
        ("type=hk-mo-permit,value=11010519491231002X", "kiosk.device.id-read"),
        ("type=face,value=1", "kiosk.device.id-type"),
        ("value=11010519491231002X", "kiosk.device.id-line"),
        ("type=id,value=", "kiosk.device.id-line"),
        ("PL1:ABC", "kiosk.device.id-line"),
        ("12345678", "kiosk.device.id-line"),
    ],
)
def test_what_names_nobody(line: str, fault: str) -> None:
    assert read_id_text(line) == fault


def test_over_a_cable() -> None:
    async def run(line: Cable) -> None:
        reader = SerialIdReader("id_card", SerialLine(device=line.path), CLOCK)
        async with served(reader):
            line.write(b"type=id,value=1101051949")
            await asyncio.sleep(0.02)
            line.write(b"1231002X\r\n\xff\xfe\r\ntype=id,value=110105194912310021\r\n")
            shown = await anext(aiter(reader))
            assert shown.document.number == "11010519491231002X"
            assert "11010519491231002X" not in repr(shown)
            await until(lambda: reader.health().faults == 2)
            await line.send(b"1" * 1_000_000 + b"\r\ntype=id,value=11010519491231002X\r\n")
            assert (await anext(aiter(reader))).source == "id_card"
            assert "1101" not in str(reader.health())

    with cable() as line:
        asyncio.run(run(line))
