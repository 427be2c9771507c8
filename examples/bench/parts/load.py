"""The events that are reported: bytes by chance, of the length that Werkbuch's events have."""

import itertools
import random
import struct

# How the load is cut up, the same for all: so many sources of one plant each, events in a batch, and
# batches of one source that are under way at once.
PLANTS = 4
BATCH = 1024
WINDOW = 16
# The largest message of the blocks, with the lengths of its events.
BLOCK_BYTES = 64 * 1024

# PostgreSQL's number of the type of bytes.
_BYTEA = 17
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_COPY_END = struct.pack(">h", -1)
_COPY_ROW = struct.Struct(">hiiiqiiiqi")


def events(count, mean_bytes, seed):
    """So many events of half to one and a half times the mean length."""
    chance = random.Random(seed)
    low, high = max(1, round(mean_bytes * 0.5)), max(1, round(mean_bytes * 1.5))
    ends = list(itertools.accumulate(chance.choices(range(low, high + 1), k=count)))
    content = chance.randbytes(ends[-1] if ends else 0)
    return [content[begin:end] for begin, end in zip([0, *ends], ends)]


def shares(count, parts):
    """A count in nearly equal parts."""
    return [count // parts + (part < count % parts) for part in range(parts)]


def chunks(items, size):
    """A list in pieces of at most this size."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def copy_rows(plant, first, batch):
    """A batch for COPY in its binary form: plant, position, source, sequence, event. The source's own
    number is the position here, because each plant has one source that never repeats itself."""
    parts = [_COPY_HEAD]
    for position, event in enumerate(batch, first):
        parts.append(
            _COPY_ROW.pack(5, 4, plant, 8, position, 4, 1, 8, position, len(event))
        )
        parts.append(event)
    parts.append(_COPY_END)
    return b"".join(parts)


def array(batch):
    """A batch as one value of the type bytea[], in its binary form."""
    parts = [struct.pack(">iiiii", 1, 0, _BYTEA, len(batch), 1)]
    for event in batch:
        parts.append(struct.pack(">i", len(event)) + event)
    return b"".join(parts)


def blocks(batch, limit=BLOCK_BYTES):
    """Events joined into messages of at most `limit` bytes, each behind its length."""
    done, parts, size = [], [], 0
    for event in batch:
        framed = struct.pack(">I", len(event)) + event
        if parts and size + len(framed) > limit:
            done.append(b"".join(parts))
            parts, size = [], 0
        parts.append(framed)
        size += len(framed)
    if parts:
        done.append(b"".join(parts))
    return done


def percentile(sample, percent):
    """The value below which so many percent lie, by the nearest rank; nothing of an empty sample."""
    if not sample:
        return None
    rank = max(1, -(-len(sample) * percent // 100))
    return sorted(sample)[rank - 1]
