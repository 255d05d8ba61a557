"""When batch jobs run, and the jobs: calendar, turns, runner."""
