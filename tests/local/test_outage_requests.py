"""Requests to APIs, function URLs and load balancers of a lost region."""

import httpx

from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function


def _make_api(aws: LocalAws, function: str, region: str) -> str:
    """A REST API whose every path is the function, at stage `live`."""
    client = aws.client("apigateway", region)
    api: str = client.create_rest_api(name="test")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    resource = client.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    client.put_method(restApiId=api, resourceId=resource, httpMethod="ANY", authorizationType="NONE")
    client.put_integration(
        restApiId=api,
        resourceId=resource,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    client.create_deployment(restApiId=api, stageName="live")
    return api


REPORT_REGION = """
    import json, os

    def handler(event, context):
        print("called")
        reported = {"region": os.environ["AWS_REGION"], "host": event["headers"].get("x-localaws-region")}
        return {"statusCode": 200, "body": json.dumps(reported)}
"""


def test_an_unsigned_api_call_is_served_and_refused_by_the_region_of_its_api(aws: LocalAws, name: str) -> None:
    apis = {
        region: _make_api(aws, deploy_function(aws, name, REPORT_REGION, region), region) for region in (EAST_1, EAST_2)
    }
    paths = {
        region: (f"/_aws/execute-api/{api}/live/pay", f"/restapis/{api}/live/_user_request_/pay")
        for region, api in apis.items()
    }

    for region, forms in paths.items():
        for form in forms:
            answer = httpx.get(aws.server.endpoint + form, headers={"x-localaws-region": region})
            assert answer.json() == {"region": region, "host": None}, form
    aws.lose(EAST_2)

    for form in paths[EAST_2]:
        answer = httpx.get(aws.server.endpoint + form)
        assert (answer.status_code, answer.json()) == (503, {"message": "execute-api in us-east-2 is unavailable"})
    by_host = httpx.get(f"{aws.server.endpoint}/live/pay", headers={"host": f"{apis[EAST_2]}.execute-api.localhost"})
    assert by_host.status_code == 503
    assert httpx.get(aws.server.endpoint + paths[EAST_1][0]).status_code == 200
    assert aws.refused(EAST_2)["data:execute-api"] == 3


def test_a_custom_domain_of_both_regions_is_served_by_the_region_of_the_front(aws: LocalAws, name: str) -> None:
    host = f"{name}.example"
    for region in (EAST_1, EAST_2):
        api = _make_api(aws, deploy_function(aws, name, REPORT_REGION, region), region)
        client = aws.client("apigateway", region)
        client.create_domain_name(domainName=host, endpointConfiguration={"types": ["REGIONAL"]})
        client.create_base_path_mapping(domainName=host, restApiId=api, stage="live")

    def ask(**front: str) -> httpx.Response:
        return httpx.get(f"{aws.server.endpoint}/pay", headers={"host": host, **front})

    assert ask(**{"x-localaws-region": EAST_1}).json()["region"] == EAST_1
    assert ask(**{"x-localaws-region": EAST_2}).json()["region"] == EAST_2
    aws.lose(EAST_2)
    assert ask(**{"x-localaws-region": EAST_2}).status_code == 503


def test_a_function_url_is_refused_by_the_region_of_its_function(aws: LocalAws, name: str) -> None:
    deploy_function(aws, name, "def handler(event, context):\n    print('called')\n    return 'here'", EAST_2)
    made = aws.client("lambda", EAST_2).create_function_url_config(FunctionName=name, AuthType="NONE")
    host = made["FunctionUrl"].removeprefix("https://").rstrip("/")

    assert "here" in httpx.get(aws.server.endpoint, headers={"host": host}).text
    aws.lose(EAST_2)
    assert httpx.get(aws.server.endpoint, headers={"host": host}).status_code == 503


def test_a_load_balancer_is_served_and_refused_by_its_own_region(aws: LocalAws, name: str) -> None:
    client = aws.client("elbv2", EAST_2)
    vpc = aws.client("ec2", EAST_2).create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = aws.client("ec2", EAST_2).create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    balancer = client.create_load_balancer(Name=name, Subnets=[subnet])["LoadBalancers"][0]
    answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "here"}
    client.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )

    def ask() -> httpx.Response:
        return httpx.get(aws.server.endpoint, headers={"host": balancer["DNSName"]})

    assert ask().text == "here"
    aws.lose(EAST_2)
    assert ask().status_code == 503
    assert httpx.get(f"{aws.server.endpoint}/_alb/{name}/").status_code == 503
