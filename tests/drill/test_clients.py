"""AWS clients for the embedded AWS ignore the user's environment."""

import pytest

from shared.aws_sessions import LocalAccess, Sessions


def test_a_client_ignores_every_aws_setting_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_ACCESS_KEY_ID": "AKIABOGUS",
        "AWS_SECRET_ACCESS_KEY": "bogus",
        "AWS_SESSION_TOKEN": "bogus",
        "AWS_REGION": "eu-west-9",
        "AWS_DEFAULT_REGION": "eu-west-9",
        "AWS_ENDPOINT_URL": "http://203.0.113.1",
        "AWS_CA_BUNDLE": "/no/such/file",
        "AWS_CONFIG_FILE": "/no/such/file",
        "AWS_MAX_ATTEMPTS": "many",
        "HTTP_PROXY": "http://203.0.113.2:1",
    }.items():
        monkeypatch.setenv(name, value)

    access = LocalAccess(endpoint="http://127.0.0.1:9", account="000000000000")
    client = Sessions(access).client("dynamodb", "us-east-2")

    assert client.meta.region_name == "us-east-2"
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.token) == ("000000000000", None)
    assert client._endpoint.http_session._proxy_config.proxy_url_for("http://127.0.0.1:9") is None
