"""Keys come and go: made as files first, then published, and only published keys sign.

A run that is killed leaves at most a key file that no list names; the next run removes it.
Everything happens under one lock, so two runs at once make no two keys.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from passlight.core.codes import signing
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.permutation import list_size
from passlight.core.codes.trust import TRUST_LIST_SECONDS, Realm, TrustedKey, TrustList, seal
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.office.keyring import plan
from passlight.office.keyring.models import TrustListVersion
from passlight.office.keyring.queries import latest_document, latest_trust_list
from passlight.runtime.keys import KeyFolder
from passlight.runtime.settings import OFFSET_MINUTES_MAX, read_number
from passlight.runtime.signing import (
    EPOCH_KEY_BYTES,
    epoch_key_check,
    epoch_key_name,
    key_name,
    seal_key,
)

CHANNEL = "passlight_keys"
SLOT_CODE = 1
SEALING_PURPOSE = "lookup"

_LOG = logging.getLogger(__name__)
_LOCK = 7_214_001
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ring:
    """What one run works with."""

    realm: str
    offset: int
    now: int
    size: int
    entropy: Entropy
    folder: KeyFolder


def ensure_keys(clock: Clock, entropy: Entropy, folder: KeyFolder, *, registered: int = 0) -> bool:
    """Make, publish and destroy whatever keys this moment asks for; return whether any changed.

    ``registered`` is the number of people: it fixes n of the epochs that are new.
    """
    ring = _Ring(
        realm=settings.PASSLIGHT.realm,
        offset=read_number(
            "PASSLIGHT_REALM_OFFSET_MINUTES",
            480,
            least=-OFFSET_MINUTES_MAX,
            most=OFFSET_MINUTES_MAX,
        ),
        now=int(clock.now().timestamp()),
        size=list_size(registered),
        entropy=entropy,
        folder=folder,
    )
    with transaction.atomic():
        _lock()
        before = _before(ring)
        folder.read_or_make(SEALING_PURPOSE, entropy)
        seal_key(folder, entropy)
        standing = {p: _public(folder, p.value, entropy) for p in plan.STANDING_PURPOSES}
        keys = _wanted_keys(ring, before, standing)
        realm = _wanted_epochs(ring, before)
        changed = before is None or _differs(ring, before, keys, realm)
        if changed:
            realms = {**(before.realms if before else {}), ring.realm: realm}
            _store(folder, keys, realms, realm=ring.realm, now=ring.now)
    _destroy(ring)
    return changed


def revoke_key(
    kid: bytes, *, clock: Clock, entropy: Entropy, folder: KeyFolder, registered: int = 0
) -> None:
    """Revoke a phone key everywhere, destroy its private half and make another at once.

    Raises:
        ProblemError: the trust list names no such phone key.
    """
    realm = settings.PASSLIGHT.realm
    now = int(clock.now().timestamp())
    with transaction.atomic():
        _lock()
        before = latest_trust_list(realm=realm, folder=folder)
        key = before.keys.get(kid) if before is not None else None
        if before is None or key is None or key.purpose is not Purpose.PHONE:
            raise ProblemError(
                Problem(
                    code="keyring.unknown_key",
                    message=f"The trust list names no phone key {kid.hex()}.",
                    remedy="Look the key id up with passlight code inspect.",
                )
            )
        keys = plan.revoked(before.keys.values(), kid)
        _store(folder, keys, dict(before.realms), realm=realm, now=now)
    ensure_keys(clock, entropy, folder, registered=registered)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _before(ring: _Ring) -> TrustList | None:
    """Return the newest trust list; refuse to begin anew beside one whose key is lost."""
    document = latest_document()
    if document is not None and not ring.folder.purposes(Purpose.LIST.value):
        raise ProblemError(
            Problem(
                code="keyring.list_key_missing",
                message=f"The trust list's key is not in {ring.folder.folder}.",
                remedy="Restore the key folder from its backup; name it in PASSLIGHT_KEYS.",
            )
        )
    return latest_trust_list(realm=ring.realm, folder=ring.folder)


def _public(folder: KeyFolder, name: str, entropy: Entropy) -> bytes:
    return signing.public_key_of(folder.read_or_make(name, entropy, size=_SEED_BYTES))


def _wanted_keys(
    ring: _Ring, before: TrustList | None, standing: dict[Purpose, bytes]
) -> list[TrustedKey]:
    """Return the keys of the next list; a new phone key's file exists before it is named."""
    listed = plan.kept_keys(before.keys.values() if before else (), now=ring.now)
    files = set(ring.folder.purposes("phone-"))
    held = {key.kid for key in listed if key_name(key.purpose, key.kid) in files}
    listed = plan.without_lost(listed, held=held, now=ring.now)
    for purpose, public in standing.items():
        if not any((k.purpose, k.public_key) == (purpose, public) for k in listed):
            since = ring.now - ring.now % 60
            listed.append(
                plan.standing_key(public, realm=ring.realm, purpose=purpose, starts_from=since)
            )
    starts_from = plan.next_phone_start(listed, now=ring.now)
    if starts_from is not None:
        listed.append(_new_phone_key(ring, starts_from, taken={key.kid for key in listed}))
    return listed


