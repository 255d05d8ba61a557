"""What processes of a test see: the variables of the shared stack, and nothing of the developer's own."""

import os
from collections.abc import Mapping

from settings import Settings
from stack.local import LocalStack

# Shorter than in production, so that a killed worker's partitions move on while a test watches. The transaction timeout
# stays below the session's, as it must: a frozen worker's row lock would block its heir.
HURRIED = {
    "SYNC_KAFKA__SESSION_TIMEOUT": "6",
    "SYNC_CITIZEN__IDLE_IN_TRANSACTION_TIMEOUT": "4000",
    "SYNC_WORKER__TICK_INTERVAL": "1",
}


def variables(stack: LocalStack, extra: Mapping[str, str] = HURRIED) -> dict[str, str]:
    """Return the whole environment of a process that uses the stack."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_")}
    return inherited | stack.env | {"SYNC_ENV_FILE": str(stack.folder.env_file)} | dict(extra)


def settings_of(stack: LocalStack) -> Settings:
    """Return the settings of the stack for product code that runs inside the test's process."""
    return Settings(_env_file=stack.folder.env_file)  # type: ignore[call-arg]


def forget_own_variables() -> None:
    """Take what the developer has set for the product out of this process; switches of the tests themselves stay."""
    for name in [name for name in os.environ if name.startswith("SYNC_") and not name.startswith(SWITCHES)]:
        del os.environ[name]


SWITCHES = ("SYNC_TEST_", "SYNC_CHAOS_", "SYNC_SOAK_")
