//! What can be left behind, and which calls take it away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portreeve_detect::{RowId, Symbol};

use super::Hold;
use crate::behaviour::without_version;
use crate::case::Case;
use crate::names;

/// One kind of thing: the calls that make or change it, and those that undo it.
pub(super) struct Kind {
    pub(super) title: &'static str,
    pub(super) hold: Hold,
    /// The calls that leave it behind.
    pub(super) made_by: &'static [&'static str],
    /// A part of the id of the target that it is; empty for all targets together, as of an
    /// attachment.
    pub(super) part: &'static str,
    /// The calls that take it away, for certain.
    pub(super) undone_by: &'static [&'static str],
    /// The calls that take one such thing away, of which records do not say which.
    pub(super) perhaps_undone_by: &'static [&'static str],
    /// The calls that put something else in its place.
    pub(super) replaced_by: &'static [&'static str],
    /// Whether that takes it away whatever was put there.
    pub(super) replacing_kills: bool,
    /// The calls by which it is used later.
    pub(super) fired_by: &'static [&'static str],
}

const NONE: Kind = Kind {
    title: "",
    hold: Hold::Made,
    made_by: &[],
    part: "",
    undone_by: &[],
    perhaps_undone_by: &[],
    replaced_by: &[],
    replacing_kills: false,
    fired_by: &[],
};

const ASSUMED: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
];
const WRITES: &[&str] = &[
    "s3:PutObject",
    "s3:CopyObject",
    "s3:CompleteMultipartUpload",
];

