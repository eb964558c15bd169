"""What can go wrong here, beside what is refused.

SandboxError
├── FaultsError    a text that names no profile or fault, or an impossible rate (a ValueError)
├── RuleBroken     the sandbox made an illegal event by itself: a mistake in its code
└── Refused        carries a refusal from a handler to the one place that answers it
"""

from sandbox.answers import Refusal


class SandboxError(Exception):
    """The base of this room's errors."""


class FaultsError(SandboxError, ValueError):
    """A text that names no profile or fault, or gives one an impossible rate."""


class RuleBroken(SandboxError):
    """The sandbox made an illegal event by itself."""


class Refused(SandboxError):
    """A request was refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal
