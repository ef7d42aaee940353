"""Subnet groups and cluster parameter groups."""

from localaws.runner.context import Context
from localaws.runner.table import ALL, Call, Do, Entry, Maybe, Name, Tags


def _parameters(context: Context) -> list[dict[str, str]] | None:
    return [
        {
            "ParameterName": item["name"],
            "ParameterValue": item["value"],
            "ApplyMethod": item.get("applyMethod") or "immediate",
        }
        for item in context.inputs.get("parameters") or []
    ] or None


def _set_parameters(context: Context) -> None:
    wanted = _parameters(context)
    if wanted:
        asked = {"DBClusterParameterGroupName": context.id, "Parameters": wanted}
        context.call("modify_db_cluster_parameter_group", asked)


TYPES = {
    "aws:rds/subnetGroup:SubnetGroup": Entry(
        service="rds",
        create=Call("create_db_subnet_group", auto=ALL),
        update=(
            Call(
                "modify_db_subnet_group",
                {
                    "DBSubnetGroupName": "{id}",
                    "SubnetIds": "{in.subnetIds}",
                    "DBSubnetGroupDescription": "{in.description}",
                },
            ),
        ),
        id="{in.name}",
        read=Call("describe_db_subnet_groups", {"DBSubnetGroupName": "{id}"}),
        delete=(Call("delete_db_subnet_group", {"DBSubnetGroupName": "{id}"}),),
        rename={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
        autoname=Name(limit=255, lower=True),
        defaults={"description": "Managed by Pulumi"},
        tags=Tags(),
        outputs={
            "arn": "{found.DBSubnetGroups[0].DBSubnetGroupArn}",
            "vpcId": Maybe(value="{found.DBSubnetGroups[0].VpcId}"),
            "supportedNetworkTypes": ["IPV4"],
        },
    ),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": Entry(
        service="rds",
        create=Call("create_db_cluster_parameter_group", auto=ALL),
        puts=(Do(_set_parameters, takes=("parameters",)),),
        id="{in.name}",
        delete=(Call("delete_db_cluster_parameter_group", {"DBClusterParameterGroupName": "{id}"}),),
        rename={"name": "DBClusterParameterGroupName", "family": "DBParameterGroupFamily"},
        autoname=Name(limit=255, lower=True),
        defaults={"description": "Managed by Pulumi"},
        tags=Tags(),
        outputs={"arn": "{made.DBClusterParameterGroup.DBClusterParameterGroupArn}"},
    ),
}
