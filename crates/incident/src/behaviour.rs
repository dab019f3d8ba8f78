//! What an action does, as far as its name tells.

use portreeve_detect::ActivityRow;

/// What an action does to the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Behaviour {
    /// Objects of a store are written or deleted.
    WritesObjects,
    /// An image is pushed.
    PushesImage,
    /// A key signs or decrypts.
    UsesKey,
    /// A secret or parameter is read.
    ReadsSecret,
    /// Logging or detection is switched off or narrowed.
    ImpairsLogging,
    /// A key, password, user, role or second factor is made, which outlives the session.
    Persists,
    /// Who may do what is changed.
    ChangesAccess,
    /// Code or configuration that runs as another principal is changed.
    ChangesCode,
    /// Objects of a store are read.
    ReadsObjects,
    /// A session is made.
    TakesSession,
    /// The estate is looked at.
    Discovers,
    /// Something else is changed.
    ChangesOther,
    /// None of these.
    Other,
}

const PERSISTS: &[&str] = &[
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:CreateUser",
    "iam:CreateRole",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:CreateSAMLProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:UploadSigningCertificate",
    "iam:UploadSSHPublicKey",
    "iam:CreateServiceSpecificCredential",
    "ec2:CreateKeyPair",
    "ec2:ImportKeyPair",
    "rolesanywhere:CreateTrustAnchor",
    "rolesanywhere:CreateProfile",
    "sso:CreateAccountAssignment",
    "identitystore:CreateUser",
    "sso-directory:CreateUser",
    "lambda:CreateFunctionUrlConfig",
    "events:PutRule",
    "scheduler:CreateSchedule",
];

const CHANGES_ACCESS: &[&str] = &[
    "iam:AttachUserPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachGroupPolicy",
    "iam:PutUserPolicy",
    "iam:PutRolePolicy",
    "iam:PutGroupPolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:AddUserToGroup",
    "iam:AddRoleToInstanceProfile",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:DeactivateMFADevice",
    "iam:DeleteVirtualMFADevice",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutObjectAcl",
    "s3:DeletePublicAccessBlock",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutAccountPublicAccessBlock",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "sqs:SetQueueAttributes",
    "sns:AddPermission",
    "sqs:AddPermission",
    "lambda:AddPermission",
    "ecr:SetRepositoryPolicy",
    "secretsmanager:PutResourcePolicy",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:ModifySnapshotAttribute",
    "ec2:ModifyImageAttribute",
    "rds:ModifyDBSnapshotAttribute",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
    "organizations:DetachPolicy",
    "organizations:DeletePolicy",
    "organizations:LeaveOrganization",
];

const IMPAIRS_LOGGING: &[&str] = &[
    "cloudtrail:StopLogging",
    "cloudtrail:DeleteTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:DeleteEventDataStore",
    "cloudtrail:StopEventDataStoreIngestion",
    "guardduty:DeleteDetector",
    "guardduty:UpdateDetector",
    "guardduty:DisassociateFromMasterAccount",
    "guardduty:DisassociateFromAdministratorAccount",
    "guardduty:DeleteMembers",
    "config:StopConfigurationRecorder",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "securityhub:DisableSecurityHub",
    "ec2:DeleteFlowLogs",
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:PutRetentionPolicy",
    "access-analyzer:DeleteAnalyzer",
    "route53resolver:DisassociateResolverQueryLogConfig",
    "route53resolver:DeleteResolverQueryLogConfig",
    "s3:PutBucketLogging",
    "wafv2:DeleteLoggingConfiguration",
];

const CHANGES_CODE: &[&str] = &[
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:CreateFunction",
    "lambda:PublishLayerVersion",
    "codebuild:UpdateProject",
    "codebuild:StartBuild",
    "ec2:ModifyInstanceAttribute",
    "ec2:RunInstances",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ec2-instance-connect:SendSSHPublicKey",
    "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
    "ecs:RunTask",
    "ecs:ExecuteCommand",
    "cloudformation:CreateStack",
    "cloudformation:UpdateStack",
    "cloudformation:CreateChangeSet",
    "glue:CreateJob",
    "glue:UpdateJob",
    "sagemaker:CreateNotebookInstance",
    "cloudfront:UpdateDistribution",
    "cloudfront:UpdateFunction",
    "cloudfront:PublishFunction",
];

