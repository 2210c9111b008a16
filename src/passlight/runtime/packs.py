"""Reads pack folders; the shipped ones lie inside the wheel, or in ``policies/`` of a checkout."""

from pathlib import Path

from passlight.core.kernel.limits import PACK_FILES_MAX
from passlight.core.kernel.problem import Problem, ProblemError


def read_pack_folder(path: Path) -> dict[str, str]:
    """Return the files of a pack: path inside the folder → text.

    Raises:
        ProblemError: when the folder is none, or a file cannot be read as UTF-8.
    """
    if not (path / "pack.yaml").is_file():
        remedy = "Name a folder with a pack.yaml; the shipped packs are in policies/."
        raise ProblemError(_problem("rules.no-pack", path, "is no rule pack.", remedy))
    names = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    if len(names) > PACK_FILES_MAX:
        remedy = f"At most {PACK_FILES_MAX}."
        raise ProblemError(_problem("rules.too-many-files", path, "has too many files.", remedy))
    files: dict[str, str] = {}
    for name in names:
        try:
            files[name.relative_to(path).as_posix()] = name.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as error:
            message = f"cannot be read ({error.__class__.__name__})."
            raise ProblemError(
                _problem("rules.unreadable", name, message, "Save it as UTF-8 text.")
            ) from error
    return files


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _problem(code: str, path: Path, message: str, remedy: str) -> Problem:
    return Problem(code=code, message=message, remedy=remedy, file=str(path))


def shipped_packs() -> Path:
    """Return the folder of the packs that come with Passlight."""
    package = Path(__file__).parent.parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent.parent / "policies"
