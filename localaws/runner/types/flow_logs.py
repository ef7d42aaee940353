"""Flow logs of VPCs."""

from localaws.runner.table import ALL, Call, Entry, Tags

TYPES = {
    "aws:ec2/flowLog:FlowLog": Entry(
        service="ec2",
        create=Call("create_flow_logs", {"ResourceIds": ["{in.vpcId}"], "ResourceType": "VPC"}, auto=ALL),
        id="{made.FlowLogIds[0]}",
        read=Call("describe_flow_logs", {"FlowLogIds": ["{id}"]}),
        delete=(Call("delete_flow_logs", {"FlowLogIds": ["{id}"]}),),
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
        tags=Tags(resource="{id}", kind="vpc-flow-log"),
        outputs={"arn": "arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}"},
    ),
}
