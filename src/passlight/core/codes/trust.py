"""The trust list: which keys count, for what, and until when (PL1 2.3, 8).

The document is a signed envelope (``core.codes.envelope``) of kind ``trust``.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from passlight.core.codes import signing
from passlight.core.codes.envelope import TRUST, open_envelope, read_envelope, seal_envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import SLOT_SECONDS, Purpose, Suite
from passlight.core.kernel.problem import Problem, ProblemError

TRUST_LIST_SECONDS: Final = 7 * 86_400
KEYS_MAX: Final = 1000
DOCUMENT_BYTES_MAX: Final = 512 * 1024

_REALM = re.compile(r"[a-z0-9-]{1,24}\Z")
_OFFSET_MINUTES_MAX = 14 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key with its one purpose; times are POSIX seconds, half-open.

    A code under it may start in [starts_from, starts_until); the issuer signs with it in
    [starts_from, signs_until); it is dropped from the list at ``listed_until``.
    """

    realm: str
    purpose: Purpose
    public_key: bytes
    slot_code: int = 0
    suite: int = Suite.ED25519
    starts_from: int
    signs_until: int
    starts_until: int
    listed_until: int
    revoked: bool = False

    @property
    def kid(self) -> bytes:
        """Return the four bytes by which codes name this key."""
        return signing.key_id(
            suite=self.suite, purpose=self.purpose, realm=self.realm, public_key=self.public_key
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """A jurisdiction: its fixed UTC offset in minutes, and each epoch in use (PL1 2.5).

    ``sizes`` are n by epoch; ``key_checks`` say which epoch key is meant without giving it
    away: under another key an index would be another person's.
    """

    offset: int
    sizes: Mapping[int, int] = field(default_factory=dict)
    key_checks: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """The realms and keys that a verifier takes."""

    sequence: int
    expires_at: int
    realms: Mapping[str, Realm]
    keys: Mapping[bytes, TrustedKey]

    @classmethod
    def of(
        cls,
        keys: Sequence[TrustedKey],
        *,
        sequence: int,
        expires_at: int,
        realms: Mapping[str, Realm],
    ) -> "TrustList":
        """Return a list of sound keys.

        Raises:
            ProblemError: a key is unsound, or two keys share a key id; the whole list is refused.
        """
        problems = [problem for key in keys for problem in _key_problems(key, realms)]
        by_kid = {key.kid: key for key in keys}
        if len(by_kid) != len(keys):
            problems.append(_problem("codes.trust_kid_twice", "A key id occurs twice."))
        if len(keys) > KEYS_MAX:
            problems.append(_problem("codes.trust_too_long", f"More than {KEYS_MAX} keys."))
        if problems:
            raise ProblemError(*problems)
        return cls(sequence=sequence, expires_at=expires_at, realms=dict(realms), keys=by_kid)

    def of_purpose(self, purpose: Purpose, *, realm: str) -> list[TrustedKey]:
        """Return the keys of one realm and purpose that are not revoked, oldest first."""
        found = [k for k in self.keys.values() if (k.realm, k.purpose) == (realm, purpose)]
        return sorted((k for k in found if not k.revoked), key=lambda k: (k.starts_from, k.kid))

    def signing_key(self, purpose: Purpose, *, realm: str, now: int) -> TrustedKey | None:
        """Return the newest key that signs at ``now``, or None."""
        found = self.of_purpose(purpose, realm=realm)
        return next((k for k in reversed(found) if k.starts_from <= now < k.signs_until), None)


def seal(trust: TrustList, *, signer: Issuer) -> bytes:
    """Return the signed document of a trust list; ``signer`` holds a key of purpose list."""
    payload = json.dumps(_to_json(trust), separators=(",", ":"), sort_keys=True).encode()
    return seal_envelope(payload, kind=TRUST, signer=signer)


def open_trust_list(
    document: bytes, *, realm: str, roots: Collection[bytes], sequence_min: int = 0
) -> TrustList:
    """Return the trust list of a signed document.

    ``roots`` are the public keys that may sign it; the version never falls: ``sequence_min``.

    Raises:
        ProblemError: the document is refused as a whole; the former list stays in use.
    """
    trust = read_payload(_signed_payload(document, realm=realm, roots=roots))
    if trust.sequence < sequence_min:
        raise _refused(
            "codes.trust_rolled_back",
            f"The list has number {trust.sequence}; number {sequence_min} was seen before.",
        )
    return trust


def read_payload(payload: bytes) -> TrustList:
    """Return the list of a payload without asking who signed it.

    Raises:
        ProblemError: it is malformed or holds unsound keys.
    """
    try:
        return _from_json(json.loads(payload))
    except ProblemError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused("codes.trust_malformed", f"The list is malformed ({error}).") from error


def unverified_payload(document: bytes) -> bytes:
    """Return a document's payload: for a file that the reader trusts as it is.

    Raises:
        ProblemError: it is no signed document.
    """
    return read_envelope(document, bytes_max=DOCUMENT_BYTES_MAX).payload


def _signed_payload(document: bytes, *, realm: str, roots: Collection[bytes]) -> bytes:
    try:
        return open_envelope(
            document, kind=TRUST, realm=realm, keys=roots, bytes_max=DOCUMENT_BYTES_MAX
        )
    except ProblemError as error:
        code = error.problems[0].code.replace("codes.envelope_", "codes.trust_")
        if code == "codes.trust_signature":
            raise _refused(code, "No known key signed this trust list.") from error
        raise _refused(code, error.problems[0].message) from error


def _key_problems(key: TrustedKey, realms: Mapping[str, Realm]) -> list[Problem]:
    """Return why a key is refused; each check stands alone so that one list names them all."""
    named = key.kid.hex()
    realm = realms.get(key.realm)
    checks = [
        (bool(_REALM.match(key.realm)), "codes.trust_realm", "its realm is not [a-z0-9-]{1,24}"),
        (
            realm is not None and abs(realm.offset) <= _OFFSET_MINUTES_MAX,
            "codes.trust_offset",
            "its realm has no UTC offset",
        ),
        (key.suite in set(Suite), "codes.trust_suite", f"suite {key.suite} is unknown"),
        (
            key.suite != Suite.ED25519 or signing.is_sound_public_key(key.public_key),
            "codes.trust_weak_key",
            "the public key is not canonical, not on the curve or of small order",
        ),
        (0 <= key.slot_code < len(SLOT_SECONDS), "codes.trust_slot", "its slot code is not 0…3"),
        (
            key.starts_from < key.signs_until <= key.starts_until <= key.listed_until,
            "codes.trust_period",
            "its times are not in order",
        ),
    ]
    return [
        _problem(code, f"Key {named}: {words}.", params={"kid": named})
        for good, code, words in checks
        if not good
    ]


def _to_json(trust: TrustList) -> dict[str, Any]:
    return {
        "format": 1,
        "sequence": trust.sequence,
        "expires_at": _instant(trust.expires_at),
        "realms": {name: _realm_json(realm) for name, realm in trust.realms.items()},
        "keys": [
            {
                "kid": kid.hex(),
                "realm": key.realm,
                "purpose": key.purpose.value,
                "suite": int(key.suite),
                "slot_code": key.slot_code,
                "public_key": key.public_key.hex(),
                "starts_from": _instant(key.starts_from),
                "signs_until": _instant(key.signs_until),
                "starts_until": _instant(key.starts_until),
                "listed_until": _instant(key.listed_until),
                "revoked": key.revoked,
            }
            for kid, key in trust.keys.items()
        ],
    }


def _from_json(payload: Any) -> TrustList:
    if payload["format"] != 1:
        raise _refused("codes.trust_malformed", f"Format {payload['format']!r} is unknown.")
    keys = [_key_from_json(entry) for entry in payload["keys"]]
    return TrustList.of(
        keys,
        sequence=int(payload["sequence"]),
        expires_at=_seconds(payload["expires_at"]),
        realms={name: _realm_from_json(entry) for name, entry in payload["realms"].items()},
    )


def _realm_json(realm: Realm) -> dict[str, Any]:
    epochs = {
        str(epoch): {"size": size, "key_check": realm.key_checks.get(epoch, b"").hex()}
        for epoch, size in sorted(realm.sizes.items())
    }
    return {"offset_minutes": realm.offset, "epochs": epochs}


def _realm_from_json(entry: Any) -> Realm:
    epochs = {int(epoch): value for epoch, value in entry["epochs"].items()}
    return Realm(
        offset=int(entry["offset_minutes"]),
        sizes={epoch: int(value["size"]) for epoch, value in epochs.items()},
        key_checks={
            epoch: bytes.fromhex(value["key_check"])
            for epoch, value in epochs.items()
            if value["key_check"]
        },
    )


def _key_from_json(entry: Any) -> TrustedKey:
    if not isinstance(entry["revoked"], bool):
        raise _refused("codes.trust_malformed", "A key does not say whether it is revoked.")
    key = TrustedKey(
        realm=entry["realm"],
        purpose=Purpose(entry["purpose"]),
        suite=int(entry["suite"]),
        slot_code=int(entry["slot_code"]),
        public_key=bytes.fromhex(entry["public_key"]),
        starts_from=_seconds(entry["starts_from"]),
        signs_until=_seconds(entry["signs_until"]),
        starts_until=_seconds(entry["starts_until"]),
        listed_until=_seconds(entry["listed_until"]),
        revoked=entry["revoked"],
    )
    if key.kid.hex() != entry["kid"]:
        raise _refused("codes.trust_kid_wrong", f"Key id {entry['kid']} is not that of its key.")
    return key


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _problem(code: str, message: str, *, params: dict[str, str] | None = None) -> Problem:
    return Problem(
        code=code,
        message=message,
        remedy="Keep the former trust list and fetch a new one from the office.",
        params=params or {},
    )


def _refused(code: str, message: str) -> ProblemError:
    return ProblemError(_problem(code, message))
