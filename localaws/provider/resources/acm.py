"""Certificates: imported ones (a private key is given) and requested ones."""

import hashlib
from typing import Any

from localaws.core.errors import TableError
from localaws.provider.context import Context
from localaws.provider.table import Call, Do, Entry, Maybe, Tags
from localaws.provider.tagging import merge

_IMPORTED = ("certificateBody", "privateKey", "certificateChain")
_REQUESTED = (
    "domainName",
    "validationMethod",
    "subjectAlternativeNames",
    "keyAlgorithm",
    "options",
    "validationOptions",
)


def _issue(context: Context) -> dict[str, Any]:
    """Import what the program holds, or ask for a new certificate."""
    given = context.inputs
    tags = [{"Key": key, "Value": value} for key, value in merge(None, context.tags).items()]
    labelled = {"Tags": tags} if tags else {}
    if given.get("privateKey"):
        asked = {"Certificate": given["certificateBody"], "PrivateKey": given["privateKey"]}
        if given.get("certificateChain"):
            asked["CertificateChain"] = given["certificateChain"]
        return context.call("import_certificate", asked | labelled)
    asked = {key: given[key] for key in _REQUESTED if key in given}
    return context.call("request_certificate", asked | labelled)


def _import_again(context: Context) -> None:
    """A renewed certificate keeps its ARN. Taking over a requested one is a replacement on AWS too."""
    given = context.inputs
    asked = {
        "CertificateArn": context.id,
        "Certificate": given["certificateBody"],
        "PrivateKey": given["privateKey"],
        "CertificateChain": given.get("certificateChain"),
    }
    context.call("import_certificate", {key: value for key, value in asked.items() if value is not None})


def _when(field: str) -> Any:
    def text(context: Context) -> str:
        moment = context.get(f"found.Certificate.{field}")
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""

    return text


def _validation(context: Context) -> list[dict[str, str]]:
    options = context.get("found.Certificate.DomainValidationOptions") or []
    if context.synthetic:
        options = [_made_up(name) for name in _names(context)]
    return [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option["ResourceRecord"]["Name"],
            "resourceRecordType": option["ResourceRecord"]["Type"],
            "resourceRecordValue": option["ResourceRecord"]["Value"],
        }
        for option in options
        if "ResourceRecord" in option
    ]


def _names(context: Context) -> list[str]:
    """The names that have to be proved; none for an imported certificate."""
    given = context.inputs
    if given.get("privateKey"):
        return []
    return sorted({given["domainName"], *(given.get("subjectAlternativeNames") or [])})


def _made_up(name: str) -> dict[str, Any]:
    label = hashlib.sha256(name.encode()).hexdigest()[:32]
    record = {"Name": f"_{label}.{name}.", "Type": "CNAME", "Value": f"_{label}.acm-validations.aws."}
    return {"DomainName": name, "ResourceRecord": record}


def _proven(context: Context) -> dict[str, str]:
    """Raise TableError for a record that proves none of the certificate's names, as the provider does."""
    asked = {"CertificateArn": context.inputs["certificateArn"]}
    options = context.call("describe_certificate", asked)["Certificate"].get("DomainValidationOptions") or []
    needed = {option["ResourceRecord"]["Name"].rstrip(".") for option in options if "ResourceRecord" in option}
    given = {name.rstrip(".") for name in context.inputs.get("validationRecordFqdns") or []}
    if given and given != needed and not context.synthetic:
        wrong = ", ".join(sorted(given ^ needed))
        raise TableError(f"{context.type}: validation needs exactly the records ACM names; see {wrong}")
    return {}


TYPES = {
    "aws:acm/certificate:Certificate": Entry(
        service="acm",
        create=Do(_issue, takes=(*_IMPORTED, *_REQUESTED)),
        update=(Do(_import_again, takes=_IMPORTED),),
        id="{made.CertificateArn}",
        read=Call("describe_certificate", {"CertificateArn": "{id}"}),
        delete=(Call("delete_certificate", {"CertificateArn": "{id}"}),),
        rename={"options": "Options", "validationOptions": "DomainValidationOptions"},
        tags=Tags(resource="{id}"),
        outputs={
            "arn": "{id}",
            "domainName": Maybe(value="{found.Certificate.DomainName}"),
            "subjectAlternativeNames": Maybe(value="{found.Certificate.SubjectAlternativeNames}", otherwise=[]),
            "domainValidationOptions": _validation,
            "keyAlgorithm": Maybe(value="{found.Certificate.KeyAlgorithm}"),
            "notAfter": _when("NotAfter"),
            "notBefore": _when("NotBefore"),
            "pendingRenewal": False,
            "renewalEligibility": Maybe(value="{found.Certificate.RenewalEligibility}"),
            "renewalSummaries": [],
            "status": "{found.Certificate.Status}",
            "type": "{found.Certificate.Type}",
            "validationEmails": [],
        },
    ),
    "aws:acm/certificateValidation:CertificateValidation": Entry(
        service="acm",
        create=Do(_proven, takes=("certificateArn", "validationRecordFqdns")),
        id="{in.certificateArn}",
        read=Call("describe_certificate", {"CertificateArn": "{in.certificateArn}"}),
        ready="found.Certificate.Status == 'ISSUED'",
        delete=(),  # nothing but a wait
    ),
}