/// What a row's action does.
pub(crate) fn behaviour(row: ActivityRow<'_>) -> Behaviour {
    of_action(row.action(), row.read_only())
}

fn of_action(action: &str, read_only: Option<bool>) -> Behaviour {
    let name = without_version(action);
    let has = |list: &[&str]| list.contains(&name);
    match name {
        "s3:PutObject"
        | "s3:CopyObject"
        | "s3:DeleteObject"
        | "s3:DeleteObjects"
        | "s3:CompleteMultipartUpload"
        | "s3:RestoreObject" => Behaviour::WritesObjects,
        "s3:GetObject" | "s3:SelectObjectContent" => Behaviour::ReadsObjects,
        "ecr:PutImage" | "ecr-public:PutImage" => Behaviour::PushesImage,
        "kms:Sign" | "kms:Decrypt" | "kms:GenerateMac" => Behaviour::UsesKey,
        "secretsmanager:GetSecretValue"
        | "secretsmanager:BatchGetSecretValue"
        | "ssm:GetParameter"
        | "ssm:GetParameters"
        | "ssm:GetParametersByPath" => Behaviour::ReadsSecret,
        _ if has(IMPAIRS_LOGGING) => Behaviour::ImpairsLogging,
        _ if has(PERSISTS) => Behaviour::Persists,
        _ if has(CHANGES_ACCESS) => Behaviour::ChangesAccess,
        _ if has(CHANGES_CODE) => Behaviour::ChangesCode,
        _ if name.starts_with("sts:Assume")
            || matches!(name, "sts:GetSessionToken" | "sts:GetFederationToken") =>
        {
            Behaviour::TakesSession
        }
        _ if is_look(name) => Behaviour::Discovers,
        _ if is_write(name, read_only) => Behaviour::ChangesOther,
        _ => Behaviour::Other,
    }
}

fn operation(action: &str) -> &str {
    action
        .split_once(':')
        .map_or(action, |(_, operation)| operation)
}

fn is_look(action: &str) -> bool {
    let looks = [
        "List", "Get", "Describe", "Head", "Lookup", "Search", "Simulate", "BatchGet",
    ];
    looks.iter().any(|verb| operation(action).starts_with(verb))
}

fn is_write(action: &str, read_only: Option<bool>) -> bool {
    !read_only.unwrap_or_else(|| is_look(action))
}

/// Whether a row changes what it acts on, where its source does not say by the action's name.
pub(crate) fn writes(row: ActivityRow<'_>) -> bool {
    is_write(without_version(row.action()), row.read_only())
}

/// The action without the API version that some services append: `UpdateFunctionCode20150331v2`.
pub(crate) fn without_version(action: &str) -> &str {
    let unversioned = match action.rsplit_once('v') {
        Some((head, tail))
            if !tail.is_empty()
                && tail.bytes().all(|byte| byte.is_ascii_digit())
                && head.ends_with(|last: char| last.is_ascii_digit()) =>
        {
            head
        }
        _ => action,
    };
    let name = unversioned.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
    if unversioned.len() - name.len() >= 8 {
        name
    } else {
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_by_name() {
        let of = |action: &str| of_action(action, None);
        assert_eq!(
            of("lambda:UpdateFunctionCode20150331v2"),
            Behaviour::ChangesCode
        );
        assert_eq!(of("lambda:ListFunctions20150331"), Behaviour::Discovers);
        assert_eq!(of("iam:CreateAccessKey"), Behaviour::Persists);
        assert_eq!(of("secretsmanager:GetSecretValue"), Behaviour::ReadsSecret);
        assert_eq!(of("sts:AssumeRole"), Behaviour::TakesSession);
        assert_eq!(of_action("dynamodb:PutItem", None), Behaviour::ChangesOther);
        assert_eq!(of_action("dynamodb:Query", Some(true)), Behaviour::Other);
    }
}