def _new_phone_key(ring: _Ring, starts_from: int, *, taken: set[bytes]) -> TrustedKey:
    while True:
        seed = ring.entropy.token(_SEED_BYTES)
        key = plan.phone_key(
            signing.public_key_of(seed),
            realm=ring.realm,
            slot_code=SLOT_CODE,
            starts_from=starts_from,
        )
        if key.kid not in taken:  # PL1 2.3: the list builder refuses a colliding key
            ring.folder.write(key_name(key.purpose, key.kid), seed)
            return key


def _wanted_epochs(ring: _Ring, before: TrustList | None) -> Realm:
    """Return the realm with the epochs kept; an epoch keeps the size and key it was given.

    A published epoch's key is never made again: under another one, every index of a code that
    is out would be another person's. Without its file the epoch has no codes and no answers.
    """
    known = before.realms.get(ring.realm) if before else None
    files = set(ring.folder.purposes("epoch-"))
    sizes: dict[int, int] = {}
    checks: dict[int, bytes] = {}
    in_use = plan.epochs_in_use(now=ring.now, offset=ring.offset)
    for epoch in plan.epochs_kept(now=ring.now, offset=ring.offset):
        if known is not None and epoch in known.sizes:
            sizes[epoch], checks[epoch] = known.sizes[epoch], known.key_checks[epoch]
            if epoch_key_name(epoch) not in files:
                _LOG.error("The key file of epoch %d is missing; restore the key folder.", epoch)
            continue
        if epoch not in in_use:
            continue  # before the installation's first day, or destroyed long ago
        secret = ring.folder.read_or_make(epoch_key_name(epoch), ring.entropy, size=EPOCH_KEY_BYTES)
        sizes[epoch], checks[epoch] = ring.size, epoch_key_check(secret)
    return Realm(offset=ring.offset, sizes=sizes, key_checks=checks)


def _differs(ring: _Ring, before: TrustList, keys: Iterable[TrustedKey], realm: Realm) -> bool:
    due = before.expires_at - TRUST_LIST_SECONDS + plan.RESEAL_SECONDS <= ring.now
    same_keys = {key.kid: key for key in keys} == dict(before.keys)
    return due or before.realms.get(ring.realm) != realm or not same_keys


def _store(
    folder: KeyFolder,
    keys: list[TrustedKey],
    realms: dict[str, Realm],
    *,
    realm: str,
    now: int,
) -> None:
    """Sign the next trust list, store it and tell every process."""
    newest = TrustListVersion.objects.order_by("-version").values_list("version", flat=True).first()
    trust = TrustList.of(
        keys,
        sequence=(newest or 0) + 1,
        expires_at=now + TRUST_LIST_SECONDS,
        realms=realms,
    )
    seed = folder.read(Purpose.LIST.value)
    signer = Issuer.of_seed(seed, realm=realm, purpose=Purpose.LIST, slot_code=0)
    TrustListVersion.objects.create(
        version=trust.sequence,
        document=seal(trust, signer=signer),
        made_at=datetime.fromtimestamp(now, UTC),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(trust.sequence)])


def _destroy(ring: _Ring) -> None:
    """Erase private halves that sign no more and epochs out of use.

    In a transaction of its own, after publication and by what is published then: a run beside
    this one may have made a key in between, and its file must stay.
    """
    with transaction.atomic():
        _lock()
        trust = latest_trust_list(realm=ring.realm, folder=ring.folder)
        assert trust is not None
        held = {
            key_name(key.purpose, key.kid)
            for key in trust.of_purpose(Purpose.PHONE, realm=ring.realm)
            if not plan.signs_no_more(key, now=ring.now)
        }
        held |= {epoch_key_name(epoch) for epoch in trust.realms[ring.realm].sizes}
        for prefix in ("phone-", "epoch-"):
            for name in ring.folder.purposes(prefix):
                if name not in held:
                    ring.folder.erase(name)
