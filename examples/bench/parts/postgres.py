"""PostgreSQL as an event store: rows with a position and a unique key, and the version of each plant."""

import contextlib
import os
import secrets
import shutil
import signal
import threading
import time
from pathlib import Path

import psycopg

from . import load, process
from .failures import Failed

# fsync, synchronous_commit and full_page_writes are as they are by default; said, so that nobody need
# wonder. No checkpoint falls into a run: what is then still to be written is not counted.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
TABLES = """
CREATE TABLE streams (plant int PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE events (
    plant int NOT NULL,
    position bigint NOT NULL,
    source int NOT NULL,
    sequence bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    event bytea NOT NULL,
    PRIMARY KEY (plant, position),
    UNIQUE (plant, source, sequence)
);
"""
# One statement and one transaction: it inserts nothing unless the plant is at the expected version.
INSERT = """
WITH head AS (
    UPDATE streams SET version = version + %(count)s
    WHERE plant = %(plant)s AND version = %(expected)s
    RETURNING plant
)
INSERT INTO events (plant, position, source, sequence, event)
SELECT head.plant, %(expected)s + batch.number, 1, %(expected)s + batch.number, batch.event
FROM head, unnest(%(events)b::bytea[]) WITH ORDINALITY AS batch (event, number)
"""
COPY = "COPY events (plant, position, source, sequence, event) FROM STDIN (FORMAT binary)"
USER = "bench"


class Batch:
    """Events as PostgreSQL takes them; made before the clock runs, as everybody's are."""

    def __init__(self, events):
        self.count, self.encoded = len(events), load.array(events)


class BatchDumper(psycopg.adapt.Dumper):
    """Hands a batch over as it is."""

    oid = psycopg.adapters.types["bytea"].array_oid
    format = psycopg.pq.Format.BINARY

    def dump(self, batch):
        return batch.encoded


psycopg.adapters.register_dumper(Batch, BatchDumper)


