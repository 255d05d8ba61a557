import ast
import json
import logging
import subprocess
import sys

import pytest

from app.configuration import faust_configuration
from log_lines import OURS, JsonLines
from settings import load_settings
from stack.folder import PROJECT_ROOT

AADHAAR = "123412341234"


@pytest.fixture
def lines(caplog):
    """What a logger of that name makes of a message, as machines read it."""

    def logged(name, message, *arguments, **options):
        with caplog.at_level(logging.INFO):
            logging.getLogger(name).warning(message, *arguments, **options)
        return json.loads(JsonLines().format(caplog.records[-1]))

    return logged


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_line_of_ours_says_when_who_and_what_in_full(lines):
    line = lines("streams.lane", "FLOW[%s]: the flow stops: %s", 3, "truncate")
    assert line["message"] == "FLOW[3]: the flow stops: truncate"
    assert (line["level"], line["logger"]) == ("WARNING", "streams.lane")
    assert line["time"].endswith("+00:00")


def test_what_a_library_says_loses_what_may_be_a_value(lines):
    assert lines("aiokafka.consumer", f"bad record {AADHAAR} of 'Asha Devi'")["message"] == "bad record … of …"


def test_an_exception_keeps_its_type_and_places_and_loses_the_values_of_its_text(lines):
    error = raised(ValueError(f"Key (jan_aadhaar)=({AADHAAR}) exists"))
    line = lines("app.batches", "batch jobs: a defect of ours", exc_info=error)
    assert line["error"] == "ValueError"
    assert AADHAAR not in json.dumps(line)
    assert line["trace"][-1].endswith(" raised")


def test_a_message_of_several_lines_stays_on_one(lines):
    assert "\n" not in JsonLines().format(logging.makeLogRecord({"name": "app", "msg": "two\nlines"}))


def test_text_is_the_default_and_leaves_fausts_own_lines(minimal):
    assert faust_configuration(load_settings())["logging_config"] is None


def test_faust_writes_json_on_standard_error_at_the_level_that_it_was_given():
    program = (
        "import logging, mode.utils.logging as m, log_lines\n"
        "m.setup_logging(loglevel='info', logging_config=log_lines.logging_configuration())\n"
        "logging.getLogger('app').info('started'); logging.getLogger('app').debug('unheard')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == "started"
    assert done.stdout == ""


def packages_that_log():
    for file in PROJECT_ROOT.glob("*/**/*.py"):
        package = file.relative_to(PROJECT_ROOT).parts[0]
        if package.startswith(".") or package in {"tests", "bench", "cli"}:
            continue
        if any(isinstance(node, ast.Attribute) and node.attr == "getLogger" for node in ast.walk(ast.parse(file.read_text()))):
            yield package


def test_every_package_that_logs_is_known_as_ours():
    assert set(packages_that_log()) <= OURS
