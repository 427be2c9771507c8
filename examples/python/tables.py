#!/usr/bin/env python3
"""SQL over the group at an instant: tables from the gRPC API, as Arrow, in DuckDB and pandas."""

import argparse
import io
import json
import os
import sys

import duckdb
import grpc
import pyarrow
from werkbuch.v1 import common_pb2, table_pb2, table_pb2_grpc

FAULTED = """
SELECT plant, area, count(*) AS machines, count(*) FILTER (state = 'FAULTED') AS faulted,
       string_agg(CASE WHEN state = 'FAULTED' THEN machine END, ', ' ORDER BY machine) AS which
FROM machines
GROUP BY plant, area
ORDER BY plant, area
"""


class ArrowBytes(io.RawIOBase):
    """The bytes of a table, as a file that pyarrow reads, while they come."""

    def __init__(self, messages):
        super().__init__()
        self.messages = messages
        self.waiting = memoryview(b"")
        self.cut = None
        self.whole = False

    def readable(self):
        return True

    def readinto(self, room):
        while not self.waiting:
            message = next(self.messages, None)
            if message is None:
                if not self.whole:
                    raise OSError("the table was broken off; ask again")
                return 0
            if message.HasField("cut"):
                self.cut = message.cut
            self.waiting = memoryview(message.arrow)
            self.whole = message.whole
        size = min(len(room), len(self.waiting))
        room[:size] = self.waiting[:size]
        self.waiting = self.waiting[size:]
        return size


def read_table(channel, request):
    """A table and where the plants stood that it is of."""
    stub = table_pb2_grpc.TableServiceStub(channel)
    source = ArrowBytes(iter(stub.StreamTable(request)))
    with pyarrow.ipc.open_stream(pyarrow.PythonFile(source, mode="r")) as reader:
        # Batch by batch, `for batch in reader`, when it is larger than the memory.
        table = reader.read_all()
    # What is behind the last batch says that the table is whole.
    while source.readinto(bytearray(65536)):
        pass
    return table, source.cut


def request_of(args):
    """The question: one plant or all, at an instant, what was known by then."""
    plant = "-" if args.plant is None else args.plant
    instant = common_pb2.Instant(at_text=args.at, time_zone=args.tz)
    if args.known:
        instant.known_text = args.known
    request = table_pb2.StreamTableRequest(
        parent=f"tenants/default/plants/{plant}", instant=instant
    )
    table = getattr(request, args.table)
    table.SetInParent()
    table.filter = args.where
    return request


def sql(table, args):
    """Answers a question in SQL, a row as a line of JSON."""
    with duckdb.connect() as connection:
        connection.register(args.table, table)
        # By way of Arrow, which knows times with a zone by itself.
        for row in connection.sql(args.query).to_arrow_table().to_pylist():
            print(json.dumps(row, default=str))


def pandas(table, args):
    """How many machines are in which state, as a table of pandas."""
    frame = table.to_pandas()
    counts = frame.groupby(["plant", "state"], observed=True).size()
    print(counts.unstack(fill_value=0).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    server = os.environ.get("WERKBUCH_SERVER", "http://127.0.0.1:7420")
    parser.add_argument("--server", default=server)
    parser.add_argument("--plant", help="one plant; left out: all plants at one instant")
    parser.add_argument("--table", default="machines", choices=["machines", "events", "timelines"])
    parser.add_argument("--at", default="", help="the instant, such as -2h or 'today 06:00'")
    parser.add_argument("--known", default="", help="what was known by then, or the cut of an answer")
    parser.add_argument("--tz", default="", help="the time zone of local times")
    parser.add_argument("--where", default="", help="a condition that the server applies")
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("sql", help=sql.__doc__)
    help = "the question, over the table's name; left out: faulted machines by plant and area"
    command.add_argument("query", nargs="?", default=FAULTED, help=help)
    command.set_defaults(run=sql)

    command = commands.add_parser("pandas", help=pandas.__doc__)
    command.set_defaults(run=pandas)

    args = parser.parse_args()
    address = args.server.split("://", 1)[-1].rstrip("/")
    with grpc.insecure_channel(address) as channel:
        try:
            table, cut = read_table(channel, request_of(args))
        except grpc.RpcError as error:
            raise SystemExit(f"error: {error.details()}") from None
    args.run(table, args)
    absent = "".join(f", without {one.plant} ({one.because})" for one in cut.absent)
    print(f"{table.num_rows} rows of {len(cut.plants)} plants{absent}", file=sys.stderr)
    print(f"the same again: --known {cut.token}", file=sys.stderr)


if __name__ == "__main__":
    main()
