"""The figures of one run, and the middle of several."""

import statistics

from . import load

KEYS = (
    "events",
    "events_per_second",
    "cpu_ns_per_event",
    "cpu_ns_client",
    "stored_bytes_per_event",
    "sealed_bytes_per_event",
    "wal_bytes_per_event",
    "single_ack_p50_us",
    "single_ack_p99_us",
    "bare_round_trip_p50_us",
)


class Figures:
    """What one run gave, for each event; what nobody measured stays None."""

    def __init__(self, events):
        self.events = events
        self.values = dict.fromkeys(KEYS)
        self.values["events"] = events

    def took(self, seconds):
        """From the first event sent to the last one acknowledged."""
        self.values["events_per_second"] = round(self.events / max(seconds, 1e-9))

    def core(self, before, after):
        """What the processes of the server were on a core for; a run too short for the system's count
        gives no figure."""
        if before is not None and after is not None and after > before:
            self._each("cpu_ns_per_event", (after - before) * 1e9)

    def client(self, seconds):
        """The same of the client."""
        self._each("cpu_ns_client", seconds * 1e9)

    def stored(self, size):
        """The bytes that it takes in the end."""
        self._each("stored_bytes_per_event", size)

    def also(self, key, value):
        """One more figure."""
        self.values[key] = round(value, 2)

    def acks(self, nanos, bare):
        """Single events, each sent when the one before was acknowledged, and the bare way there and
        back of a question that stores nothing."""
        for key, sample, percent in (
            ("single_ack_p50_us", nanos, 50),
            ("single_ack_p99_us", nanos, 99),
            ("bare_round_trip_p50_us", bare, 50),
        ):
            value = load.percentile(sample, percent)
            self.values[key] = None if value is None else round(value / 1000, 2)

    def _each(self, key, value):
        self.values[key] = round(value / max(self.events, 1), 2)


def middle(rounds):
    """The median of each figure over the rounds that have it, and how far the rates lie apart."""
    values = {}
    for key in KEYS:
        known = [one[key] for one in rounds if one[key] is not None]
        values[key] = statistics.median(known) if known else None
    rates = [one["events_per_second"] for one in rounds]
    values["events_per_second_min"], values["events_per_second_max"] = min(rates), max(rates)
    return values