/// All kinds. Credentials are apart: they are followed by their ids.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        title: "user",
        made_by: &["iam:CreateUser"],
        part: ":user/",
        undone_by: &["iam:DeleteUser"],
        ..NONE
    },
    Kind {
        title: "role",
        made_by: &["iam:CreateRole"],
        part: ":role/",
        undone_by: &["iam:DeleteRole"],
        fired_by: ASSUMED,
        ..NONE
    },
    Kind {
        title: "trust of a role",
        hold: Hold::Changed,
        made_by: &["iam:UpdateAssumeRolePolicy"],
        part: ":role/",
        undone_by: &["iam:DeleteRole"],
        replaced_by: &["iam:UpdateAssumeRolePolicy"],
        fired_by: ASSUMED,
        ..NONE
    },
    Kind {
        title: "second factor",
        made_by: &["iam:CreateVirtualMFADevice", "iam:EnableMFADevice"],
        part: ":mfa/",
        undone_by: &["iam:DeleteVirtualMFADevice", "iam:DeactivateMFADevice"],
        ..NONE
    },
    Kind {
        title: "password",
        hold: Hold::Changed,
        made_by: &["iam:UpdateLoginProfile"],
        part: ":user/",
        undone_by: &["iam:DeleteLoginProfile", "iam:DeleteUser"],
        replaced_by: &["iam:UpdateLoginProfile"],
        replacing_kills: true,
        ..NONE
    },
    Kind {
        title: "policy of a user",
        made_by: &["iam:AttachUserPolicy"],
        undone_by: &["iam:DetachUserPolicy"],
        ..NONE
    },
    Kind {
        title: "policy of a role",
        made_by: &["iam:AttachRolePolicy"],
        undone_by: &["iam:DetachRolePolicy"],
        ..NONE
    },
    Kind {
        title: "policy of a group",
        made_by: &["iam:AttachGroupPolicy"],
        undone_by: &["iam:DetachGroupPolicy"],
        ..NONE
    },
    Kind {
        title: "inline policy of a user",
        made_by: &["iam:PutUserPolicy"],
        part: ":user/",
        undone_by: &["iam:DeleteUser"],
        perhaps_undone_by: &["iam:DeleteUserPolicy", "iam:PutUserPolicy"],
        ..NONE
    },
    Kind {
        title: "inline policy of a role",
        made_by: &["iam:PutRolePolicy"],
        part: ":role/",
        undone_by: &["iam:DeleteRole"],
        perhaps_undone_by: &["iam:DeleteRolePolicy", "iam:PutRolePolicy"],
        ..NONE
    },
    Kind {
        title: "inline policy of a group",
        made_by: &["iam:PutGroupPolicy"],
        part: ":group/",
        undone_by: &["iam:DeleteGroup"],
        perhaps_undone_by: &["iam:DeleteGroupPolicy", "iam:PutGroupPolicy"],
        ..NONE
    },
    Kind {
        title: "version of a policy",
        hold: Hold::Changed,
        made_by: &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
        part: ":policy/",
        undone_by: &["iam:DeletePolicy"],
        perhaps_undone_by: &["iam:DeletePolicyVersion"],
        replaced_by: &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
        ..NONE
    },
    Kind {
        title: "membership of a group",
        made_by: &["iam:AddUserToGroup"],
        undone_by: &["iam:RemoveUserFromGroup"],
        ..NONE
    },
    Kind {
        title: "public key or service password",
        made_by: &[
            "iam:UploadSSHPublicKey",
            "iam:UploadSigningCertificate",
            "iam:CreateServiceSpecificCredential",
        ],
        part: ":user/",
        undone_by: &["iam:DeleteUser"],
        perhaps_undone_by: &[
            "iam:DeleteSSHPublicKey",
            "iam:UpdateSSHPublicKey",
            "iam:DeleteSigningCertificate",
            "iam:UpdateSigningCertificate",
            "iam:DeleteServiceSpecificCredential",
            "iam:UpdateServiceSpecificCredential",
        ],
        ..NONE
    },
    Kind {
        title: "identity provider",
        made_by: &[
            "iam:CreateOpenIDConnectProvider",
            "iam:CreateSAMLProvider",
            "iam:UpdateSAMLProvider",
            "iam:AddClientIDToOpenIDConnectProvider",
        ],
        undone_by: &["iam:DeleteOpenIDConnectProvider", "iam:DeleteSAMLProvider"],
        ..NONE
    },
    Kind {
        title: "assignment in Identity Center",
        made_by: &["sso:CreateAccountAssignment"],
        perhaps_undone_by: &["sso:DeleteAccountAssignment"],
        ..NONE
    },
    Kind {
        title: "permission set",
        hold: Hold::Changed,
        made_by: &[
            "sso:PutInlinePolicyToPermissionSet",
            "sso:AttachManagedPolicyToPermissionSet",
            "sso:CreatePermissionSet",
        ],
        perhaps_undone_by: &[
            "sso:DeleteInlinePolicyFromPermissionSet",
            "sso:DetachManagedPolicyFromPermissionSet",
            "sso:DeletePermissionSet",
        ],
        ..NONE
    },
    Kind {
        title: "schedule",
        made_by: &["events:PutRule", "events:PutTargets", "events:EnableRule"],
        part: ":rule/",
        undone_by: &["events:DeleteRule", "events:DisableRule"],
        perhaps_undone_by: &["events:RemoveTargets"],
        ..NONE
    },
    Kind {
        title: "schedule",
        made_by: &["scheduler:CreateSchedule", "scheduler:UpdateSchedule"],
        part: ":schedule/",
        undone_by: &["scheduler:DeleteSchedule"],
        perhaps_undone_by: &["scheduler:UpdateSchedule"],
        ..NONE
    },
    Kind {
        title: "function",
        made_by: &["lambda:CreateFunction"],
        part: ":function:",
        undone_by: &["lambda:DeleteFunction"],
        fired_by: &["lambda:Invoke", "lambda:InvokeAsync"],
        ..NONE
    },
    Kind {
        title: "code of a function",
        hold: Hold::Changed,
        made_by: &["lambda:UpdateFunctionCode"],
        part: ":function:",
        undone_by: &["lambda:DeleteFunction"],
        replaced_by: &["lambda:UpdateFunctionCode"],
        replacing_kills: true,
        fired_by: &["lambda:Invoke", "lambda:InvokeAsync"],
        ..NONE
    },
    Kind {
        title: "configuration of a function",
        hold: Hold::Changed,
        made_by: &["lambda:UpdateFunctionConfiguration"],
        part: ":function:",
        undone_by: &["lambda:DeleteFunction"],
        replaced_by: &["lambda:UpdateFunctionConfiguration"],
        fired_by: &["lambda:Invoke", "lambda:InvokeAsync"],
        ..NONE
    },
    Kind {
        title: "public address of a function",
        made_by: &[
            "lambda:CreateFunctionUrlConfig",
            "lambda:UpdateFunctionUrlConfig",
        ],
        part: ":function:",
        undone_by: &["lambda:DeleteFunctionUrlConfig", "lambda:DeleteFunction"],
        fired_by: &["lambda:InvokeFunctionUrl"],
        ..NONE
    },
    Kind {
        title: "policy of a function",
        hold: Hold::Changed,
        made_by: &["lambda:AddPermission"],
        part: ":function:",
        undone_by: &["lambda:DeleteFunction"],
        perhaps_undone_by: &["lambda:RemovePermission"],
        ..NONE
    },
    Kind {
        title: "image",
        made_by: &["ecr:PutImage"],
        part: ":repository/",
        undone_by: &["ecr:DeleteRepository"],
        perhaps_undone_by: &["ecr:BatchDeleteImage"],
        replaced_by: &["ecr:PutImage"],
        ..NONE
    },
    Kind {
        title: "task definition",
        made_by: &["ecs:RegisterTaskDefinition"],
        part: ":task-definition/",
        undone_by: &["ecs:DeregisterTaskDefinition"],
        fired_by: &["ecs:RunTask"],
        ..NONE
    },
    Kind {
        title: "build project",
        hold: Hold::Changed,
        made_by: &["codebuild:UpdateProject", "codebuild:CreateProject"],
        part: ":project/",
        undone_by: &["codebuild:DeleteProject"],
        replaced_by: &["codebuild:UpdateProject"],
        fired_by: &["codebuild:StartBuild"],
        ..NONE
    },
    Kind {
        title: "content",
        hold: Hold::Changed,
        made_by: WRITES,
        part: ":s3:::",
        undone_by: &["s3:DeleteObject"],
        replaced_by: WRITES,
        replacing_kills: true,
        ..NONE
    },
    Kind {
        title: "policy of a bucket",
        hold: Hold::Changed,
        made_by: &["s3:PutBucketPolicy"],
        part: ":s3:::",
        undone_by: &["s3:DeleteBucketPolicy", "s3:DeleteBucket"],
        replaced_by: &["s3:PutBucketPolicy"],
        ..NONE
    },
    Kind {
        title: "grant of a key",
        made_by: &["kms:CreateGrant"],
        part: ":key/",
        perhaps_undone_by: &["kms:RevokeGrant", "kms:RetireGrant"],
        ..NONE
    },
    Kind {
        title: "policy of a key",
        hold: Hold::Changed,
        made_by: &["kms:PutKeyPolicy"],
        part: ":key/",
        replaced_by: &["kms:PutKeyPolicy"],
        ..NONE
    },
    Kind {
        title: "key pair",
        made_by: &["ec2:CreateKeyPair", "ec2:ImportKeyPair"],
        part: ":key-pair/",
        undone_by: &["ec2:DeleteKeyPair"],
        ..NONE
    },
    Kind {
        title: "machines",
        made_by: &["ec2:RunInstances"],
        perhaps_undone_by: &["ec2:TerminateInstances"],
        ..NONE
    },
    Kind {
        title: "trust anchor",
        made_by: &[
            "rolesanywhere:CreateTrustAnchor",
            "rolesanywhere:CreateProfile",
        ],
        perhaps_undone_by: &[
            "rolesanywhere:DeleteTrustAnchor",
            "rolesanywhere:DisableTrustAnchor",
            "rolesanywhere:DeleteProfile",
            "rolesanywhere:DisableProfile",
        ],
        ..NONE
    },
];

