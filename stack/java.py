"""Java command lines for the parts of Kafka."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.jars import Jars
from stack.machine import require_java

LOG4J = Path(__file__).parent / "config" / "log4j2.properties"
# A small machine holds two of these beside two PostgreSQL clusters; SerialGC has no threads of its own to compete.
HEAP_MEGABYTES = 512
INHERITED = ("PATH", "HOME", "LANG", "JAVA_HOME")


def java_command(jars: Jars, main_class: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs `main_class`; MissingToolError without a fitting Java."""
    return [
        require_java(),
        f"-Xmx{HEAP_MEGABYTES}m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Duser.timezone=UTC",
        f"-Dlog4j2.configurationFile={LOG4J}",
        "-cp",
        jars.kafka_classpath,
        main_class,
        *arguments,
    ]


def java_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the little that a Java process inherits from us, and `extra`."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(extra)


def write_properties(file: Path, properties: Mapping[str, str | int]) -> None:
    """Write a Java properties file. Values hold no line ends and no secrets."""
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
