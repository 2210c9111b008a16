"""The process of a preview: ``python -m passlight.office.recompute.preview NUMBER``, as office."""

import logging
import os
import sys

import django

from passlight.runtime.clock import SystemClock

log = logging.getLogger("passlight.preview")

NICENESS = 10


def main() -> int:
    """Count one preview; the jobs process starts another one when this ends before its time."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s preview %(message)s")
    os.nice(NICENESS)
    django.setup()
    from passlight.office.recompute.folder import city_lock, locked
    from passlight.office.recompute.previewing import run_preview

    with locked(city_lock(), wait=True):
        try:
            run_preview(int(sys.argv[1]), SystemClock())
        except Exception:
            log.exception("the preview cannot go on")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
