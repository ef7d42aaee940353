"""Known differences between the embedded AWS and AWS, as data for reports; each names the test that shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference. `tested` is `<file under tests/>::<test function>`."""

    id: str
    aws: str  # what AWS, or Pulumi with the AWS provider, does
    here: str  # what happens on this machine
    tested: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        id="replacement",
        aws="A change that a resource cannot take in place replaces the resource.",
        here="Such a change is an error that names the type and the arguments.",
        tested="runner/test_runs.py::test_a_change_that_aws_could_only_replace_names_type_and_argument",
    ),
    Difference(
        id="refresh",
        aws="pulumi refresh finds what was changed behind its back.",
        here="A run compares arguments with those of the run before; what was changed behind its back stays.",
        tested="runner/test_runs.py::test_the_same_program_again_calls_nothing_and_answers_the_same",
    ),
    Difference(
        id="resource-import",
        aws="Existing resources can be read (get) and imported.",
        here="Both are refused; the embedded AWS starts empty. Stack references work.",
        tested="runner/test_refusals.py::test_a_program_that_cannot_be_carried_out_is_refused_by_name",
    ),
    Difference(
        id="lambda-layer",
        aws="A layer's libraries, built for Lambda's processor, are unpacked for the function.",
        here="An empty layer is published; functions use the same pinned libraries of this machine's Python.",
        tested="runner/test_differences.py::test_a_layer_is_published_empty",
    ),
    Difference(
        id="api-document",
        aws="API Gateway imports the OpenAPI document of a REST API.",
        here="The runner takes the document apart into resources, methods, models and integrations; what it does not "
        "understand is an error.",
        tested="runner/test_api_document.py::test_what_is_not_understood_is_refused",
    ),
    Difference(
        id="api-no-throttling",
        aws="A throttling limit of -1 in the method settings means no limit.",
        here="It is not sent, since the emulator would take it as a limit and refuse every request.",
        tested="runner/test_differences.py::test_a_throttling_limit_of_minus_one_is_not_sent",
    ),
    Difference(
        id="api-host",
        aws="The stage's invoke URL answers.",
        here="The URL is AWS-shaped, and the API answers on this machine's own address under /_aws/execute-api/.",
        tested="runner/test_api_document.py::test_a_path_with_a_parameter_reaches_the_function",
    ),
    Difference(
        id="secret-replica-removal",
        aws="A secret's replicas are taken away before the secret can be deleted.",
        here="They go together with the secret; taking a replica away alone is an error.",
        tested="runner/test_differences.py::test_a_secrets_replica_goes_with_the_secret",
    ),
    Difference(
        id="imported-certificate-names",
        aws="ACM reads domain and validity out of an imported certificate.",
        here="It describes it with a made-up domain; the certificate itself is kept as it was imported.",
        tested="runner/test_differences.py::test_an_imported_certificate_is_kept_but_described_with_a_made_up_domain",
    ),
    Difference(
        id="nat-gateway-address",
        aws="A NAT gateway has a network interface and describes its addresses.",
        here="It describes none; the runner answers with the address of its allocation.",
        tested="runner/test_differences.py::test_a_nat_gateway_describes_no_address",
    ),
    Difference(
        id="nlb-tail",
        aws="New connections reach a target for 30 to 40 s after it became unhealthy, as a user measured [NLB-7].",
        here="They stop at once, unless the server was started with a tail.",
        tested="local/test_targethealth.py::test_load_balancers_use_an_unhealthy_target_for_the_tail",
    ),
    Difference(
        id="interface-endpoint",
        aws="An interface endpoint's names resolve to its network interfaces, and the service answers there.",
        here="Names and interfaces are described; nothing is behind them, since functions call AWS at "
        "this machine's address.",
        tested="local/test_control_plane_differences.py::test_the_names_of_an_interface_endpoint_lead_nowhere",
    ),
    Difference(
        id="web-acl",
        aws="A web ACL blocks, counts and logs requests.",
        here="Its rules and its log settings are kept and not applied.",
        tested="local/test_control_plane_differences.py::test_the_rules_of_a_web_acl_are_kept_and_not_applied",
    ),
    Difference(
        id="backup-jobs",
        aws="A backup plan takes backups and copies them; restore tests run.",
        here="Plans and tests are kept as settings; only StartBackupJob makes a job, and nothing is restored.",
        tested="local/test_control_plane_differences.py::test_a_backup_plan_takes_no_backup",
    ),
    Difference(
        id="flow-logs",
        aws="A flow log records the traffic of a VPC's network interfaces.",
        here="It is kept with its settings and records nothing: no traffic here passes such an interface.",
        tested="local/test_control_plane_differences.py::test_a_flow_log_records_nothing",
    ),
    Difference(
        id="api-domain-target",
        aws="A custom domain's regional name is made up by API Gateway (d-….execute-api.…).",
        here="It holds the domain's own name, by which this machine finds the API.",
        tested="local/test_control_plane_differences.py::test_a_custom_domain_leads_to_a_name_that_holds_its_own",
    ),
    Difference(
        id="service-metrics",
        aws="Every service reports metrics.",
        here="Lambda, network load balancers, Route 53 and SQS do; others stay silent, so their alarms see "
        "missing data.",
        tested="local/test_control_plane_differences.py::test_an_api_reports_no_metrics",
    ),
    Difference(
        id="metric-math",
        aws="Alarms can watch metric math and anomaly bands.",
        here="Such alarms are refused.",
        tested="local/test_control_plane_differences.py::test_metric_math_is_refused",
    ),
    Difference(
        id="aurora-mysql",
        aws="Aurora MySQL runs SQL.",
        here="It has its control plane only; the Data API refuses, naming the reason. Aurora PostgreSQL is a real one.",
        tested="local/test_aurora.py::test_aurora_mysql_has_a_control_plane_and_refuses_sql",
    ),
    Difference(
        id="data-api-reader",
        aws="The Data API fails on a member that reads, by an error that AWS does not document.",
        here="It answers DatabaseUnavailableException, which boto3 tries again.",
        tested="local/test_aurora.py::test_the_reader_region_refuses_writes_and_the_whole_data_api",
    ),
    Difference(
        id="global-status",
        aws="aurora_global_db_status() is calculated all the time. What it shows of a member that cannot be reached "
        "is not documented.",
        here="It is calculated when a call of the Data API names it, in time of this machine. A member that cannot be "
        "reached keeps its calculation time, and its lag is the age of the oldest commit that it may lack.",
        tested="local/test_global_status.py::test_the_lag_of_a_member_that_is_cut_off_grows_and_its_time_stays",
    ),
    Difference(
        id="missed-schedules",
        aws="What a schedule of a region does while the region is lost, is not documented by AWS.",
        here="A recurring one that comes due meanwhile is missed; a one-time one fires after the heal.",
        tested="local/test_background.py::test_a_schedule_of_a_lost_region_is_missed_and_a_one_time_one_fires_after_the_heal",
    ),
    Difference(
        id="drills-by-aws",
        aws="FIS makes experiments, and ARC Region switch carries out plans.",
        here="Programs that register templates or plans (drill:faultInjection, drill:regionSwitch) are refused.",
        tested="runner/test_refusals.py::test_a_program_that_cannot_be_carried_out_is_refused_by_name",
    ),
    Difference(
        id="accelerator-udp",
        aws="Listeners of an accelerator take TCP or UDP.",
        here="UDP is refused.",
        tested="local/test_globalaccelerator.py::test_udp_is_refused",
    ),
    Difference(
        id="worker-limit",
        aws="A function has as many execution environments as its concurrency; what is above is throttled at once.",
        here="A function has eight, of which two start at a time. Eight more invocations wait for up to half a second, "
        "and what is above is throttled at once.",
        tested="local/test_workers.py::test_a_burst_is_served_by_a_few_workers_and_the_rest_is_throttled_early",
    ),
    Difference(
        id="pool-width",
        aws="A function with a reservation has as many executions; all others share the rest of the account's 1,000.",
        here="Every pool, of a function with a reservation or of all without, has at most 16 executions, or fewer if a "
        "rehearsal narrows it. Reservations are checked against 1,000.",
        tested="local/test_concurrency.py::test_functions_without_a_reservation_share_what_is_left_of_their_region",
    ),
    Difference(
        id="control-times",
        aws="A function's own durations (the control rules' lease and grace) pass as fast as everybody's.",
        here="They are shortened by the rehearsal's speed, as health checks are.",
        tested="local/test_function_environment.py::test_the_scaled_times_are_those_of_the_functions",
    ),
    Difference(
        id="stream-shards",
        aws="A stream has shards that divide and are read side by side, each with as many batches at the same time as "
        "the ParallelizationFactor.",
        here="A table's stream is one shard, and four batches of a mapping run at the same time at the most.",
        tested="local/test_stream_mappings.py::test_batches_run_side_by_side_with_the_order_of_each_key_kept",
    ),
    Difference(
        id="schedule-failures",
        aws="EventBridge Scheduler tries a target it cannot reach again, then gives the event to its dead letters.",
        here="It tries once. Events at which the function fails are tried again, then dead letters, by Lambda.",
        tested="local/test_schedules.py::test_a_target_that_is_not_there_is_tried_once",
    ),
    Difference(
        id="schedule-clock",
        aws="Rates, cron expressions and one-time schedules follow one clock.",
        here="Rates follow the rehearsal's speed; cron and one-time schedules follow the machine's clock.",
        tested="local/test_schedules.py::test_a_rule_counts_its_first_minute_from_its_creation",
    ),
    Difference(
        id="workflow-timeouts",
        aws="A task's time limit is that of its state.",
        here="It is shortened by the rehearsal's speed, to five seconds of this machine at the least.",
        tested="local/test_workflow_execution.py::test_a_short_limit_leaves_a_function_time_to_start",
    ),
    Difference(
        id="partition-failover",
        aws="A failover forced while the regions are cut off leaves the old writer at work until it hears of it.",
        here="It stops the old writer at once.",
        tested="local/test_aurora_faults.py::test_a_failover_across_a_cut_stops_the_old_writer",
    ),
    Difference(
        id="failover-during-switchover",
        aws="Whether a failover is accepted while a switchover is in progress is not documented.",
        here="It is refused with InvalidGlobalClusterStateFault until the switchover is done or abandoned.",
        tested="local/test_aurora_switches.py::test_a_failover_is_refused_while_a_switchover_is_in_progress",
    ),
    Difference(
        id="shed-connections",
        aws="Accelerators and load balancers scale with their clients; where a function throttles, they answer 502.",
        here="An accelerator resets new connections while 16 handshakes with a region are under way, or 2 while "
        "functions throttle or traffic is late: more would take the processors of those that are served.",
        tested="local/test_data_plane.py::test_a_saturated_machine_resets_most_new_connections_and_serves_open_ones",
    ),
)
