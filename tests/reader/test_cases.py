"""Each rule of `cases` is broken by hand, and must say so."""

import unittest
from datetime import datetime, timedelta, timezone

import cases

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
PLACE = {"workflow": "w", "credential": "c"}


def at(seconds):
    return BEGIN + timedelta(seconds=seconds)


def switched(enabled):
    return ("WorkflowSwitched", {}, {**PLACE, "enabled": enabled})


def waits(due, version=1):
    moment = None if due is None else at(due)
    return ("ScheduleSet", {}, {**PLACE, "version": version, "due": moment, "at": moment})


def fired(due, now, missed=0, executions=1):
    body = {**PLACE, "due": at(due), "missed": missed, "executions": executions}
    return ("ScheduleFired", {"occurred_at": at(now)}, body)


def started(execution="e"):
    return ("ExecutionStarted", {}, {**PLACE, "execution": execution, "trigger": "SCHEDULE"})


def event(name, **body):
    return (name, {}, body)


def found(case, runs):
    """What is not nought of what must be."""
    for run in runs:
        case.fold(run)
    names = ("twice", "lost", "wrong", "missing", "skipped", "off", "begun_while_paused")
    return {n: c for n, c in case.result().items() if c and n.endswith(names)}


class Schedules(unittest.TestCase):
    def found(self, *runs, missed="once"):
        case = cases.Schedules(str)
        definition = (
            '{"trigger": {"schedule": {"cron": "* * * * * *", "exact": true, "missed": "%s"}}}'
        )
        case.define({"workflow": "w", "version": 1, "definition": definition % missed})
        return found(case, [[switched(True), waits(1)], *runs])

    def test_what_is_right(self):
        moment = [fired(1, 1.2), started(), waits(2)]
        self.assertEqual(self.found(moment, [fired(2, 2), started(), waits(3)]), {})
        self.assertEqual(self.found([fired(1, 4.5, missed=3), started(), waits(5)]), {})
        self.assertEqual(self.found(moment, [switched(False)], [waits(None)]), {})
        replayed = [event("ExecutionReplayed", execution="r"), started("r")]
        self.assertEqual(self.found(moment, replayed), {})

    def test_a_moment_comes_twice(self):
        moment = [fired(1, 1.2), started(), waits(2)]
        self.assertEqual(self.found(moment, moment)["moments_twice"], 1)

    def test_a_moment_is_lost(self):
        for last in ([fired(2, 2), started(), waits(3)], [waits(2)], [waits(None)]):
            self.assertGreater(self.found(last)["moments_lost"], 0, last)
        for due in (2, 4):
            moment = [fired(1, 2.2, missed=1), started(), waits(due)]
            self.assertGreater(self.found(moment)["moments_lost"], 0)

    def test_a_moment_is_not_as_it_should_be(self):
        for moment in (
            [fired(1, 0.9), started(), waits(2)],
            [fired(1, 1.2), waits(2)],
            [fired(1, 1.2), started(), started("f"), waits(2)],
            [fired(1, 1.2, executions=0), waits(2)],
            [fired(1, 4.2, missed=2), started(), waits(4)],
        ):
            self.assertGreater(self.found(moment)["moments_wrong"], 0, moment)
        self.assertEqual(self.found([started()]), {"moments_wrong": 1})

    def test_only_what_skips_lets_a_moment_go_and_only_late(self):
        for now, executions, missed, wrong in (
            (61.5, 0, "skip", 0), (61.5, 1, "skip", 1), (60.5, 0, "skip", 1), (60.5, 1, "skip", 0),
            (61.5, 0, "once", 1), (61.5, 1, "once", 0),
        ):
            behind = int(now) - 1
            run = [fired(1, now, missed=behind, executions=executions), waits(2 + behind)]
            run.extend([started()] * executions)
            bad = self.found(run, missed=missed).get("moments_wrong", 0)
            self.assertEqual(bad, wrong, (now, executions, missed))

    def test_what_is_off_fires(self):
        moment = [fired(1, 1.2), started(), waits(2)]
        self.assertEqual(self.found([switched(False)], moment), {"fired_while_off": 1})


class Others(unittest.TestCase):
    def test_a_step_begins_while_its_execution_is_paused(self):
        paused = event("ExecutionPaused", execution="e")
        resumed = event("ExecutionResumed", execution="e")
        item = event("ItemStarted", execution="i", parent="e", index=1, number=0)
        for of in ("e", "i"):
            steps = event("StepsStarted", steps=[{"execution": of}])
            right = [[item], [steps], [paused], [resumed], [steps]]
            self.assertEqual(found(cases.Pauses(str), right), {})
            bad = found(cases.Pauses(str), [[item], [paused], [steps], [resumed]])
            self.assertEqual(bad, {"begun_while_paused": 1})
        self.assertEqual(found(cases.Pauses(str), [[paused], [item]]), {"begun_while_paused": 1})

    def test_what_a_replay_could_not_repeat_is_counted(self):
        bad = found(cases.Replays(str), [[event("ReplayContinued", skipped=2)]])
        self.assertEqual(bad, {"replays_skipped": 2})

    def test_a_page_is_got_twice_or_not(self):
        def pages(*numbers):
            body = {"execution": "e", "index": 0}
            got = enumerate(numbers, 1)
            runs = [[event("PageFetched", **body, page=n, attempt=i)] for i, n in got]
            return found(cases.Joins(str), runs)

        self.assertEqual(pages(0, 1, 2), {})
        self.assertEqual(pages(0, 1, 1), {"pages_twice": 1})
        self.assertEqual(pages(0, 2), {"pages_missing": 1})

    def test_a_join_counts_wrongly(self):
        announced = event("FanOutStarted", execution="e", index=0, items=2)
        begun, ended = (
            [event(name, parent="e", execution=str(n), index=0, number=n) for n in range(2)]
            for name in ("ItemStarted", "ItemFinished")
        )
        joined = event("StepSucceeded", execution="e", index=0, kind="FAN_OUT")

        def bad(*events):
            return found(cases.Joins(str), [[one] for one in events])

        self.assertEqual(bad(announced, *begun, *reversed(ended), joined), {})
        for events in (
            (announced, *begun, ended[0], joined),
            (announced, begun[0], *ended, joined),
            (announced, *begun, *ended),
            (announced, *begun, *ended, joined, joined),
            (announced, announced, *begun, *ended, joined),
            (announced, *begun, *ended, ended[1], joined),
        ):
            self.assertIn("joins_wrong", bad(*events), events)
        self.assertEqual(bad(announced, *begun, ended[0], *ended, joined)["items_twice"], 1)


if __name__ == "__main__":
    unittest.main()
