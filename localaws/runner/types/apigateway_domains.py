"""Custom domain names of REST APIs and what they lead to."""

from localaws.runner.table import ALL, Call, Entry, Maybe, Tags

TYPES = {
    "aws:apigateway/domainName:DomainName": Entry(
        service="apigateway",
        create=Call("create_domain_name", auto=ALL),
        id="{in.domainName}",
        read=Call("get_domain_name", {"domainName": "{id}"}),
        delete=(Call("delete_domain_name", {"domainName": "{id}"}),),
        tags=Tags(inline=False),
        outputs={
            "arn": "arn:aws:apigateway:{region}::/domainnames/{id}",
            "regionalDomainName": "{found.regionalDomainName}",
            "regionalZoneId": "{found.regionalHostedZoneId}",
            "cloudfrontDomainName": Maybe(value="{found.distributionDomainName}"),
            "cloudfrontZoneId": "Z2FDTNDATAQYW2",  # CloudFront's own, which the provider shows for every domain
            "certificateUploadDate": "",
            "domainNameId": "",  # private domains only
            "securityPolicy": "{found.securityPolicy}",
        },
        secret_outputs=("certificatePrivateKey",),
    ),
    "aws:apigateway/basePathMapping:BasePathMapping": Entry(
        service="apigateway",
        create=Call("create_base_path_mapping", auto=ALL),
        id="{in.domainName}/{in.basePath || ''}",
        delete=(
            Call(
                "delete_base_path_mapping", {"domainName": "{in.domainName}", "basePath": "{in.basePath || '(none)'}"}
            ),
        ),
        rename={"restApi": "restApiId", "stageName": "stage"},
    ),
}
