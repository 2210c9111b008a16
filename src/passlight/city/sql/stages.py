"""Stages: values that build on each other, each written once, as nested sub-selects.

``let`` names a value. A value that uses named ones stands in the next sub-select around theirs,
so nothing is computed twice and no expression grows with what it is made of.
"""
# ruff: noqa: S608 - every part of the SQL is ours; texts go through Dialect.text

import re
from dataclasses import dataclass

_NAME = re.compile(r"\bv(\d+)_\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """A view, or a query whose rows are kept."""

    name: str
    sql: str
    kept: bool


class Stages:
    """The values of one query, over the rows of ``source``."""

    __slots__ = ("_depths", "_levels", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._depths: list[int] = []
        self._levels: list[list[str]] = []

    def let(self, value: str) -> str:
        """Return the name of a value; a name stays itself."""
        if _NAME.fullmatch(value):
            return value
        used = (self._depths[int(number)] for number in _NAME.findall(value))
        depth = max(used, default=-1) + 1
        name = f"v{len(self._depths)}_"
        self._depths.append(depth)
        if depth == len(self._levels):
            self._levels.append([])
        self._levels[depth].append(f"{value} AS {name}")
        return name

    def select(self, columns: str, *, where: str | None = None) -> str:
        """Return the query of ``columns`` over the rows and all values named."""
        sql = self.source
        for depth, values in enumerate(self._levels):
            sql = f"SELECT *, {', '.join(values)} FROM ({sql}) s{depth}"
        only = f" WHERE {where}" if where else ""
        return f"SELECT {columns} FROM ({sql}) s{only}"