class Postgres:
    """A server with a data folder of its own, on a port of its own, behind a password of its own."""

    def __init__(self, programs, folder, user):
        self.programs, self.folder, self.user = Path(programs), Path(folder), user
        self.password = secrets.token_hex(16)
        self.port = process.free_port()
        self.server = None

    @contextlib.contextmanager
    def running(self):
        """The server from its first start to its end; the folder is gone afterwards."""
        how = process.as_user(self.user)
        self.folder.mkdir()
        try:
            if how:
                os.chown(self.folder, how["user"], how["group"])
            data, log = self.folder / "data", self.folder.parent / "postgres.log"
            self._create(data, log, how)
            command = [self.programs / "postgres", "-D", data, "-h", "127.0.0.1", "-k", ""]
            command += ["-p", str(self.port)]
            for name, value in SETTINGS.items():
                command += ["-c", f"{name}={value}"]
            # Its immediate end: what it holds is thrown away, so it need not be brought to the disk.
            how.update(cwd=self.folder, gentle=signal.SIGQUIT)
            with process.running(command, log, **how) as self.server:
                process.until_ready(self.server, log, "PostgreSQL", self._ready)
                yield self
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _create(self, data, log, how):
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if how:
            os.chown(secret, how["user"], how["group"])
        command = [self.programs / "initdb", "-D", data, "-U", USER, f"--pwfile={secret}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        with process.running(command, log, cwd=self.folder, **how) as creating:
            if creating.wait(process.PATIENCE) != 0:
                raise Failed(f"initdb failed; it said:\n{process.tail(log)}")
        secret.unlink()

    def _ready(self):
        with contextlib.suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return None

    def connect(self):
        """One more connection; each statement is a transaction."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            dbname="postgres",
            autocommit=True,
        )


def insert(server, figures, plants, singles):
    """Batches in their order over one connection for each plant, each a statement with a version check;
    then single events the same way."""
    work = []
    for number, events in enumerate(plants, 1):
        work.append((number, [Batch(part) for part in load.chunks(events, load.BATCH)]))
    with _tables(server) as connection:
        _timed(server, connection, figures, work, _insert_all)
        _singles(server, connection, figures, singles)


def copy(server, figures, plants, _singles):
    """As many events in a transaction as another source has under way; nothing checks the version."""
    size = load.BATCH * load.WINDOW
    work = []
    for number, events in enumerate(plants, 1):
        parts = load.chunks(events, size)
        firsts = range(1, len(events) + 1, size)
        rows = [load.copy_rows(number, at, part) for at, part in zip(firsts, parts)]
        work.append((number, rows))
    with _tables(server) as connection:
        _timed(server, connection, figures, work, _copy_all)


def _insert_all(connection, plant, batches):
    expected = 0
    for batch in batches:
        _insert(connection, plant, expected, batch)
        expected += batch.count


def _insert(connection, plant, expected, batch):
    values = {"plant": plant, "expected": expected, "count": batch.count, "events": batch}
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values, prepare=True)
        if cursor.rowcount != batch.count:
            raise Failed(f"PostgreSQL took {cursor.rowcount} of {batch.count} events")


def _copy_all(connection, _plant, batches):
    with connection.cursor() as cursor:
        for rows in batches:
            with cursor.copy(COPY) as sink:
                sink.write(rows)


@contextlib.contextmanager
def _tables(server):
    with server.connect() as connection:
        connection.execute(TABLES)
        values = [(plant, 0) for plant in range(1, load.PLANTS + 1)]
        connection.cursor().executemany("INSERT INTO streams VALUES (%s, %s)", values)
        connection.execute("CHECKPOINT")
        yield connection
        connection.execute("DROP TABLE events, streams")


def _timed(server, connection, figures, work, send):
    """Sends the work of all plants at once, and reads off what it took."""
    ready = threading.Barrier(len(work) + 1)
    failures = []

    def run(plant, batches):
        try:
            with server.connect() as own:
                ready.wait(process.PATIENCE)
                send(own, plant, batches)
                # The core time of a connection is seen as long as it is there.
                done.wait()
                finished.wait()
        except Exception as error:  # whatever it is, it belongs to the one who waits
            failures.append(error)
            ready.abort()
            done.abort()

    done, finished = threading.Barrier(len(work) + 1), threading.Event()
    threads = [threading.Thread(target=run, args=part, daemon=True) for part in work]
    for thread in threads:
        thread.start()
    try:
        before = _wal_bytes(connection)
        with contextlib.suppress(threading.BrokenBarrierError):
            ready.wait(process.PATIENCE)
            core, own = process.core_seconds(server.server.pid), time.process_time()
            begin = time.perf_counter()
            done.wait()
            figures.took(time.perf_counter() - begin)
            figures.core(core, process.core_seconds(server.server.pid))
            figures.client(time.process_time() - own)
    finally:
        finished.set()
    for thread in threads:
        thread.join(process.PATIENCE)
    if failures:
        raise Failed(f"PostgreSQL: {failures[0]}") from failures[0]
    rows = connection.execute("SELECT count(*) FROM events").fetchone()[0]
    if rows != figures.events:
        raise Failed(f"PostgreSQL has {rows} of {figures.events} events")
    size = connection.execute("SELECT pg_total_relation_size('events')").fetchone()[0]
    figures.stored(size)
    figures.also("wal_bytes_per_event", (_wal_bytes(connection) - before) / rows)


def _wal_bytes(connection):
    query = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
    return float(connection.execute(query).fetchone()[0])


def _singles(server, connection, figures, singles):
    version = "SELECT version FROM streams WHERE plant = 1"
    expected = connection.execute(version).fetchone()[0]
    acks, bare = [], []
    with server.connect() as own:
        for batch in [Batch([event]) for event in singles]:
            begin = time.perf_counter_ns()
            _insert(own, 1, expected, batch)
            acks.append(time.perf_counter_ns() - begin)
            expected += 1
            begin = time.perf_counter_ns()
            own.execute("SELECT 1", prepare=True).fetchone()
            bare.append(time.perf_counter_ns() - begin)
    figures.acks(acks, bare)
