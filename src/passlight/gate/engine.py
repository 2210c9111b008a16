"""The door: one visitor at a time, decided from what it holds, recorded before it opens.

Nothing here waits for the network except the look-up of an identity document, 250 ms at most.
Whatever is missing (clock, rules, list, disk, thermometer, server) makes the outcome stricter:
an error is never a colour, and nobody is admitted whose record is not on the disk.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from passlight.core.entry.decide import EMERGENCY, Verdict, decide
from passlight.core.entry.door_document import DoorDocument
from passlight.core.entry.presented import (
    Observed,
    Presented,
    Reading,
    Registered,
    RegisteredBy,
    Room,
)
from passlight.core.entry.record import EntryKind, Who
from passlight.core.entry.roles import role_for
from passlight.core.kernel.entropy import Entropy
from passlight.core.rules.admission import Outcome
from passlight.core.verification.answer import Answer, DoorAnswer
from passlight.core.verification.inputs import VerificationPolicy
from passlight.core.verification.verify import verify
from passlight.gate.decision import (
    EMERGENCY_CARE,
    LEFT,
    NOBODY,
    NOTHING_OBSERVED,
    Decision,
    DocumentLookup,
    Finding,
    Inability,
    Observations,
    ask_a_person,
)
from passlight.gate.knowledge import Knowledge, in_force
from passlight.gate.ledger import Ledger
from passlight.gate.memory import DoorMemory, SkewWatch
from passlight.gate.ports import Barrier, Scan, ShownDocument, Thermometer
from passlight.gate.recording import findings_of, kind_of, record_of
from passlight.gate.spool import Spool
from passlight.gate.timekeeping import TimeKeeper

LOOKUP_SECONDS: Final = 0.25
THERMOMETER_SECONDS: Final = 0.2
BARRIER_SECONDS: Final = 1.0
# A scanner reads the same picture many times while somebody stands there.
SAME_SECONDS: Final = 8
AGAIN_SECONDS: Final = 2
# So long after it was read, a guard's key still belongs to the visitor in front of the door.
OPEN_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The visitor in front of the door: what was shown, found and decided."""

    key: str
    visit: str
    at: int
    finding: Finding
    observations: Observations
    decision: Decision


@dataclass(slots=True, kw_only=True)
class DoorStatus:
    """What other parts tell the door, and it tells its screen; plain values, set at any time."""

    online: Callable[[], bool]
    revoked: bool = False
    broken: bool = False


