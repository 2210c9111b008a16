"""Two days at the hall of ``hall_stack``: people come and go, doors decide, staff handle incidents.

What each visitor should meet is worked out here from the traffic's plan and the sentences of the
seeds alone, and never asked of the code under test.
"""

import heapq
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from passlight.core.entry.presented import Observed, Reading
from passlight.core.incidents.steps import Channel, Step
from passlight.gate.decision import NOTHING_OBSERVED, Decision, Observations
from passlight.office.facts.actions import land_facts
from passlight.office.facts.intake import NewFact
from passlight.office.halls.actions import sweep
from passlight.office.incidents import actions, corrections
from passlight.office.incidents.follow import follow_records
from passlight.office.incidents.models import CorrectionRequest, StoredIncident
from passlight.simulation.hall_traffic import ZONE, Arrival, Guest, Presents, Traffic
from tests.simulation.hall_stack import ENTROPY, HOUR, HallStack

LIMIT_TENTHS = 373  # the pack's setting: 37.3 °C and more
GRID = 600  # a test's age is known to ten minutes, in the resident's favour (PL1 2.7)
UNATTENDED = 2  # the third gate has nobody beside it until it asks
WAIT_SECONDS = 420
TRIES = 8
STEP_MINUTES = 4
POST = len(HallStack.DOORS)


@dataclass
class Outcome:
    """What happened with one arrival in the end, and what should have."""

    arrival: Arrival
    expected: str
    got: str
    tries: int
    inside: tuple[float, float] | None = None


