"""What an account that another tool made keeps as it is, because AWS could change it by a replacement alone."""

from __future__ import annotations

from typing import Annotated

from byoc.config.fields import DISTINCT, matching
from byoc.config.section import Section, setting

Description = Annotated[
    str,
    matching(
        r"[ -~\t\n\r\u00a0-\u00ff]{0,1000}",
        "the description as it is in AWS, at most 1,000 characters",
        "copy it from AWS; byoc adopt writes it",
    ),
]
RuleName = Annotated[
    str,
    matching(
        r"service-out|lb-to-service-(in|out)|lb-https?-(anywhere|vpc|[0-9a-f.:]+/\d{1,3})",
        "the name of a rule of the load-balancer or service group, such as service-out or lb-https-anywhere",
        "copy the rule's logical name, without what stands before lb- or service-; byoc adopt writes it",
    ),
]


class AdoptedDescriptions(Section):
    """Descriptions that AWS cannot change in place."""

    supplement_policy: Description | None = setting(
        "That of the policy beside the five documented ones; empty if it has none.",
        default=None,
        shown="this library's",
    )
    load_balancer_security_group: Description | None = setting(
        "That of the load balancers' security group.", default=None, shown="the documented one"
    )
    service_security_group: Description | None = setting(
        "That of the servers' security group.", default=None, shown="the documented one"
    )


class AdoptedConfig(Section):
    """What `byoc adopt` found and the stack leaves as it is (kind `account`)."""

    descriptions: AdoptedDescriptions = setting(
        "Descriptions that only a replacement could change.",
        default=AdoptedDescriptions(),
        shown="those of a new install",
    )
    rules: Annotated[tuple[RuleName, ...], DISTINCT] = setting(
        "Rules that the adopted security groups hold already and that nobody knows the id of: the stack makes all "
        "others. AWS refuses the same rule twice.",
        default=(),
        shown="none: the stack makes all rules",
    )
