"""The chore that starts the set-based work of the office in processes of their own.

One at a time: a recompute at its hour, or when it is asked for or was broken off, and previews of
packs. Memory goes away with the process, and a process that is killed is started again.
"""

import logging
import subprocess
import sys
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from passlight.core.kernel.clock import Clock
from passlight.office.packs.models import PackPublication, Preview
from passlight.office.recompute.actions import ask_for_run, unfinished
from passlight.office.recompute.folder import city_lock, locked
from passlight.office.recompute.models import Run
from passlight.office.statuses.switching import city_installed
from passlight.runtime.settings import read_number

log = logging.getLogger("passlight.jobs")

HOUR = 3
NEVER = 24
_started: list["subprocess.Popen[bytes]"] = []


def attend(clock: Clock) -> bool:
    """Start what is due and not under way; there is never more to do at once."""
    if _busy() or not city_installed():
        return False
    command = _due(clock)
    if command is not None:
        log.info("starting %s", " ".join(command))
        _started.append(
            subprocess.Popen([sys.executable, "-m", *command], stdin=subprocess.DEVNULL)
        )
    return False


def _busy() -> bool:
    """Return whether a process of ours, or of a jobs process before this one, is at work."""
    for process in _started[:]:
        status = process.poll()
        if status is None:
            return True
        _started.remove(process)
        if status not in (0, 1):
            log.warning("the set-based work ended with %s; it goes on from where it was", status)
    with locked(city_lock(), wait=False) as free:
        return not free


def _due(clock: Clock) -> list[str] | None:
    waiting = Preview.objects.filter(engine=Preview.Engine.CITY, finished_at=None)
    preview = waiting.order_by("id").first()
    if preview is not None:
        return ["passlight.office.recompute.preview", str(preview.pk)]
    if unfinished() is None and night_is_due(clock.now()):
        ask_for_run(user=None, clock=clock)
    return None if unfinished() is None else ["passlight.cli.main", "recompute"]


def night_is_due(now: datetime) -> bool:
    """Return whether the hour has come since which no run was begun, with rules in force."""
    hour = read_number("PASSLIGHT_RECOMPUTE_HOUR", HOUR, least=0, most=NEVER)
    if hour == NEVER or not PackPublication.objects.exists():
        return False
    zone = ZoneInfo(settings.TIME_ZONE)
    local = now.astimezone(zone)
    begins = datetime.combine(local.date(), time(hour), zone)
    if local < begins:
        begins -= timedelta(days=1)
    if Run.objects.filter(asked_at__gte=begins).exists():
        return False
    # A new installation has nothing to compare with: its first night is the next one.
    first = PackPublication.objects.order_by("seq").values_list("published_at", flat=True)[0]
    return first < begins
