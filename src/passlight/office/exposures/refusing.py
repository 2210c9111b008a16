"""Refusals of commands of tracing, as problems whose codes have their words."""

from passlight.core.kernel.problem import Problem, ProblemError


def refused(code: str, message: str, *, field: str | None = None, **params: str) -> ProblemError:
    """Return the error of ``exposures.refused.<code>``; ``params`` fill in its words."""
    return ProblemError(
        Problem(code=f"exposures.refused.{code}", message=message, field=field, params=params)
    )
