"""Reads a file from an agency as lines: streaming, bounded, in the encoding that it is in.

A byte order mark or a declaration decides the encoding. Without either, every line is tried
as UTF-8 and, when it is not, as GB18030; the file is in the one that nearly all of its lines
are in, so that one broken line never turns a whole file into other characters. A line that
cannot be read is a row with a problem, never the end of the file.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from passlight.core.kernel.limits import FACT_LINE_BYTES_MAX as LINE_BYTES_MAX
from passlight.core.kernel.problem import Problem, ProblemError

FILE_BYTES_MAX = 4 * 1024**3
#: How many lines in one encoding must stand against one in the other.
CLEAR_MAJORITY = 9
ENCODINGS = ("utf-8", "gb18030")
_OTHER_KINDS = {
    b"PK\x03\x04": "feeds.file-packed",
    b"\xd0\xcf\x11\xe0": "feeds.file-spreadsheet",
    b"\x1f\x8b": "feeds.file-packed",
    codecs.BOM_UTF16_LE: "feeds.file-utf16",
    codecs.BOM_UTF16_BE: "feeds.file-utf16",
}
_SENTENCES = {
    "feeds.file-packed": "This is a packed file or a workbook, not text.",
    "feeds.file-spreadsheet": "This is an XLS workbook, which is never read.",
    "feeds.file-utf16": "This file is in UTF-16.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one pass over a file found before any of it is believed."""

    path: Path
    encoding: str
    size_bytes: int
    sha256: str
    lines: int  # lines that are not blank


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is not blank: its text, or why it has none."""

    number: int
    text: str
    problem: Problem | None = None
    ended: bool = True  # False for a last line without a line break: it may be torn


@dataclass(slots=True)
class _Votes:
    utf8: int = 0
    gb18030: int = 0
    neither: int = 0

    def count(self, raw: bytes) -> None:
        if raw.isascii():
            return
        if _fits(raw, "utf-8"):
            self.utf8 += 1
        elif _fits(raw, "gb18030"):
            self.gb18030 += 1
        else:
            self.neither += 1

    def winner(self) -> str | None:
        if self.utf8 >= CLEAR_MAJORITY * self.gb18030 and self.utf8 + self.gb18030 > 0:
            return "utf-8"
        if self.gb18030 > self.neither and self.gb18030 >= CLEAR_MAJORITY * self.utf8:
            return "gb18030"
        # Plain ASCII with broken lines between is UTF-8; the broken ones are put aside.
        return "utf-8" if self.utf8 == 0 else None


def survey(path: Path, *, encoding: str | None = None) -> Survey:
    """Return size, digest, encoding and number of lines of a file, read once from end to end.

    Raises:
        ProblemError: when the file cannot be read as text in an encoding we know.
    """
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise unreadable(path, "feeds.encoding-unknown", f"The encoding {encoding} is not known.")
    digest, votes, lines, size = hashlib.sha256(), _Votes(), 0, 0
    try:
        with path.open("rb") as file:
            _refuse_other_kinds(path, file)
            for _, raw, length, head in _raw_lines(file):
                digest.update(raw if length == len(raw) else head)
                size += length
                if raw.strip() or length > len(raw):
                    lines += 1
                    votes.count(raw)
            marked = _marked(file)
    except OSError as error:
        message = f"The file cannot be opened: {error.strerror}."
        raise unreadable(path, "feeds.file-unopened", message) from None
    if size == 0 or lines == 0:
        message = "The file is empty; a source with nothing to report still sends a list."
        raise unreadable(path, "feeds.file-empty", message)
    found = "utf-8" if marked else encoding.lower() if encoding else votes.winner()
    if found is None:
        message = "Some lines are in UTF-8 and others in GB18030."
        raise unreadable(path, "feeds.encoding-mixed", message)
    return Survey(
        path=path, encoding=found, size_bytes=size, sha256=digest.hexdigest(), lines=lines
    )


def read_lines(found: Survey, *, progress: Callable[[int], object] | None = None) -> Iterator[Line]:
    """Yield the lines that are not blank; ``progress`` is told of every line's bytes."""
    tell = progress or (lambda _size: None)
    with found.path.open("rb") as file:
        for number, raw, length, _ in _raw_lines(file):
            tell(length)
            if length > len(raw):
                yield Line(number=number, text="", problem=_too_long(length))
            elif raw.strip():
                yield _decoded(number, raw, found.encoding)


