"""Signing with key files: issuers, epoch keys and the AES block function.

The private half of a key is in its file and nowhere else. A key service or an HSM replaces
this module: callers hold an ``Issuer`` whose ``sign`` never shows the secret.
"""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from nacl.public import PrivateKey

from passlight.core.codes import signing
from passlight.core.codes.ff1 import EncryptBlocks
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.permutation import EpochPermutation
from passlight.core.codes.trust import TrustedKey, TrustList
from passlight.core.kernel.entropy import Entropy
from passlight.runtime.keys import KeyFolder

EPOCH_KEY_BYTES = 64
SEAL_PURPOSE = "seal"


def aes_blocks(key: bytes) -> EncryptBlocks:
    """Return AES-256 on single blocks, as FF1 wants it (never a mode for data)."""
    assert len(key) == 32  # noqa: PLR2004  # AES-256
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # FF1's own use
    return encryptor.update


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochSecrets:
    """The two random keys of an epoch: one permutes its indices, one makes its document tags."""

    index_key: bytes
    tag_key: bytes

    def permutation(self, *, size: int) -> EpochPermutation:
        """Return the epoch's permutation of 0…size-1."""
        return EpochPermutation(aes_blocks(self.index_key), size=size)


def epoch_key_name(epoch: int) -> str:
    """Return the name of an epoch's key file."""
    return f"epoch-{epoch}"


class WrongEpochKeyError(KeyError):
    """The key file is not the epoch's published key: every index would be another person's."""


def epoch_key_check(secret: bytes) -> bytes:
    """Return what the trust list says of an epoch's key file."""
    return sha256(b"passlight epoch key\0" + secret).digest()[:8]


def epoch_secrets(folder: KeyFolder, epoch: int, *, check: bytes | None = None) -> EpochSecrets:
    """Return the keys of an epoch in use; ``check`` is what the trust list says of them.

    Raises:
        FileNotFoundError: when the epoch is not in use: not made yet, or destroyed.
        WrongEpochKeyError: when the file holds another key than the published one.
    """
    secret = folder.read(epoch_key_name(epoch))
    assert len(secret) == EPOCH_KEY_BYTES
    if check is not None and check != epoch_key_check(secret):
        raise WrongEpochKeyError(f"The key file of epoch {epoch} is not the published one.")
    return EpochSecrets(index_key=secret[:32], tag_key=secret[32:])


def published_epoch_secrets(
    trust: TrustList, folder: KeyFolder, *, realm: str, epoch: int
) -> EpochSecrets:
    """Return the keys of an epoch that the trust list names, checked against it.

    Raises:
        FileNotFoundError: when this machine does not hold them.
        KeyError: when the list does not name the epoch, or means another key.
    """
    return epoch_secrets(folder, epoch, check=trust.realms[realm].key_checks[epoch])


def key_name(purpose: Purpose, kid: bytes) -> str:
    """Return the name of the file with a key's private half: phone keys rotate, so by key id."""
    return f"{purpose}-{kid.hex()}" if purpose is Purpose.PHONE else purpose.value


def issuer_for(key: TrustedKey, folder: KeyFolder) -> Issuer:
    """Return the issuer of a published key.

    Raises:
        FileNotFoundError: when this machine does not hold the private half.
        ValueError: when the file holds another key.
    """
    seed = folder.read(key_name(key.purpose, key.kid))
    issuer = Issuer.of_seed(seed, realm=key.realm, purpose=key.purpose, slot_code=key.slot_code)
    if issuer.public_key != key.public_key:
        raise ValueError(f"The key file for {key.kid.hex()} holds another key; restore it.")
    return issuer


def phone_issuer(trust: TrustList, folder: KeyFolder, *, realm: str, now: int) -> Issuer:
    """Return the issuer that signs phone codes at ``now``: only a published key signs.

    Raises:
        LookupError: when no published key signs at this moment.
    """
    key = trust.signing_key(Purpose.PHONE, realm=realm, now=now)
    if key is None:
        raise LookupError("No published phone key signs now; run passlight migrate.")
    return issuer_for(key, folder)


def public_key_for(folder: KeyFolder, purpose: Purpose) -> bytes:
    """Return the public half of a single-key purpose (list, venue, grant).

    Raises:
        FileNotFoundError: when it was never made.
    """
    return signing.public_key_of(folder.read(purpose.value))


def seal_key(folder: KeyFolder, entropy: Entropy | None = None) -> PrivateKey:
    """Return the X25519 key to which doors seal their records; made once when ``entropy`` is given.

    Its public half stands in every signed door document and not in the trust list: a reader of
    before, in a browser's cache or on a box, refuses a whole list with a purpose it does not know.

    Raises:
        FileNotFoundError: when it was never made.
    """
    if entropy is not None:
        return PrivateKey(folder.read_or_make(SEAL_PURPOSE, entropy))
    return PrivateKey(folder.read(SEAL_PURPOSE))
