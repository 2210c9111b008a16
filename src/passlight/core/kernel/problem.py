"""Problems: expected failures, said so that the reader knows what to do next."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with an input: what, where, and what to do about it.

    ``code`` is a key of the message catalogue and the machine-readable reason;
    ``line`` counts from 1. ``params`` never carry a name or a document number.
    """

    code: str
    message: str
    remedy: str = ""
    file: str | None = None
    line: int | None = None
    field: str | None = None
    params: dict[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        what = f"{self.field}: {self.message}" if self.field else self.message
        text = f"{where}: {what}" if where else what
        return f"{text} {self.remedy}".strip()


class ProblemError(ValueError):
    """Raised with one or more problems; ``str()`` gives one line a problem."""

    def __init__(self, *problems: Problem) -> None:
        assert problems, "a ProblemError carries at least one problem"
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
