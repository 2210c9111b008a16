"""YAML read with an eye on its depth: a few kilobytes of ``[`` keep PyYAML busy for minutes."""

from collections.abc import Iterator

import yaml


class TooDeepError(yaml.YAMLError):
    """Nested deeper than allowed; ``line`` counts from 0."""

    def __init__(self, most: int, line: int) -> None:
        self.line = line
        super().__init__(f"nested more than {most} deep")


def shallow_events(text: str, *, depth_max: int) -> Iterator[yaml.Event]:
    """Yield the events of ``text`` as they are read, and stop where it goes too deep.

    Raises:
        TooDeepError: when it is nested deeper than ``depth_max``.
        yaml.YAMLError: when it is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > depth_max:
                line = event.start_mark.line if event.start_mark else 0
                raise TooDeepError(depth_max, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        yield event
