"""Refusals of commands on incidents, as problems whose codes have their words."""

from passlight.core.incidents.steps import Step
from passlight.core.kernel.problem import Problem, ProblemError


def refused(
    code: str, message: str, *, field: str | None = None, step: Step | None = None, **params: str
) -> ProblemError:
    """Return the error of ``incidents.refused.<code>``; ``params`` fill in its words."""
    if step is not None:
        params["step"] = step.value
    return ProblemError(
        Problem(code=f"incidents.refused.{code}", message=message, field=field, params=params)
    )
