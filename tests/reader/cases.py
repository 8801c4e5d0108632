"""What the log must say of moments, pauses, replays, pages and joins, told once more.

Each of these takes the runs of decisions that stand, partition by partition, in their order.
"""

import json
from collections import Counter, defaultdict

EVERY_SECOND, SECOND = "* * * * * *", 1_000
# How late a moment of a schedule that skips is missed, and how many missed ones are counted.
MISSED_AFTER, COUNTED_MAX = 60_000, 1_000


class Schedules:
    """A moment fires once, and the next is the very next; what is between is counted as missed."""

    def __init__(self, plain):
        self.plain, self.defined = plain, {}
        self.waiting, self.off, self.fired = {}, set(), Counter()
        self.moments = self.missed = self.let_go = self.lost = self.while_off = 0
        # Config may be read after events: what depends on it is looked at in the end.
        self.outcomes = []

    def define(self, body):
        trigger = json.loads(body["definition"]).get("trigger", {})
        schedule = trigger.get("schedule") if isinstance(trigger, dict) else None
        self.defined[self.plain(body["workflow"]), body["version"]] = schedule

    def fold(self, run):
        replayed = {body["execution"] for name, _, body in run if name == "ExecutionReplayed"}
        fired, started = Counter(), Counter()
        for name, meta, body in run:
            if name == "WorkflowSwitched":
                (self.off.discard if body["enabled"] else self.off.add)(self.place(body))
            elif name == "ScheduleSet":
                self.set(body)
            elif name == "ScheduleFired":
                self.fire(meta, body)
                fired[self.place(body)] += body["executions"]
            elif name == "ExecutionStarted" and body["trigger"] == "SCHEDULE":
                if body["execution"] not in replayed:
                    started[self.place(body)] += 1
        # Each run has its moment, each moment that starts has its run.
        if fired != started and (+fired or started):
            self.outcomes.append(lambda: +fired == started)

    def set(self, body):
        place, waits = self.place(body), self.waiting.pop(self.place(body), None)
        due = millis(body["due"])
        if waits and waits["next"] is None and (due is not None or place not in self.off):
            self.lost += 1  # A moment was given up, and nobody had switched it off.
        if waits and waits["next"] is not None and due is not None and due != waits["next"]:
            self.lost += 1  # Not the very next one.
        if due is not None:
            self.waiting[place] = {
                "due": due, "at": millis(body["at"]), "version": body["version"], "next": None,
            }

    def fire(self, meta, body):
        place, due, now = self.place(body), millis(body["due"]), millis(meta["occurred_at"])
        self.moments += 1
        self.missed += body["missed"]
        self.fired[place, due] += 1
        self.while_off += place in self.off
        waits = self.waiting.get(place)
        if not waits or waits["next"] is not None or waits["due"] != due:
            self.lost += 1
            return
        late, missed, runs = now - waits["at"], body["missed"], body["executions"]
        # Until the next is set, this is what it must be.
        waits["next"] = due + (missed + 1) * SECOND
        self.let_go += runs == 0
        self.outcomes.append(
            lambda: self.is_right(place, waits["version"], (late, due, now), (missed, runs))
        )

    def is_right(self, place, version, times, told):
        schedule, (late, due, now), (missed, runs) = self.defined[place[0], version], times, told
        if schedule["cron"] != EVERY_SECOND or not schedule["exact"]:
            return False  # Its moments are not told here.
        lets_go = schedule["missed"] == "skip" and late > MISSED_AFTER
        passed = min(now // SECOND - due // SECOND, COUNTED_MAX)
        return late >= 0 and missed == passed and runs == (0 if lets_go else 1)

    def place(self, body):
        return self.plain(body["workflow"]), self.plain(body["credential"])

    def result(self):
        return {
            "moments": self.moments,
            "moments_missed": self.missed,
            "moments_let_go": self.let_go,
            "moments_twice": sum(1 for count in self.fired.values() if count > 1),
            "moments_lost": self.lost,
            "moments_wrong": sum(1 for is_right in self.outcomes if not is_right()),
            "fired_while_off": self.while_off,
        }


class Pauses:
    """No step begins of what is paused, nor of the items in it."""

    def __init__(self, plain):
        self.plain, self.paused, self.parents = plain, set(), {}
        self.pauses, self.resumes, self.begun = Counter(), Counter(), 0

    def fold(self, run):
        for name, _, body in run:
            if name == "ExecutionPaused":
                self.pauses[self.plain(body["execution"])] += 1
                self.paused.add(self.plain(body["execution"]))
            elif name == "ExecutionResumed":
                self.resumes[self.plain(body["execution"])] += 1
                self.paused.discard(self.plain(body["execution"]))
            elif name == "ItemStarted":
                self.begun += self.rests(self.plain(body["parent"]))
                self.parents[self.plain(body["execution"])] = self.plain(body["parent"])
            elif name == "StepsStarted":
                steps = [self.plain(step["execution"]) for step in body["steps"]]
                self.begun += sum(1 for execution in steps if self.rests(execution))

    def rests(self, execution):
        while execution and execution not in self.paused:
            execution = self.parents.get(execution)
        return bool(execution)

    def result(self):
        return {
            "paused": sum(self.pauses.values()),
            "pauses": dict(self.pauses),
            "resumes": dict(self.resumes),
            "begun_while_paused": self.begun,
        }


class Replays:
    """What repeats what, and for which replay of many."""

    def __init__(self, plain):
        self.plain, self.replays, self.skipped = plain, [], 0

    def fold(self, run):
        for name, _, body in run:
            if name == "ReplayContinued":
                self.skipped += body["skipped"]
            elif name == "ExecutionReplayed":
                replay = body["replay"] and self.plain(body["replay"])
                ids = self.plain(body["execution"]), self.plain(body["original"])
                self.replays.append(
                    {"execution": ids[0], "original": ids[1], "replay": replay}
                )

    def result(self):
        return {
            "replayed": len(self.replays),
            "replays": self.replays,
            "replays_skipped": self.skipped,
        }


class Joins:
    """A page is got once, and each before the next. An item begins once, in its turn, and ends
    once; a fan out ends when all of its items have."""

    def __init__(self, plain):
        self.plain = plain
        self.pages, self.tried = defaultdict(list), Counter()
        self.announced, self.begun, self.ended = {}, defaultdict(list), defaultdict(list)
        self.closed, self.wrong = Counter(), 0

    def fold(self, run):
        for name, _, body in run:
            if name == "PageFetched":
                step = self.step(body["execution"], body)
                self.wrong += body["attempt"] <= self.tried[step]
                self.tried[step] = body["attempt"]
                self.pages[step].append(body["page"])
            elif name == "FanOutStarted":
                step = self.step(body["execution"], body)
                self.wrong += step in self.announced
                self.announced[step] = body["items"]
            elif name == "ItemStarted":
                self.begun[self.step(body["parent"], body)].append(body["number"])
            elif name == "ItemFinished":
                self.ended[self.step(body["parent"], body)].append(body["number"])
            elif name in ("StepSucceeded", "StepFailed") and body["kind"] == "FAN_OUT":
                self.close(self.step(body["execution"], body))

    def close(self, step):
        self.closed[step] += 1
        every = list(range(self.announced.get(step, 0)))
        # They begin in turns, and end in any order.
        self.wrong += self.begun[step] != every or sorted(self.ended[step]) != every

    def step(self, execution, body):
        return self.plain(execution), body["index"]

    def result(self):
        items = [*self.begun.values(), *self.ended.values()]
        return {
            "pages": sum(len(pages) for pages in self.pages.values()),
            "pages_twice": sum(len(pages) - len(set(pages)) for pages in self.pages.values()),
            "pages_missing": sum(
                1 for pages in self.pages.values() if max(pages) >= len(set(pages))
            ),
            "joins": len(self.closed),
            "items_twice": sum(len(numbers) - len(set(numbers)) for numbers in items),
            "joins_wrong": self.wrong
            + sum(1 for count in self.closed.values() if count > 1)
            + len(self.announced.keys() - self.closed.keys()),
        }


def millis(time):
    """Avro's moments as milliseconds since 1970."""
    return None if time is None else round(time.timestamp() * 1_000)
