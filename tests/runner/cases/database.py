"""An Aurora global cluster with a member and its instance."""

from tests.runner.cases import Case, Reading

PROGRAM = """
vpc = aws.ec2.Vpc("data", cidr_block="10.8.0.0/16", opts=opts)
subnets = [
    aws.ec2.Subnet(
        f"data-{z}", vpc_id=vpc.id, cidr_block=f"10.8.{n}.0/24", availability_zone=f"us-east-1{z}", opts=opts
    )
    for n, z in enumerate("ab")
]
group = aws.rds.SubnetGroup("data", name="runner-data", subnet_ids=[subnet.id for subnet in subnets], opts=opts)
settings = aws.rds.ClusterParameterGroup(
    "data", name="runner-data", family="aurora-postgresql16",
    parameters=[{"name": "log_statement", "value": "ddl", "apply_method": "immediate"}], opts=opts,
)
world = aws.rds.GlobalCluster(
    "world", global_cluster_identifier="runner-world", engine="aurora-postgresql", engine_version="16.9",
    database_name="payments", storage_encrypted=True, opts=opts,
)
cluster = aws.rds.Cluster(
    "east", cluster_identifier="runner-east", global_cluster_identifier=world.id, engine=world.engine,
    engine_version="16.9", database_name="payments", master_username="owner",
    master_password=pulumi.Output.secret("correct-horse"), db_subnet_group_name=group.name,
    db_cluster_parameter_group_name=settings.name, storage_encrypted=True, skip_final_snapshot=True,
    enable_http_endpoint=True, serverlessv2_scaling_configuration={"min_capacity": 0.5, "max_capacity": 4},
    opts=opts,
)
instance = aws.rds.ClusterInstance(
    "one", identifier="runner-east-1", cluster_identifier=cluster.id, engine=cluster.engine,
    instance_class="db.serverless", opts=opts,
)
for name, value in {"cluster": cluster.arn, "endpoint": cluster.endpoint, "writer": instance.writer}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:rds/subnetGroup:SubnetGroup": Reading(
            lambda aws, _: {
                "Subnets": len(
                    aws("rds").describe_db_subnet_groups(DBSubnetGroupName="runner-data")["DBSubnetGroups"][0][
                        "Subnets"
                    ]
                )
            },
            {"Subnets": 2},
        ),
        "aws:rds/clusterParameterGroup:ClusterParameterGroup": Reading(
            lambda aws, _: {
                **aws("rds").describe_db_cluster_parameter_groups(DBClusterParameterGroupName="runner-data")[
                    "DBClusterParameterGroups"
                ][0],
                "Logs": next(
                    item["ParameterValue"]
                    for item in aws("rds").describe_db_cluster_parameters(DBClusterParameterGroupName="runner-data")[
                        "Parameters"
                    ]
                    if item["ParameterName"] == "log_statement"
                ),
            },
            {"DBParameterGroupFamily": "aurora-postgresql16", "Logs": "ddl"},
        ),
        "aws:rds/globalCluster:GlobalCluster": Reading(
            lambda aws, out: {
                **(
                    found := aws("rds").describe_global_clusters(GlobalClusterIdentifier="runner-world")[
                        "GlobalClusters"
                    ][0]
                ),
                "Writer": [
                    member["DBClusterArn"] == out["cluster"]
                    for member in found["GlobalClusterMembers"]
                    if member["IsWriter"]
                ],
            },
            {"Engine": "aurora-postgresql", "Writer": [True]},
        ),
        "aws:rds/cluster:Cluster": Reading(
            lambda aws, out: {
                **(found := aws("rds").describe_db_clusters(DBClusterIdentifier="runner-east")["DBClusters"][0]),
                "Same": found["Endpoint"] == out["endpoint"],
                "Capacity": float(found["ServerlessV2ScalingConfiguration"]["MinCapacity"]),
                "Most": float(found["ServerlessV2ScalingConfiguration"]["MaxCapacity"]),
            },
            {"Status": "available", "DatabaseName": "payments", "Same": True, "Capacity": 0.5},
        ),
        "aws:rds/clusterInstance:ClusterInstance": Reading(
            lambda aws, out: {
                **aws("rds").describe_db_instances(DBInstanceIdentifier="runner-east-1")["DBInstances"][0],
                "Writer": out["writer"],
            },
            {"DBInstanceClass": "db.serverless", "DBClusterIdentifier": "runner-east", "Writer": True},
        ),
    },
    edits=(('"value": "ddl"', '"value": "all"'), ('"max_capacity": 4', '"max_capacity": 8')),
    changed={
        "aws:rds/clusterParameterGroup:ClusterParameterGroup": {"Logs": "all"},
        "aws:rds/cluster:Cluster": {"Most": 8.0},
    },
)
