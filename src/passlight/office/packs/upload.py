"""Reading an uploaded pack: a zip of YAML and CSV, bounded, and never trusted about its size."""

import io
import lzma
import zipfile
import zlib
from pathlib import PurePosixPath

from passlight.core.kernel.problem import Problem, ProblemError

ZIP_BYTES_MAX = 2 * 1024 * 1024
FILES_MAX = 300
FILE_BYTES_MAX = 1024 * 1024
TEXT_BYTES_MAX = 8 * 1024 * 1024
SUFFIXES = frozenset({".yaml", ".yml", ".csv", ".md"})
_DAMAGED = (zlib.error, lzma.LZMAError)
NOISE = ("__MACOSX/", ".DS_Store")


def read_zip(data: bytes) -> dict[str, str]:
    """Return the text of every file of a zipped pack folder by its relative path.

    One folder around everything is taken off, as most programs add one.

    Raises:
        ProblemError: when it is no zip, too large, or holds what no pack holds.
    """
    if len(data) > ZIP_BYTES_MAX:
        raise _problem("packs.zip-too-large", "the file is too large", limit=ZIP_BYTES_MAX)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _without_wrapper(_texts(archive))
    # RuntimeError: locked with a password, or packed in a way that zipfile does not know; the
    # others come from the four ways of packing when what is packed is damaged.
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, *_DAMAGED) as error:
        raise _problem("packs.not-a-zip", "this is no zip file that can be read") from error


def _texts(archive: zipfile.ZipFile) -> dict[str, str]:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(noise in member.filename for noise in NOISE)
    ]
    if not members:
        raise _problem("packs.zip-empty", "there is no file in it")
    if len(members) > FILES_MAX:
        raise _problem("packs.zip-too-many", "there are too many files in it", limit=FILES_MAX)
    texts: dict[str, str] = {}
    left = TEXT_BYTES_MAX
    for member in members:
        path = _safe_path(member.filename)
        with archive.open(member) as file:
            # Read, not asked: a zip may lie about the size of what is in it.
            raw = file.read(min(FILE_BYTES_MAX, left) + 1)
        left -= len(raw)
        if len(raw) > FILE_BYTES_MAX or left < 0:
            raise _problem("packs.zip-too-large", "a file is too large", path, FILE_BYTES_MAX)
        try:
            texts[path] = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _problem("packs.not-utf8", "the file is not UTF-8 text", path) from error
    return texts


def _safe_path(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or path.suffix.lower() not in SUFFIXES:
        raise _problem("packs.zip-strange", "no pack holds such a file", name)
    return str(path)


def _without_wrapper(texts: dict[str, str]) -> dict[str, str]:
    tops = {PurePosixPath(path).parts[0] for path in texts}
    if "pack.yaml" in texts or len(tops) != 1:
        return texts
    return {
        str(PurePosixPath(*PurePosixPath(path).parts[1:])): text for path, text in texts.items()
    }


def _problem(
    code: str, message: str, file: str | None = None, limit: int | None = None
) -> ProblemError:
    params = {} if limit is None else {"limit": str(limit)}
    remedy = "Upload one zip of the pack's folder: pack.yaml, rules/*.yaml, areas.csv, tests."
    return ProblemError(
        Problem(code=code, message=message, remedy=remedy, file=file, params=params)
    )
