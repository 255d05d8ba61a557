"""Whoever is told of alerts: a receiver of the notifier, and a Prometheus with our rules. Both must say the same."""

from alerts.registry import ALERTS
from tests.support.alert_receiver import AlertReceiver
from tests.support.prometheus import Prometheus
from tests.support.waiting import absent, eventually

#: What the notifier can tell by itself.
TOLD = {alert.name for alert in ALERTS if alert.comparison}
WITHIN = 90.0


class Watch:
    """Asks both."""

    def __init__(self, receiver: AlertReceiver, server: Prometheus) -> None:
        self._receiver, self._server = receiver, server

    def firing(self, alert: str, **labels: str) -> set[str]:
        """Who says that it fires."""
        said = {"Prometheus"} if self._server.firing(alert, **labels) else set()
        return said | ({"notifier"} if self._receiver.firing(alert, **labels) else set())

    def fires(self, alert: str, **labels: str) -> None:
        """Return when all who can tell it have told it."""
        wanted = {"Prometheus", "notifier"} if alert in TOLD else {"Prometheus"}
        eventually(lambda: self.firing(alert, **labels) == wanted, f"{alert} fires for {labels}", within=WITHIN)

    def goes_silent(self, alert: str, **labels: str) -> None:
        """Return when nobody says so any more."""
        absent(lambda: self.firing(alert, **labels), f"{alert} is silent for {labels}", within=WITHIN)

    def silent(self, *alerts: str) -> bool:
        """Whether none of them fires."""
        return [alert for alert in alerts if self.firing(alert)] == []
