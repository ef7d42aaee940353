"""Elastic Load Balancing: what ministack gets wrong at creation (`traffic`)."""

import re
from collections.abc import Callable
from typing import Any

from localaws.hooks.services import original_of


def fill_target_group_defaults(defaults: Callable[[Callable[[str], str]], dict[str, str]]) -> None:
    """Add `defaults(read a parameter)` to CreateTargetGroup: ministack's are an HTTP group's for every kind."""
    from ministack.services import alb

    original = original_of(alb, "_create_tg")

    def create_target_group(params: dict[str, Any]) -> Any:
        return original({**defaults(lambda name: str(alb._p(params, name))), **params})

    alb._ACTION_MAP["CreateTargetGroup"] = create_target_group


def name_network_load_balancers() -> None:
    """Give network load balancers and their listeners AWS's ARN (`net/`) and DNS name; ministack calls all `app/`."""
    from ministack.services import alb

    create_balancer = original_of(alb, "_create_lb")
    create_listener = original_of(alb, "_create_listener")

    def create_load_balancer(params: dict[str, Any]) -> Any:
        known = set(alb._lbs)
        answer = create_balancer(params)
        for arn in set(alb._lbs) - known:
            if alb._lbs[arn]["Type"] != "network":
                continue
            record = alb._lbs.pop(arn)
            renamed = arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            name, number = renamed.split("/")[-2:]
            record |= {
                "LoadBalancerArn": renamed,
                "DNSName": f"{name}-{number}.elb.{alb.get_region()}.amazonaws.com",
            }
            alb._lbs[renamed] = record
            alb._tags[renamed] = alb._tags.pop(arn)
            alb._lb_attrs[renamed] = alb._lb_attrs.pop(arn)
            inner = f"<LoadBalancers>{alb._lb_xml(record)}</LoadBalancers>"
            answer = alb._xml(200, "CreateLoadBalancer", inner)
        return answer

    def create_network_listener(params: dict[str, Any]) -> Any:
        known = set(alb._listeners)
        answer = create_listener(params)
        for arn in set(alb._listeners) - known:
            if ":loadbalancer/net/" not in alb._listeners[arn]["LoadBalancerArn"]:
                continue
            renamed = arn.replace(":listener/app/", ":listener/net/")
            record = alb._listeners[renamed] = alb._listeners.pop(arn) | {"ListenerArn": renamed}
            alb._listener_attrs[renamed] = alb._listener_attrs.pop(arn)
            alb._tags[renamed] = alb._tags.pop(arn)
            for rule in alb._rules.values():
                if rule["ListenerArn"] == arn:
                    rule["ListenerArn"] = renamed
            answer = alb._xml(200, "CreateListener", f"<Listeners>{alb._listener_xml(record)}</Listeners>")
        return answer

    alb._ACTION_MAP["CreateLoadBalancer"] = create_load_balancer
    alb._ACTION_MAP["CreateListener"] = create_network_listener


def answer_canonical_zones(zones: dict[tuple[str, str], str]) -> None:
    """Answer the hosted zone of a load balancer's DNS name by (type, region); ministack has one for all."""
    from ministack.services import alb

    original = original_of(alb, "_lb_xml")

    def load_balancer_xml(record: dict[str, Any]) -> str:
        xml = str(original(record))
        zone = zones.get((record["Type"], record["LoadBalancerArn"].split(":")[3]))
        tag = "CanonicalHostedZoneId"
        return re.sub(f"<{tag}>.*</{tag}>", f"<{tag}>{zone}</{tag}>", xml) if zone else xml

    alb._lb_xml = load_balancer_xml
