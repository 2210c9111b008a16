"""The checks of PL1 5, one a row of ``CHECKS``, in order, each with its answer and its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from passlight.core.codes import base45, signing
from passlight.core.codes.chain import leads_to
from passlight.core.codes.epochs import OVERLAP_MINUTES, epoch_end_seconds, epoch_of
from passlight.core.codes.layout import (
    BODY_LENGTH,
    HOT_SHORT_MAX,
    NO_TEST,
    PAPER_DAYS_MAX,
    PAPER_TEXT_LENGTH,
    PHONE_TEXT_LENGTH,
    PREFIX,
    SIGNED_LENGTH,
    VERSION,
    Binding,
    CodeKind,
    holder_is_well_formed,
)
from passlight.core.verification.answer import DoorAnswer
from passlight.core.verification.inputs import (
    PhoneDocument,
    SheetDocument,
)
from passlight.core.verification.reading import LINK_OFFSET, Reading, take
from passlight.core.verification.status_source import ListState

_TENS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and the answer and reason when it does not."""

    step: int
    answer: DoorAnswer
    reason: str
    holds: Callable[[Reading], bool]


def is_pl1(reading: Reading) -> bool:
    """Return whether the text has one of the two lengths, and the prefix."""
    sizes = (PHONE_TEXT_LENGTH, PAPER_TEXT_LENGTH)
    return len(reading.text) in sizes and reading.text.startswith(PREFIX)


def decodes(reading: Reading) -> bool:
    """Return whether the text is strict base45."""
    raw = base45.decode(reading.text[len(PREFIX) :])
    if raw is None:
        return False
    take(reading, raw)
    return True


def reserved_is_zero(reading: Reading) -> bool:
    """Return whether every reserved bit is zero."""
    body = reading.body
    return not (body.reserved_1 or body.reserved_11 or (reading.is_phone and body.byte_33))


def binding_fits(reading: Reading) -> bool:
    """Return whether the binding is that of the length."""
    wanted = Binding.CHAIN if reading.is_phone else Binding.PAPER
    return reading.body.binding == wanted


def colour_fits(reading: Reading) -> bool:
    """Return whether a phone has one of the three colours and paper has none."""
    body = reading.body
    return body.colour != 0 if reading.is_phone else (body.colour, body.slot_code) == (0, 0)


def lifetime_fits(reading: Reading) -> bool:
    """Return whether the lifetime is one that is given."""
    if reading.is_phone:
        return reading.body.lifetime <= HOT_SHORT_MAX
    return 1 <= reading.body.lifetime <= PAPER_DAYS_MAX


def age_is_well_formed(reading: Reading) -> bool:
    """Return whether the test age is written as it must be."""
    body = reading.body
    if body.test_hours == NO_TEST:
        return body.test_tens == 0
    return reading.is_phone and body.test_tens <= _TENS_MAX


def holder_fits(reading: Reading) -> bool:
    """Return whether a sheet's holder is well formed."""
    return reading.is_phone or holder_is_well_formed(reading.body)


def trust_is_fresh(reading: Reading) -> bool:
    """Return whether the trust list is within its expiry."""
    return reading.now < reading.trust.expires_at


def key_is_known(reading: Reading) -> bool:
    """Return whether the trust list names the key; with its realm, the code has an epoch."""
    key = reading.trust.keys.get(reading.body.kid)
    if key is None:
        return False
    reading.key = key
    if reading.is_phone:
        offset = reading.trust.realms[key.realm].offset
        reading.epoch = epoch_of(reading.body.start, offset=offset)
    return True


def key_has_purpose(reading: Reading) -> bool:
    """Return whether the key is one for such a code."""
    key, body = reading.key, reading.body
    return (key.purpose, key.suite, key.slot_code) == (body.purpose, body.suite, body.slot_code)


def key_is_in_period(reading: Reading) -> bool:
    """Return whether the code starts within the key's window."""
    key = reading.key
    return key.starts_from <= reading.body.starts_at < key.starts_until


def is_signed(reading: Reading) -> bool:
    """Return whether the issuer signed the body, for this realm and purpose."""
    key, raw = reading.key, reading.raw
    message = signing.signature_input(
        kid=reading.body.kid,
        context=signing.code_context(purpose=key.purpose, realm=key.realm),
        body=raw[:BODY_LENGTH],
    )
    reading.signed = signing.is_signed(
        message, signature=raw[BODY_LENGTH:SIGNED_LENGTH], public_key=key.public_key
    )
    return reading.signed


def ends_with_epoch(reading: Reading) -> bool:
    """Return whether a phone code ends no later than its epoch's end + 120 min."""
    if reading.epoch is None:
        return True
    offset = reading.trust.realms[reading.key.realm].offset
    latest = epoch_end_seconds(reading.epoch, offset=offset) + OVERLAP_MINUTES * 60
    return reading.body.ends_at <= latest


def clock_is_trusted(reading: Reading) -> bool:
    """Return whether this verifier may judge times."""
    return reading.clock.is_trusted(now=reading.now)


def has_begun(reading: Reading) -> bool:
    """Return whether the code is valid yet: a phone one slot early, paper never early."""
    body = reading.body
    early = body.slot_seconds if reading.is_phone else 0
    return reading.now >= body.starts_at - early


def has_not_ended(reading: Reading) -> bool:
    """Return whether the code is still valid."""
    return reading.now < reading.body.ends_at


def slot_exists(reading: Reading) -> bool:
    """Return whether the slot is one of the code's."""
    return not reading.is_phone or reading.slot < reading.body.slots


