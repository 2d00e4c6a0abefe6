"""What the platform itself says: its page for hosts that it does not know, and the status of the certificate."""

from __future__ import annotations

from deflect.diagnose.dns.case import Case, Skipped, Verdicts
from deflect.diagnose.dns.observation import Page
from deflect.diagnose.dns.profile import NotAdded
from deflect.diagnose.finding import Finding

CHECKS = ("platform.not_added", "platform.certificate")


def check_platform(case: Case) -> Verdicts:
    """Yield what the page and the status say."""
    yield from _page(case)
    yield from _certificate(case)


def _page(case: Case) -> Verdicts:
    page, rule = case.observation.page, case.profile.not_added
    if page is None:
        yield Skipped("platform.not_added", "the host was not asked over HTTP (--http)")
    elif page.failure:
        yield Skipped("platform.not_added", f"{page.address} gave no page: {page.failure}")
    elif not (rule.body or rule.header):
        yield Skipped("platform.not_added", f"the page of {case.profile.name} for unknown hosts is not known")
    elif _is_unknown(page, rule):
        add = case.profile.add_host.format(host=case.host) or f"Add {case.host} to the app at {case.profile.name}."
        yield Finding(
            "platform.not_added",
            "error",
            f"{case.host} reaches {case.profile.name}, but no app there has this domain.",
            f"http://{case.host}/ at {page.address}: status {page.status}",
            add,
            case.profile.url,
        )


def _is_unknown(page: Page, rule: NotAdded) -> bool:
    """Say whether a page is the platform's page for unknown hosts."""
    if rule.status and page.status != rule.status:
        return False
    headers = [f"{name}: {value}".lower() for name, value in page.headers]
    return bool(rule.body and rule.body in page.body) or bool(rule.header and rule.header in headers)


def _certificate(case: Case) -> Verdicts:
    if not case.acm_status:
        yield Skipped("platform.certificate", "no status of the certificate was given (--acm-status)")
        return
    status = case.profile.statuses.get(case.acm_status.strip().lower())
    if status is None:
        text = f"The certificate's status {case.acm_status[:60]!r} is not known to the profile of {case.profile.name}."
        yield Finding("platform.certificate", "notice", text)
    else:
        seen = f"status {case.acm_status.strip().lower()}"
        yield Finding("platform.certificate", status.severity, status.summary, seen, status.fix, case.profile.url)
