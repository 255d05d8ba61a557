"""Blows against a running product: SIGKILL at random moments, drawn from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import sleep

from stack.component import Component
from stack.local import LocalStack
from stack.supervisor import Supervisor

WORKERS = ("worker-1", "worker-2")
DATABASES = ("warehouse", "citizen")
VICTIMS = (*WORKERS, "connect", *DATABASES)
FURTHER = 3
LONGEST_PAUSE = 5.0
LONGEST_ABSENCE = 3.0
RESTART_SHARE = 0.3


@dataclass(frozen=True)
class Blow:
    """Seconds to wait, who is hit then, seconds until it may come back, and whether it is asked instead of killed."""

    pause: float
    victim: str
    absence: float
    orderly: bool

    def __str__(self) -> str:
        how = "restarted" if self.orderly else "killed"
        return f"{self.pause:.2f} s later {self.victim} is {how}, away for {self.absence:.2f} s"


def draw_blows(seed: int) -> list[Blow]:
    """Return eight blows: one for every victim, the others at random, in random order."""
    rng = Random(seed)
    victims = [*VICTIMS, *rng.choices(VICTIMS, k=FURTHER)]
    rng.shuffle(victims)
    return [_blow(rng, victim) for victim in victims]


def _blow(rng: Random, victim: str) -> Blow:
    pause, absence = rng.uniform(0, LONGEST_PAUSE), rng.uniform(0, LONGEST_ABSENCE)
    # Only PostgreSQL is sometimes restarted in order, which ends its sessions in another way than a crash.
    return Blow(pause, victim, absence, orderly=victim in DATABASES and rng.random() < RESTART_SHARE)


def strike(blows: list[Blow], stack: LocalStack, supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Carry out the blows one after the other; afterwards every part of the stack serves again."""
    parts = {part.name: part for part in stack.parts}
    for blow in blows:
        sleep(blow.pause)  # the random moment: nothing to wait for
        say(str(blow))
        if blow.victim in WORKERS:
            supervisor.kill(blow.victim)  # which starts it again by itself
        else:
            _strike_part(parts[blow.victim], blow)
    for part in parts.values():
        part.wait_ready()


def _strike_part(part: Component, blow: Blow) -> None:
    if blow.orderly:
        part.stop()
    else:
        part.kill()
    sleep(blow.absence)
    part.start()  # whether it serves again when the next blow falls is part of the chaos
