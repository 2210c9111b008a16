"""``passlight evaluate`` for a whole city: a fact store, and an engine that runs SQL over it.

Everything that needs DuckDB or Spark is imported when one of them is asked for: the person
evaluator runs where neither is installed.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tqdm import tqdm

from passlight.cli.inputs import BadUsageError
from passlight.core.facts.fact import Fact
from passlight.core.kernel.colour import Colour
from passlight.core.rules.pack import Pack
from passlight.core.rules.schedule import PackSchedule

if TYPE_CHECKING:
    from passlight.city.engine import Engine
    from passlight.city.store import Store

Moment = tuple[datetime, datetime | None]
Contradicted = Callable[[int, str, int], None]
_MODULES = {"duckdb": {"city": "duckdb"}, "spark": {"city": "duckdb", "spark": "pyspark"}}


def check_engine(engine: str) -> None:
    """Refuse an engine that is not installed, and say how to install it.

    Raises:
        BadUsageError: naming the extras that are missing, or Java.
    """
    needed = _MODULES.get(engine, {})
    missing = [extra for extra, module in needed.items() if find_spec(module) is None]
    if missing:
        raise BadUsageError(
            f"--engine {engine} needs more than the core. "
            f"Run: pip install 'passlight[{','.join(missing)}]'"
        )
    if engine == "spark":
        from passlight.city.spark_engine import SparkMissingError, check_spark

        try:
            check_spark()
        except SparkMissingError as error:
            raise BadUsageError(str(error)) from error


@contextmanager
def store_folder(kept: Path | None) -> Iterator[Path]:
    """Yield where the store is or will be: a folder that is kept, or one that goes at the end."""
    if kept is not None:
        yield kept
        return
    with TemporaryDirectory(prefix="passlight-store-") as folder:
        yield Path(folder) / "store"


def holds_store(folder: Path) -> bool:
    """Return whether a folder holds a finished store."""
    from passlight.city.store import MANIFEST

    return (folder / MANIFEST).is_file()


def claim_folder(folder: Path) -> None:
    """Take a folder for a new store: making one clears what an unfinished one left there.

    Raises:
        BadUsageError: when something else is kept there, or it cannot be written.
    """
    from passlight.city.staging import WORK

    try:
        if folder.is_dir() and not (folder / WORK).is_dir() and any(folder.iterdir()):
            message = f"{folder}: holds something else. Name a new folder, or an empty one."
            raise BadUsageError(message)
        (folder / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: cannot hold a store ({error.strerror}). Name another folder."
        raise BadUsageError(message) from error


def make_store(
    folder: Path,
    facts: Iterable[tuple[int, Fact]],
    *,
    persons: set[str],
    contradicted: Contradicted,
) -> int:
    """Make a store of numbered facts and return how many there were; ``persons`` have a line too.

    ``persons`` is read after the facts: reading them may still add to it.
    """
    from passlight.city.load import load_facts

    with tqdm(desc="store", unit=" parts", disable=None, file=sys.stderr) as bar:

        def moved(what: str, done: int, total: int) -> None:
            if total:  # reading the lines has a bar of its own
                bar.set_description(f"store: {what}")
                bar.reset(total=total)
                bar.update(done)

        loaded = load_facts(facts, folder, persons=persons, progress=moved)
    for number, fact_id, ver in loaded.contradictions:
        contradicted(number, fact_id, ver)
    return loaded.facts


def read_store(folder: Path) -> "Store":
    """Return the store in a folder.

    Raises:
        BadUsageError: when the folder holds none that can be read.
    """
    from passlight.city.store import StoreError, open_store

    try:
        return open_store(folder)
    except StoreError as error:
        remedy = f"Remove the folder {folder} and run with --facts FILE --store {folder}."
        raise BadUsageError(f"{error} {remedy}") from error


def city_lines(
    folder: Path, pack: Pack, moments: Sequence[Moment], named: set[str], *, engine: str
) -> Iterator[tuple[bytes, str]]:
    """Yield each line and its colour: the bytes that the person evaluator writes.

    Raises:
        BadUsageError: when the folder holds no store that can be read, or Spark does not start.
    """
    from passlight.city.evaluate import told_lines

    store = read_store(folder)
    running = start_engine(engine, store)
    people = store.people_count * len(moments)
    try:
        with tqdm(total=people, desc="people", disable=None, file=sys.stderr) as bar:

            def moved(count: int) -> None:
                bar.update(min(count, people - bar.n))

            told = told_lines(
                running,
                store,
                PackSchedule.only(pack),
                moments,
                named=named,
                progress=moved,
            )
            for _, colour, line in told:
                yield line, Colour(colour).value
    finally:
        running.close()


def start_engine(name: str, store: "Store") -> "Engine":
    """Return the engine of that name, spilling beside the store; close it after use."""
    spill = store.folder / "spill"
    if name == "duckdb":
        from passlight.city.duckdb_engine import DuckEngine

        return DuckEngine(temporary=spill)
    from passlight.city.spark_engine import SparkEngine, SparkMissingError

    try:
        return SparkEngine(temporary=spill)
    except SparkMissingError as error:
        raise BadUsageError(str(error)) from error


def write_parquet(lines: Path, target: Path) -> None:
    """Write the columns of the line format from a file of lines: times as the texts they are."""
    import duckdb

    text = "STRUCT(zh VARCHAR, en VARCHAR)"
    columns = {
        "subject": "VARCHAR",
        "at": "VARCHAR",
        "colour": "VARCHAR",
        "valid_until": "VARCHAR",
        "next_change": 'STRUCT("at" VARCHAR, colour VARCHAR)',
        "measures": 'STRUCT("rule" VARCHAR, phase INTEGER, colour VARCHAR, "from" VARCHAR, '
        f"until VARCHAR, facts VARCHAR[], reason {text}, needs {text}[])[]",
        "badges": f"STRUCT(id VARCHAR, text {text}, until VARCHAR)[]",
    }
    typed = ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items())
    read = f"read_json($lines, format = 'newline_delimited', columns = {{{typed}}})"
    with duckdb.connect(config={"preserve_insertion_order": True}) as connection:
        rows = connection.sql(f"FROM {read}", params={"lines": str(lines)})
        rows.write_parquet(str(target), compression="zstd")
