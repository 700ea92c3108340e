"""Proves by SAM's own translator that each parameter of template.yaml takes effect on a running stack.

API Gateway calls the alias `live`, which points to a published version, and a version never changes.
So a new value reaches the functions that have it only if SAM publishes a version of each. This
translates the template as CloudFormation does, once with the defaults and once with each parameter
changed, and compares the versions.
"""

import copy
import json
import logging
import os
import re
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
SAM, EXTENSIONS = "AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"
# A secret's new value publishes versions together with another parameter, which may be read.
PUBLISHED_BY = {
    "OriginSecret": "OriginSecretVersion",
    "OriginSecretFallbacks": "OriginSecretVersion",
}
# What a version does not hold.
OUTSIDE_OF_VERSIONS = {
    "Events",
    "Policies",
    "PermissionsBoundary",
    "DeploymentPreference",
    "ReservedConcurrentExecutions",
}
# Tried in turn where a pattern is asked for.
TEXTS = [
    "changed",
    "arn:aws:sns:eu-west-1:123456789012:changed",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:changed",
    "arn:aws:kms:eu-west-1:123456789012:key/changed",
    "arn:aws:backup:eu-west-1:123456789012:backup-vault:changed",
    "https://changed.example.com",
    "7/hour",
    "changed/{uid}/{token}",
    "changed@example.com",
    "a-secret-of-more-than-32-characters",
    "arn:aws:iam::123456789012:policy/changed",
    "7",
    "username",
    "2027-01-31",
]


def resolve(node, values):
    """Resolves Fn::ToJsonString, as AWS::LanguageExtensions does before SAM is called. What else it may
    resolve is not counted on."""
    if isinstance(node, list):
        return [resolve(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    if list(node) == ["Fn::ToJsonString"]:
        return json.dumps({key: values[one["Ref"]] for key, one in node["Fn::ToJsonString"].items()})
    return {key: resolve(value, values) for key, value in node.items()}


class NoPolicies:
    """The template names no managed policy by a short name."""

    def load(self):
        return {}


def translate(template, values):
    """The template that CloudFormation runs, with these values of its parameters."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/same-code.zip"
    transforms = template["Transform"]
    transforms = transforms if isinstance(transforms, list) else [transforms]
    if transforms[0] == EXTENSIONS:
        template["Resources"] = resolve(template["Resources"], values)
    template["Transform"] = SAM
    return transform(template, dict(values), NoPolicies())


def versions(translated):
    """The version that each function's alias points to, by the function's name."""
    resources = translated["Resources"]
    aliases = [one for one in resources.values() if one["Type"] == "AWS::Lambda::Alias"]
    pairs = {}
    for alias in aliases:
        version, attribute = alias["Properties"]["FunctionVersion"]["Fn::GetAtt"]
        assert attribute == "Version" and resources[version]["Type"] == "AWS::Lambda::Version"
        pairs[alias["Properties"]["FunctionName"]["Ref"]] = version
    return pairs


def names(node, name):
    """Whether a part of the template names a parameter."""
    text = json.dumps(node)
    return f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text


def having(template, name):
    """The functions whose configuration has the parameter's value."""
    everywhere = template["Globals"]["Function"]
    found = set()
    for function, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function" or "Condition" in resource:
            continue
        own = resource["Properties"]
        variables = lambda part: part.get("Environment", {}).get("Variables", {})  # noqa: E731
        both = {**everywhere, **own}
        both["Environment"] = {**variables(everywhere), **variables(own)}
        both["Environment"].pop("PARAMETERS", None)
        kept = {key: value for key, value in both.items() if key not in OUTSIDE_OF_VERSIONS}
        if names(kept, name):
            found.add(function)
    return found


def changed(definition):
    """Another value than the default that the parameter allows."""
    default = str(definition["Default"])
    if "AllowedValues" in definition:
        return next(str(one) for one in definition["AllowedValues"] if str(one) != default)
    if definition["Type"] == "Number":
        return str(int(default) + 1)
    pattern = definition.get("AllowedPattern", "")
    return next(text for text in TEXTS if text != default and re.search(pattern, text))


def main():
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    logging.disable(logging.WARNING)
    template = yaml_parse(TEMPLATE.read_text())
    parameters = template["Parameters"]
    defaults = {name: str(one["Default"]) for name, one in parameters.items()}
    before = translate(template, defaults)
    failures = []
    if before != translate(template, defaults):
        failures.append("nothing changed, and yet the stack would")
    for name, definition in parameters.items():
        values = {**defaults, name: changed(definition)}
        if name in PUBLISHED_BY:
            values[PUBLISHED_BY[name]] = "changed"
        after = translate(template, values)
        old, new = versions(before), versions(after)
        published = {function for function in new if new[function] != old[function]}
        expected = having(template, name)
        for secret, publisher in PUBLISHED_BY.items():
            if publisher == name:
                expected |= having(template, secret)
        if not expected <= published or (published and not expected):
            text = f"{name}={values[name]} publishes {sorted(published)}, not {sorted(expected)}"
            failures.append(text)
        used = [template[part] for part in ("Conditions", "Globals", "Resources", "Outputs")]
        if not names(used, name):
            failures.append(f"{name} is used nowhere")
        print(f"{name}: {', '.join(sorted(expected)) or 'no function has it'}")

    gradual = {"DeploymentPreference": "Linear10PercentEvery1Minute", "CanarySecretArn": TEXTS[2]}
    for values, is_gradual in [(gradual, True), ({"Stage": "prod"}, True), ({}, False)]:
        translated = translate(template, {**defaults, **values})["Resources"].values()
        aliases = [one for one in translated if one["Type"] == "AWS::Lambda::Alias"]
        if any(("UpdatePolicy" in one) != is_gradual for one in aliases):
            failures.append(f"with {values} traffic does not move as asked")
        groups = [one for one in translated if one["Type"] == "AWS::CodeDeploy::DeploymentGroup"]
        if any(len(one["Properties"]["AlarmConfiguration"]["Alarms"]) != 2 for one in groups):
            failures.append("a deployment does not look at its two alarms")
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
