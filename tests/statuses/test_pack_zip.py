"""A damaged zip is said to be one, however its files are packed."""

import io
import zipfile

import pytest

from passlight.core.kernel.problem import ProblemError
from passlight.office.packs.upload import read_zip

TEXT = "pack: {id: a}\n" * 400


def packed(how: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.writestr("pack.yaml", TEXT)
    return out.getvalue()


@pytest.mark.parametrize(
    "how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_zip_is_no_fault_of_ours(how: int) -> None:
    whole = packed(how)
    assert read_zip(whole) == {"pack.yaml": TEXT}, "control"
    first = len("pack.yaml") + 30  # where the packed bytes begin
    for start in range(first, min(first + 60, len(whole) - 90)):
        damaged = bytearray(whole)
        for place in range(start, start + 8):
            damaged[place] ^= 0xFF
        try:
            read_zip(bytes(damaged))
        except ProblemError as error:
            assert error.problems[0].code == "packs.not-a-zip"
