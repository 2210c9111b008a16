"""The ways out: Apprise for group robots, mail and whatever else it knows, and SMS.

Nothing of an address, a key or a text goes to a log: the libraries' own loggers are silenced,
since an address of a robot is its password.
"""

import logging
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

import apprise

from passlight.core.kernel.clock import Clock
from passlight.core.kernel.entropy import Entropy
from passlight.messages.addresses import apprise_url
from passlight.messages.config import MessagesConfig, read_config
from passlight.messages.faults import PermanentError, TemporaryError
from passlight.messages.sms.aliyun import Aliyun
from passlight.messages.sms.sms import Templates
from passlight.messages.sms.tencent import Tencent
from passlight.messages.text import Message
from passlight.runtime.clock import SystemClock, SystemEntropy
from passlight.runtime.settings import read_settings

CONNECT_SECONDS: Final = 4.0
READ_SECONDS: Final = 8.0
_TALKATIVE = ("apprise", "httpx", "httpcore", "urllib3", "requests")


class Sms(Protocol):
    """An SMS service."""

    def send(self, phone: str, message: Message) -> None:
        """Send one message to one mobile number."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The channels of one installation."""

    sms: Sms | None
    mail_server: str

    @classmethod
    def of_this_installation(cls) -> "Channels":
        """Return the channels that this installation's ``messages.toml`` sets up."""
        config = read_config(read_settings().keys)
        return cls.of(config, clock=SystemClock(), entropy=SystemEntropy())

    @classmethod
    def of(cls, config: MessagesConfig, *, clock: Clock, entropy: Entropy) -> "Channels":
        """Return the channels that ``config`` sets up."""
        mail = config.services.get("mail", {})
        return cls(sms=_sms(config, clock, entropy), mail_server=mail.get("url", ""))

    def send(self, channel: str, address: str, message: Message) -> None:
        """Send ``message`` over ``channel``; return when the other side has taken it.

        Raises:
            TemporaryError: when it may go later.
            PermanentError: when it never will.
        """
        if channel == "sms":
            if self.sms is None:
                raise PermanentError("not-configured")
            self.sms.send(address, message)
            return
        if channel == "mail" and not self.mail_server:
            raise PermanentError("not-configured")
        _send_by_apprise(apprise_url(channel, address, mail_server=self.mail_server), message)


def silence() -> None:
    """Keep the libraries that know addresses out of every log."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def is_apprise_url(text: str) -> bool:
    """Return whether Apprise can send to ``text``."""
    return "://" in text and _target(text) is not None


def _target(url: str) -> Any:
    """Return Apprise's object for an address, or None."""
    silence()
    _load_plugins()
    return apprise.Apprise.instantiate(url)


@cache
def _load_plugins() -> None:
    """Let Apprise find its plugins, of which one imports what Python is about to drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost")


def _send_by_apprise(url: str, message: Message) -> None:
    target = _target(url)
    if target is None:
        raise PermanentError("address")
    target.socket_connect_timeout = CONNECT_SECONDS
    target.socket_read_timeout = READ_SECONDS
    try:
        taken = target.notify(body=message.body, title=message.title)
    except TypeError:  # what Apprise raises for a text it can do nothing with
        raise PermanentError("refused") from None
    if not taken:
        # Apprise does not say why; the last attempt decides.
        raise TemporaryError("refused")


def _sms(config: MessagesConfig, clock: Clock, entropy: Entropy) -> Sms | None:
    if not config.sms:
        return None
    account = dict(config.services[config.sms])
    templates = Templates(numbers=config.templates.get(config.sms, {}))
    if config.sms == "aliyun":
        return Aliyun(templates=templates, clock=clock, entropy=entropy, **account)
    return Tencent(templates=templates, clock=clock, **account)