class Door:
    """One door's decisions; one at a time, in the order in which people come."""

    def __init__(
        self,
        *,
        device: str,
        knowledge: Knowledge,
        keeper: TimeKeeper,
        spool: Spool,
        memory: DoorMemory,
        status: DoorStatus,
        entropy: Entropy,
        lookup: DocumentLookup | None = None,
        thermometer: Thermometer | None = None,
        barrier: Barrier | None = None,
        barrier_seconds: float = 5.0,
    ) -> None:
        self.knowledge = knowledge
        self.keeper = keeper
        self.spool = spool
        self.memory = memory
        self.status = status
        self._entropy = entropy
        self._lookup = lookup
        self._thermometer = thermometer
        self._barrier = barrier
        self._barrier_seconds = barrier_seconds
        self._turn = asyncio.Lock()
        self._ledger = Ledger(spool, device=device)
        self._case: _Case | None = None
        self._skew = SkewWatch()

    def close(self) -> None:
        """Finish what is being written."""
        self._ledger.close()

    def notice_cap(self) -> bool:
        """Return whether the places behind this door are counted, by its newest document."""
        door = self.knowledge.door
        self.memory.has_cap = door is not None and door.standing_places is not None
        return self.memory.has_cap

    async def present(
        self, shown: Scan | ShownDocument | str, observations: Observations = NOTHING_OBSERVED
    ) -> Decision:
        """Return what the door does with whoever shows this code or document."""
        async with self._turn:
            if isinstance(shown, ShownDocument):
                return await self._document(shown, observations)
            text = shown.text if isinstance(shown, Scan) else shown
            return await self._code(text, observations)

    async def observe(self, *, guard: str) -> Decision | None:
        """Take the guard's key: mask worn, questions asked, no alarming answer.

        It belongs to the visitor who was last asked for; without one nothing happens.
        """
        async with self._turn:
            case = self._open_case()
            if case is None or case.decision.verdict.outcome is not Outcome.ASK:
                return None
            door = self.knowledge.door
            asked = door.policy(case.decision.role).questions if door is not None else ()
            seen = replace(
                case.observations,
                mask=Observed.YES,
                questions={question.id: not question.alarming for question in asked} or None,
                guard=guard,
            )
            return await self._decide(case.key, case.finding, seen, visit=case.visit)

    async def ask_staff(self, *, guard: str = "") -> Decision:
        """Return the answer to whoever wants a person: one comes."""
        async with self._turn:
            case = self._open_case()
            finding = case.finding if case is not None else NOBODY
            seen = Observations(guard=guard)
            return await self._unable("wanted", finding, seen, visit=self._number())

    async def report(self, reason: str) -> Decision:
        """Record that something is wrong with this door itself; nobody is in front of it."""
        async with self._turn:
            finding = Finding(answer=DoorAnswer.UNDETERMINED, reason=reason)
            decision = self._decision(ask_a_person("broken"), finding, role="visitor")
            return await self._recorded(decision, finding, NOTHING_OBSERVED, kind=EntryKind.REPORT)

    async def emergency(self, *, guard: str) -> Decision:
        """Admit for emergency care, which is never refused; what was found is kept.

        Where no care is given, somebody comes instead.
        """
        door = self.knowledge.door
        if door is not None and not door.emergency:
            return await self.ask_staff(guard=guard)
        async with self._turn:
            case = self._open_case()
            finding = case.finding if case is not None else NOBODY
            before = case.observations if case is not None else NOTHING_OBSERVED
            seen = replace(before, guard=guard, emergency=True)
            visit = case.visit if case is not None else self._number()
            return await self._decide("", finding, seen, visit=visit)

    async def leave(self, shown: Scan | str | None = None, *, guard: str = "") -> Decision:
        """Record that somebody left, and give their place back; anybody may leave."""
        async with self._turn:
            finding = NOBODY
            if shown is not None:
                text = shown.text if isinstance(shown, Scan) else shown
                finding = self._read_code(text, interaction=self._number(), entering=False)
            lease = self.memory.leave(finding.who, now=self.keeper.monotonic())
            role = self._role(finding, NOTHING_OBSERVED)
            decision = self._decision(LEFT, finding, role=role, lease=lease)
            return await self._recorded(
                decision, finding, Observations(guard=guard), kind=EntryKind.EXIT
            )

    async def let_in(self, decision: Decision) -> bool | None:
        """Open for whom a decision admits, once; returns whether it opened, None without a barrier.

        Never for an admission whose record is not on the disk, emergency care excepted.
        """
        known = decision.recorded or not decision.needs_record
        if self._barrier is None or decision.again or not decision.admits or not known:
            return None
        opened = False
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(BARRIER_SECONDS):
                opened = await self._barrier.open(self._barrier_seconds)
        return opened

    # One visitor.

    async def _code(self, text: str, observations: Observations) -> Decision:
        case = self._open_case()
        same = case is not None and case.key == text
        if case is not None and same:
            wait = SAME_SECONDS if case.decision.admits else AGAIN_SECONDS
            if self.keeper.now() - case.at < wait:
                return replace(case.decision, again=True)
        # Asked, and shown again: the same visitor, looked at anew.
        visit = case.visit if case is not None and same else self._number()
        finding = self._read_code(text, interaction=visit, entering=True)
        seen = await self._measured(observations)
        return await self._decide(text, finding, seen, visit=visit)

    async def _document(self, shown: ShownDocument, observations: Observations) -> Decision:
        finding, seen = await asyncio.gather(self._look_up(shown), self._measured(observations))
        return await self._decide("", finding, seen, visit=self._number())

    def _read_code(self, text: str, *, interaction: str, entering: bool) -> Finding:
        """Return what a text says, by the signed knowledge held here."""
        trust, now = self.knowledge.trust, self.keeper.now()
        if trust is None:
            return Finding(answer=DoorAnswer.UNDETERMINED, reason="trust-stale")
        answer = verify(
            text,
            now=now,
            trust=trust,
            source=self.knowledge.source(now),
            policy=VerificationPolicy(
                freshness_seconds=self.knowledge.freshness_seconds, admission_point=entering
            ),
            replay=self.memory.replay,
            clock=self.keeper.state(),
            interaction=interaction,
        )
        if self._skew.is_off(answer, text, now=now):
            self.keeper.doubt()
            answer = replace(answer, answer=DoorAnswer.UNDETERMINED, reason="clock-unsure")
        return _finding(answer)

    async def _look_up(self, shown: ShownDocument) -> Finding:
        """Return what the server says of a document within 250 ms; otherwise nothing is known."""
        unknown = Finding(answer=DoorAnswer.UNDETERMINED, reason="no-connection", by_document=True)
        if self._lookup is None or not self.keeper.is_sure:
            return unknown
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                looked = await self._lookup.look_up(shown.document)
        except (TimeoutError, OSError, ValueError):
            return unknown
        if looked is None:
            return unknown
        return Finding(
            answer=looked.answer,
            reason=looked.reason,
            sampled_from=looked.sampled_from,
            who=Who(lookup=looked.lookup) if looked.lookup else None,
            by_document=True,
        )

    async def _measured(self, observations: Observations) -> Observations:
        """Return the observations with the temperature; a dead thermometer has seen nothing."""
        if self._thermometer is None or observations.temperature is not None:
            return observations
        try:
            async with asyncio.timeout(THERMOMETER_SECONDS):
                taken = await self._thermometer.read()
            if taken is None:
                return observations
            reading = Reading(tenths=taken.tenths, thermometer=taken.thermometer)
        except (TimeoutError, OSError, ValueError):
            return observations
        return replace(observations, temperature=reading)

    async def _decide(
        self, key: str, finding: Finding, observations: Observations, *, visit: str
    ) -> Decision:
        door = self.knowledge.door
        why = self._inability(door)
        if door is None or why is not None:
            decision = await self._unable(why or "no-door", finding, observations, visit=visit)
        else:
            decision = await self._by_policy(door, finding, observations, visit=visit)
        self._case = _Case(
            key=key,
            visit=visit,
            at=decision.at,
            finding=finding,
            observations=observations,
            decision=decision,
        )
        return decision

    def _inability(self, door: DoorDocument | None) -> Inability | None:
        """Return why this door cannot decide at all, or None."""
        if self.status.revoked:
            return "revoked"
        if self.status.broken:
            return "broken"
        if door is None:
            return "no-door"
        if self.knowledge.seal is None:
            return "no-seal"
        return None if in_force(door, self.keeper.now()) else "door-old"

    async def _by_policy(
        self, door: DoorDocument, finding: Finding, observations: Observations, *, visit: str
    ) -> Decision:
        role = self._role(finding, observations)
        policy = door.policy(role)
        people = 1 + observations.companions
        self.notice_cap()
        presented = _presented(finding, observations, room=self._room(people))
        verdict = decide(policy, presented, now=self.keeper.now(), offset=door.offset)
        lease = ""
        if verdict.outcome is Outcome.ADMIT and self.memory.has_cap:
            lease = self._take_place(finding, visit, people)
            if not lease and verdict.requirement != EMERGENCY and presented.room is Room.FREE:
                presented = replace(presented, room=Room.FULL)
                verdict = decide(policy, presented, now=self.keeper.now(), offset=door.offset)
        decision = self._decision(
            verdict, finding, role=role, lease=lease, visit=visit, observations=observations
        )
        if decision.admits and role == "staff":
            self.memory.started(finding.who)
        return await self._recorded(
            decision, finding, observations, kind=kind_of(verdict), presented=presented
        )

    async def _unable(
        self, why: Inability, finding: Finding, observations: Observations, *, visit: str
    ) -> Decision:
        """Return that a person must be asked, and record it when that is possible."""
        role = self._role(finding, observations)
        verdict = EMERGENCY_CARE if observations.emergency else ask_a_person(why)
        decision = self._decision(
            verdict, finding, role=role, visit=visit, observations=observations
        )
        return await self._recorded(decision, finding, observations, kind=kind_of(verdict))

    # Parts of a decision.

    def _role(self, finding: Finding, observations: Observations) -> str:
        who, door = finding.who, self.knowledge.door
        if who is None or who.epoch is None or who.index is None or door is None:
            return role_for(staff=False, started_today=False, claimed=observations.role)
        feed, venue = self.knowledge.feed(who.epoch), str(door.venue)
        staff = feed is not None and feed.is_staff(venue, who.index)
        begun = feed is not None and feed.has_started(venue, who.index)
        return role_for(
            staff=staff,
            started_today=begun or self.memory.has_started(who),
            claimed=observations.role,
        )

    def _room(self, people: int) -> Room:
        return self.memory.room(people, now=self.keeper.monotonic())

    def _take_place(self, finding: Finding, visit: str, people: int) -> str:
        """Return the lease of a place, or nothing when there is none."""
        taken = self.memory.enter(finding.who, visit, people, now=self.keeper.monotonic())
        return visit if taken else ""

    def _decision(
        self,
        verdict: Verdict,
        finding: Finding,
        *,
        role: str,
        visit: str = "",
        lease: str = "",
        observations: Observations = NOTHING_OBSERVED,
    ) -> Decision:
        reading = observations.temperature
        return Decision(
            verdict=verdict,
            answer=finding.answer,
            reason=finding.reason,
            role=role,
            visit=visit or self._number(),
            lease=lease,
            offline=not self.status.online(),
            as_of=self.knowledge.as_of,
            clock_sure=self.keeper.is_sure,
            recorded=False,
            at=self.keeper.now(),
            temperature=reading.tenths if reading is not None else None,
        )

    async def _recorded(
        self,
        decision: Decision,
        finding: Finding,
        observations: Observations,
        *,
        kind: EntryKind,
        presented: Presented | None = None,
    ) -> Decision:
        """Make the record durable; without a record nobody is admitted."""
        door, seal = self.knowledge.door, self.knowledge.seal
        if door is not None and seal is not None:
            record = record_of(
                decision,
                kind=kind,
                door=door,
                policy=door.policy(decision.role),
                presented=presented or _presented(finding, observations, room=Room.FREE),
                finding=finding,
                observations=observations,
                findings=findings_of(decision.verdict),
            )
            written = await self._ledger.write(
                record,
                seal=seal,
                seen=self.memory.sight_of(finding.checked),
                keep=self.memory.kept(now=self.keeper.monotonic()),
            )
            decision = replace(decision, recorded=written)
        if not decision.recorded:
            decision = self._without_record(decision)
        return decision

    def _without_record(self, decision: Decision) -> Decision:
        """Return the decision of a door that could not write: to admit becomes to ask."""
        if decision.lease:
            self.memory.undo(decision.lease, now=self.keeper.monotonic())
        if not decision.needs_record or not decision.admits:
            return replace(decision, lease="")
        return replace(decision, verdict=ask_a_person("no-record"), lease="")

    def _open_case(self) -> _Case | None:
        case = self._case
        return case if case and self.keeper.now() - case.at <= OPEN_SECONDS else None

    def _number(self) -> str:
        return str(UUID(bytes=self._entropy.token(16), version=4))


def _finding(answer: Answer) -> Finding:
    who = None
    if answer.body is not None and answer.epoch is not None and answer.realm is not None:
        who = Who(realm=answer.realm, epoch=answer.epoch, index=answer.body.index)
    return Finding(
        answer=answer.answer,
        reason=answer.reason,
        sampled_from=answer.sampled_from,
        who=who,
        checked=answer,
    )


def _presented(finding: Finding, observations: Observations, *, room: Room) -> Presented:
    how = RegisteredBy.NONE
    if finding.who is not None:
        how = RegisteredBy.DOCUMENT if finding.by_document else RegisteredBy.CODE
    return Presented(
        answer=finding.answer,
        reason=finding.reason,
        sampled_from=finding.sampled_from,
        temperature=observations.temperature,
        mask=observations.mask,
        questions=observations.questions,
        registered=Registered(how=how),
        room=room,
        emergency=observations.emergency,
    )
