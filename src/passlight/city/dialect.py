"""Dialect: the few spellings in which engines differ; all set-based SQL is written against it.

Everything else that the compiler writes (select, join, union all, group by, case, cast, least,
greatest, coalesce, ``list[i]`` excluded) means the same in both engines. Rules that keep it so:
whole numbers are BIGINT through ``big``; no NULL inside a struct that is compared or sorted; a
list is never NULL (``collect`` gives an empty one); nothing has the type TIMESTAMP.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

BIGINT = "BIGINT"
# Before and after every instant that there is, and room to add durations to both.
EVER = -(2**61)
NEVER = 2**61


class Dialect(ABC):
    """How one engine writes structs, lists, functions over lists, and whole-number division."""

    name: str
    text_type = "VARCHAR"

    def big(self, number: int) -> str:
        """Return a whole number as BIGINT, whatever its size."""
        return f"CAST({number} AS BIGINT)"

    def text(self, value: str) -> str:
        """Return a text literal."""
        return "'" + value.replace("'", "''") + "'"

    def null(self, type_: str) -> str:
        """Return a NULL of a type."""
        return f"CAST(NULL AS {type_})"

    @abstractmethod
    def struct_type(self, fields: Mapping[str, str]) -> str:
        """Return the type of a struct."""

    @abstractmethod
    def list_type(self, item: str) -> str:
        """Return the type of a list."""

    @abstractmethod
    def struct(self, fields: Mapping[str, str]) -> str:
        """Return a struct value."""

    def field(self, value: str, name: str) -> str:
        """Return a field of a struct."""
        return f"({value}).{name}"

    @abstractmethod
    def list_of(self, items: Sequence[str], item_type: str) -> str:
        """Return a list value; without items an empty list of that type."""

    @abstractmethod
    def filter(self, items: str, name: str, condition: str) -> str:
        """Return the items for which ``condition``, over the variable ``name``, holds."""

    @abstractmethod
    def transform(self, items: str, name: str, value: str) -> str:
        """Return ``value``, over the variable ``name``, for every item."""

    @abstractmethod
    def fold(self, items: str, start: str, names: tuple[str, str], value: str) -> str:
        """Return ``start`` changed by each item; ``names`` are the result so far and the item."""

    @abstractmethod
    def sort(self, items: str) -> str:
        """Return the items in ascending order; structs by their fields from the left."""

    @abstractmethod
    def distinct(self, items: str) -> str:
        """Return each item once, in any order."""

    @abstractmethod
    def concat(self, lists: Sequence[str]) -> str:
        """Return the items of all lists, in order."""

    @abstractmethod
    def flatten(self, items: str) -> str:
        """Return the items of a list of lists."""

    @abstractmethod
    def size(self, items: str) -> str:
        """Return how many items a list has, as BIGINT."""

    @abstractmethod
    def at(self, items: str, place: str) -> str:
        """Return the item at a place counted from 1; NULL when there is none."""

    def first(self, items: str) -> str:
        """Return the first item; NULL when there is none."""
        return self.at(items, "1")

    @abstractmethod
    def last(self, items: str) -> str:
        """Return the last item; NULL when there is none."""

    @abstractmethod
    def head(self, items: str, count: str) -> str:
        """Return the first ``count`` items."""

    @abstractmethod
    def series(self, low: str, high: str) -> str:
        """Return the whole numbers from ``low`` to ``high``, both included; perhaps none."""

    @abstractmethod
    def collect(self, value: str, where: str | None, item_type: str) -> str:
        """Return the aggregate: a list of ``value`` of the rows for which ``where`` holds."""

    @abstractmethod
    def each(self, items: str) -> str:
        """Return, inside a select list, one row for every item."""

    @abstractmethod
    def greatest_by(self, value: str, key: str, where: str | None) -> str:
        """Return the aggregate: ``value`` of the row whose ``key`` is greatest; NULL without."""

    @abstractmethod
    def quotient(self, value: str, divisor: int) -> str:
        """Return the whole quotient of a value that is not negative."""

    @abstractmethod
    def contains(self, text: str, part: str) -> str:
        """Return whether a text holds another one."""

    @abstractmethod
    def starts_with(self, text: str, part: str) -> str:
        """Return whether a text begins with another one."""

    @abstractmethod
    def date_of(self, day: str) -> str:
        """Return the DATE of a day counted from 1970-01-01."""

    @abstractmethod
    def day_of(self, date: str) -> str:
        """Return the day, counted from 1970-01-01, of a DATE, as BIGINT."""


class DuckDialect(Dialect):
    """DuckDB's spellings."""

    name = "duckdb"

    def struct_type(self, fields: Mapping[str, str]) -> str:
        """Return the type of a struct."""
        return "STRUCT(" + ", ".join(f"{name} {type_}" for name, type_ in fields.items()) + ")"

    def list_type(self, item: str) -> str:
        """Return the type of a list."""
        return f"{item}[]"

    def struct(self, fields: Mapping[str, str]) -> str:
        """Return a struct value."""
        return "{" + ", ".join(f"'{name}': {value}" for name, value in fields.items()) + "}"

    def list_of(self, items: Sequence[str], item_type: str) -> str:
        """Return a list value."""
        return f"CAST([{', '.join(items)}] AS {item_type}[])"

    def filter(self, items: str, name: str, condition: str) -> str:
        """Return the items for which the condition holds."""
        return f"list_filter({items}, lambda {name}: {condition})"

    def transform(self, items: str, name: str, value: str) -> str:
        """Return a value for every item."""
        return f"list_transform({items}, lambda {name}: {value})"

    def fold(self, items: str, start: str, names: tuple[str, str], value: str) -> str:
        """Return ``start`` changed by each item."""
        return f"list_reduce({items}, lambda {names[0]}, {names[1]}: {value}, {start})"

    def sort(self, items: str) -> str:
        """Return the items in ascending order."""
        return f"list_sort({items})"

    def distinct(self, items: str) -> str:
        """Return each item once."""
        return f"list_distinct({items})"

    def concat(self, lists: Sequence[str]) -> str:
        """Return the items of all lists."""
        return lists[0] if len(lists) == 1 else "(" + " || ".join(lists) + ")"

    def flatten(self, items: str) -> str:
        """Return the items of a list of lists."""
        return f"flatten({items})"

    def size(self, items: str) -> str:
        """Return how many items a list has."""
        return f"CAST(len({items}) AS BIGINT)"

    def at(self, items: str, place: str) -> str:
        """Return the item at a place."""
        return f"list_extract({items}, {place})"

    def last(self, items: str) -> str:
        """Return the last item."""
        return f"list_extract({items}, -1)"

    def head(self, items: str, count: str) -> str:
        """Return the first items."""
        return f"list_slice({items}, 1, {count})"

    def series(self, low: str, high: str) -> str:
        """Return whole numbers."""
        return f"range({low}, ({high}) + 1)"

    def collect(self, value: str, where: str | None, item_type: str) -> str:
        """Return the aggregate that makes a list."""
        only = f" FILTER (WHERE {where})" if where else ""
        return f"coalesce(list({value}){only}, CAST([] AS {item_type}[]))"

    def each(self, items: str) -> str:
        """Return one row for every item."""
        return f"unnest({items})"

    def greatest_by(self, value: str, key: str, where: str | None) -> str:
        """Return the aggregate that picks the row with the greatest key."""
        only = f" FILTER (WHERE {where})" if where else ""
        return f"arg_max({value}, {key}){only}"

    def quotient(self, value: str, divisor: int) -> str:
        """Return the whole quotient."""
        return f"(({value}) // {divisor})"

    def contains(self, text: str, part: str) -> str:
        """Return whether a text holds another one."""
        return f"contains({text}, {part})"

    def starts_with(self, text: str, part: str) -> str:
        """Return whether a text begins with another one."""
        return f"starts_with({text}, {part})"

    def date_of(self, day: str) -> str:
        """Return the DATE of a day."""
        return f"(DATE '1970-01-01' + CAST({day} AS INTEGER))"

    def day_of(self, date: str) -> str:
        """Return the day of a DATE."""
        return f"CAST({date} - DATE '1970-01-01' AS BIGINT)"
