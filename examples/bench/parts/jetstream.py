"""NATS JetStream: one stream in files for each plant, every message synced before it is acknowledged."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import time
from pathlib import Path

import nats
from nats.js.api import StorageType, StreamConfig

from . import load, process
from .failures import Failed

# Messages of one stream that are under way at once: as many batches as elsewhere, and of single events
# as many as keep the server busy.
BLOCKS_UNDER_WAY = load.WINDOW
EVENTS_UNDER_WAY = 256


class JetStream:
    """A server with a folder of its own, on a port of its own, behind a password of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = Path(program), Path(folder)
        self.password = secrets.token_hex(16)
        self.port = process.free_port()
        self.server = None

    @contextlib.contextmanager
    def running(self):
        """The server from its start to its end; the folder is gone afterwards."""
        self.folder.mkdir()
        try:
            settings, log = self.folder / "nats.conf", self.folder.parent / "nats.log"
            settings.touch(mode=0o600)
            settings.write_text(self._settings())
            command = [self.program, "-c", settings]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("NATS_")}
            with process.running(command, log, env=environment) as self.server:
                ready = lambda: process.listens(self.port)
                process.until_ready(self.server, log, "the NATS server", ready)
                yield self
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _settings(self):
        store = json.dumps(str(self.folder / "store"))
        return (
            f'listen: "127.0.0.1:{self.port}"\n'
            f'authorization {{ user: "bench", password: "{self.password}" }}\n'
            f"jetstream {{ store_dir: {store}, sync_interval: always }}\n"
        )

    def stored(self):
        """The bytes of its files."""
        return process.bytes_below(self.folder / "store")

    async def connect(self):
        """One more connection, for one plant."""
        return await nats.connect(
            f"nats://127.0.0.1:{self.port}",
            user="bench",
            password=self.password,
            allow_reconnect=False,
            pending_size=16 * 1024 * 1024,
        )


def blocks(server, figures, plants, singles):
    """Messages of up to 64 KiB, each with many events."""
    messages = [load.blocks(events) for events in plants]
    asyncio.run(_run(server, figures, messages, BLOCKS_UNDER_WAY, []))


def events(server, figures, plants, singles):
    """A message for each event; then single events, each when the one before is acknowledged."""
    asyncio.run(_run(server, figures, plants, EVENTS_UNDER_WAY, singles))


async def _run(server, figures, plants, under_way, singles):
    async with contextlib.AsyncExitStack() as open_ones:
        ways = []
        for number in range(1, len(plants) + 1):
            way = await server.connect()
            open_ones.push_async_callback(way.close)
            config = StreamConfig(
                name=f"plant-{number}",
                subjects=[f"plant.{number}"],
                storage=StorageType.FILE,
            )
            await way.jetstream().add_stream(config)
            ways.append(way.jetstream())
        core, own = process.core_seconds(server.server.pid), time.process_time()
        begin = time.perf_counter()
        numbered = enumerate(zip(ways, plants), 1)
        await asyncio.gather(*(_send(way, at, what, under_way) for at, (way, what) in numbered))
        figures.took(time.perf_counter() - begin)
        figures.core(core, process.core_seconds(server.server.pid))
        figures.client(time.process_time() - own)
        for number, (way, messages) in enumerate(zip(ways, plants), 1):
            held = (await way.stream_info(f"plant-{number}")).state.messages
            if held != len(messages):
                raise Failed(f"the stream of plant {number} has {held} of {len(messages)} messages")
        figures.stored(server.stored())
        if singles:
            await _singles(ways[0], len(plants[0]), singles, figures)


async def _send(way, plant, messages, under_way):
    places = asyncio.Semaphore(under_way)
    acks = []
    for sequence, message in enumerate(messages, 1):
        await places.acquire()
        subject, headers = f"plant.{plant}", _headers(plant, sequence)
        ack = await way.publish_async(subject, message, headers=headers)
        ack.add_done_callback(lambda _: places.release())
        acks.append(ack)
    for sequence, ack in enumerate(await asyncio.gather(*acks), 1):
        if ack.seq != sequence or ack.duplicate:
            raise Failed(f"message {sequence} of plant {plant} was answered with {ack}")


def _headers(plant, sequence):
    """The identity of a message, and the version check."""
    return {
        "Nats-Msg-Id": f"{plant}-{sequence}",
        "Nats-Expected-Last-Sequence": str(sequence - 1),
    }


async def _singles(way, last, singles, figures):
    acks, bare = [], []
    for sequence, event in enumerate(singles, last + 1):
        begin = time.perf_counter_ns()
        await way.publish("plant.1", event, headers=_headers(1, sequence))
        acks.append(time.perf_counter_ns() - begin)
        begin = time.perf_counter_ns()
        await way._nc.flush()
        bare.append(time.perf_counter_ns() - begin)
    figures.acks(acks, bare)
