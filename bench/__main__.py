"""``make bench``: run every measurement and print them as one table.

Each module has ``run(seconds) -> list[Row]``; a row's ratio compares two things measured in
the same run, so that it carries over to another machine where absolute figures do not.
"""

import argparse
import importlib
import inspect
import pkgutil
import platform
from pathlib import Path

MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    if module.name not in {"row", "posts", "city_child", "city_store", "__main__"}
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("module", nargs="*", choices=[[], *MODULES], help="which to run")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each figure is taken")
    parser.add_argument("--people", type=int, help="how many, where a figure depends on it")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {options.seconds:g} s a figure"
    )
    print()
    print("| measurement | value | beside | ratio |")
    print("|---|---:|---|---:|")
    for name in options.module or MODULES:
        run = importlib.import_module(f"bench.{name}").run
        sized = "people" in inspect.signature(run).parameters and options.people
        for row in run(options.seconds, **({"people": options.people} if sized else {})):
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            print(f"| {row.name} | {row.value:,.4g} {row.unit} | {row.compared_with} | {ratio} |")


if __name__ == "__main__":
    main()
