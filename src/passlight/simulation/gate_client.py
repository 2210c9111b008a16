"""A gate in Python, without its devices: let in, granted, and speaking to office and gateway.

Tests and simulations use it where only the server's side of a gate matters; the real door is
``passlight.gate``. ``GateLog`` seals and chains records as a gate's spool does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from nacl.public import PublicKey, SealedBox

from passlight.core.kernel.base64url import base64url
from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.hash_chain import GENESIS, link
from passlight.office.accounts.models import User
from passlight.office.gates.enrolment import confirm, initialize, invite
from passlight.office.gates.models import GateDevice
from passlight.office.gates.service import RECEIPT_KIND, sign_grant
from passlight.office.venues.models import Entrance
from passlight.runtime.device_key import DeviceKey
from passlight.simulation.device import RefusedError


def let_in(
    entrance: Entrance,
    key: DeviceKey,
    *,
    first: User,
    second: User,
    clock: Clock,
    entropy: Entropy,
    name: str = "哨兵",
) -> tuple[GateDevice, str]:
    """Return a device that two users have let in, and its grant; for code beside the office.

    Raises:
        ProblemError: as enrolment does, for one user twice.
    """
    made = invite(entrance, name=name, actor=first, clock=clock, entropy=entropy)
    welcome = initialize(made.token, key.jwk, software="simulated", clock=clock, entropy=entropy)
    device = confirm(
        welcome.device.pk, welcome.fingerprint, actor=second, clock=clock, entropy=entropy
    )
    return device, sign_grant(device, clock=clock, entropy=entropy).token


class GateClient:
    """One gate's requests, each with a fresh proof of its key."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        url: str,
        key: DeviceKey,
        clock: Clock,
        entropy: Entropy,
        device: UUID | str,
        venue: UUID | str,
        entrance: str,
        grant: str = "",
    ) -> None:
        """Take the client to send with; ``url`` is the public address that proofs name."""
        self.device = str(device)
        self.grant = grant
        self.place = {"venue": str(venue), "entrance": entrance}
        self.key = key
        self._http = http
        self._url = url.rstrip("/")
        self._clock = clock
        self._entropy = entropy

    def renew(self) -> dict[str, Any]:
        """Get a grant by the key alone.

        Raises:
            RefusedError: pending, revoked, wiped, or ordered to wipe.
        """
        answer = self.ask("POST", "/gates/grant", {"device": self.device}, granted=False)
        self.grant = str(answer["grant"])
        return answer

    def door(self) -> dict[str, Any]:
        """Return the signed door document."""
        return self.ask("GET", "/v1/door", query=self.place)

    def statuses(self, epoch: int, since: int = 0) -> dict[str, Any]:
        """Return a signed message of the status feed."""
        query = {"epoch": str(epoch), "since": str(since)}
        return self.ask("GET", "/v1/door/statuses", query=query)

    def send(
        self, boot: int, records: Sequence[dict[str, Any]], *, report: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Upload records of one boot."""
        body: dict[str, Any] = {"device": self.device, "boot": boot, "records": list(records)}
        if report is not None:
            body["report"] = report
        return self.ask("POST", "/v1/door/records", body)

    def verify(self, interaction: str, **given: Any) -> dict[str, Any]:
        """Return the gateway's answer to a code or a subject, with a verdict when presented."""
        body = {**self.place, "interaction": interaction, **given}
        return self.ask("POST", "/v1/verifications", body)

    def look_up(self, kind: str, number: str) -> str:
        """Return the sealed subject of a document."""
        shown = {"type": kind, "number": number}
        return str(self.ask("POST", "/gates/document", shown)["subject_token"])

    def receipt(self, order: str, *, left: int = 0) -> str:
        """Return the signed word that this device has wiped itself."""
        claims = {"device": self.device, "order": order, "left": left}
        return self.key.statement(
            RECEIPT_KIND, {**claims, "wiped_at": int(self._clock.now().timestamp())}
        )

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        granted: bool = True,
    ) -> dict[str, Any]:
        """Return the answer to one request.

        Raises:
            RefusedError: when it is not a success.
        """
        grant = self.grant if granted else None
        proof = self.key.proof(
            method=method,
            url=f"{self._url}{path}",
            grant=grant,
            now=self._clock.now().timestamp(),
            jti=self._entropy.token(16).hex(),
        )
        headers = {"DPoP": proof}
        if grant is not None:
            headers["Authorization"] = f"DPoP {grant}"
        reply = self._http.request(method, path, json=body, params=query, headers=headers)
        answer: dict[str, Any] = reply.json()
        if not reply.is_success:
            raise RefusedError(reply.status_code, str(answer.get("error", "")), answer)
        return answer


@dataclass(slots=True, kw_only=True)
class GateLog:
    """The records of one boot, sealed and chained; ``tip`` joins on to the boot before."""

    device: str
    boot: int
    key: PublicKey
    tip: bytes = GENESIS
    seq: int = 0
    made: list[dict[str, Any]] = field(default_factory=list)

    def add(self, entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return the next record as it is sent; ``changes`` spoil what stands inside the seal."""
        self.seq += 1
        inside = {**entry, "device": self.device, "boot": self.boot, "seq": self.seq, **changes}
        content = json.dumps(inside, ensure_ascii=False).encode()
        sealed = bytes(SealedBox(self.key).encrypt(content))
        before, self.tip = self.tip, link(self.tip, sealed)
        record = {
            "seq": self.seq,
            "sealed": base64url(sealed),
            "hash": self.tip.hex(),
            "prev": before.hex(),
        }
        self.made.append(record)
        return record

    def copy(self) -> "GateLog":
        """Return the log of a copied disk: the same past, a future of its own."""
        return GateLog(
            device=self.device,
            boot=self.boot,
            key=self.key,
            tip=self.tip,
            seq=self.seq,
            made=list(self.made),
        )
