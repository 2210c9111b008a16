"""The door: one visitor at a time, decided from what it holds, recorded before it opens.

Nothing here waits for the network except the look-up of an identity document, 250 ms at most.
Whatever is missing (clock, rules, list, disk, thermometer, server) makes the outcome stricter:
an error is never a colour, and nobody is admitted whose record is not on the disk.
"""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from passlight.core.entry.decide import EMERGENCY, Verdict
from passlight.core.entry.door_document import DoorDocument
from passlight.core.entry.presented import Presented, Room
from passlight.core.entry.record import EntryKind
from passlight.core.entry.roles import role_for
from passlight.core.kernel.entropy import Entropy
from passlight.core.kernel.limits import ENTRY_COMPANIONS_MAX
from passlight.core.rules.admission import Outcome
from passlight.core.verification.answer import DoorAnswer
from passlight.core.verification.inputs import VerificationPolicy
from passlight.core.verification.verify import verify
from passlight.gate.asking import arrived, look_up, measured
from passlight.gate.decision import (
    EMERGENCY_CARE,
    LEFT,
    NOBODY,
    NOTHING_OBSERVED,
    Decision,
    DocumentLookup,
    DoorStatus,
    Finding,
    Inability,
    Observations,
    ask_a_person,
)
from passlight.gate.desk import (
    Case,
    Guardian,
    finding_of,
    guardian_of,
    judge,
    looked,
    minor_of,
    needs_eyes,
    presented_of,
    same_code,
    signs_of,
    slip_of,
)
from passlight.gate.knowledge import Knowledge
from passlight.gate.ledger import Ledger
from passlight.gate.memory import DoorMemory, SkewWatch
from passlight.gate.ports import Barrier, Scan, ShownDocument, Thermometer
from passlight.gate.recording import findings_of, kind_of, record_of
from passlight.gate.spool import Spool
from passlight.gate.timekeeping import TimeKeeper