def unreadable(path: Path, code: str, message: str, *, line: int | None = None) -> ProblemError:
    """Return the error for a file of which nothing can be used."""
    return ProblemError(
        Problem(code=code, message=message, remedy=_REMEDIES[code], file=path.name, line=line)
    )


_REMEDIES = {
    "feeds.encoding-unknown": "Use utf-8 or gb18030.",
    "feeds.encoding-mixed": "Ask the source for one encoding, or declare it.",
    "feeds.file-unopened": "Check the path and its rights.",
    "feeds.file-empty": "Ask the source to send it again.",
    "feeds.file-packed": "Unpack it, or export it as CSV in UTF-8.",
    "feeds.file-spreadsheet": "Export it as CSV in UTF-8.",
    "feeds.file-utf16": "Save it as UTF-8.",
    "feeds.file-large": "Ask the source to send it in parts.",
    "feeds.columns": "Check that the file belongs to this feed; ask the source for its columns.",
    "feeds.snapshot-form": "Check that the file belongs to this feed; ask the source for it again.",
}


def _raw_lines(file: BinaryIO) -> Iterator[tuple[int, bytes, int, bytes]]:
    """Yield number, bytes, full length and a digest of the rest of each line, in bounded memory.

    A line over the limit is cut to nothing: its length is then larger than its bytes.
    """
    file.seek(0)
    number, total = 0, 0
    if file.read(3) != codecs.BOM_UTF8:
        file.seek(0)
    while raw := file.readline(LINE_BYTES_MAX):
        number += 1
        length, head = len(raw), b""
        if length == LINE_BYTES_MAX and not raw.endswith(b"\n"):
            rest = hashlib.sha256(raw)
            while piece := file.readline(LINE_BYTES_MAX):
                rest.update(piece)
                length += len(piece)
                if piece.endswith(b"\n"):
                    break
            raw, head = b"", rest.digest()
        total += length
        if total > FILE_BYTES_MAX:
            raise unreadable(
                Path(file.name), "feeds.file-large", f"The file has over {FILE_BYTES_MAX} bytes."
            )
        yield number, raw, length, head


def _decoded(number: int, raw: bytes, encoding: str) -> Line:
    if b"\0" in raw:
        return Line(number=number, text="", problem=_broken("feeds.line-nul", number))
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return Line(number=number, text="", problem=_broken("feeds.line-encoding", number))
    return Line(number=number, text=text.rstrip("\r\n"), ended=raw.endswith(b"\n"))


def _broken(code: str, number: int) -> Problem:
    sentences = {
        "feeds.line-nul": ("The line holds zero bytes.", "The file was damaged; ask for it again."),
        "feeds.line-encoding": (
            "The line is not in the encoding of the file.",
            "Ask the source for this line again.",
        ),
    }
    message, remedy = sentences[code]
    return Problem(code=code, message=message, remedy=remedy, line=number)


def _too_long(length: int) -> Problem:
    return Problem(
        code="feeds.line-long",
        message=f"The line has {length} bytes; at most {LINE_BYTES_MAX} are read.",
        remedy="A line break was lost; ask the source for this line again.",
        params={"bytes": str(length), "limit": str(LINE_BYTES_MAX)},
    )


def _refuse_other_kinds(path: Path, file: BinaryIO) -> None:
    head = file.read(4)
    for magic, code in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise unreadable(path, code, _SENTENCES[code])


def _marked(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(3) == codecs.BOM_UTF8


def _fits(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
