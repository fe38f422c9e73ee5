"""An alert → the services that people read: mail, chats, web hooks, whatever apprise knows.

The addresses hold tokens and passwords: nothing here writes one anywhere.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import UsageError
from flows.reports.messages import alerts
from flows.reports.messages.alerts import Alert
from flows.reports.messages.problems import News
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    import apprise

# They travel by environment, like the command of --on-failure: parameters of flows are stored.
ADDRESSES_VARIABLE = "MATTERHOUSE_NOTIFY"
ALWAYS_VARIABLE = "MATTERHOUSE_NOTIFY_ALWAYS"
_TYPES = {"wrong": "failure", "well": "success", "news": "info"}


def find_services(urls: Sequence[str]) -> "list[apprise.NotifyBase]":
    """Return the services at the addresses; an error names one by its position alone."""
    import apprise

    # It writes addresses to its log.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    found = []
    for number, url in enumerate(urls, start=1):
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if service is None:
            raise UsageError(
                f"--notify: address {number} is not one that messages can be sent to: say for"
                " example mailtos://USER:PASSWORD@mail.example.org?to=editor@example.org, or see"
                " the services that apprise knows"
            )
        found.append(service)
    return found


def send(
    urls: Sequence[str],
    receipt: Mapping[str, Any],
    found: News,
    complain: Callable[[str], None],
    *,
    page: Path | None = None,
    always: bool = False,
) -> None:
    """Send what there is to say about a run; a service that is not reached is only a warning."""
    if not urls or not (alert := alerts.find_alert(receipt, found, always=always)):
        return
    reached = [_reach(service, alert, page) for service in find_services(urls)]
    for number, is_reached in enumerate(reached, start=1):
        if not is_reached:
            complain(f"--notify: the service at address {number} did not take the message")
    # If no service took it, the next run sends it again.
    if any(reached):
        alerts.remember(WarehousePaths(Path(receipt["warehouse"])), alert.open_problems)


def _reach(service: "apprise.NotifyBase", alert: Alert, page: Path | None) -> bool:
    import apprise

    is_there = page is not None and page.is_file() and service.attachment_support
    with_page = {"attach": apprise.AppriseAttachment(str(page))} if is_there else {}
    try:
        return bool(
            service.notify(
                title=alert.title,
                body=alert.text,
                notify_type=apprise.NotifyType(_TYPES[alert.kind]),
                **with_page,
            )
        )
    except Exception:
        return False  # A plugin's own fault; its words could hold the address.
