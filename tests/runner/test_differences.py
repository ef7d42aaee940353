"""Known differences from AWS that the runner meets: each is shown here, and the list names real tests."""

import ast
import base64
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws.differences import DIFFERENCES, Difference
from localaws.engine import DeployError
from tests.runner.conftest import Client, Programs

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.id)
def test_every_difference_names_a_test_that_is_there(difference: Difference) -> None:
    file, _, name = difference.tested.partition("::")
    functions = {
        node.name for node in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(node, ast.FunctionDef)
    }

    assert name in functions


def test_ids_are_unique() -> None:
    assert len({difference.id for difference in DIFFERENCES}) == len(DIFFERENCES)


def test_a_layer_is_published_empty(programs: Programs, client: Client) -> None:
    programs.write(
        """
        code = pulumi.AssetArchive({"python/big.py": pulumi.StringAsset("x = 1")})
        layer = aws.lambda_.LayerVersion("l", layer_name="differences", code=code, opts=opts)
        pulumi.export("arn", layer.arn)
        """
    )
    arn = programs.deploy().outputs["primary"]["arn"]

    assert client("lambda").get_layer_version_by_arn(Arn=arn)["Content"]["CodeSize"] == 22  # an empty zip archive


def test_a_throttling_limit_of_minus_one_is_not_sent(programs: Programs, client: Client) -> None:
    programs.write(
        """
        document = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {
            "responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
        api = aws.apigateway.RestApi("api", body=json.dumps(document), opts=opts)
        deployment = aws.apigateway.Deployment("api", rest_api=api.id, opts=opts)
        stage = aws.apigateway.Stage("api", rest_api=api.id, deployment=deployment.id, stage_name="live", opts=opts)
        aws.apigateway.MethodSettings("api", rest_api=api.id, stage_name=stage.stage_name, method_path="*/*", opts=opts,
            settings={"throttling_rate_limit": -1, "throttling_burst_limit": -1, "metrics_enabled": True})
        pulumi.export("api", api.id)
        """
    )
    api = programs.deploy().outputs["primary"]["api"]

    settings = client("apigateway").get_stage(restApiId=api, stageName="live")["methodSettings"]["*/*"]
    assert settings["metricsEnabled"] is True
    assert settings["throttlingRateLimit"] > 0


def test_a_secrets_replica_goes_with_the_secret(programs: Programs, client: Client) -> None:
    body = """
        aws.secretsmanager.Secret("s", name="differences/s", recovery_window_in_days=0, opts=opts{replicas})
        """
    programs.write(body.format(replicas=', replicas=[{"region": "us-east-2"}]'))
    programs.deploy()
    there = client("secretsmanager", "us-east-2")
    assert there.describe_secret(SecretId="differences/s")
    programs.write(body.format(replicas=""))
    with pytest.raises(DeployError, match="Unknown action: RemoveRegionsFromReplication"):
        programs.deploy()

    programs.destroy()

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        there.describe_secret(SecretId="differences/s")


def test_an_imported_certificate_is_kept_but_described_with_a_made_up_domain(
    programs: Programs, client: Client
) -> None:
    programs.write(
        """
        import pulumi_tls as tls
        key = tls.PrivateKey("k", algorithm="ECDSA", ecdsa_curve="P256")
        signed = tls.SelfSignedCert("c", private_key_pem=key.private_key_pem, dns_names=["pay.example.internal"],
            validity_period_hours=24, allowed_uses=["server_auth"])
        made = aws.acm.Certificate("c", private_key=key.private_key_pem, certificate_body=signed.cert_pem, opts=opts)
        pulumi.export("arn", made.arn)
        pulumi.export("pem", signed.cert_pem)
        """
    )
    outputs = programs.deploy().outputs["primary"]

    found = client("acm").get_certificate(CertificateArn=outputs["arn"])["Certificate"]
    described = client("acm").describe_certificate(CertificateArn=outputs["arn"])["Certificate"]
    assert found.strip() == outputs["pem"].strip()
    assert b"pay.example.internal" in base64.b64decode("".join(found.strip().splitlines()[1:-1]))
    assert described["DomainName"] != "pay.example.internal"


def test_a_nat_gateway_describes_no_address(programs: Programs, client: Client) -> None:
    programs.write(
        """
        vpc = aws.ec2.Vpc("v", cidr_block="10.4.0.0/16", opts=opts)
        subnet = aws.ec2.Subnet("s", vpc_id=vpc.id, cidr_block="10.4.0.0/24", opts=opts)
        address = aws.ec2.Eip("e", domain="vpc", opts=opts)
        nat = aws.ec2.NatGateway("n", subnet_id=subnet.id, allocation_id=address.id, opts=opts)
        pulumi.export("nat", nat.id)
        both = pulumi.Output.all(nat.public_ip, address.public_ip)
        pulumi.export("same", both.apply(lambda addresses: addresses[0] == addresses[1]))
        """
    )
    outputs = programs.deploy().outputs["primary"]

    [described] = client("ec2").describe_nat_gateways(NatGatewayIds=[outputs["nat"]])["NatGateways"]
    assert outputs["same"] is True
    assert [address.get("PublicIp") for address in described["NatGatewayAddresses"]] in ([], [None], [""])
