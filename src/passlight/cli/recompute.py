"""``passlight recompute``: the whole city computed again and compared with what doors are told."""

import json
import os
import sys
from threading import Event
from typing import TYPE_CHECKING

import click

from passlight.runtime.clock import SystemClock
from passlight.runtime.database import Role

if TYPE_CHECKING:
    from passlight.office.recompute.models import Run


@click.command("recompute")
@click.option("--now", "at_once", is_flag=True, help="Begin a run now, whatever the hour.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
def command(*, at_once: bool, as_json: bool) -> None:
    """Compute everybody's status again and report every difference to what is served.

    Goes on with a run that was broken off or is asked for; without --now and without such a run,
    tells how the last one ended. The office's jobs process calls this every night. Exit status 1
    when somebody differed, or nobody could be compared.
    """
    # Django's settings read both when they are first used, which is in this process.
    os.environ["PASSLIGHT_ROLE"] = Role.OFFICE.value  # noqa: TID251  # set, not read
    os.environ["DJANGO_SETTINGS_MODULE"] = "passlight.office.settings"  # noqa: TID251  # set
    import django

    django.setup()
    from passlight.office.recompute.actions import ask_for_run, unfinished
    from passlight.office.recompute.folder import city_lock, locked
    from passlight.office.recompute.models import Run
    from passlight.office.recompute.running import go_on
    from passlight.office.recompute.steps import Steps, bar

    clock = SystemClock()
    run = ask_for_run(user=None, clock=clock) if at_once else unfinished()
    if run is not None:
        with locked(city_lock(), wait=False) as mine:
            if not mine:
                raise click.UsageError(
                    "Another recompute or preview is at work. Wait for it, then run this again."
                )
            shown = bar()
            steps = Steps(run, Run.objects, clock, also=shown)
            run = go_on(run, clock, progress=steps, pause=Event().wait)
    else:
        run = Run.objects.order_by("-id").first()
    _tell(run, as_json=as_json)
    sys.exit(1 if run is not None and (run.different or run.state == Run.State.FAILED) else 0)


def _tell(run: "Run | None", *, as_json: bool) -> None:
    from passlight.office.recompute.queries import summary

    told = summary(run)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    elif told is None:
        click.echo("The city was never computed again. Begin with: passlight recompute --now")
    else:
        click.echo(
            f"run {told['run']}, {told['state']}: {told['compared']} of {told['people']} people"
            f" compared, {told['different']} differ"
            + "".join(f", {name} {count}" for name, count in sorted(told["states"].items()))
            + (f": {told['fault']}" if told["fault"] else "")
        )
