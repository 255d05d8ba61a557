"""``python -m cli``."""

from cli.app import app
from settings import PROGRAM

if __name__ == "__main__":
    app(prog_name=PROGRAM)
