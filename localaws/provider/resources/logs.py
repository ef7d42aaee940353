"""Log groups."""

from localaws.provider.table import ALL, Call, Entry, Name, Tags

TYPES = {
    "aws:cloudwatch/logGroup:LogGroup": Entry(
        service="logs",
        create=Call("create_log_group", auto=ALL),
        puts=(
            Call(
                "put_retention_policy",
                {"logGroupName": "{id}", "retentionInDays": "{in.retentionInDays}"},
                when=("in.retentionInDays",),
            ),
        ),
        id="{in.name}",
        delete=(Call("delete_log_group", {"logGroupName": "{id}"}),),
        rename={"name": "logGroupName"},
        autoname=Name(limit=512),
        provider_only={"skipDestroy": "only changes how the provider deletes"},
        tags=Tags(),
        outputs={"arn": "arn:aws:logs:{region}:{account}:log-group:{id}"},
    ),
}
