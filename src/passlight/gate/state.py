"""The door's state folder: its key, who enrolled it, its grant, its boots; one process a folder.

The folder holds no resident and no colour of a person: knowledge is signed indices of the day,
records are sealed to the server.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.problem import Problem, ProblemError
from passlight.gate import knowledge, spool
from passlight.gate.files import StateFolder
from passlight.gate.timekeeping import StoredTime
from passlight.runtime.device_key import SECRET_LENGTH, DeviceKey

KEY: Final = "device.key"
IDENTITY: Final = "identity.json"
GRANT: Final = "grant.json"
BOOT: Final = "boot.json"
TIME: Final = "time.json"
WIPED: Final = "wiped.json"
FORKED: Final = "forked.json"
LOCK: Final = "lock"
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
# When the count of boots is lost, the next is far above any before: a number is never used twice.
BOOT_LEAP: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What enrolment gave: this device's name, its realm, and who signs there."""

    device: str
    realm: str
    roots: tuple[bytes, ...]
    fingerprint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "device": self.device,
            "realm": self.realm,
            "roots": [root.hex() for root in self.roots],
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Self:
        """Return what was stored.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            device=str(value["device"]),
            realm=str(value["realm"]),
            roots=tuple(bytes.fromhex(root) for root in value["roots"]),
            fingerprint=str(value["fingerprint"]),
        )


class DoorState:
    """The state folder, held by this process alone."""

    def __init__(self, path: Path, *, set_aside: Callable[[str], None] = lambda _: None) -> None:
        self.torn: list[str] = []
        self._tell = set_aside
        self.folder = StateFolder(path, set_aside=self._note)
        self._lock = (path / LOCK).open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise _busy(path) from None

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.close()

    def key(self, entropy: Entropy) -> DeviceKey:
        """Return the device's key, made on first use; a torn one is a new device."""
        return DeviceKey(self._secret(entropy))

    def memory_secret(self, entropy: Entropy) -> bytes:
        """Return the secret under which this door names people to itself."""
        return hashlib.sha256(b"passlight door memory\0" + self._secret(entropy)).digest()

    @property
    def identity(self) -> Identity | None:
        """Return who this device is; None before enrolment."""
        value = self.folder.read_json(IDENTITY)
        try:
            return Identity.of_json(value) if value is not None else None
        except (KeyError, TypeError, ValueError):
            self.folder.put_aside(IDENTITY)
            return None

    def enrol(self, identity: Identity) -> None:
        """Keep who this device is; a former grant, wipe or fork are another device's."""
        for name in (GRANT, WIPED, FORKED):
            self.folder.erase(name)
        self.folder.write_json(IDENTITY, identity.to_json())

    @property
    def grant(self) -> str:
        """Return the grant, or nothing."""
        return str((self.folder.read_json(GRANT) or {}).get("grant", ""))

    def keep_grant(self, grant: str) -> None:
        """Keep a new grant; the empty one when the gateway takes the former no longer.

        Only a new one puts a device back into service that the office had stopped.
        """
        stopped = {"stopped": True} if not grant and self.is_stopped else {}
        self.folder.write_json(GRANT, {"grant": grant, **stopped})

    @property
    def is_stopped(self) -> bool:
        """Return whether the office revoked this device; that stays through a restart."""
        return bool((self.folder.read_json(GRANT) or {}).get("stopped", False))

    def stop(self, grant: str = "") -> None:
        """Keep that the office put this device out of service; ``grant`` is for its last upload."""
        self.folder.write_json(GRANT, {"grant": grant, "stopped": True})

    @property
    def is_forked(self) -> bool:
        """Return whether another device sends under this one's name; a torn note says so, too."""
        return (self.folder.path / FORKED).exists()

    def fork(self) -> None:
        """Keep that there are two of this device; only enrolling it anew ends that."""
        if not self.is_forked:
            self.folder.write_json(FORKED, {"forked": True})

    def next_boot(self) -> int:
        """Return the number of this start, which no start before had."""
        value = self.folder.read_json(BOOT)
        records = self.folder.path / spool.FILE
        known = spool.last_boot(records)
        stored = int(value["boot"]) if value is not None else 0
        boot = max(stored, known) + 1
        if value is None and (BOOT in self.torn or records.exists()):
            boot = (known // BOOT_LEAP + 1) * BOOT_LEAP
        self.folder.write_json(BOOT, {"boot": boot})
        return boot

    @property
    def time(self) -> StoredTime:
        """Return what is known of the time from before this start."""
        value = self.folder.read_json(TIME)
        try:
            return StoredTime.of_json(value) if value is not None else StoredTime()
        except (KeyError, TypeError, ValueError):
            self.folder.put_aside(TIME)
            return StoredTime()

    def keep_time(self, time: StoredTime) -> None:
        """Keep what is known of the time for the next start."""
        self.folder.write_json(TIME, time.to_json())

    @property
    def is_wiped(self) -> bool:
        """Return whether the server had this door wiped."""
        return self.folder.read_json(WIPED) is not None

    def wipe(self, receipt: dict[str, Any]) -> None:
        """Destroy keys, knowledge and records; what stays is that it was done."""
        self.folder.write_json(WIPED, receipt)
        erased = {KEY, IDENTITY, GRANT, TIME, FORKED, *KNOWLEDGE_FILES}
        for path in sorted(self.folder.path.iterdir()):
            torn = ".torn-" in path.name
            if path.name in erased or torn or path.name.startswith((spool.FILE, ".")):
                self.folder.erase(path.name)

    def _secret(self, entropy: Entropy) -> bytes:
        secret = self.folder.read(KEY)
        if secret is None or len(secret) != SECRET_LENGTH:
            secret = entropy.token(SECRET_LENGTH)
            self.folder.write(KEY, secret)
        return secret

    def _note(self, name: str) -> None:
        self.torn.append(name)
        self._tell(name)


KNOWLEDGE_FILES: Final = (knowledge.TRUST, knowledge.DOOR, knowledge.FEEDS, knowledge.FLOORS)


def machine_boot() -> str:
    """Return the id of this start of the machine; empty where the system has none."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def software() -> str:
    """Return what this door runs, as it tells the office."""
    return f"passlight-gate {os.uname().machine}"


def _busy(path: Path) -> ProblemError:
    return ProblemError(
        Problem(
            code="gate.state-busy",
            message=f"{path} is in use by another door on this machine.",
            remedy="Stop that one, or write another folder into [state].",
            params={"folder": str(path)},
        )
    )