@dataclass
class Days:
    """The run of both days."""

    stack: HallStack
    traffic: Traffic
    cap: int
    outcomes: list[Outcome] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """How many records of each kind the doors were made to write, counted here."""
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _turn: int = 0
    _synced: dict[int, float] = field(default_factory=dict)
    _started: set[tuple[int, str]] = field(default_factory=set)
    _sampled: dict[int, int | None] = field(default_factory=dict)
    _progress: dict[str, int] = field(default_factory=dict)
    _sync_seconds: int = 0
    offline: tuple[int, float, float] | None = None
    """A gate (its place) without network from … to …"""

    def run(self, *, sync_seconds: int, housekeeping_minutes: int) -> None:
        """Let everything happen, in order of time; a door and the office hear that often."""
        self._sync_seconds = sync_seconds
        for arrival in self.traffic.arrivals:
            self._at(arrival.at, lambda a=arrival: self._arrive(a, 1))
        for guest in self.traffic.guests:
            news = {since for since, _ in guest.colours[1:]} | set(guest.sampled)
            for at in sorted(one for one in news if one > self.stack.clock.at):
                self._at(at, lambda g=guest, a=at: self.stack.publish([(g, a)]))
        for day in self.traffic.days:
            opens = datetime.combine(day, datetime.min.time(), ZONE).timestamp() + 7.5 * HOUR
            self._at(opens, self._morning)
            for minutes in range(0, 11 * 60, housekeeping_minutes):
                self._at(opens + 60 * minutes, self._housekeeping)
        while self._queue:
            at, _, what = heapq.heappop(self._queue)
            self.stack.clock.set(at)
            what()
        for _ in range(20):  # what was found last is brought to its end, too
            self.stack.clock.set(self.stack.clock.at + 900)
            self._housekeeping()

    def _at(self, at: float, what: Callable[[], None]) -> None:
        self._turn += 1
        heapq.heappush(self._queue, (at, self._turn, what))

    # Doors.

    def _arrive(self, arrival: Arrival, tries: int) -> None:
        guest = self.traffic.guests[arrival.guest]
        door = POST if arrival.presents is Presents.NOTHING else arrival.door
        self._sync(door)
        expected = self._expected(arrival, guest, masked=tries > 1)
        got, requirement, text, lease = (
            self._at_post(arrival, guest, tries)
            if door == POST
            else self._at_gate(arrival, guest, tries, door)
        )
        now = self.stack.clock.at
        again = requirement in {"full", "mask"} or (got == "ask" and requirement == "unknown")
        if again and arrival.presents is not Presents.NOTHING and tries < TRIES:
            # Full: wait outside. Without a mask: put one on. Not read: come again.
            wait = WAIT_SECONDS if requirement == "full" else 30
            self._at(now + wait, lambda: self._arrive(arrival, tries + 1))
            return
        outcome = Outcome(arrival=arrival, expected=expected, got=got, tries=tries)
        self.outcomes.append(outcome)
        if got == "admit":
            day = datetime.fromtimestamp(now, ZONE).date().isoformat()
            self._started.add((guest.ordinal, day))
            outcome.inside = (now, now + arrival.stays)
            if arrival.scans_out:
                self._at(now + arrival.stays, lambda: self._leave(guest, door, text, lease))

    def _at_gate(
        self, arrival: Arrival, guest: Guest, tries: int, door: int
    ) -> tuple[str, str, str, str]:
        stack, gate = self.stack, self.stack.gates[door]
        text = stack.code_of(guest) if arrival.presents is Presents.CODE else ""
        shown = text or stack.card_of(guest)
        guarded = self._observed(arrival, tries)
        taken = Reading(tenths=arrival.tenths, thermometer=f"gun-{door}")
        seen = Observations(temperature=taken) if door == UNATTENDED else guarded
        if door == UNATTENDED and (arrival.symptoms or not (arrival.mask or tries > 1)):
            seen = guarded  # whoever is unwell or without a mask is looked at
        decision: Decision = stack.run(gate.door.present(shown, seen))
        self.sent[decision.verdict.outcome.value] += 1
        assert decision.recorded, decision
        return (
            decision.verdict.outcome.value,
            decision.verdict.requirement,
            text,
            decision.lease,
        )

    def _observed(self, arrival: Arrival, tries: int) -> Observations:
        worn = Observed.YES if arrival.mask or tries > 1 else Observed.NO
        return Observations(
            mask=worn,
            questions={"symptoms": arrival.symptoms, "travel": False},
            temperature=Reading(tenths=arrival.tenths, thermometer="gun"),
            guard="guard-1",
        )

    def _at_post(self, arrival: Arrival, guest: Guest, tries: int) -> tuple[str, str, str, str]:
        """Ask at the checker's phone; who has nothing is registered on paper and asked for."""
        stack, post = self.stack, self.stack.post
        now = stack.clock.monotonic()
        shown: dict[str, str] = {}
        text = ""
        if arrival.presents is Presents.CODE:
            text = stack.code_of(guest)
            shown = {"text": text}
        elif arrival.presents is Presents.CARD:
            shown = {"subject_token": post.subject_token(guest.ordinal)}
        worn = "yes" if arrival.mask or tries > 1 else "no"
        asked = {"symptoms": arrival.symptoms, "travel": False}
        taken = {"tenths": arrival.tenths, "thermometer": "phone-gun"}
        room = "free" if post.places.unused(now) else "full"
        answer: dict[str, Any] = {"verification": None, "lookup": None}
        if shown:
            answer = post.verify(
                {"temperature": taken, "mask": worn, "questions": asked, "room": room}, **shown
            )
            outcome = answer["verdict"]["outcome"]
            requirement = answer["verdict"]["requirement"]
        else:
            outcome, requirement = "ask", "unknown"
        lease = ""
        if outcome == "admit":
            lease = str(uuid.uuid4())
            assert post.places.take(lease, now)
        entry = self._entry(
            kind=outcome, requirement=requirement, answer=answer, arrival=arrival, lease=lease
        )
        entry |= {"mask": "worn" if worn == "yes" else "missing"}
        entry["asked"] = {"state": "asked", "answers": asked}
        entry["measured"] = {"state": "measured", **taken}
        how = {Presents.CODE: "code", Presents.CARD: "document", Presents.NOTHING: "paper"}
        entry["registered"] = {"how": how[arrival.presents], "reference": ""}
        if arrival.presents is Presents.NOTHING:
            entry["who"] = {"paper": f"P-{guest.ordinal}"}
        else:
            entry["who"] = {"lookup": answer["lookup"]} if answer["lookup"] else None
        post.record(entry, verification=answer["verification"], lookup=answer["lookup"])
        self.sent[outcome] += 1
        return outcome, requirement, text, lease

    def _entry(self, *, kind: str, requirement: str, answer: dict[str, Any], **given: Any) -> Any:
        at = datetime.fromtimestamp(self.stack.clock.at, UTC).isoformat().replace("+00:00", "Z")
        verdict = answer.get("verdict") or {}
        return {
            "kind": kind,
            "role": verdict.get("role", "visitor"),
            "answer": answer.get("answer", "undetermined"),
            "reason": answer["reason"]["code"] if "reason" in answer else "paper",
            "requirement": requirement,
            "findings": [],
            "venue": self.stack.venue_id,
            "entrance": HallStack.POST,
            "zone": "hall",
            "occurred_at": at,
            "policy": verdict.get("policy", "paper"),
            "who": None,
            "asked": {"state": "not-required", "answers": {}},
            "measured": {"state": "not-required"},
            "registered": {"how": "none", "reference": ""},
            "mask": "unobserved",
            "guard": "checker-1",
            "companions": 0,
            "offline": False,
            "feed_as_of": None,
            "clock": "sure",
            "lease": given["lease"],
            "visit": str(uuid.uuid4()),
        }

    def _leave(self, guest: Guest, door: int, text: str, lease: str) -> None:
        stack = self.stack
        self._sync(door)
        if door == POST:
            stack.post.places.give_back(lease, stack.clock.monotonic())
            entry = self._entry(
                kind="exit", requirement="", answer={"answer": "undetermined"}, lease=lease
            )
            stack.post.record(entry, verification=None, lookup=None)  # type: ignore[arg-type]
        else:
            shown = stack.code_of(guest) if text else None
            stack.run(stack.gates[door].door.leave(shown, guard="guard-1"))
        self.sent["exit"] += 1

    def _sync(self, door: int) -> None:
        """Let a door hear the server when it has not for a while, as its uplink would."""
        stack, now = self.stack, self.stack.clock.at
        if now - self._synced.get(door, float("-inf")) < self._sync_seconds:
            return
        self._synced[door] = now
        stack.settle()
        if door == POST:
            stack.post.sync()
            return
        cut = self.offline
        stack.lines[door].cut = cut is not None and cut[0] == door and cut[1] <= now < cut[2]
        if stack.lines[door].cut:
            return
        uplink = stack.gates[door].uplink
        assert uplink is not None
        stack.run(uplink.learn())
        if not uplink._door.memory.places.tickets:
            stack.run(uplink.fetch_places())

    # The office.

    def _morning(self) -> None:
        self.stack.new_day()

    def _housekeeping(self) -> None:
        """Upload, follow, and take every open incident a step on."""
        stack = self.stack
        for door, gate in enumerate(stack.gates):
            self._sync(door)
            assert gate.uplink is not None
            if not stack.lines[door].cut:
                stack.run(gate.uplink.tell())
        stack.running.until(lambda: stack.running.gateway.spool.waiting == 0, seconds=30)
        while follow_records(stack.clock, entropy=ENTROPY):
            pass
        sweep(stack.clock)
        for incident in StoredIncident.objects.filter(closed_at=None).order_by("opened_at"):
            self._handle(incident)

    def _handle(self, incident: StoredIncident) -> None:
        """Take one incident to its end, as people on duty would; every third is a data error."""
        users, clock = self.stack.users, self.stack.clock
        self._progress.setdefault(str(incident.pk), 0)
        told = {"channel": Channel.PHONE, "who": "值班员"}
        turn = list(self._progress).index(str(incident.pk))
        wrong = incident.kind in {"red", "yellow"} and turn % 3 == 0
        done = incident.pk
        plan: list[Callable[[], Any]] = [
            lambda: actions.record_step(
                done, Step.ISOLATED, actor=users["leader"], clock=clock, note="一号"
            ),
            lambda: actions.receive(done, actor=users["leader"], clock=clock),
            lambda: actions.record_step(
                done, Step.STREET_TOLD, actor=users["leader"], clock=clock, **told
            ),
            lambda: actions.record_step(
                done,
                Step.LEADING_GROUP_TOLD,
                actor=users["leader"],
                clock=clock,
                body="leading-group",
                **told,
            ),
            lambda: actions.acknowledge(done, actor=users["street"], clock=clock),
            lambda: actions.record_step(done, Step.VERIFYING, actor=users["street"], clock=clock),
        ]
        if wrong:
            plan += [lambda: self._data_error(incident), lambda: self._decide(incident)]
            plan += [lambda: actions.release(done, note="放行", actor=users["leader"], clock=clock)]
        else:
            plan.append(
                lambda: actions.dispose(
                    done, measures="按流程转运", actor=users["street"], clock=clock
                )
            )
        plan.append(lambda: actions.close(done, actor=users["street"], clock=clock))
        progress = self._progress[str(done)]
        for step in plan[progress : progress + 3]:
            step()
            clock.set(clock.at + 1)
        self._progress[str(done)] = min(len(plan), progress + 3)

    def _data_error(self, incident: StoredIncident) -> None:
        person = self._person(incident)
        fact = NewFact(
            fact_id=f"lab:{incident.pk}",
            kind="lab.result",
            subject=person.facts_key,
            occurred_at=self.stack.clock.now(),
            source="lab",
            payload={"value": "positive"},
        )
        land_facts([fact], batch_id=str(incident.pk), clock=self.stack.clock).require_all()
        corrections.declare_data_error(
            incident.pk,
            reason="核实健康状况正常",
            fact_id=f"lab:{incident.pk}",
            actor=self.stack.users["street"],
            clock=self.stack.clock,
        )

    def _decide(self, incident: StoredIncident) -> None:
        asked = CorrectionRequest.objects.get(incident=incident, decided_at=None)
        corrections.decide_correction(
            asked.pk,
            corrected=True,
            answer="已更正",
            actor=self.stack.users["officer"],
            clock=self.stack.clock,
        )

    def _person(self, incident: StoredIncident) -> Any:
        return next(p for p in self.stack.people if p.visits_key == incident.visits_key)

    # The independent opinion.

    def _expected(self, arrival: Arrival, guest: Guest, *, masked: bool) -> str:
        """Return what the seeds ask for: isolate, refuse, ask, admit; "either" at a grid edge.

        S4 三(二)5: red and yellow go to the isolation area; 三(二)1: 48 h and a mask for everyone
        who enters, the unwell are led to the isolation area; 三(二)4: 24 h at the start of work.
        """
        now = int(self.stack.clock.at)
        colour = guest.colour_at(now)
        if arrival.presents is Presents.NOTHING:
            return "ask"
        if arrival.presents is Presents.CARD and self.stack.lines[arrival.door].cut:
            return "ask"  # nobody can be looked up: a person decides
        if colour != "green" or arrival.tenths >= LIMIT_TENTHS or arrival.symptoms:
            return "isolate"
        day = datetime.fromtimestamp(now, ZONE).date().isoformat()
        begins = guest.staff and (guest.ordinal, day) not in self._started
        limit = (24 if begins else 48) * HOUR
        sampled = guest.sampled_before(now)
        if sampled is None:
            return "ask"
        age = now - sampled
        if age > limit:
            return "refuse" if age > limit + 2 * GRID else "either"
        if not (arrival.mask or masked):
            return "ask"
        return "admit"


__all__ = ["NOTHING_OBSERVED", "Days", "Outcome"]