def slot_is_recent(reading: Reading) -> bool:
    """Return whether the slot is at most one behind."""
    return not reading.is_phone or reading.slot >= reading.slot_now - 1


def slot_is_not_ahead(reading: Reading) -> bool:
    """Return whether the slot is at most one ahead."""
    return not reading.is_phone or reading.slot <= reading.slot_now + 1


def chain_holds(reading: Reading) -> bool:
    """Return whether the link value leads to the anchor."""
    if not reading.is_phone:
        return True
    body = reading.body
    return leads_to(body.middle, slot=reading.slot, value=reading.raw[LINK_OFFSET:], salt=body.salt)


def is_no_repeat(reading: Reading) -> bool:
    """Return whether this body was not taken here with this or a later slot before.

    Within one interaction the same code gets the same answer; a later slot of it is read anew.
    """
    if not (reading.is_phone and reading.policy.admission_point):
        return True
    body, slot = reading.raw[:BODY_LENGTH], reading.slot
    seen = reading.replay.find(body, now=reading.now)
    if seen is not None and slot <= seen.slot:
        if seen.interaction != reading.interaction or seen.answer is None:
            return False
        reading.same_interaction = seen.answer
        return True
    reading.sighting = reading.replay.record(
        body, slot=slot, interaction=reading.interaction, now=reading.now
    )
    return True


def has_list(reading: Reading) -> bool:
    """Return whether statuses of the code's own epoch are known here."""
    body = reading.body
    view = reading.source.view(realm=reading.key.realm, purpose=body.purpose, epoch=reading.epoch)
    if view is None:
        return False
    reading.view = view
    # A cold code may have been signed days before its start: it is never knowledge (PL1 6.3).
    own = body.starts_at if body.kind is CodeKind.HOT else view.as_of
    reading.known_at = max(own, view.as_of)
    return True


def list_is_fresh(reading: Reading) -> bool:
    """Return whether the knowledge is young enough for this door."""
    assert reading.known_at is not None
    return reading.now - reading.known_at <= reading.policy.freshness_seconds


def index_exists(reading: Reading) -> bool:
    """Return whether the list has such an index; its state is looked up here."""
    if reading.body.index >= reading.view.size:
        return False
    reading.state = reading.view.state(reading.body.index)
    return True


def is_not_withdrawn(reading: Reading) -> bool:
    """Return whether the index stands: lost, replaced and unknown are withdrawn, hot or not."""
    return reading.state is not ListState.WITHDRAWN


def document_agrees(reading: Reading) -> bool:
    """Return whether a document that was read is the holder's; true when none was read."""
    body, document = reading.body, reading.document
    if isinstance(document, PhoneDocument) and reading.epoch is not None:
        agrees = document.agrees(index=body.index, epoch=reading.epoch, tag=body.byte_32)
        return agrees is not False
    if isinstance(document, SheetDocument) and not reading.is_phone:
        return document.agrees(name=body.holder_name, birth=(body.byte_32, body.byte_33))
    return True


_NOT_FOUND = DoorAnswer.NOT_FOUND
_UNDETERMINED = DoorAnswer.UNDETERMINED
_EXPIRED = DoorAnswer.EXPIRED

CHECKS: Final = (
    Check(1, _NOT_FOUND, "not-pl1", is_pl1),
    Check(2, _NOT_FOUND, "encoding", decodes),
    Check(3, _NOT_FOUND, "version", lambda reading: reading.body.version == VERSION),
    Check(3, _NOT_FOUND, "suite", lambda reading: reading.body.suite in reading.policy.suites),
    Check(4, _NOT_FOUND, "reserved", reserved_is_zero),
    Check(5, _NOT_FOUND, "binding", binding_fits),
    Check(6, _NOT_FOUND, "colour", colour_fits),
    Check(6, _NOT_FOUND, "lifetime", lifetime_fits),
    Check(6, _NOT_FOUND, "test-age", age_is_well_formed),
    Check(6, _NOT_FOUND, "holder", holder_fits),
    Check(7, _UNDETERMINED, "trust-stale", trust_is_fresh),
    Check(7, _NOT_FOUND, "key-unknown", key_is_known),
    Check(8, _NOT_FOUND, "key-purpose", key_has_purpose),
    Check(9, _EXPIRED, "key-revoked", lambda reading: not reading.key.revoked),
    Check(9, _NOT_FOUND, "key-period", key_is_in_period),
    Check(10, _NOT_FOUND, "signature", is_signed),
    Check(11, _NOT_FOUND, "epoch", ends_with_epoch),
    Check(12, _UNDETERMINED, "clock-unsure", clock_is_trusted),
    Check(13, _UNDETERMINED, "not-yet", has_begun),
    Check(13, _EXPIRED, "expired", has_not_ended),
    Check(14, _NOT_FOUND, "slot-range", slot_exists),
    Check(14, _EXPIRED, "slot-old", slot_is_recent),
    Check(14, _UNDETERMINED, "slot-ahead", slot_is_not_ahead),
    Check(15, _NOT_FOUND, "chain", chain_holds),
    Check(16, _UNDETERMINED, "repeat", is_no_repeat),
    Check(17, _UNDETERMINED, "no-list", has_list),
    Check(17, _UNDETERMINED, "stale", list_is_fresh),
    Check(17, _NOT_FOUND, "index-range", index_exists),
    Check(17, _EXPIRED, "withdrawn", is_not_withdrawn),
    Check(19, _UNDETERMINED, "document", document_agrees),
)
REASONS: Final = (*(check.reason for check in CHECKS), "status")
