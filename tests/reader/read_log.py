#!/usr/bin/env python3
"""Reads the log of a Millrace folder, and counts.

It shares no code with Millrace: segment files as ops/docs/log-format.md describes them, Avro by
fastavro, schemas as `millrace schemas` prints them, and the rule of which decisions stand, told
once more below.

    millrace schemas | read_log.py --data FOLDER
    millrace schemas | read_log.py --brokers HOST:PORT --prefix millrace

It prints one JSON object. It ends with 1 if a record does not decode or a file is damaged.
"""

import argparse
import io
import json
import struct
import sys
import uuid
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import fastavro

import cases

START = 512
FRAME = struct.Struct("<IIQqqqIiiIHBB")
MARK = 255
STREAMS = {0: "config", 1: "commands", 2: "events", 3: "keys"}


class Damaged(Exception):
    """The files are not what a log is."""


class Segment:
    """One segment file: its groups of frames, up to the first thing that is none."""

    def __init__(self, path):
        self.path = path
        self.bytes = path.read_bytes()
        magic, self.number, nonce, _identity, version, crc = struct.unpack(
            "<8sQ8s16sII", self.bytes[:48]
        )
        if magic != b"MILLRLOG" or version != 1 or zlib.crc32(self.bytes[:44]) != crc:
            raise Damaged(f"{path}: its header is not that of a segment")
        self.seed = zlib.crc32(nonce)
        mark = self.frame(START)
        self.mark = mark if mark and mark["stream"] == MARK else None

    def frame(self, at):
        """The frame at a position; None if there is none."""
        if at + FRAME.size > len(self.bytes):
            return None
        crc, length, group, offset, epoch, incarnation, kind, i, n, key, number, stream, last = (
            FRAME.unpack_from(self.bytes, at)
        )
        if length < FRAME.size or at + length > len(self.bytes):
            return None
        if zlib.crc32(self.bytes[at + 4 : at + length], self.seed) != crc:
            return None
        body = at + FRAME.size
        return {
            "group": group, "offset": offset, "epoch": epoch, "incarnation": incarnation,
            "kind": kind, "i": i, "n": n, "number": number, "stream": stream,
            "closes": last == 1, "next": at + (length + 7) // 8 * 8,
            "value": self.bytes[body + key : at + length],
        }

    def records(self, until=None):
        """The records of whole groups, and behind which byte the last one ends."""
        records, opened, at, end, group = [], [], START, START, None
        while until is None or at < until:
            frame = self.frame(at)
            if frame is None or (group is not None and frame["group"] != group):
                break
            group, at = frame["group"], frame["next"]
            opened.append(frame)
            if frame["closes"]:
                records.extend(frame for frame in opened if frame["stream"] != MARK)
                opened, end, group = [], at, group + 1
        return records, end


def segments(folder):
    """The segments in use with how far each counts, oldest first."""
    chain, by_number = [], {}
    for path in sorted(folder.glob("*.log")):
        segment = Segment(path)
        by_number[segment.number] = segment
    used = [n for n, s in by_number.items() if s.mark and s.records()[1] > START]
    if not used:
        return []
    number, until = max(used), None
    while number:
        segment = by_number.get(number)
        if segment is None or segment.mark is None:
            raise Damaged(f"segment {number} is missing")
        chain.append((segment, until))
        # A mark holds the segment before in the place of an offset, and its end behind it.
        number, until = segment.mark["offset"], segment.mark["epoch"]
    return chain[::-1]


def read(folder):
    """Every record of the log, in the order of its files; offsets rise."""
    following = defaultdict(int)
    for segment, until in segments(folder):
        records, end = segment.records(until)
        if until is not None and end != until:
            raise Damaged(f"{segment.path}: damaged at byte {end}, though {until} bytes count")
        for record in records:
            place = (STREAMS[record["stream"]], record["number"])
            if record["offset"] < following[place]:
                raise Damaged(f"{place}: offset {record['offset']} follows {following[place] - 1}")
            following[place] = record["offset"] + 1
            yield place, record


def read_kafka(brokers, prefix):
    """Every record of the log's topics, partition after partition, in their order."""
    import topics  # It needs a client that whoever reads a folder need not have.

    for name, number, message in topics.messages(brokers, prefix, (*STREAMS.values(), "cluster")):
        kind = int(dict(message.headers() or []).get("type", b"0"))
        value = message.value() or b""
        yield (name, number), {"offset": message.offset(), "kind": kind, "value": value}


class Standing:
    """Lets out the runs that stand, for one partition.

    The first claim of a higher epoch makes its owner the only one who counts. A run stands when it
    is complete and contiguous; a claim in front of its last record voids it. Commands are decided
    in order, so a run for an offset that has been decided is a repeated append. So is one without a
    command whose id is not above that of the last such run.
    """

    def __init__(self):
        self.owner, self.decided, self.handed, self.open = (0, 0), -1, "", []

    def push(self, name, meta, body):
        owner = (meta["epoch"], meta["incarnation"])
        if name == "OwnershipClaimed":
            if owner[0] > self.owner[0]:
                self.owner, self.open = owner, []
            return None
        if owner != self.owner:
            return None
        if name in ("StepsStarted", "OutcomesAdmitted"):
            return [(name, meta, body)]
        torn = self.open and self.open[-1][1]["command_id"] != meta["command_id"]
        if torn or meta["i"] != len(self.open):
            self.open = []
            if meta["i"] != 0:
                return None
        has_command, id = meta["command_offset"] >= 0, plain(meta["event_id"])
        if meta["command_offset"] <= self.decided if has_command else id <= self.handed:
            return None
        self.open.append((name, meta, body))
        if meta["i"] + 1 < meta["n"]:
            return None
        run, self.open = self.open, []
        if has_command:
            self.decided = meta["command_offset"]
        else:
            self.handed = id
        return run


