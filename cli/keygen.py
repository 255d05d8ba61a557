"""`keygen`: a key for the payloads of dead letters."""

import typer
from cryptography.fernet import Fernet


def keygen() -> None:
    """Print a new key for SYNC_PAYLOAD_KEYS. Put it first there; keep the old ones as long as payloads need them."""
    typer.echo(Fernet.generate_key().decode())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(keygen)
