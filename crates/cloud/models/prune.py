#!/usr/bin/env python3
"""Writes the service models of this folder: what botocore's own models say of the operations in
OPERATIONS, without their prose and without what no reader or caller here needs.

usage: prune.py            writes NAME.json for every service
       prune.py --check    exits 1 where a file here says something that the installed botocore does not

Needs `pip install botocore`. Run it after adding an operation.
"""

import json
import pathlib
import sys

import botocore.session

OPERATIONS = {
    "accessanalyzer": ["ListAnalyzers"],
    "apprunner": ["ListServices", "DescribeService"],
    "cloudformation": ["DescribeStacks"],
    "cloudfront": ["ListDistributions"],
    "cloudtrail": ["DescribeTrails", "GetTrailStatus", "GetEventSelectors", "GetInsightSelectors"],
    "codebuild": ["ListProjects", "BatchGetProjects"],
    "config": ["DescribeConfigurationRecorders", "DescribeConfigurationRecorderStatus"],
    "ec2": [
        "DescribeRegions", "DescribeInstances", "DescribeLaunchTemplateVersions",
        "DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeVpcs", "DescribeFlowLogs",
        "DescribeVolumes", "DescribeSnapshots", "DescribeSnapshotAttribute", "DescribeImages",
        "GetEbsEncryptionByDefault",
    ],
    "ecr": ["DescribeRepositories", "GetRepositoryPolicy", "SetRepositoryPolicy", "DeleteRepositoryPolicy"],
    "ecs": [
        "ListTaskDefinitions", "DescribeTaskDefinition", "ListClusters", "ListServices",
        "DescribeServices", "ListTasks", "DescribeTasks",
    ],
    "efs": ["DescribeFileSystems"],
    "eks": [
        "ListClusters", "DescribeCluster", "ListAccessEntries", "DescribeAccessEntry",
        "ListAssociatedAccessPolicies",
    ],
    "glue": ["GetJobs", "GetDevEndpoints"],
    "guardduty": ["ListDetectors", "GetDetector"],
    "iam": [
        "GetAccountSummary", "GetAccountPasswordPolicy", "ListRoles", "ListServerCertificates",
        "ListOpenIDConnectProviders", "ListSAMLProviders",
        "GetAccountAuthorizationDetails", "GenerateCredentialReport", "GetCredentialReport",
        "ListAccessKeys", "ListVirtualMFADevices", "ListInstanceProfiles",
        # What `apply` reads before a change, and what it changes.
        "GetPolicy", "GetPolicyVersion", "GetUserPolicy", "GetRolePolicy", "GetGroupPolicy",
        "GetRole", "ListAttachedUserPolicies", "ListAttachedRolePolicies",
        "ListAttachedGroupPolicies", "ListPolicyVersions", "ListGroupsForUser",
        "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy",
        "DeleteUserPolicy", "DeleteRolePolicy", "DeleteGroupPolicy",
        "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy",
        "DetachUserPolicy", "DetachRolePolicy", "DetachGroupPolicy",
        "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion",
        "UpdateAssumeRolePolicy", "UpdateAccessKey", "AddUserToGroup", "RemoveUserFromGroup",
    ],
    "identitystore": ["ListUsers", "ListGroups", "ListGroupMemberships"],
    "kms": [
        "ListKeys", "ListAliases", "DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags",
        "GetKeyRotationStatus", "GetPublicKey",
        "PutKeyPolicy",
    ],
    "lambda": ["ListFunctions", "GetFunction", "GetPolicy", "GetFunctionUrlConfig"],
    "organizations": [
        "DescribeOrganization", "ListRoots", "ListAccounts", "ListAccountsForParent",
        "ListOrganizationalUnitsForParent", "ListPolicies", "DescribePolicy",
        "ListTargetsForPolicy", "CreatePolicy", "UpdatePolicy", "AttachPolicy", "DetachPolicy",
        "DeletePolicy",
    ],
    "rds": [
        "DescribeDBInstances", "DescribeDBClusters", "DescribeDBSnapshots",
        "DescribeDBSnapshotAttributes",
    ],
    "rolesanywhere": ["ListTrustAnchors"],
    "route53domains": ["ListDomains"],
    "s3": [
        "GetBucketEncryption", "GetBucketLogging", "GetBucketAcl", "GetObjectLockConfiguration",
        "ListBuckets", "GetBucketPolicy", "GetPublicAccessBlock", "GetBucketVersioning",
        "GetBucketTagging", "GetBucketWebsite", "PutBucketPolicy", "DeleteBucketPolicy",
        "PutPublicAccessBlock",
    ],
    "s3control": ["GetPublicAccessBlock"],
    "sagemaker": ["ListNotebookInstances", "DescribeNotebookInstance"],
    "secretsmanager": ["ListSecrets", "GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"],
    "sns": ["ListTopics", "GetTopicAttributes", "SetTopicAttributes"],
    "sqs": ["ListQueues", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes"],
    "ssm": ["DescribeParameters", "GetDocument"],
    "sso-admin": [
        "ListInstances", "ListPermissionSets", "DescribePermissionSet",
        "ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet",
        "GetInlinePolicyForPermissionSet", "GetPermissionsBoundaryForPermissionSet",
        "ListAccountsForProvisionedPermissionSet", "ListAccountAssignments",
        "PutInlinePolicyToPermissionSet", "DeleteInlinePolicyFromPermissionSet",
        "ProvisionPermissionSet", "CreateAccountAssignment", "DeleteAccountAssignment",
        "AttachManagedPolicyToPermissionSet", "DetachManagedPolicyFromPermissionSet",
    ],
    "stepfunctions": ["ListStateMachines", "DescribeStateMachine"],
    "sts": ["GetCallerIdentity"],
}

# How pages follow one another where botocore does not say it, by the service's own reference.
PAGES = {
    # https://docs.aws.amazon.com/apprunner/latest/api/API_ListServices.html
    "apprunner": {"ListServices": {"input_token": "NextToken", "output_token": "NextToken", "result_key": "ServiceSummaryList"}},
}

SCALARS = {
    "string": "string", "character": "string", "boolean": "boolean", "integer": "integer", "long": "integer",
    "float": "float", "double": "float", "timestamp": "timestamp", "blob": "blob",
}


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def prune(name, operations, loader):
    model = loader.load_service_model(name, "service-2")
    try:
        pages = loader.load_service_model(name, "paginators-1")["pagination"]
    except Exception:
        pages = {}
    pages = {**PAGES.get(name, {}), **pages}
    metadata = model["metadata"]
    protocols = metadata.get("protocols", [metadata["protocol"]])
    protocol = next(p for p in protocols if p in ("json", "rest-json", "rest-xml", "query", "ec2"))
    shapes = {}

    def shape(reference):
        """The type of a reference: a scalar's word, or the name of a shape that is kept."""
        kind = model["shapes"][reference]
        if kind["type"] in SCALARS:
            # The command line decodes these documents (botocore.handlers.json_decode_policies).
            if name == "iam" and reference == "policyDocumentType":
                return "policy"
            return SCALARS[kind["type"]]
        if reference not in shapes:
            shapes[reference] = {}
            shapes[reference] = keep(kind)
        return reference

    def member(reference):
        out = {"shape": shape(reference["shape"])}
        for ours, theirs in [("location", "location"), ("name", "locationName"), ("query", "queryName"), ("flattened", "flattened")]:
            if reference.get(theirs):
                out[ours] = reference[theirs]
        if list(out) == ["shape"]:
            return out["shape"]
        return out

    def keep(kind):
        out = {"type": kind["type"]}
        if kind["type"] == "structure":
            out["members"] = {key: member(value) for key, value in kind["members"].items()}
            if "payload" in kind:
                out["payload"] = kind["payload"]
        elif kind["type"] == "list":
            out["element"] = member(kind["member"])
            if kind.get("flattened"):
                out["flattened"] = True
        else:
            out["key"], out["value"] = member(kind["key"]), member(kind["value"])
            if kind.get("flattened"):
                out["flattened"] = True
        return out

    kept = {}
    for operation in operations:
        whole = model["operations"][operation]
        out = {"method": whole["http"]["method"], "uri": whole["http"]["requestUri"]}
        if "input" in whole:
            out["input"] = shape(whole["input"]["shape"])
            for ours, theirs in [("root", "locationName"), ("namespace", "xmlNamespace")]:
                if theirs in whole["input"]:
                    value = whole["input"][theirs]
                    out[ours] = value["uri"] if isinstance(value, dict) else value
        if "output" in whole:
            out["output"] = shape(whole["output"]["shape"])
            if "resultWrapper" in whole["output"]:
                out["wrapper"] = whole["output"]["resultWrapper"]
        if whole.get("httpChecksum", {}).get("requestChecksumRequired") or whole.get("httpChecksumRequired"):
            out["checksum"] = True
        if "hostPrefix" in whole.get("endpoint", {}):
            out["host"] = whole["endpoint"]["hostPrefix"]
        if operation in pages:
            page = pages[operation]
            out["pages"] = {
                "input": listed(page["input_token"]), "output": listed(page["output_token"]),
                "items": listed(page["result_key"]),
            }
            if "more_results" in page:
                out["pages"]["more"] = page["more_results"]
        kept[operation] = out
    result = {
        "protocol": protocol, "version": metadata["apiVersion"], "prefix": metadata["endpointPrefix"],
        "signing": metadata.get("signingName", metadata["endpointPrefix"]),
    }
    if "targetPrefix" in metadata:
        result["target"], result["json"] = metadata["targetPrefix"], metadata.get("jsonVersion", "1.0")
    return {**result, "operations": kept, "shapes": dict(sorted(shapes.items()))}


def missing(ours, theirs, path):
    """What `ours` says and `theirs` does not; what the newer model says beyond is no fault."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key not in theirs:
                yield f"{path}.{key}"
            else:
                yield from missing(value, theirs[key], f"{path}.{key}")
    elif ours != theirs:
        yield f"{path}: {ours!r} here, {theirs!r} in botocore"


def main():
    folder = pathlib.Path(__file__).parent
    loader = botocore.session.get_session().get_component("data_loader")
    wrong = []
    for name, operations in OPERATIONS.items():
        model = prune(name, operations, loader)
        file = folder / f"{name}.json"
        if "--check" in sys.argv:
            wrong += missing(json.loads(file.read_text()), model, name)
        else:
            parts = [f' "{key}": {json.dumps(value)}' for key, value in model.items() if key not in ("operations", "shapes")]
            for part in ("operations", "shapes"):
                lines = [f'  "{key}": {json.dumps(value)}' for key, value in model[part].items()]
                parts.append(f' "{part}": {{\n' + ",\n".join(lines) + "\n }")
            file.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
