"""``passlight code``: make, check and read a PL1 code, without a server or a database."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from passlight.cli.code_fields import explain, fields_of
from passlight.cli.inputs import BadUsageError, complain, read_time
from passlight.core.codes.chain import chain
from passlight.core.codes.issuing import (
    Issuer,
    issue_phone,
    paper_body,
    paper_text,
    phone_text,
    sign_body,
)
from passlight.core.codes.layout import (
    HOT_SHORT_MAX,
    PAPER_DAYS_MAX,
    SLOT_SECONDS,
    START_ZERO,
    Purpose,
    chain_salt,
    minutes_of,
    phone_lifetime_seconds,
)
from passlight.core.codes.trust import TrustList, open_trust_list, read_payload, unverified_payload
from passlight.core.kernel.problem import ProblemError
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.core.verification.inputs import ClockState, VerificationPolicy
from passlight.core.verification.replay import ReplaySet
from passlight.core.verification.status_source import ListState, StatusList, StatusLists
from passlight.core.verification.verify import verify as verify_text
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import REALM

COLOURS = {"green": 1, "yellow": 2, "red": 3}
FINDING = 1
BAD_USAGE = 2
LEAP_YEAR = 2000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _realm(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if not REALM.fullmatch(text):
        raise click.BadParameter("Write 1 to 24 of a-z, 0-9 and the hyphen.")
    return text


@click.group()
def command() -> None:
    """Make, check and read codes (PL1)."""


def _one_line_errors(function: Callable[..., None]) -> Callable[..., None]:
    """Say what is wrong on one line of standard error, with exit status 2."""

    @wraps(function)
    def wrapped(**options: Any) -> None:
        try:
            function(**options)
        except BadUsageError as error:
            click.echo(str(error), err=True)
            sys.exit(BAD_USAGE)
        except ProblemError as error:
            complain(error.problems)
            sys.exit(BAD_USAGE)

    return wrapped


@command.command()
@click.option("--realm", default="cn-310118", show_default=True, callback=_realm)
@click.option("--key-seed-hex", metavar="HEX", help="32-byte Ed25519 seed.")
@click.option("--key-file", type=_FILE, help="File with the seed in hexadecimal.")
@click.option("--colour", type=click.Choice(list(COLOURS)), default="green", show_default=True)
@click.option("--start", metavar="T", help="First minute of validity (default: this one).")
@click.option(
    "--lifetime",
    type=int,
    default=0,
    help="Lifetime byte: 0 = 10 min, 1…104 quarters, 105…113 = 1…9 min; days on paper.",
)
@click.option("--index", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--sampled-at", metavar="T", help="When the test was sampled (default: no test).")
@click.option("--tag", type=click.IntRange(0, 255), default=0, help="Document tag.")
@click.option("--slot-code", type=click.IntRange(0, 3), default=1, help="0…3 = 15/20/30/60 s.")
@click.option("--slot", type=int, help="Slot to show (default: that of now).")
@click.option("--chain-seed", metavar="HEX", help="16 bytes (default: fresh).")
@click.option("--paper", is_flag=True, help="A paper code; give --name, and --birth MM-DD.")
@click.option("--name", default="", help="Masked name on paper, e.g. 张*.")
@click.option("--birth", metavar="MM-DD", default="00-00", help="Birthday on paper.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was made as JSON.")
@_one_line_errors
def issue(**options: Any) -> None:
    """Make a code with a key of your own, for tests and demonstrations."""
    seed = _key_seed(options["key_seed_hex"], options["key_file"])
    now = int(SystemClock().now().timestamp())
    start = options["start"]
    begins = int(read_time(start, "--start").timestamp()) if start else now
    minute = minutes_of(begins)
    if not 0 <= minute < 1 << 24:
        raise BadUsageError("--start: lies outside 2026-01-01Z…2057-11-24Z; choose another.")
    made = _paper(seed, minute, options) if options["paper"] else _phone(seed, minute, now, options)
    if options["as_json"]:
        click.echo(json.dumps(made, ensure_ascii=False))
    else:
        click.echo(made["text"])


@command.command()
@click.argument("text")
@click.option("--trust", "trust_file", type=_FILE, required=True, help="Trust list (/v1/trust).")
@click.option("--root", metavar="HEX", help="Public key that must have signed the trust list.")
@click.option(
    "--realm", default="cn-310118", show_default=True, callback=_realm, help="Realm of the root."
)
@click.option("--now", metavar="T", required=True, help="The moment of the scan, with offset.")
@click.option("--list", "lists", type=_FILE, multiple=True, help="Status list in JSON.")
@click.option("--freshness", type=click.IntRange(0), default=300, show_default=True, help="In s.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@_one_line_errors
def verify(
    *,
    text: str,
    trust_file: Path,
    root: str | None,
    realm: str,
    now: str,
    lists: tuple[Path, ...],
    freshness: int,
    as_json: bool,
) -> None:
    """Check a code as a door does; exit status 0 for green, 1 for any other answer.

    TEXT is what the scanner read; - reads it from standard input. A status list is
    {"realm","purpose","epoch","as_of","size","states"} as in vectors/codes.
    """
    if text == "-":
        text = sys.stdin.read().replace("\r", "").replace("\n", "")
    instant = int(read_time(now, "--now").timestamp())
    answer = verify_text(
        text,
        now=instant,
        trust=_trust(trust_file, root, realm),
        source=_lists(lists),
        policy=VerificationPolicy(freshness_seconds=freshness),
        replay=ReplaySet(),
        clock=ClockState(disciplined_at=instant),
        interaction="cli",
    )
    shown = _answer_json(answer)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        click.echo(
            "  ".join(f"{name}={value}" for name, value in shown.items() if value is not None)
        )
    sys.exit(0 if answer.answer is DoorAnswer.GREEN else FINDING)


@command.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print the fields as JSON.")
@_one_line_errors
def inspect(*, text: str, as_json: bool) -> None:
    """Explain every field of a code, in Chinese and English; nothing is verified."""
    fields = fields_of(text)
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
    else:
        for line in explain(fields):
            click.echo(line)
    sys.exit(FINDING if fields["faults"] else 0)


def _phone(seed: bytes, start: int, now: int, options: dict[str, Any]) -> dict[str, Any]:
    lifetime, slot_code = options["lifetime"], options["slot_code"]
    if not 0 <= lifetime <= HOT_SHORT_MAX:
        raise BadUsageError(f"--lifetime: {lifetime} is not 0…{HOT_SHORT_MAX}.")
    slots = phone_lifetime_seconds(lifetime) // SLOT_SECONDS[slot_code]
    slot = options["slot"]
    if slot is None:
        slot = (now - START_ZERO - start * 60) // SLOT_SECONDS[slot_code]
    if not 0 <= slot < slots:
        raise BadUsageError(f"--slot: {slot} is not 0…{slots - 1}; the code is not valid then.")
    given = options["chain_seed"]
    chain_seed = _bytes(given, 16, "--chain-seed") if given else SystemEntropy().token(16)
    salt = chain_salt(start=start, lifetime=lifetime, slot_code=slot_code)
    values = chain(chain_seed, salt=salt, slots=slots)
    issuer = _issuer(seed, Purpose.PHONE, options)
    sampled = options["sampled_at"]
    signed = issue_phone(
        issuer,
        colour=COLOURS[options["colour"]],
        start=start,
        lifetime=lifetime,
        sampled_at=int(read_time(sampled, "--sampled-at").timestamp()) if sampled else None,
        index=options["index"],
        anchor=values[0],
        tag=options["tag"],
    )
    text = phone_text(signed, slot=slot, value=values[slot + 1])
    return _made(text, signed, issuer) | {"chain_seed": chain_seed.hex(), "slot": slot}


def _paper(seed: bytes, start: int, options: dict[str, Any]) -> dict[str, Any]:
    days = options["lifetime"] or PAPER_DAYS_MAX
    if not 1 <= days <= PAPER_DAYS_MAX:
        raise BadUsageError(f"--lifetime: a sheet lasts 1…{PAPER_DAYS_MAX} days.")
    if not options["name"]:
        raise BadUsageError("--name: a paper code carries the masked name, e.g. --name 张*.")
    birth = _birth(options["birth"])
    issuer = _issuer(seed, Purpose.PAPER, options)
    body = paper_body(
        issuer, start=start, days=days, index=options["index"], name=options["name"], birth=birth
    )
    signed = sign_body(issuer, body.encode())
    return _made(paper_text(signed), signed, issuer)


def _birth(text: str) -> tuple[int, int]:
    """Return month and day; 00-00 says that the birthday is not on the sheet."""
    try:
        month, day = (int(part) for part in text.split("-"))
        if (month, day) != (0, 0):
            date(LEAP_YEAR, month, day)
    except ValueError:
        raise BadUsageError("--birth: write month and day like 05-17.") from None
    return month, day


def _made(text: str, signed: bytes, issuer: Issuer) -> dict[str, Any]:
    return {
        "text": text,
        "signed": signed.hex(),
        "kid": issuer.kid.hex(),
        "public_key": issuer.public_key.hex(),
    }


def _issuer(seed: bytes, purpose: Purpose, options: dict[str, Any]) -> Issuer:
    slot_code = options["slot_code"] if purpose is Purpose.PHONE else 0
    return Issuer.of_seed(seed, realm=options["realm"], purpose=purpose, slot_code=slot_code)


def _key_seed(text: str | None, file: Path | None) -> bytes:
    if (text is None) == (file is None):
        raise BadUsageError("Give the key by one of --key-seed-hex and --key-file.")
    written = text if file is None else file.read_text().strip()
    return _bytes(written or "", 32, "--key-seed-hex" if file is None else str(file))


def _bytes(text: str, size: int, option: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != size:
        raise BadUsageError(f"{option}: is not {size} bytes in hexadecimal.")
    return value


def _trust(path: Path, root: str | None, realm: str) -> TrustList:
    """Return the trust list of a file: signed, or the bare payload of a test."""
    document = path.read_bytes()
    if root is not None:
        return open_trust_list(document, realm=realm, roots=[_bytes(root, 32, "--root")])
    if b'"payload"' in document:
        document = unverified_payload(document)
    return read_payload(document)


def _lists(paths: tuple[Path, ...]) -> StatusLists:
    lists = {}
    for path in paths:
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            found = StatusList(
                as_of=int(entry["as_of"]),
                size=int(entry["size"]),
                states={int(i): ListState(s) for i, s in entry["states"].items()},
            )
            lists[(entry["realm"], Purpose(entry["purpose"]), entry["epoch"])] = found
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadUsageError(
                f"{path}: is no status list ({error}). Give one like those in vectors/codes."
            ) from None
    return StatusLists(lists=lists)


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.answer.value,
        "reason": answer.reason,
        "kind": answer.kind.value if answer.kind else None,
        "index": answer.body.index if answer.body else None,
        "epoch": answer.epoch,
        "sampled_from": _instant(answer.sampled_from),
        "known_at": _instant(answer.known_at),
    }


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
