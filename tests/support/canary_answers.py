"""What operators, browsers and senders of callbacks are answered, kept to be searched."""

import json
from typing import Any

import httpx
from typer.testing import CliRunner

from cli.app import app
from tests.support.canaries import Canary
from tests.support.canary_callbacks import refused
from tests.support.installation import Installation

PAGES = ("", "partials/overview", "api/overview.json")
OTHERS = ("metrics", "nowhere")


class Answers:
    """All answers by what was asked; `canaries` are those that were posted to the intake."""

    def __init__(self, installation: Installation) -> None:
        self.given: dict[str, bytes] = {}
        self.canaries: list[Canary] = []
        self._installation = installation

    def command(self, *arguments: str) -> str:
        """Run a command; what it prints, errors too, is kept. Returns what it printed."""
        environment = {"SYNC_ENV_FILE": str(self._installation.stack.folder.env_file)}
        done = CliRunner().invoke(app, [*arguments], env=environment)
        assert isinstance(done.exception, SystemExit | None), f"{' '.join(arguments)}: {done.exception!r}"
        self._keep(" ".join(arguments), f"{done.stdout}{done.stderr}".encode())
        return done.stdout

    def in_both_forms(self, *arguments: str) -> Any:
        """Run a command for people and for programs; returns its document."""
        self.command(*arguments)
        return json.loads(self.command(*arguments, "--json"))

    def pages(self, address: str) -> None:
        """Ask a worker for all its pages."""
        for page in (*PAGES, *OTHERS):
            answer = httpx.get(f"{address}{page}")
            assert answer.is_success or page in OTHERS, f"{page}: {answer.status_code}"
            self._keep(f"page /{page}", answer.content)

    def refused_callbacks(self) -> None:
        """Post what the intake must refuse."""
        for canary, answer in refused(self._installation):
            self.canaries.append(canary)
            self._keep(canary.name, answer)

    def _keep(self, name: str, answer: bytes) -> None:
        self.given[name] = self.given.get(name, b"") + answer
