"""Functions with their permissions and layers, log groups, alarms and dashboards."""

from tests.runner.cases import Case, Reading

PROGRAM = """
trust = {"Version": "2012-10-17", "Statement": []}
role = aws.iam.Role("function", assume_role_policy=json.dumps(trust), opts=opts)
layer = aws.lambda_.LayerVersion(
    "libraries", layer_name="runner-libraries", compatible_runtimes=["python3.13"],
    code=pulumi.AssetArchive({"python/broken.py": pulumi.StringAsset("raise RuntimeError")}), opts=opts,
)
handler = "import os\\ndef handle(event, context):\\n    return {'seen': os.environ['WORD']}\\n"
code = pulumi.AssetArchive({"handler.py": pulumi.StringAsset(handler)})
function = aws.lambda_.Function(
    "hello", role=role.arn, runtime="python3.13", handler="handler.handle", code=code, memory_size=256, timeout=7,
    architectures=["arm64"], layers=[layer.arn], environment={"variables": {"WORD": "hello"}},
    reserved_concurrent_executions=5, tracing_config={"mode": "Active"}, opts=opts,
)
permission = aws.lambda_.Permission(
    "anyone", function=function.name, action="lambda:InvokeFunction", principal="elasticloadbalancing.amazonaws.com",
    opts=opts,
)
group = aws.cloudwatch.LogGroup("hello", name="/runner/hello", retention_in_days=14, opts=opts)
alarm = aws.cloudwatch.MetricAlarm(
    "errors", comparison_operator="GreaterThanThreshold", evaluation_periods=2, datapoints_to_alarm=1, threshold=3,
    namespace="AWS/Lambda", metric_name="Errors", statistic="Sum", period=60, treat_missing_data="notBreaching",
    dimensions={"FunctionName": function.name}, opts=opts,
)
dashboard = aws.cloudwatch.Dashboard(
    "board", dashboard_name="runner", dashboard_body=json.dumps({"widgets": []}), opts=opts
)
for name, value in {
    "function": function.name, "layer": layer.arn, "alarm": alarm.name, "statement": permission.statement_id,
}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:lambda/function:Function": Reading(
            lambda aws, out: {
                **(found := aws("lambda").get_function(FunctionName=out["function"])["Configuration"]),
                "Word": found["Environment"]["Variables"]["WORD"],
                "Layers": len(found["Layers"]),
                "Reserved": aws("lambda").get_function_concurrency(FunctionName=out["function"])[
                    "ReservedConcurrentExecutions"
                ],
                "Answer": aws("lambda").invoke(FunctionName=out["function"])["Payload"].read(),
            },
            {
                "MemorySize": 256,
                "Timeout": 7,
                "Word": "hello",
                "Layers": 1,
                "Reserved": 5,
                "Answer": b'{"seen": "hello"}',
            },
        ),
        "aws:lambda/permission:Permission": Reading(
            lambda aws, out: {
                "Same": out["statement"] in aws("lambda").get_policy(FunctionName=out["function"])["Policy"]
            },
            {"Same": True},
        ),
        "aws:lambda/layerVersion:LayerVersion": Reading(
            lambda aws, out: aws("lambda").get_layer_version_by_arn(Arn=out["layer"]),
            {"CompatibleRuntimes": ["python3.13"]},  # versions are counted over all tests on one embedded AWS
        ),
        "aws:cloudwatch/logGroup:LogGroup": Reading(
            lambda aws, _: aws("logs").describe_log_groups(logGroupNamePrefix="/runner/hello")["logGroups"][0],
            {"retentionInDays": 14},
        ),
        "aws:cloudwatch/metricAlarm:MetricAlarm": Reading(
            lambda aws, out: {
                **(found := aws("cloudwatch").describe_alarms(AlarmNames=[out["alarm"]])["MetricAlarms"][0]),
                "On": found["Dimensions"][0]["Value"] == out["function"],
            },
            {"Threshold": 3.0, "EvaluationPeriods": 2, "TreatMissingData": "notBreaching", "On": True},
        ),
        "aws:cloudwatch/dashboard:Dashboard": Reading(
            lambda aws, _: aws("cloudwatch").get_dashboard(DashboardName="runner"),
            {"DashboardBody": '{"widgets": []}'},
        ),
    },
    edits=(
        ("memory_size=256", "memory_size=512"),
        ('{"WORD": "hello"}', '{"WORD": "bye"}'),
        ("reserved_concurrent_executions=5", "reserved_concurrent_executions=6"),
        ("retention_in_days=14", "retention_in_days=30"),
        ("threshold=3", "threshold=4"),
        ('{"widgets": []}', '{"widgets": [1]}'),
    ),
    changed={
        "aws:lambda/function:Function": {"MemorySize": 512, "Word": "bye", "Reserved": 6, "Answer": b'{"seen": "bye"}'},
        "aws:cloudwatch/logGroup:LogGroup": {"retentionInDays": 30},
        "aws:cloudwatch/metricAlarm:MetricAlarm": {"Threshold": 4.0, "On": True},
        "aws:cloudwatch/dashboard:Dashboard": {"DashboardBody": '{"widgets": [1]}'},
    },
)
