"""Reads of the keyring."""

from passlight.core.codes.layout import Purpose
from passlight.core.codes.trust import TrustList, open_trust_list
from passlight.office.keyring.models import TrustListVersion
from passlight.runtime.keys import KeyFolder
from passlight.runtime.signing import public_key_for


def latest_document() -> bytes | None:
    """Return the newest signed trust list, or None before the first."""
    row = TrustListVersion.objects.order_by("-version").values_list("document", flat=True).first()
    return None if row is None else bytes(row)


def latest_trust_list(*, realm: str, folder: KeyFolder) -> TrustList | None:
    """Return the newest trust list, its signature checked against this installation's key."""
    document = latest_document()
    if document is None:
        return None
    root = public_key_for(folder, Purpose.LIST)
    return open_trust_list(document, realm=realm, roots=[root])
