"""The gateway's keys: the office's signed trust list, and the private halves it may use."""

from nacl.public import PrivateKey

from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.codes.permutation import EpochPermutation
from passlight.core.codes.trust import TrustedKey, TrustList, open_trust_list
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import issuer_for, public_key_for, published_epoch_secrets, seal_key

EPOCHS_KEPT = 16


class NoKeyError(LookupError):
    """This gateway has no key for what is asked: no trust list yet, or the epoch's is gone."""


class CodeKeys:
    """Signs codes and finds people behind indices, as far as the trust list allows."""

    def __init__(self, folder: KeyFolder, *, realm: str) -> None:
        self.realm = realm
        self.trust: TrustList | None = None
        self.document = b""
        self._folder = folder
        self._issuers: dict[bytes, Issuer] = {}
        self._permutations: dict[int, EpochPermutation] = {}
        self._seal: PrivateKey | None = None

    def take(self, document: bytes) -> None:
        """Use a new trust list.

        Raises:
            ProblemError: it is refused as a whole; the former one stays in use.
        """
        least = self.trust.sequence if self.trust else 0
        roots = [public_key_for(self._folder, Purpose.LIST)]
        self.trust = open_trust_list(document, realm=self.realm, roots=roots, sequence_min=least)
        self.document = document
        self._permutations.clear()  # the list says how many indices an epoch has

    @property
    def offset(self) -> int:
        """Return the realm's fixed UTC offset in minutes.

        Raises:
            NoKeyError: when there is no trust list yet.
        """
        return self._trust().realms[self.realm].offset

    def issuer(self, now: int) -> tuple[Issuer, TrustedKey]:
        """Return the issuer that signs phone codes now, and its published key.

        Raises:
            NoKeyError: when no published key signs at this moment, or its file is not here.
        """
        key = self._trust().signing_key(Purpose.PHONE, realm=self.realm, now=now)
        if key is None:
            raise NoKeyError("no phone key signs now")
        issuer = self._issuers.get(key.kid)
        if issuer is None:
            try:
                issuer = issuer_for(key, self._folder)
            except FileNotFoundError:
                raise NoKeyError("the phone key is not on this machine") from None
            self._issuers[key.kid] = issuer
        return issuer, key

    def list_issuer(self) -> Issuer:
        """Return the issuer of what doors are told: the realm's key of purpose list.

        Raises:
            NoKeyError: when the trust list names none, or its file is not here.
        """
        now_known = self._trust().of_purpose(Purpose.LIST, realm=self.realm)
        for key in reversed(now_known):
            issuer = self._issuers.get(key.kid)
            if issuer is None:
                try:
                    issuer = issuer_for(key, self._folder)
                except (FileNotFoundError, ValueError):
                    continue
                self._issuers[key.kid] = issuer
            return issuer
        raise NoKeyError("the list key is not on this machine")

    def seal_key(self) -> PrivateKey:
        """Return the key that opens what doors sealed.

        Raises:
            NoKeyError: when it is not on this machine.
        """
        if self._seal is None:
            try:
                self._seal = seal_key(self._folder)
            except FileNotFoundError:
                raise NoKeyError("the seal key is not on this machine") from None
        return self._seal

    def permutation(self, epoch: int) -> EpochPermutation:
        """Return the epoch's permutation.

        Raises:
            NoKeyError: when the epoch is not in use.
        """
        found = self._permutations.get(epoch)
        if found is None:
            try:
                trust = self._trust()
                # Checked against the list: the wrong day's key would give other people's colours.
                secrets = published_epoch_secrets(
                    trust, self._folder, realm=self.realm, epoch=epoch
                )
                found = secrets.permutation(size=trust.realms[self.realm].sizes[epoch])
            except (FileNotFoundError, KeyError):
                raise NoKeyError(f"epoch {epoch} is not in use") from None
            self._permutations[epoch] = found
            while len(self._permutations) > EPOCHS_KEPT:
                del self._permutations[min(self._permutations)]
        return found

    def grant_keys(self) -> list[bytes]:
        """Return the public keys that sign grants."""
        if self.trust is None:
            return []
        return [key.public_key for key in self.trust.of_purpose(Purpose.GRANT, realm=self.realm)]

    def _trust(self) -> TrustList:
        if self.trust is None:
            raise NoKeyError("no trust list yet")
        return self.trust
