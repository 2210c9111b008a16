"""``passlight pack new``: a folder to start from, which passes check and test at once."""

import re
from pathlib import Path

import click

from passlight.cli.inputs import BadUsageError
from passlight.cli.pack_schema import FOLDER, pointer, write_schemas
from passlight.core.rules.read_rules import ID
from passlight.runtime.clock import SystemClock
from passlight.runtime.packs import read_pack_folder, shipped_packs

TEMPLATE = Path(__file__).parent / "pack_template"
_ID_LINE = re.compile(r"^(  id: ).*$", re.MULTILINE)
_POINTER = re.compile(r"^# yaml-language-server: .*\n", re.MULTILINE)


def new_pack(folder: Path, source: str | None) -> list[Path]:
    """Write the files of a new pack into ``folder`` and return them.

    Raises:
        BadUsageError: when the folder is there already, or its name is no id.
    """
    name = folder.name
    if not ID.fullmatch(name):
        remedy = "Use small letters, digits and hyphens, as my-town-2022."
        raise BadUsageError(f"{name!r} is no id of a pack. {remedy}")
    if folder.exists():
        raise BadUsageError(f"{folder}: is there already. Choose another name, or remove it.")
    if not folder.absolute().parent.is_dir():
        raise BadUsageError(f"{folder}: its folder is not there. Run mkdir -p {folder.parent}.")
    files = _template(name) if source is None else _copied(source, name)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(pointer(path) + text, encoding="utf-8")
    write_schemas(folder.parent / FOLDER)
    return [folder / path for path in files]


def _template(name: str) -> dict[str, str]:
    day = SystemClock().now().date().isoformat()
    return {
        path: text.replace("@ID@", name).replace("@DAY@", day)
        for path, text in read_pack_folder(TEMPLATE).items()
    }


def _copied(source: str, name: str) -> dict[str, str]:
    """Return the files of another pack under the new id."""
    shipped = shipped_packs() / source
    folder = shipped if (shipped / "pack.yaml").is_file() else Path(source)
    if not (folder / "pack.yaml").is_file():
        known = sorted(path.parent.name for path in shipped_packs().glob("*/pack.yaml"))
        raise BadUsageError(f"--from {source}: is no rule pack. Shipped: {', '.join(known)}.")
    files = {path: _POINTER.sub("", text) for path, text in read_pack_folder(folder).items()}
    files["pack.yaml"] = _ID_LINE.sub(rf"\g<1>{name}", files["pack.yaml"], count=1)
    return files


@click.command("new")
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="PACK", help="Start from a shipped pack or a folder.")
def command(folder: Path, source: str | None) -> None:
    """Make the folder NAME with a small pack that passes check and test, and explains itself."""
    try:
        made = new_pack(folder, source)
    except BadUsageError as error:
        raise click.UsageError(str(error)) from error
    for path in made:
        click.echo(str(path))
    click.echo(f"Now: passlight pack check {folder} && passlight pack test {folder}")
