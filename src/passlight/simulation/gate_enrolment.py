"""Lets the demonstration's gate in as any other: a token, its own key, two people. Needs Django.

The three that take part in a hall stand here beside each other; what each of them does is the
office's and the gate's own code. The gate gets its grant by itself when it first runs.
"""

from pathlib import Path

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.gate.state import DoorState, Identity, software
from passlight.office.accounts.models import User
from passlight.office.gates.enrolment import confirm, initialize, invite, welcome
from passlight.office.gates.models import GateDevice
from passlight.office.venues.models import Entrance
from passlight.runtime.device_key import DeviceKey, fingerprint_of

GATE_NAME = "1号数字哨兵"


def enrol_gate(
    entrance: Entrance,
    folder: Path,
    *,
    first: User,
    second: User,
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Enrol the gate of a state folder unless it is; a run that was killed is taken up again.

    Raises:
        ProblemError: a gate runs in that folder, or it is not to be let in.
    """
    state = DoorState(folder)
    try:
        if state.identity is not None:
            return
        key = state.key(entropy)
        device = GateDevice.objects.filter(thumbprint=key.thumbprint).first()
        if device is None:
            device = _begin(entrance, key, actor=first, clock=clock, entropy=entropy)
        told = welcome(device)
        # What the device's own screen shows: computed there, of its key and of who signs.
        digits = fingerprint_of(key.thumbprint, realm=told.realm, roots=told.roots)
        if device.state == "pending":
            confirm(device.pk, digits, actor=second, clock=clock, entropy=entropy)
        state.enrol(
            Identity(device=str(device.pk), realm=told.realm, roots=told.roots, fingerprint=digits)
        )
    finally:
        state.close()


def _begin(
    entrance: Entrance, key: DeviceKey, *, actor: User, clock: Clock, entropy: Entropy
) -> GateDevice:
    made = invite(entrance, name=GATE_NAME, actor=actor, clock=clock, entropy=entropy)
    shown = initialize(made.token, key.jwk, software=software(), clock=clock, entropy=entropy)
    return shown.device