def twice(counter):
    """How many were counted more than once."""
    return sum(1 for count in counter.values() if count > 1)


class Count:
    """What is counted."""

    def __init__(self, schemas):
        self.schemas = schemas
        self.records, self.undecodable = Counter(), []
        self.asked, self.decisions = {}, Counter()
        self.effective, self.outcomes = Counter(), Counter()
        self.started, self.finished = Counter(), Counter()
        self.rejected, self.standing, self.events = Counter(), 0, 0
        self.begun, self.filters = defaultdict(set), defaultdict(Standing)
        self.schedules = cases.Schedules(plain)
        of = (cases.Pauses, cases.Replays, cases.Joins)
        self.cases = [self.schedules, *(case(plain) for case in of)]

    def take(self, place, record):
        if place[0] == "keys":
            self.records["(wrapped key)"] += 1
            return
        if not record["value"]:
            return  # it keeps the place of a record that a moved log has not
        try:
            name, family, body = self.decode(record["value"])
        except Exception as error:  # Whatever fastavro makes of it: it does not decode.
            self.undecodable.append(f"{place} {record['offset']}: {error!r}")
            return
        self.records[name] += 1
        meta = body["meta"]
        if place[0] == "cluster":
            return
        if name == "WorkflowSaved":
            self.schedules.define(body)
        if family == "commands":
            self.asked[plain(meta["command_id"])] = name
            return
        self.events += 1
        run = self.filters[place].push(name, meta, body)
        if run:
            self.fold(run)

    def decode(self, value):
        if value[:1] != b"\0":
            raise ValueError("it does not start with 0")
        name, family, schema = self.schemas[int.from_bytes(value[1:5], "big")]
        rest = io.BytesIO(value[5:])
        body = fastavro.schemaless_reader(rest, schema, None)
        if rest.read(1):
            raise ValueError("there are bytes behind it")
        return name, family, body

    def fold(self, run):
        self.standing += len(run)
        for case in self.cases:
            case.fold(run)
        if run[0][0] == "StepsStarted":
            for step in run[0][2]["steps"]:
                self.begun[plain(step["since"])].add(plain(run[0][1]["event_id"]))
            return
        if run[0][0] == "OutcomesAdmitted":
            return
        command = plain(run[0][1]["command_id"])
        self.decisions[command] += 1
        names = {name for name, _, _ in run}
        if "CommandRejected" in names:
            self.rejected[run[0][2]["code"]] += 1
        if not names & {"CommandRepeated", "CommandRejected"}:
            self.effective[command] += 1
        for name, _, body in run:
            if name == "ExecutionStarted":
                self.started[plain(body["execution"])] += 1
            elif name == "ExecutionFinished":
                self.finished[plain(body["execution"])] += 1
            elif name in ("StepSucceeded", "StepFailed"):
                effect = (plain(body["execution"]), plain(body["step"]), body["attempt"])
                self.outcomes[effect] += 1

    def result(self):
        undecided = Counter(n for id, n in self.asked.items() if id not in self.decisions)
        claims = self.records["OwnershipClaimed"]
        return {
            "records": dict(sorted(self.records.items())),
            "undecodable": self.undecodable[:20],
            "commands": len(self.asked),
            "undecided": sum(undecided.values()),
            "undecided_by_type": dict(undecided),
            "decided_twice": twice(self.effective),
            "decisions_per_command": dict(sorted(Counter(self.decisions.values()).items())),
            "outcomes_twice": twice(self.outcomes),
            "begun": len(self.begun),
            "begun_twice": sum(1 for records in self.begun.values() if len(records) > 1),
            "started": len(self.started),
            "started_twice": twice(self.started),
            "finished": len(self.finished),
            "finished_twice": twice(self.finished),
            "unfinished": len(self.started.keys() - self.finished.keys()),
            "rejected": dict(self.rejected),
            "void_events": self.events - claims - self.standing,
            **{name: found for case in self.cases for name, found in case.result().items()},
        }


def plain(id):
    """An id as text; Avro has it as 16 bytes."""
    return str(uuid.UUID(bytes=id)) if isinstance(id, bytes) else str(id)


def load_schemas(lines):
    """Schemas by id, each parsed by itself: they share the names of their parts."""
    schemas = {}
    for line in lines:
        entry = json.loads(line)
        parsed = fastavro.parse_schema(entry["schema"], named_schemas={})
        schemas[entry["id"]] = (entry["name"], entry["family"], parsed)
    return schemas


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder of the node")
    parser.add_argument("--brokers", help="the brokers of a log on Kafka")
    parser.add_argument("--prefix", default="millrace", help="what its topics begin with")
    parser.add_argument("--schemas", type=Path, help="what `millrace schemas` printed; or stdin")
    options = parser.parse_args()
    if not options.data and not options.brokers:
        parser.error("say where the log is: --data or --brokers")
    source = options.schemas.open() if options.schemas else sys.stdin
    count = Count(load_schemas(source))
    try:
        kafka = options.brokers and read_kafka(options.brokers, options.prefix)
        for place, record in kafka or read(options.data / "log"):
            count.take(place, record)
    except Damaged as error:
        sys.exit(f"read_log: {error}")
    result = count.result()
    print(json.dumps(result, indent=1))
    sys.exit(1 if result["undecodable"] else 0)


if __name__ == "__main__":
    main()
