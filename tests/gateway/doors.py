"""A door of an installation, played by SQL: its document, its device, and what happens at it."""

import json
import uuid
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey

from passlight.core.codes.envelope import seal_envelope
from passlight.core.codes.issuing import Issuer
from passlight.core.codes.layout import Purpose
from passlight.core.kernel.base64url import base64url
from passlight.runtime.clock import SystemEntropy
from passlight.runtime.signing import seal_key
from passlight.simulation.gate_client import GateLog
from tests.gateway.device import Device
from tests.gateway.office import Office

VECTORS = Path(__file__).parents[2] / "vectors" / "verdicts"
POLICIES = json.loads((VECTORS / "answers.json").read_text("utf-8"))["policies"]


def add_user(office: Office) -> int:
    name = uuid.uuid4().hex[:12]
    return int(
        office.sql(
            "INSERT INTO accounts_user (username, password, role, display_name, display_name_en,"
            " badge, second_factor, second_factor_step, lock_reason, created_at)"
            " VALUES (%s, '!', 'hall-manager', '值班人员', 'On duty', %s, '', 0, '', %s)"
            " RETURNING id",
            *(f"u-{name}", name, office.clock.now()),
        )[0][0]
    )


def add_gate(office: Office, venue: str, *, state: str = "active") -> Device:
    """Return a device in service at the east gate, with its grant."""
    device = Device(
        office.clock,
        office.public_url,
        office.realm,
        office.keys.read("grant"),
        "gate",
        handle=str(uuid.uuid4()),
        venues=[venue],
    )
    device.grant = device.make_grant(entrance="east")
    first, second = add_user(office), add_user(office)
    office.sql(
        "INSERT INTO gates_device (id, venue_id, entrance, name, state, thumbprint, software,"
        " invited_by_id, confirmed_by_id, misread, enrolled_at, reason, wipe_order)"
        " VALUES (%s, %s, 'east', '东门1号', %s, %s, '', %s, %s, 0, %s, '', '')",
        *(device.handle, venue, state, device.thumbprint, first, second, office.clock.now()),
    )
    return device


def seal_of(office: Office) -> PrivateKey:
    return seal_key(office.keys, SystemEntropy())


def log_of(office: Office, device: Device, *, boot: int = 1) -> GateLog:
    return GateLog(device=device.handle, boot=boot, key=seal_of(office).public_key)


def door_json(office: Office, venue: str, **changes: Any) -> dict[str, Any]:
    now = office.clock.now()
    return {
        "format": 1,
        "realm": office.realm,
        "venue": venue,
        "entrance": "east",
        "zone": "",
        "venue_name": {"zh": "示例大厅", "en": "Example hall"},
        "entrance_name": {"zh": "东门", "en": "East gate"},
        "hall": None,
        "plan": "test",
        "plan_version": "1",
        "policies": [POLICIES["visitor"]],
        "offset": 480,
        "emergency": False,
        "one_of": "either",
        "one_of_minutes": 30,
        "standing_places": None,
        "made_at": now.isoformat(),
        "effective_until": (now + timedelta(days=7)).isoformat(),
        "seal": base64url(bytes(seal_of(office).public_key)),
        **changes,
    }


def publish_door(office: Office, venue: str, *, version: int = 1, **changes: Any) -> bytes:
    """Publish a door document as the office does; return the signed document."""
    form = door_json(office, venue, **changes)
    signer = Issuer.of_seed(
        office.keys.read("list"), realm=office.realm, purpose=Purpose.LIST, slot_code=0
    )
    document = seal_envelope(json.dumps(form).encode(), kind="door", signer=signer)
    office.sql(
        "INSERT INTO gates_door (venue_id, entrance, version, digest, document, made_at, until)"
        " VALUES (%s, 'east', %s, '', %s, %s, %s)",
        *(venue, version, document, office.clock.now(), office.clock.now() + timedelta(days=7)),
    )
    office.sql("NOTIFY passlight_doors")
    return document


def entry(office: Office, venue: str, **changes: Any) -> dict[str, Any]:
    """Return an entry record's JSON, written by hand from the contract."""
    at = office.clock.now().astimezone(UTC).replace(microsecond=0)
    return {
        "kind": "admit",
        "role": "visitor",
        "answer": "green",
        "reason": "status",
        "requirement": "",
        "findings": [],
        "venue": venue,
        "entrance": "east",
        "zone": "",
        "occurred_at": at.isoformat(),
        "policy": "test@1/service-hall/visitor",
        "who": None,
        "asked": {"state": "asked", "answers": {"symptoms": False}},
        "measured": {"state": "measured", "tenths": 365, "thermometer": "t-1"},
        "registered": {"how": "code", "reference": ""},
        "mask": "worn",
        "guard": "",
        "companions": 0,
        "offline": False,
        "feed_as_of": None,
        "clock": "sure",
        "lease": "",
        "visit": str(uuid.uuid4()),
        **changes,
    }
