"""The wait for a certificate to be issued."""

from localaws.runner.context import Context
from localaws.runner.errors import TableError
from localaws.runner.table import Call, Do, Entry


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
    "aws:acm/certificateValidation:CertificateValidation": Entry(
        service="acm",
        create=Do(_proven, takes=("certificateArn", "validationRecordFqdns")),
        id="{in.certificateArn}",
        read=Call("describe_certificate", {"CertificateArn": "{in.certificateArn}"}),
        ready="found.Certificate.Status == 'ISSUED'",
        delete=(),  # nothing but a wait
    ),
}
