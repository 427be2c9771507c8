#!/usr/bin/env python3
"""What if, over gRPC: forks a plant at an instant, runs scenarios beside the baseline, and plots both."""

import argparse
import json
import os
import pathlib
import sys

import grpc
import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from werkbuch.v1 import common_pb2, simulation_pb2, simulation_pb2_grpc

HOUR_NS = 3_600 * 10**9


def study_of(args):
    """What is forked, what is changed, and how much is simulated."""
    files = [pathlib.Path(name) for name in args.scenario]
    return simulation_pb2.Study(
        instant=common_pb2.Instant(at_text=args.at, time_zone=args.tz),
        window_ns=int(args.window_hours * HOUR_NS),
        scenarios=[
            simulation_pb2.StudyFile(file_name=str(file), content=file.read_text())
            for file in files
        ],
        horizon_ns=int(args.horizon_hours * HOUR_NS),
        replications=args.replications,
    )


def finished(stub, name):
    """Follows a run until it ends, and tells how far it is. Ctrl-c cancels it on the server."""
    run = None
    try:
        for run in stub.WatchRun(simulation_pb2.WatchRunRequest(name=name)):
            state = simulation_pb2.RunState.Name(run.state).removeprefix("RUN_STATE_")
            left = f", {run.left_ns / 1e9:.0f} s left" if run.HasField("left_ns") else ""
            print(f"{state}: {run.done} of {run.of} replications{left}", file=sys.stderr)
    except KeyboardInterrupt:
        stub.CancelRun(simulation_pb2.CancelRunRequest(name=name))
        raise SystemExit("cancelled") from None
    if run is None or run.state != simulation_pb2.RUN_STATE_SUCCEEDED:
        raise SystemExit(f"error: the run has no result: {run and (run.error or run.reason)}")
    return run


def result_of(stub, run):
    """The whole result, as `werkbuch sim run -o json` tells it."""
    request = simulation_pb2.ReadRunResultRequest(name=run.name)
    return json.loads(b"".join(part.json for part in stub.ReadRunResult(request)))


def plot(result, path):
    """Parts finished over time: the mean of each case, and between which values four of five runs lie."""
    figure, axes = pyplot.subplots(figsize=(9, 5))
    hours = result["horizon_s"] / 3_600
    for case in result["cases"]:
        points = case["output_curve"]
        times = [hours * (at + 1) / len(points) for at in range(len(points))]
        mean = [point["mean"] for point in points]
        (line,) = axes.plot(times, mean, label=case["name"])
        low, high = ([point[key] for point in points] for key in ("p10", "p90"))
        axes.fill_between(times, low, high, color=line.get_color(), alpha=0.2)
    axes.set(xlabel="hours", ylabel="parts finished", title=f"What if: {result['plant']}")
    axes.legend()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    server = os.environ.get("WERKBUCH_SERVER", "http://127.0.0.1:7420")
    parser.add_argument("--server", default=server)
    parser.add_argument("--plant", required=True)
    parser.add_argument("--at", default="", help="the instant that is forked; left out: now")
    parser.add_argument("--tz", default="", help="the time zone of a local time")
    parser.add_argument("--scenario", action="append", default=[], help="a file of changes")
    parser.add_argument("--window-hours", type=float, default=0, help="evidence; left out: a week")
    parser.add_argument("--horizon-hours", type=float, default=8)
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--out", default="what-if.svg", help="where the picture goes")
    args = parser.parse_args()
    address = args.server.split("://", 1)[-1].rstrip("/")
    with grpc.insecure_channel(address) as channel:
        stub = simulation_pb2_grpc.SimulationServiceStub(channel)
        parent = f"tenants/default/plants/{args.plant}"
        request = simulation_pb2.CreateRunRequest(parent=parent, study=study_of(args))
        try:
            run = finished(stub, stub.CreateRun(request).name)
            plot(result_of(stub, run), args.out)
        except grpc.RpcError as error:
            raise SystemExit(f"error: {error.details()}") from None
    for one in run.measures:
        if one.measure == "output":
            said = {"case": one.case, "mean": one.mean, "p10": one.p10, "p90": one.p90}
            print(json.dumps(said))
    for one in run.differences:
        if one.measure == "output":
            said = {"scenario": one.scenario, "difference": one.mean, "half_width": one.half_width}
            print(json.dumps(said | {"distinguishable": one.distinguishable}))
    print(f"{run.name}, result {run.digest}; drawn in {args.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
