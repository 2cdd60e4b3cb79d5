"""A plugin of the AWS CLI that is asked before each call, and takes its place.

It holds what the CLI has made of the command line against the service model that the
CLI ships, and against what is documented where the model says less. Calls that are as
they should be are added to the file STEPS_CALLS, a line of JSON each; the others fail.
"""

import json
import os
import re

import botocore.session
from botocore.utils import ArgumentGenerator

INSTANCE = r"i-[0-9a-f]{17}"
METRIC = "MetadataNoToken|MetadataNoTokenRejected"

# What the models have as any text or number. The places are OPERATION.member.member, with
# [] for what is in a list and {} for what is in a map.
DOCUMENTED = {
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html
    "ModifyInstanceMetadataOptions.HttpPutResponseHopLimit": "[1-9]|[1-5][0-9]|6[0-4]",
    "ModifyInstanceMetadataDefaults.HttpPutResponseHopLimit": "-1|[1-9]|[1-5][0-9]|6[0-4]",
    "RunInstances.MetadataOptions.HttpPutResponseHopLimit": "[1-9]|[1-5][0-9]|6[0-4]",
    "CreateLaunchTemplateVersion.LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit": "[1-9]|[1-5][0-9]|6[0-4]",
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    "CreateLaunchTemplateVersion.SourceVersion": r"\$Latest|\$Default|[0-9]+",
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    "DeleteLaunchTemplateVersions.Versions[]": "[0-9]+",
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html
    "RegisterImage.VirtualizationType": "hvm|paravirtual",
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    "PutMetricAlarm.TreatMissingData": "breaching|notBreaching|ignore|missing",
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
    "PutMetricAlarm.Namespace": "AWS/EC2",
    "PutMetricAlarm.MetricName": METRIC,
    "PutMetricAlarm.AlarmName": f"({METRIC})-({INSTANCE}|all)",
    "PutMetricAlarm.Dimensions[].Name": "InstanceId",
    "PutMetricAlarm.Metrics[].Expression": rf'SELECT SUM\(({METRIC})\) FROM SCHEMA\("AWS/EC2", InstanceId\)',
    "DeleteAlarms.AlarmNames[]": f"({METRIC})-({INSTANCE}|all)",
    # https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-awssupport-configureec2metadata.html
    "StartAutomationExecution.DocumentName": "AWSSupport-ConfigureEC2Metadata",
    "StartAutomationExecution.Parameters": "EnforceIMDSv2|HttpPutResponseHopLimit|InstanceId|MetadataAccess|AutomationAssumeRole",
    "StartAutomationExecution.Parameters{}[]": f"required|optional|{INSTANCE}",
    "StartAutomationExecution.TargetParameterName": "InstanceId",
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/running-automations-targets.html
    "StartAutomationExecution.Targets[].Key": "ParameterValues|ResourceGroup|tag:.+",
    # file:// that is misspelt is a text like any other
    "CreatePolicy.Content": r"\{[^$]*\}\s*",
    "PutRolePolicy.PolicyDocument": r"\{[^$]*\}\s*",
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
    "ModifyInstanceMetadataOptions.InstanceId": INSTANCE,
}


def awscli_initialize(events):
    events.register("calling-command", answer)


def answer(event_name, call_parameters, parsed_globals, **_):
    service, command = event_name.split(".")[1:3]
    model = botocore.session.get_session().get_service_model(service)
    operation = operation_of(model, command)
    found = faults(model, operation.input_shape, call_parameters, operation.name)
    found += query_faults(operation, parsed_globals.query)
    if found:
        return ValueError("; ".join(found))
    with open(os.environ["STEPS_CALLS"], "a", encoding="utf-8") as calls:
        call = {"operation": operation.name, "region": parsed_globals.region, "parameters": call_parameters}
        calls.write(json.dumps(call) + "\n")
    return 0


def operation_of(model, command):
    for name in model.operation_names:
        if name.lower() == command.replace("-", ""):
            return model.operation_model(name)
    raise ValueError(f"no operation is {command}")


def faults(model, shape, value, place):
    """What of a value is not as its shape and what is documented have it."""
    found = []
    if place in DOCUMENTED:
        texts = value if isinstance(value, dict) else [str(value)]
        found += [f"{place} cannot be {t}" for t in texts if not re.fullmatch(DOCUMENTED[place], t)]
    if shape.type_name == "structure":
        for name, inner in value.items():
            member = shape.members.get(name)
            if member is None:
                found.append(f"{place} has no {name}")
                continue
            found += faults(model, member, inner, f"{place}.{name}")
            found += attribute_faults(model, member, inner, name)
    elif shape.type_name == "list":
        found += bound_faults(shape, len(value), place)
        for inner in value:
            found += faults(model, shape.member, inner, place + "[]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            found += faults(model, shape.key, key, place + "{key}")
            found += faults(model, shape.value, inner, place + "{}")
    elif shape.type_name == "string":
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            found.append(f"{place} cannot be {value}, but {', '.join(allowed)}")
        found += bound_faults(shape, len(value), place)
    elif shape.type_name == "integer":
        found += bound_faults(shape, value, place)
    return found


def bound_faults(shape, n, place):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is None or n >= least) and (most is None or n <= most):
        return []
    return [f"{place} has {n}, which is not from {least} to {most}"]


def attribute_faults(model, member, value, name):
    """ModifyImageAttribute has any text for what RegisterImage has an enumeration of."""
    values = name + "Values"
    if member.name != "AttributeValue" or values not in model.shape_names:
        return []
    allowed = model.shape_for(values).enum
    return [] if value.get("Value") in allowed else [f"{name} cannot be {value}, but {', '.join(allowed)}"]


def query_faults(operation, query):
    """A query has to find something in an answer in which everything is set."""
    if query is None:
        return []
    skeleton = ArgumentGenerator(use_member_names=True).generate_skeleton(operation.output_shape)
    found = query.search(skeleton)
    if not found or "null" in json.dumps(found, default=str):
        return ["the query finds nothing: " + query.expression]
    return []
