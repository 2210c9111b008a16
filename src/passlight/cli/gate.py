"""``passlight gate``: the agent of one door: run, enrol, check, status, wipe."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from passlight.core.kernel.problem import Problem, ProblemError
from passlight.gate.assembly import SERVER_SECONDS
from passlight.gate.checking import Finding, findings
from passlight.gate.client import DoorClient, NoAnswerError, RefusedError
from passlight.gate.config import GateConfig, read_config
from passlight.gate.devices import Devices
from passlight.gate.enrolment import enrol
from passlight.gate.files import StateFolder
from passlight.gate.process import STATUS
from passlight.gate.running import build_devices, open_door, run_door
from passlight.gate.state import DoorState, machine_boot
from passlight.gate.timekeeping import TimeKeeper
from passlight.runtime.clock import SystemClock, SystemEntropy

UPLOAD_SECONDS = 60.0


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("gate.toml"),
    show_default=True,
    help="The door's TOML file.",
)
@click.pass_context
def command(context: click.Context, path: Path) -> None:
    """Run the agent of one door (数字哨兵), and look after it."""
    context.obj = path
    if context.invoked_subcommand is None:
        context.invoke(run)


@command.command()
@click.pass_obj
def run(path: Path) -> None:
    """Serve the door until SIGTERM."""
    run_door(path)


@command.command("enrol")
@click.option("--token", required=True, help="The one-time token of the office's page.")
@click.option("--url", help="Only to check that the token is for this server.")
@click.pass_obj
def enrol_command(path: Path, token: str, url: str | None) -> None:
    """Enrol this device: show six digits and wait until a second person has compared them."""
    config = read_config(path)
    if url is not None and url.rstrip("/") != config.url:
        raise click.UsageError(f"The token is for {url}; [server] url says {config.url}.")
    asyncio.run(_enrol(config, token))
    click.echo("✓ Enrolled. Start the door: passlight gate run")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def check(path: Path, as_json: bool) -> None:
    """Say what each part of this door is and whether it answers; status 1 when one does not."""
    config = read_config(path)
    found = asyncio.run(findings(config, build_devices(config)))
    _print(found, as_json=as_json)
    sys.exit(0 if all(one.good for one in found) else 1)


@command.command()
@click.pass_obj
def status(path: Path) -> None:
    """Print how the running door is, as JSON; status 1 when it does not run."""
    config = read_config(path)
    said = StateFolder(config.folder).read_json(STATUS)
    if said is None:
        raise _problem("status-none", "No door has run from this folder.", "passlight gate run")
    age = SystemClock().now().timestamp() - float(said["at"])
    running = -60 <= age <= 60 and not said["ended"]  # noqa: PLR2004  # written every 10 s
    click.echo(json.dumps({**said, "running": running}, ensure_ascii=False))
    sys.exit(0 if running else 1)


@command.command()
@click.option("--yes", is_flag=True, help="Do it.")
@click.option("--lose-records", is_flag=True, help="Even when the server has not everything.")
@click.pass_obj
def wipe(path: Path, yes: bool, lose_records: bool) -> None:
    """Send what waits, then destroy keys, knowledge and records of this device."""
    config = read_config(path)
    if not yes:
        raise click.UsageError("This destroys the device's key. Add --yes.")
    left = asyncio.run(_wipe(config, lose_records=lose_records))
    click.echo(f"✓ Wiped; {left} records were not sent.")


async def _enrol(config: GateConfig, token: str) -> None:
    clock, entropy = SystemClock(), SystemEntropy()
    state = DoorState(config.folder)
    key = state.key(entropy)
    keeper = TimeKeeper(
        clock, stored=state.time, boot_id=machine_boot(), battery_clock=config.battery_clock
    )
    client = DoorClient(
        config.url,
        key=key,
        keeper=keeper,
        entropy=entropy,
        grant=lambda: "",
        timeout=SERVER_SECONDS,
    )
    try:
        await enrol(
            client,
            state=state,
            key=key,
            token=token,
            roots=config.roots,
            place=(config.venue, config.entrance),
            show=_show_fingerprint,
            monotonic=clock.monotonic,
        )
    finally:
        await client.close()
        state.close()


def _show_fingerprint(digits: str) -> None:
    click.echo(f"\n    {digits[:3]} {digits[3:]}\n")
    click.echo("A second person compares these six digits on the office's page and confirms.")


async def _wipe(config: GateConfig, *, lose_records: bool) -> int:
    gate = open_door(config, Devices())
    state, uplink, left = gate.state, gate.uplink, gate.opened.spool.waiting
    try:
        if uplink is not None and left:
            with suppress(NoAnswerError, RefusedError, TimeoutError):
                async with asyncio.timeout(UPLOAD_SECONDS):
                    await uplink.tell()
            left = gate.opened.spool.waiting
        if left and not lose_records:
            remedy = "Let it reach the server, or add --lose-records."
            raise _problem("wipe-records", f"{left} records wait for the server.", remedy)
        gate.opened.spool.close()
        state.wipe({"by": "operator", "left": left})
    finally:
        await gate.close()
    return left


def _print(found: list[Finding], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{'✓' if one.good else '✗'} {one.what}: {one.found}")
        if not one.good and one.remedy:
            click.echo(f"  {one.remedy}")


def _problem(code: str, message: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(code=f"gate.{code}", message=message, remedy=remedy))
