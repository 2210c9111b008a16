"""Folders of the set-based work below the installation's home: one a task, none that is over.

``city/switch-7-…``, ``city/recompute-12-…``, ``city/preview-3-…``: each holds the fact store and
the results of one task, is found again by its name when the process was killed, and is removed as
a whole when the task is over. ``city/lock`` keeps two tasks from sharing memory and disk.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.runtime.settings import read_settings

#: What a fact and a person take on the disk while a store is made and read (docs/decisions/0015).
BYTES_A_FACT: Final = 400
BYTES_A_PERSON: Final = 400
SPARE_BYTES: Final = 256 * 1024 * 1024


def city_folder() -> Path:
    """Return where the set-based work of this installation is."""
    return read_settings().home / "city"


def task_folder(task: str, name: str) -> Path:
    """Return the folder of one task, made when it is not there."""
    folder = city_folder() / f"{task}-{name}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def remove_tasks(task: str, *, but: str | None = None) -> None:
    """Remove the folders of all tasks of a kind, but for one: what is over takes no disk."""
    for folder in city_folder().glob(f"{task}-*"):
        if folder.name != f"{task}-{but}":
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock that ends with this process, however it ends; give whether it was had."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def city_lock() -> Path:
    """Return the lock that recomputes and previews share, not to share memory and disk.

    A switch does not ask for it: doors wait for a switch, and for nothing else here.
    """
    return city_folder() / "lock"


def require_space(*, facts: int, people: int) -> None:
    """Refuse work that the disk cannot hold, before it fills it.

    Raises:
        ProblemError: saying how much is missing.
    """
    folder = city_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = facts * BYTES_A_FACT + people * BYTES_A_PERSON + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < wanted:
        gigabytes = f"{(wanted - free) / 1e9:.1f}"
        raise ProblemError(
            Problem(
                code="recompute.no-space",
                message=f"{folder} lacks {gigabytes} GB for the whole city's facts.",
                remedy="Free some disk, or put PASSLIGHT_HOME on a larger one.",
                params={"gigabytes": gigabytes},
            )
        )
