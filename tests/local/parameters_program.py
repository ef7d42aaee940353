"""A Pulumi program with parameter synchronization in both regions and little else; deployed by parameters_world.py.

Alarms are created for the resources that the component lists as monitored.
"""

import pulumi
import pulumi_aws as aws

from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.messaging.topic import Topic, TopicArgs
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.network.vpc import Network, NetworkArgs
from components.storage.kms_key import DataKey, DataKeyArgs
from components.storage.parameters import SeededParameters, SeededParametersArgs
from components.workload.context import FunctionContext
from components.workload.parameter_sync import ParameterSync, ParameterSyncArgs
from shared.places import Place
from shared.settings import RegionSettings, load

ACCOUNT = "000000000000"
settings = load(RegionSettings, {"parameters:throughput": "high", "network:zones": "2"}, stack=pulumi.get_stack())
names = settings.names

at, keys, syncs = {}, {}, []
for place in Place:
    region = settings.region(place)
    provider = aws.Provider(str(place), region=region, default_tags={"tags": {"Place": str(place)}})
    at[place] = pulumi.ResourceOptions(providers=[provider])
    keys[place] = key = DataKey(
        f"key-{place}", DataKeyArgs(alias=names.data_key_alias, account=ACCOUNT, region=region), opts=at[place]
    )
    topic = Topic(
        f"topic-{place}",
        TopicArgs(name=names.regional("topic", place), region=region, account=ACCOUNT, key_arn=key.arn, email=None),
        opts=at[place],
    )
    context = FunctionContext(
        place=place,
        settings=settings,
        account=ACCOUNT,
        network=Network(
            f"network-{place}",
            NetworkArgs(
                name=names.regional("vpc", place),
                region=region,
                cidr=settings.cidr(place),
                zones=settings.zone_names(place)[:2],
                nat="none",
            ),
            opts=at[place],
        ),
        key_arn=key.arn,
        dead_letters=DeadLetterQueue(
            f"dead-{place}",
            DeadLetterQueueArgs(name=names.regional("queue-dead", place), key_arn=key.arn),
            opts=at[place],
        ),
        topic_arn=topic.arn,
        layers=[],
    )
    # A parent of its own type for each region: in a URN types stand, and the children are named alike in both.
    holder = pulumi.ComponentResource(f"dr:region:{place.title()}", str(place), None, at[place])
    sync = ParameterSync(
        f"parameters-{place}", ParameterSyncArgs(context=context), opts=pulumi.ResourceOptions(parent=holder)
    )
    syncs.append(sync)
    Alarms(
        f"alarms-{place}",
        AlarmsArgs(
            prefix=names.regional("alarm", place),
            region=region,
            topic_arn=topic.arn,
            monitored=[sync.function.monitored, *sync.monitored_queues],
            composite=None,
        ),
        opts=at[place],
    )
    pulumi.export(f"function-{place}", sync.function.name)
    pulumi.export(f"dead-{place}", sync.dead_letters.url)

SeededParameters(
    "seeds",
    SeededParametersArgs(
        names=names,
        key_arn=keys[Place.PRIMARY].arn,
        writer_endpoint="writer.aurora.example",
        writer_region=settings.primary_region,
        flags={"instant-payments": False},
    ),
    # As the global stack is deployed after the two regions.
    opts=pulumi.ResourceOptions.merge(at[Place.PRIMARY], pulumi.ResourceOptions(depends_on=syncs)),
)