/// One thing of an incident.
pub(super) struct Thing {
    pub(super) what: What,
    pub(super) hold: Hold,
    pub(super) since: Option<Timestamp>,
    /// The record by which the intruder last made, changed or, for what was there, first used it.
    pub(super) row: Option<RowId>,
}

pub(super) enum What {
    Credential(Symbol),
    /// A thing of a kind, by the targets that it is.
    Left(&'static Kind, Vec<Symbol>),
}

/// All that the intruder held, made or changed, in order of time.
pub(super) fn things(case: &Case<'_>) -> Vec<Thing> {
    let mut things: Vec<Thing> = case.held.iter().map(|it| credential(case, *it)).collect();
    let mut left = BTreeMap::<(usize, Vec<Symbol>), RowId>::new();
    for row in case.deeds().filter(|row| row.succeeded()) {
        let action = without_version(row.action());
        for (place, kind) in KINDS.iter().enumerate() {
            if !kind.made_by.contains(&action) {
                continue;
            }
            let targets: Vec<Symbol> = row
                .target_symbols()
                .zip(row.targets())
                .filter(|(_, id)| is_part(kind, id))
                .map(|(symbol, _)| symbol)
                .collect();
            // Deeds are in order of time: what counts is when it was last made so.
            left.insert((place, targets), row.id());
        }
    }
    things.extend(left.into_iter().map(|((place, targets), row)| {
        let view = case.folded.activities.get(row);
        Thing {
            what: What::Left(&KINDS[place], targets),
            hold: KINDS[place].hold,
            since: view.time(),
            row: Some(row),
        }
    }));
    things
}

/// Whether a target is what a kind means: of content the object, of a bucket's policy the bucket.
fn is_part(kind: &Kind, id: &str) -> bool {
    let is_object = names::object(id).is_some();
    id.contains(kind.part)
        && match kind.title {
            "content" => is_object,
            "policy of a bucket" => !is_object,
            _ => true,
        }
}

fn credential(case: &Case<'_>, credential: Symbol) -> Thing {
    if case.made.contains(&credential) {
        let row = case
            .folded
            .lineage
            .mint(credential)
            .and_then(|link| link.row);
        return Thing {
            what: What::Credential(credential),
            hold: Hold::Made,
            since: row.and_then(|row| case.folded.activities.get(row).time()),
            row,
        };
    }
    let first = case
        .deeds()
        .find(|row| row.credential_symbol() == credential);
    Thing {
        what: What::Credential(credential),
        hold: Hold::Used,
        since: first.and_then(|row| row.time()),
        row: first.map(|row| row.id()),
    }
}
