"""Whose turn it is: what becomes of each open run that nobody works on. Pure; the ledger refuses what has changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from batch_timers.closures import Calendar, Closure
from flows.schedule import Schedule
from sinks.job_board import Board, Run
from sinks.job_ledger import EVERY_JOB, State

#: How often a run is taken without a chunk being committed before it has failed for good.
ATTEMPTS: Final = 5


class Action(Enum):
    """What to do with a run. WAIT: nothing, for the reason given. ASK: the same, and ask whoever has the lane to leave it."""

    START = auto()
    TAKE_OVER = auto()
    DEFER = auto()
    COALESCE = auto()
    SUPERSEDE = auto()
    CANCEL = auto()
    FAIL = auto()
    RELEASE = auto()
    ASK = auto()
    WAIT = auto()


@dataclass(frozen=True)
class Turn:
    """A decision. ``until``: not before."""

    run: Run
    action: Action
    reason: str = ""
    until: datetime | None = None


def calendar_of(board: Board) -> Calendar:
    """The calendar with the maintenance that operators have asked for."""
    return Calendar(tuple(Closure(each.starts_at, each.ends_at, each.reason) for each in board.maintenance))


def turns(board: Board, schedules: Mapping[str, Schedule]) -> list[Turn]:
    """One decision for every open run that is not being worked on; at most one start per lane. Earlier ones go first."""
    look = _Look(board, schedules, calendar_of(board))
    return list(look.decisions())


class _Look:
    """One look at the board."""

    def __init__(self, board: Board, schedules: Mapping[str, Schedule], calendar: Calendar) -> None:
        self._board = board
        self._schedules = schedules
        self._calendar = calendar
        self._holders = {run.lane: run for run in board.runs if run.state is State.RUNNING}

    def decisions(self) -> Iterator[Turn]:
        idle = [run for run in self._board.runs if run.state is not State.RUNNING or run.expired]
        for run in sorted(idle, key=self._order):
            yield self._decide(run, self._schedules.get(run.job))

    def _order(self, run: Run) -> tuple[bool, bool, bool, datetime, datetime]:
        """Who yields comes last. What has begun goes on first; then the fuller job before what it supersedes; then by time."""
        schedule = self._schedules.get(run.job)
        lesser = schedule is not None and schedule.superseded_by is not None
        return (self._yields(run), not run.begun, lesser, run.due_at, run.scheduled_for)

    def _yields(self, run: Run) -> bool:
        schedule = self._schedules.get(run.job)
        return schedule is not None and schedule.yields

    def _decide(self, run: Run, schedule: Schedule | None) -> Turn:
        if run.cancelled:
            return Turn(run, Action.CANCEL, "cancelled by an operator")
        if schedule is None:
            return Turn(run, Action.WAIT, "this version of the program has no such job")
        if not run.begun and run.state is not State.RUNNING and (overtaken := self._overtaken(run, schedule)):
            return overtaken
        if obstacle := self._obstacle(run, schedule):
            return obstacle
        self._holders[run.lane] = run
        return Turn(run, Action.TAKE_OVER if run.expired else Action.START)

    def _overtaken(self, run: Run, schedule: Schedule) -> Turn | None:
        """Another run does its work. What an operator has asked for is not left to others."""
        if run.requested_by is not None:
            return None
        later = [each for each in self._of(run.job) if each.scheduled_for > run.scheduled_for and each.requested_by is None]
        if later:
            newest = max(each.scheduled_for for each in later)
            return Turn(run, Action.COALESCE, f"not started before the slot of {newest:%Y-%m-%d %H:%M} UTC, which does its work")
        fuller = schedule.superseded_by and self._busy(schedule.superseded_by)
        holder = self._holders.get(run.lane)
        blocking = fuller or (holder.job if schedule.often and holder is not None and holder.job != run.job else None)
        return Turn(run, Action.SUPERSEDE, f"at its time {blocking} runs") if blocking else None

    def _busy(self, job: str) -> str | None:
        """The job, when a run of it is at work or starts in this look."""
        holders = [run for run in self._holders.values() if run.job == job]
        return job if holders else None

    def _obstacle(self, run: Run, schedule: Schedule) -> Turn | None:
        if run.expired and run.attempts >= ATTEMPTS:
            return Turn(run, Action.FAIL, f"its worker died {run.attempts} times at the same chunk")
        if EVERY_JOB in self._board.paused or run.job in self._board.paused:
            return self._held_back(run, "paused by an operator")
        if run.retry_at is not None and run.retry_at > self._board.now:
            return Turn(run, Action.WAIT, f"tries again: {run.reason}", run.retry_at)
        if closure := self._closure(run, schedule):
            return self._closed(run, closure, schedule)
        if run.due_at > self._board.now and run.state is not State.DEFERRED and not run.begun:
            return Turn(run, Action.WAIT, run.reason or "not due yet", run.due_at)
        return self._waiting_for_others(run, schedule)

    def _held_back(self, run: Run, reason: str) -> Turn:
        return Turn(run, Action.RELEASE if run.expired else Action.WAIT, reason)

    def _closure(self, run: Run, schedule: Schedule) -> Closure | None:
        """What has begun is not kept by peak hours from going on. Who forces a run knows what is closed at that moment."""
        avoids = schedule.avoids_peak and not run.begun
        closure = self._calendar.closed_at(self._board.now, avoids_peak=avoids)
        return None if closure and run.forced and run.created_at in closure else closure

    def _closed(self, run: Run, closure: Closure, schedule: Schedule) -> Turn:
        if run.begun or run.state is State.PAUSED or run.expired:
            return self._held_back(run, closure.reason)
        opens, passed = self._calendar.first_open(self._board.now, avoids_peak=schedule.avoids_peak)
        reason = "deferred: " + ", then ".join(each.reason for each in passed)
        if run.state is State.DEFERRED and run.due_at == opens:
            return Turn(run, Action.WAIT, reason, opens)
        return Turn(run, Action.DEFER, reason, opens)

    def _waiting_for_others(self, run: Run, schedule: Schedule) -> Turn | None:
        holder = self._holders.get(run.lane)
        if waiting := self._waiting_for_its_turn(run, schedule):
            return waiting
        if holder is None or holder == run:
            return None
        leaves = self._yields(holder) and not schedule.yields
        return Turn(run, Action.ASK if leaves else Action.WAIT, f"{holder.job} has the lane {run.lane}")

    def _waiting_for_its_turn(self, run: Run, schedule: Schedule) -> Turn | None:
        """The order of the reconciliation is a part of it, also where an operator forces it past what is closed."""
        after = schedule.after
        if after is None or run.begun or (run.forced and not schedule.yields):
            return None
        until = run.due_at + after.within
        if self._board.now < until and self._unended(after.job, run.scheduled_for):
            return Turn(run, Action.WAIT, f"waits for {after.job}, at most until {until:%H:%M} UTC", until)
        return None

    def _unended(self, job: str, at: datetime) -> Sequence[Run]:
        """Open runs of that day's slot."""
        return [run for run in self._of(job) if run.scheduled_for.date() == at.date() and run.scheduled_for <= at]

    def _of(self, job: str) -> Iterator[Run]:
        return (run for run in self._board.runs if run.job == job)
