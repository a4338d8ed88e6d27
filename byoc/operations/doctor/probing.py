"""Probes of several stacks at once, after they were examined: what they tell takes the place of "unknown"."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Check
from byoc.operations.doctor.place_reading import read_place
from byoc.operations.doctor.probe import run_probe
from byoc.operations.doctor.probe_judge import judge_probe, no_image, without_probe
from byoc.operations.doctor.probe_plan import plan_of
from byoc.operations.doctor.probe_site import read_site
from byoc.operations.doctor.report import Report
from byoc.operations.doctor.subject import Subject

AT_ONCE = 8
"""Probes that run at the same time."""


def probe_all(subjects: Sequence[Subject], reports: Sequence[Report]) -> tuple[list[Report], bool]:
    """The reports with what containers in the subnets found out, and whether they were interrupted (Ctrl-C).

    However the wait ends, every probe takes away what it made before this returns.
    """
    stop, interrupted = threading.Event(), False
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="byoc-probe") as pool:
        futures = [
            pool.submit(probed, subject, report, stop) for subject, report in zip(subjects, reports, strict=True)
        ]
        try:
            wait(futures)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop.set()  # inside the block, whose end waits for the probes
    return [future.result() for future in futures], interrupted


def probed(subject: Subject, report: Report, stop: threading.Event) -> Report:
    """One report with what a container found out; as it is, where there is no way into the account."""
    if not report.entered or stop.is_set():
        return report
    return report.with_area(Area.EGRESS, _checks(subject, report.of_area(Area.EGRESS), stop))


def _checks(subject: Subject, before: tuple[Check, ...], stop: threading.Event) -> tuple[Check, ...]:
    plan = plan_of(subject)
    if plan is None:
        return (no_image(subject.stack),)
    site = read_site(subject, plan, read_place(subject))
    if isinstance(site, NoAnswer):
        return without_probe(plan, site, before)
    return judge_probe(plan, run_probe(subject.account, plan, site, stop), before)
