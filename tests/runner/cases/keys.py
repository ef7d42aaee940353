"""KMS keys, IAM roles and policies, certificates, secrets and parameters."""

from tests.runner.cases import Case, Reading

PROGRAM = """
import pulumi_random as random
import pulumi_tls as tls

key = aws.kms.Key("data", description="data", enable_key_rotation=True, deletion_window_in_days=7, opts=opts)
alias = aws.kms.Alias("data", name="alias/runner-data", target_key_id=key.key_id, opts=opts)

trust = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
role = aws.iam.Role("reader", assume_role_policy=trust, description="reads", max_session_duration=7200, opts=opts)
inline = aws.iam.RolePolicy("inline", role=role.name, policy=json.dumps(allow), opts=opts)
policy = aws.iam.Policy("managed", policy=json.dumps(allow), path="/runner/", opts=opts)
attachment = aws.iam.RolePolicyAttachment("managed", role=role.name, policy_arn=policy.arn, opts=opts)

private = tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256")
signed = tls.SelfSignedCert(
    "signed", private_key_pem=private.private_key_pem, dns_names=["pay.example.internal"], validity_period_hours=24,
    subject={"common_name": "pay.example.internal"}, allowed_uses=["server_auth", "digital_signature"],
)
certificate = aws.acm.Certificate(
    "imported", private_key=private.private_key_pem, certificate_body=signed.cert_pem, opts=opts
)

password = random.RandomPassword("password", length=24, special=False)
secret = aws.secretsmanager.Secret(
    "database", name="runner/database", kms_key_id=key.arn, recovery_window_in_days=0,
    replicas=[{"region": "us-east-2"}], opts=opts,
)
version = aws.secretsmanager.SecretVersion("database", secret_id=secret.id, secret_string=password.result, opts=opts)
aws.ssm.ServiceSetting(
    "throughput", setting_id="/ssm/parameter-store/high-throughput-enabled", setting_value="true", opts=opts
)
parameter = aws.ssm.Parameter("writer", name="/runner/writer", type="String", value="us-east-1", opts=opts)

for name, value in {
    "key": key.key_id, "role": role.name, "role_arn": role.arn, "inline": inline.name, "policy": policy.arn,
    "certificate": certificate.arn, "secret": secret.arn, "password": password.result, "version": version.version_id,
}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:kms/key:Key": Reading(
            lambda aws, out: {
                **aws("kms").describe_key(KeyId=out["key"])["KeyMetadata"],
                **aws("kms").get_key_rotation_status(KeyId=out["key"]),
            },
            {"Description": "data", "KeyState": "Enabled", "KeyRotationEnabled": True},
            stays="a key is only scheduled for deletion, as on AWS",
        ),
        "aws:kms/alias:Alias": Reading(
            lambda aws, out: next(
                {"Same": found["TargetKeyId"] == out["key"]}
                for found in aws("kms").list_aliases()["Aliases"]
                if found["AliasName"] == "alias/runner-data"
            ),
            {"Same": True},
        ),
        "aws:iam/role:Role": Reading(
            lambda aws, out: {
                **(found := aws("iam").get_role(RoleName=out["role"])["Role"]),
                "Trusts": found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"],
            },
            {
                "Description": "reads",
                "MaxSessionDuration": 7200,
                "Tags": [{"Key": "Application", "Value": "dr"}],
            },
        ),
        "aws:iam/rolePolicy:RolePolicy": Reading(
            lambda aws, out: aws("iam").get_role_policy(RoleName=out["role"], PolicyName=out["inline"])[
                "PolicyDocument"
            ]["Statement"][0],
            {"Action": "s3:ListBucket"},
        ),
        "aws:iam/policy:Policy": Reading(
            lambda aws, out: aws("iam").get_policy(PolicyArn=out["policy"])["Policy"], {"Path": "/runner/"}
        ),
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Reading(
            lambda aws, out: {
                "Same": out["policy"]
                in [
                    found["PolicyArn"]
                    for found in aws("iam").list_attached_role_policies(RoleName=out["role"])["AttachedPolicies"]
                ]
            },
            {"Same": True},
        ),
        "aws:acm/certificate:Certificate": Reading(
            lambda aws, out: aws("acm").describe_certificate(CertificateArn=out["certificate"])["Certificate"],
            {"Type": "IMPORTED", "Status": "ISSUED"},
        ),
        "aws:secretsmanager/secret:Secret": Reading(
            lambda aws, out: {
                **aws("secretsmanager").describe_secret(SecretId=out["secret"]),
                "Replica": aws("secretsmanager", "us-east-2").describe_secret(SecretId="runner/database")["Name"],
            },
            {"Name": "runner/database", "Replica": "runner/database"},
        ),
        "aws:secretsmanager/secretVersion:SecretVersion": Reading(
            lambda aws, out: {
                **(found := aws("secretsmanager").get_secret_value(SecretId=out["secret"])),
                "Length": len(found["SecretString"]),
                "Same": found["VersionId"] == out["version"],
            },
            {"Length": 24, "Same": True},
        ),
        "aws:ssm/serviceSetting:ServiceSetting": Reading(
            lambda aws, _: aws("ssm").get_service_setting(SettingId="/ssm/parameter-store/high-throughput-enabled")[
                "ServiceSetting"
            ],
            {"SettingValue": "true", "Status": "Customized"},
            stays="a setting is always there; deleting it brings its default back",
        ),
        "aws:ssm/parameter:Parameter": Reading(
            lambda aws, _: aws("ssm").get_parameter(Name="/runner/writer")["Parameter"],
            {"Value": "us-east-1", "Type": "String", "Version": 1},
        ),
    },
    edits=(
        ('description="data", enable', 'description="more data", enable'),
        ('description="reads", max_session_duration=7200', 'description="still reads", max_session_duration=3600'),
        ('"Action": "s3:ListBucket"', '"Action": "s3:GetObject"'),
        ('"lambda.amazonaws.com"', '"states.amazonaws.com"'),
        ('type="String", value="us-east-1"', 'type="String", value="us-east-2"'),
        ("recovery_window_in_days=0,\n", 'recovery_window_in_days=0, description="the database",\n'),
    ),
    changed={
        "aws:kms/key:Key": {"Description": "more data"},
        "aws:iam/role:Role": {
            "Description": "still reads",
            "MaxSessionDuration": 3600,
            "Trusts": "states.amazonaws.com",
        },
        "aws:iam/rolePolicy:RolePolicy": {"Action": "s3:GetObject"},
        "aws:iam/policy:Policy": {"DefaultVersionId": "v2"},
        "aws:ssm/parameter:Parameter": {"Value": "us-east-2", "Version": 2},
        "aws:secretsmanager/secret:Secret": {"Description": "the database"},
    },
)
