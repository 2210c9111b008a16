"""Spark's spellings of the SQL that the compiler writes."""

from collections.abc import Mapping, Sequence

from passlight.city.dialect import Dialect

_TYPES = {"VARCHAR": "STRING"}


class SparkDialect(Dialect):
    """Spark SQL, 4.1 or newer, with its ANSI mode on."""

    name = "spark"
    text_type = "STRING"

    def text(self, value: str) -> str:
        """Return a text literal; a backslash is an escape here."""
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def null(self, type_: str) -> str:
        """Return a NULL of a type."""
        return f"CAST(NULL AS {_TYPES.get(type_, type_)})"

    def struct_type(self, fields: Mapping[str, str]) -> str:
        """Return the type of a struct."""
        told = (f"{name}: {_TYPES.get(type_, type_)}" for name, type_ in fields.items())
        return f"STRUCT<{', '.join(told)}>"

    def list_type(self, item: str) -> str:
        """Return the type of a list."""
        return f"ARRAY<{_TYPES.get(item, item)}>"

    def struct(self, fields: Mapping[str, str]) -> str:
        """Return a struct value."""
        told = (f"'{name}', {value}" for name, value in fields.items())
        return f"named_struct({', '.join(told)})"

    def list_of(self, items: Sequence[str], item_type: str) -> str:
        """Return a list value."""
        return f"CAST(array({', '.join(items)}) AS {self.list_type(item_type)})"

    def filter(self, items: str, name: str, condition: str) -> str:
        """Return the items for which the condition holds."""
        return f"filter({items}, {name} -> {condition})"

    def transform(self, items: str, name: str, value: str) -> str:
        """Return a value for every item."""
        return f"transform({items}, {name} -> {value})"

    def fold(self, items: str, start: str, names: tuple[str, str], value: str) -> str:
        """Return ``start`` changed by each item."""
        return f"aggregate({items}, {start}, ({names[0]}, {names[1]}) -> {value})"

    def sort(self, items: str) -> str:
        """Return the items in ascending order."""
        return f"array_sort({items})"

    def distinct(self, items: str) -> str:
        """Return each item once."""
        return f"array_distinct({items})"

    def concat(self, lists: Sequence[str]) -> str:
        """Return the items of all lists."""
        return lists[0] if len(lists) == 1 else f"concat({', '.join(lists)})"

    def flatten(self, items: str) -> str:
        """Return the items of a list of lists."""
        return f"flatten({items})"

    def size(self, items: str) -> str:
        """Return how many items a list has."""
        return f"CAST(size({items}) AS BIGINT)"

    def at(self, items: str, place: str) -> str:
        """Return the item at a place."""
        return f"get({items}, CAST({place} AS INT) - 1)"

    def last(self, items: str) -> str:
        """Return the last item."""
        return f"get({items}, size({items}) - 1)"

    def head(self, items: str, count: str) -> str:
        """Return the first items."""
        return f"slice({items}, 1, CAST({count} AS INT))"

    def series(self, low: str, high: str) -> str:
        """Return whole numbers; a sequence would run downwards."""
        none = "CAST(array() AS ARRAY<BIGINT>)"
        return f"CASE WHEN {low} > {high} THEN {none} ELSE sequence({low}, {high}) END"

    def collect(self, value: str, where: str | None, item_type: str) -> str:  # noqa: ARG002
        """Return the aggregate that makes a list; without a row it is empty by itself."""
        return f"collect_list({value})" + (f" FILTER (WHERE {where})" if where else "")

    def each(self, items: str) -> str:
        """Return one row for every item."""
        return f"explode({items})"

    def greatest_by(self, value: str, key: str, where: str | None) -> str:
        """Return the aggregate that picks the row with the greatest key."""
        # A row without a value is passed over, as DuckDB does.
        only = f"{value} IS NOT NULL" + (f" AND {where}" if where else "")
        return f"max_by({value}, {key}) FILTER (WHERE {only})"

    def quotient(self, value: str, divisor: int) -> str:
        """Return the whole quotient."""
        return f"(({value}) DIV {divisor})"

    def contains(self, text: str, part: str) -> str:
        """Return whether a text holds another one."""
        return f"contains({text}, {part})"

    def starts_with(self, text: str, part: str) -> str:
        """Return whether a text begins with another one."""
        return f"startswith({text}, {part})"

    def date_of(self, day: str) -> str:
        """Return the DATE of a day."""
        return f"date_add(DATE '1970-01-01', CAST({day} AS INT))"

    def day_of(self, date: str) -> str:
        """Return the day of a DATE."""
        return f"CAST(datediff({date}, DATE '1970-01-01') AS BIGINT)"
