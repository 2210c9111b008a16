"""What goes wrong on the way: a temporary fault is tried again, a permanent one is told."""


class DeliveryError(Exception):
    """A message that did not go out; ``fault`` is a code below ``messages.fault``.

    Never with the address, the text or an answer of the service: this goes to logs.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(fault)


class TemporaryError(DeliveryError):
    """Later it may go: no answer, no connection, too many messages just now."""


class PermanentError(DeliveryError):
    """Tried again it would fail again: a wrong address, a refused text, nothing set up."""