BARRIER_SECONDS: Final = 1.0
# A scanner reads the same picture many times while somebody stands there.
SAME_SECONDS: Final = 8
AGAIN_SECONDS: Final = 2
# So long after it was read, a guard's key still belongs to the visitor in front of the door.
OPEN_SECONDS: Final = 30


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
        self._case: Case | None = None
        self._left: tuple[str, Decision] | None = None
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
            case = self._waiting_case()
            if case is None or case.decision.verdict.outcome is not Outcome.ASK:
                return None
            return await self._looked_at(case, guard=guard)

    async def vouch(self, *, guard: str) -> Decision | None:
        """Let in after asking: the guard looked at the person and their document, too.

        What no look can settle (a colour, an old test, a fever, a full hall) stays as it is.
        """
        async with self._turn:
            case = self._waiting_case()
            if case is None or case.decision.verdict.outcome is not Outcome.ASK or not guard:
                return None
            return await self._looked_at(case, guard=guard, vouched=True)

    async def accompany(self, *, guard: str) -> Decision | None:
        """Take a minor without a code, who came with the guardian let in just now: asked for.

        Nobody is answered for whose guardian was not admitted by a code or document of their own.
        """
        async with self._turn:
            case = self._open_case()
            guardian = guardian_of(case) if case is not None else None
            if guardian is None or guardian.minors >= ENTRY_COMPANIONS_MAX:
                return None
            guardian = replace(guardian, minors=guardian.minors + 1)
            seen = await measured(self._thermometer, Observations(guard=guard, role="companion"))
            return await self._decide(minor_of(guardian), seen, guardian=guardian)

    async def ask_staff(self, *, guard: str = "") -> Decision:
        """Return the answer to whoever wants a person: one comes."""
        async with self._turn:
            case = self._waiting_case()
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

        At every door: a hall gives no care, and somebody who collapses in it waits for some.
        """
        async with self._turn:
            case = self._waiting_case()
            finding = case.finding if case is not None else NOBODY
            before = case.observations if case is not None else NOTHING_OBSERVED
            seen = replace(before, guard=guard, emergency=True)
            visit = case.visit if case is not None else ""
            return await self._decide(finding, seen, visit=visit)

    async def leave(self, shown: Scan | str | None = None, *, guard: str = "") -> Decision:
        """Record that somebody left, and give their place back; anybody may leave.

        By the guard's key the oldest visit ends; a text that names nobody ends none.
        """
        text = shown.text if isinstance(shown, Scan) else shown or ""
        async with self._turn:
            left, finding, lease = self._left, NOBODY, ""
            if text and left and left[0] == text and self._since(left[1].at) < SAME_SECONDS:
                return replace(left[1], again=True)
            if text:
                finding = slip_of(text) or self._read_code(
                    text, interaction=self._number(), entering=False
                )
            if finding.is_genuine or shown is None:
                lease = self.memory.leave(finding.who, now=self.keeper.monotonic())
            role = self._role(finding, NOTHING_OBSERVED)
            decision = self._decision(LEFT, finding, role=role, lease=lease)
            decision = await self._recorded(
                decision, finding, Observations(guard=guard), kind=EntryKind.EXIT
            )
            self._left = (text, decision)
            return decision

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
        if (again := self._again(text)) is not None:
            return again
        case, at = self._waiting_case(), self.keeper.now()
        interaction = case.interaction if case and case.key == text else self._number()
        finding = slip_of(text)
        if signs_of(text):
            finding = await arrived(self._server(), signs_of(text))
        if finding is None:
            finding = self._read_code(text, interaction=interaction, entering=True)
        if (again := self._again(text, finding)) is not None:
            return again
        # Asked, and shown again: the same visitor. What was not recorded never happened.
        known = case and (case.key == text or same_code(finding, case.finding))
        visit = case.visit if case and known and case.decision.recorded else ""
        seen = await measured(self._thermometer, observations)
        return await self._decide(
            finding, seen, key=text, visit=visit, interaction=interaction, at=at
        )

    async def _document(self, shown: ShownDocument, observations: Observations) -> Decision:
        key = hashlib.sha256(shown.document.canonical).hexdigest()
        if (again := self._again(key)) is not None:
            return again
        finding, seen = await asyncio.gather(
            look_up(self._server(), shown), measured(self._thermometer, observations)
        )
        return await self._decide(finding, seen, key=key)

    def _again(self, key: str, finding: Finding = NOBODY) -> Decision | None:
        """Return what was decided a moment ago of the very same, which is still held out.

        A phone that goes on to its next slot is the same too, as long as it says the same.
        """
        case = self._case
        if case is None:
            return None
        same = same_code(finding, case.finding) and finding.answer is case.finding.answer
        if not same and (case.key != key or not key):
            return None
        wait = SAME_SECONDS if case.decision.admits else AGAIN_SECONDS
        still = self._since(case.decision.at) < wait
        return replace(case.decision, again=True) if still else None

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
        return finding_of(answer)

    def _server(self) -> DocumentLookup | None:
        """Return who answers about documents; nobody, while the time is not sure."""
        return self._lookup if self.keeper.is_sure else None

    async def _looked_at(self, case: Case, *, guard: str, vouched: bool = False) -> Decision:
        """Return the decision once more, after a guard looked."""
        door, role = self.knowledge.door, case.decision.role
        seen = looked(case.observations, door=door, role=role, guard=guard)
        seen = replace(seen, vouched=vouched)
        return await self._decide(
            case.finding,
            seen,
            key=case.key,
            visit=case.visit,
            interaction=case.interaction,
            at=case.at,
            guardian=case.guardian,
        )

    async def _decide(
        self,
        finding: Finding,
        observations: Observations,
        *,
        key: str = "",
        visit: str = "",
        interaction: str = "",
        at: int | None = None,
        guardian: Guardian | None = None,
    ) -> Decision:
        visit, door = visit or self._number(), self.knowledge.door
        why = self._inability()
        if why is None and needs_eyes(finding, observations):
            why = "checked-in"
        if door is None or why is not None:
            decision = await self._unable(why or "no-door", finding, observations, visit=visit)
        else:
            decision = await self._by_policy(
                door, finding, observations, visit=visit, guardian=guardian
            )
        self._case = Case(
            key=key,
            visit=visit,
            interaction=interaction or visit,
            at=decision.at if at is None else at,
            finding=finding,
            observations=observations,
            decision=decision,
            guardian=guardian,
        )
        return decision

    def _inability(self) -> Inability | None:
        """Return why this door cannot decide at all, or None."""
        if self.status.revoked:
            return "revoked"
        return "broken" if self.status.broken else self.knowledge.gap(self.keeper.now())

    async def _by_policy(
        self,
        door: DoorDocument,
        finding: Finding,
        observations: Observations,
        *,
        visit: str,
        guardian: Guardian | None,
    ) -> Decision:
        role = self._role(finding, observations)
        people = 1 + observations.companions
        self.notice_cap()

        def judged(presented: Presented) -> Verdict:
            now = self.keeper.now()
            return judge(door, presented, observations, role=role, guardian=guardian, now=now)

        room = self.memory.room(people, now=self.keeper.monotonic())
        presented = presented_of(finding, observations, room=room)
        verdict = judged(presented)
        lease = ""
        if verdict.outcome is Outcome.ADMIT and self.memory.has_cap:
            taken = self.memory.enter(finding.who, visit, people, now=self.keeper.monotonic())
            lease = visit if taken else ""
            if not lease and verdict.requirement != EMERGENCY and presented.room is Room.FREE:
                presented = replace(presented, room=Room.FULL)
                verdict = judged(presented)
        decision = self._decision(
            verdict, finding, role=role, lease=lease, visit=visit, observations=observations
        )
        # Who comes for care has not begun to work.
        begins = role == "staff" and decision.admits and verdict.requirement != EMERGENCY
        if begins:
            self.memory.started(finding.who)
        decision = await self._recorded(
            decision, finding, observations, kind=kind_of(verdict), presented=presented
        )
        if begins and not decision.admits:
            self.memory.not_started(finding.who)
        return decision

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
                presented=presented or presented_of(finding, observations, room=Room.FREE),
                finding=finding,
                observations=observations,
                findings=findings_of(decision.verdict),
            )
            written = await self._ledger.write(
                record,
                seal=seal,
                seen=self.memory.taken_code(finding.checked),
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

    def _open_case(self) -> Case | None:
        """Return who was read last, when that was just now."""
        lately = self._case is not None and self._since(self._case.at) <= OPEN_SECONDS
        return self._case if lately else None

    def _waiting_case(self) -> Case | None:
        """Return who was read just now and still stands there: nobody who was let in."""
        case = self._open_case()
        return None if case is None or case.decision.admits else case

    def _since(self, moment: int) -> int:
        return self.keeper.now() - moment

    def _number(self) -> str:
        return str(UUID(bytes=self._entropy.token(16), version=4))
