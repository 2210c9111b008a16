"""``passlight pack schema``: the JSON Schemas that editors use, and where a file names its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from passlight.core.rules.schema import admission_schema, pack_schema, rules_schema
from passlight.core.status.scenario_schema import tests_schema

SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "pack": pack_schema,
    "rules": rules_schema,
    "admission": admission_schema,
    "tests": tests_schema,
}
FOLDER: Final = "schema"


def schema_text(name: str) -> str:
    """Return one schema as it is written to a file."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n"


def schema_file(name: str) -> str:
    """Return the name of the file of a schema."""
    return f"{name}.schema.json"


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into ``folder`` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name in SCHEMAS:
        path = folder / schema_file(name)
        path.write_text(schema_text(name), encoding="utf-8")
        found.append(path)
    return found


def pointer(path: str) -> str:
    """Return the comment by which an editor finds the schema of a pack's file, or nothing.

    ``path`` lies inside the pack's folder; the schemas lie beside that folder.
    """
    top = path.partition("/")[0].removesuffix(".yaml")
    if top not in SCHEMAS or not path.endswith(".yaml"):
        return ""
    up = "../" * (path.count("/") + 1)
    return f"# yaml-language-server: $schema={up}{FOLDER}/{schema_file(top)}\n"


@click.command("schema")
@click.argument("name", required=False, type=click.Choice(list(SCHEMAS)))
@click.option("--out", type=click.Path(path_type=Path), help="Write every schema into this folder.")
def command(name: str | None, out: Path | None) -> None:
    """Print the JSON Schema of one kind of file, or write all of them for an editor."""
    if name is not None and out is None:
        click.echo(schema_text(name), nl=False)
    elif out is not None and name is None:
        if out.exists() and not out.is_dir():
            raise click.UsageError(f"{out} is no folder. Name one, or a new name")
        for path in write_schemas(out):
            click.echo(str(path))
    else:
        raise click.UsageError("Name one of pack, rules, admission, tests, or say --out FOLDER")
