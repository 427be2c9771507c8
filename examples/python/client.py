#!/usr/bin/env python3
"""Reports a machine's state, lists machines and watches a plant, over the gRPC API."""

import argparse
import datetime
import json
import os
import sys
import time

import grpc
from werkbuch.v1 import codes_pb2, common_pb2, event_pb2
from werkbuch.v1 import ingest_pb2, ingest_pb2_grpc
from werkbuch.v1 import twin_pb2, twin_pb2_grpc


def plant_name(plant):
    return f"tenants/default/plants/{plant}"


def shown_time(nanos):
    """Nanoseconds since 1970 as people read them; a Python time has no more than microseconds."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    whole = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def retry_delay(error):
    """The pause that a server asks for whose queue is full (google.rpc.RetryInfo), in seconds."""
    try:
        from google.rpc import error_details_pb2
        from grpc_status import rpc_status
    except ImportError:
        return 0.2  # grpcio-status is not installed
    info = error_details_pb2.RetryInfo()
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return info.retry_delay.ToTimedelta().total_seconds()
    return 0.2


def patiently(call, request, tries=8):
    """Calls, and again when the server has had no room and said when to come back."""
    while True:
        try:
            return call(request)
        except grpc.RpcError as error:
            tries -= 1
            if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED or tries == 0:
                raise
            time.sleep(retry_delay(error))


def append(channel, args):
    """Reports one state of a machine, as the next event of a source of its own."""
    ingest = ingest_pb2_grpc.IngestServiceStub(channel)
    opened = patiently(
        ingest.OpenSource,
        ingest_pb2.OpenSourceRequest(
            parent=plant_name(args.plant),
            source=args.source,
            source_kind=codes_pb2.SOURCE_KIND_LIVE,
            # A source that keeps its counter gives the epoch that it was given.
            epoch=args.epoch,
            machines=[args.machine],
        ),
    )
    event = event_pb2.Event(
        sequence=opened.next_sequence,
        machine=opened.machine_numbers[0],
        occurred_at=time.time_ns(),
        body=event_pb2.Body(
            state_changed=event_pb2.StateChanged(
                to=codes_pb2.State.Value(f"STATE_{args.state}"), reason=args.reason
            )
        ),
    )
    request = ingest_pb2.AppendRequest(session=opened.session, events=[event])
    # When this returns, the event is on disk. After a lost connection the same request may be sent
    # again: under the same number nothing is recorded twice.
    outcome = patiently(ingest.Append, request).outcomes[0]
    said = outcome.WhichOneof("result")
    if said == "refused":
        reason = codes_pb2.RefusalReason.Name(outcome.refused.reason)
        raise SystemExit(f"refused: {outcome.refused.message} ({reason})")
    print(
        json.dumps(
            {
                "position": getattr(outcome, said),
                "repeat": said == "repeated_at",
                "source": args.source,
                "epoch": opened.epoch,
                "sequence": event.sequence,
            }
        )
    )


def list_machines(channel, args):
    """The machines of a plant, one JSON object a line, page by page."""
    twin = twin_pb2_grpc.TwinServiceStub(channel)
    instant = None
    if args.known is not None:
        instant = common_pb2.Instant(known_position=args.known)
    request = twin_pb2.ListMachinesRequest(
        parent=plant_name(args.plant), filter=args.where, page_size=500, instant=instant
    )
    shown = 0
    while True:
        page = twin.ListMachines(request)
        for machine in page.machines:
            shown += 1
            state = codes_pb2.State.Name(machine.state).removeprefix("STATE_")
            name = machine.name.rsplit("/", 1)[-1]
            print(json.dumps({"machine": name, "state": state, "reason": machine.reason}))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    at = page.reflected.position
    print(f"{shown} of {page.plant_size} machines, at position {at}", file=sys.stderr)


def watch(channel, args):
    """The changes of a plant's machines as they are recorded, one JSON object a line."""
    twin = twin_pb2_grpc.TwinServiceStub(channel)
    request = twin_pb2.WatchMachinesRequest(
        parents=[plant_name(args.plant)], filter=args.where, resume_token=args.resume
    )
    if args.start is not None:
        request.starts.add(plant=plant_name(args.plant), position=args.start)
    seen = 0
    while True:
        try:
            for message in twin.WatchMachines(request):
                for change in message.changes:
                    print(json.dumps(change_line(change)), flush=True)
                seen += len(message.changes)
                # What was printed is behind us; each message, also a heartbeat, says how to go on.
                request.resume_token = message.resume_token
                del request.starts[:]
                if args.count is not None and seen >= args.count:
                    print(f"go on with --resume {request.resume_token}", file=sys.stderr)
                    return
        except grpc.RpcError as error:
            passing = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
            if error.code() not in passing or not request.resume_token:
                raise
            # The line is down, the server restarts, or we were too slow: on from where we stand.
            time.sleep(1)


def change_line(change):
    machine = change.machine
    kind = twin_pb2.MachineChangeKind.Name(change.change_kind)
    return {
        "position": change.position,
        "effective_at": shown_time(change.effective_at),
        "machine": machine.name.rsplit("/", 1)[-1],
        "change": kind.removeprefix("MACHINE_CHANGE_KIND_"),
        "from": codes_pb2.State.Name(change.previous_state).removeprefix("STATE_"),
        "to": codes_pb2.State.Name(machine.state).removeprefix("STATE_"),
        "event": change.event_kind,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    server = os.environ.get("WERKBUCH_SERVER", "http://127.0.0.1:7420")
    parser.add_argument("--server", default=server)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("append", help=append.__doc__)
    command.add_argument("--plant", required=True)
    command.add_argument("--machine", required=True)
    command.add_argument("--state", required=True, help="such as EXECUTING, FAULTED")
    command.add_argument("--reason", default="")
    command.add_argument("--source", default="python")
    command.add_argument("--epoch", type=int, help="the life of the source, once it has one")
    command.set_defaults(run=append)

    command = commands.add_parser("list", help=list_machines.__doc__)
    command.add_argument("--plant", required=True)
    command.add_argument("--where", default="", help="a condition, such as state = 'FAULTED'")
    command.add_argument("--known", type=int, help="what was known at this position")
    command.set_defaults(run=list_machines)

    command = commands.add_parser("watch", help=watch.__doc__)
    command.add_argument("--plant", required=True)
    command.add_argument("--where", default="", help="a condition, such as state = 'FAULTED'")
    begin = command.add_mutually_exclusive_group()
    begin.add_argument("--from", dest="start", type=int, help="the first position; else from now on")
    begin.add_argument("--resume", default="", help="the token that an earlier watch ended with")
    command.add_argument("--count", type=int, help="end after at least so many changes")
    command.set_defaults(run=watch)

    args = parser.parse_args()
    address = args.server.split("://", 1)[-1].rstrip("/")
    with grpc.insecure_channel(address) as channel:
        try:
            args.run(channel, args)
        except grpc.RpcError as error:
            raise SystemExit(f"error: {error.details()}") from None


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
