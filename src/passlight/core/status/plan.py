"""A pack made ready for many people: what is the same for everybody, worked out once."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from passlight.core.kernel.colour import Colour
from passlight.core.kernel.limits import KIND_SETS_MAX, PLANS_MAX
from passlight.core.rules.pack import Existing, Pack, Phase, Rule
from passlight.core.status.occurrence import Finder, finder_of, kinds_needed
from passlight.core.status.reach import Lookup, Shift, lookup_of, shift_of


class PhasePlan(NamedTuple):
    """A phase with its points compiled.

    ``changes`` are the instants at which a parameter of an open phase moves its end, and ``cap``
    bounds a chain of yellow phases; None where the pack has no such bound.
    """

    phase: Phase
    starts: Lookup
    ends: Lookup
    changes: tuple[datetime, ...]
    cap: Shift | None


class RulePlan(NamedTuple):
    """A rule with its phases, and the kinds without which it has nothing to say."""

    rule: Rule
    kinds: frozenset[str] | None
    find: Finder
    phases: tuple[PhasePlan, ...]


class PackPlan(NamedTuple):
    """A pack and its rules; ``asked`` keeps which of them have to do with the kinds of a person."""

    pack: Pack
    rules: tuple[RulePlan, ...]
    asked: dict[frozenset[str], tuple[RulePlan, ...]]

    def rules_for(self, kinds: Iterable[str]) -> tuple[RulePlan, ...]:
        """Return the rules that may apply to who has facts of these kinds, in the pack's order."""
        key = frozenset(kinds)
        found = self.asked.get(key)
        if found is None:
            if len(self.asked) >= KIND_SETS_MAX:
                self.asked.clear()
            found = self.asked[key] = tuple(
                rule for rule in self.rules if rule.kinds is None or rule.kinds & key
            )
        return found


_PLANS: dict[int, PackPlan] = {}


def plan_of(pack: Pack) -> PackPlan:
    """Return the plan of ``pack``, made once; a plan keeps its pack, so no other has its id."""
    plan = _PLANS.get(id(pack))
    if plan is None:
        if len(_PLANS) >= PLANS_MAX:
            _PLANS.clear()
        plan = PackPlan(pack, tuple(_rule_plan(rule, pack) for rule in pack.rules), {})
        _PLANS[id(pack)] = plan
    return plan


def _rule_plan(rule: Rule, pack: Pack) -> RulePlan:
    phases = tuple(_phase_plan(phase, pack) for phase in rule.phases)
    return RulePlan(rule, kinds_needed(rule), finder_of(rule, pack), phases)


def _phase_plan(phase: Phase, pack: Pack) -> PhasePlan:
    changes: set[datetime] = set()
    if pack.existing_measures is not Existing.KEEP:
        changes = {at for name in phase.parameters for at in pack.parameters[name].changes()}
    cap = None
    if phase.colour is Colour.YELLOW and pack.chained_yellow is not None:
        cap = shift_of(pack.chained_yellow, pack)
    return PhasePlan(
        phase=phase,
        starts=lookup_of(phase.starts, pack),
        ends=lookup_of(phase.ends, pack),
        changes=tuple(sorted(changes)),
        cap=cap,
    )
