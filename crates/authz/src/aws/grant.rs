//! KMS grants: permissions on a key that stand beside its policy.
//!
//! Follows "Grants in AWS KMS" (KMS Developer Guide,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>).

use std::collections::BTreeMap;

use thiserror::Error;

use super::case::CaseGrant;
use super::document::Document;
use super::request::AttachedPolicy;

/// What the encryption context of a request must hold for a grant to count. It bears on
/// cryptographic operations only, never on `DescribeKey` and `RetireGrant`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GrantConstraint {
    /// Nothing.
    #[default]
    None,
    /// These pairs and no others.
    Equals(BTreeMap<String, String>),
    /// At least these pairs.
    Subset(BTreeMap<String, String>),
}

/// A grant on a KMS key, as `ListGrants` tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KmsGrant {
    /// The grant's id or name, by which answers refer to it.
    pub id: String,
    /// Who may use the key: the ARN of a user, role, session or account, or a service's name.
    pub grantee: String,
    /// What it may do: `Decrypt`, `GenerateDataKey`.
    pub operations: Vec<String>,
    /// What the encryption context must hold.
    pub constraint: GrantConstraint,
    /// The resource on whose behalf a service must act; grants to services have it.
    pub source_arn: Option<String>,
    /// Who may retire the grant beside the grantee: an ARN, or a service's name.
    pub retiring: Option<String>,
    /// The account under which the grant was made.
    pub issuing_account: Option<String>,
}

/// Why a grant cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("grant {id:?}: {reason}")]
pub struct GrantError {
    /// The grant's id.
    pub id: String,
    /// What is wrong.
    pub reason: String,
}

/// Operations that a grant can permit, from "Grant operations".
const OPERATIONS: &[&str] = &[
    "CreateGrant",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
    "Sign",
    "Verify",
    "VerifyMac",
];

/// Operations on which the constraint has no bearing.
const UNCONSTRAINED: &[&str] = &["DescribeKey", "RetireGrant"];

/// A grant in the form of the key-policy statements that say the same.
#[derive(Clone, Debug)]
pub(super) struct CompiledGrant {
    pub(super) policy: AttachedPolicy,
    pub(super) issuing_account: Option<String>,
}

impl KmsGrant {
    /// Reads a grant in the shape of `ListGrants`, as JSON.
    ///
    /// # Errors
    ///
    /// It is no such JSON, or has not one grantee, or more than one constraint.
    pub fn from_json(text: &str) -> Result<Self, GrantError> {
        let read: CaseGrant = serde_json::from_str(text).map_err(|error| GrantError {
            id: String::new(),
            reason: error.to_string(),
        })?;
        Self::try_from(&read)
    }

    /// The policy of the key that would permit the same, as JSON, each statement with the `Sid`
    /// `Grantee`, `GranteeUnconstrained` or `Retiring`.
    ///
    /// # Errors
    ///
    /// It permits no operation, or one that no grant can.
    pub fn as_policy(&self) -> Result<String, GrantError> {
        let wrong = |reason: String| self.wrong(reason);
        if let Some(unknown) = self
            .operations
            .iter()
            .find(|operation| !OPERATIONS.contains(&operation.as_str()))
        {
            return Err(wrong(format!("{unknown:?} is no grant operation")));
        }
        if self.operations.is_empty() {
            return Err(wrong("it permits no operation".to_owned()));
        }
        let action = |operation: &String| format!("kms:{operation}");
        let (free, bound): (Vec<&String>, Vec<&String>) = self
            .operations
            .iter()
            .partition(|operation| UNCONSTRAINED.contains(&operation.as_str()));
        let mut statements = Vec::new();
        let mut add = |sid: &str, who: &str, actions: Vec<String>, condition: serde_json::Value| {
            if actions.is_empty() {
                return;
            }
            let mut statement = serde_json::json!({
                "Sid": sid, "Effect": "Allow", "Principal": principal(who),
                "Action": actions, "Resource": "*",
            });
            let conditions = condition.as_object().is_some_and(|tests| !tests.is_empty());
            if conditions && let Some(fields) = statement.as_object_mut() {
                fields.insert("Condition".to_owned(), condition);
            }
            statements.push(statement);
        };
        let mut source = serde_json::Map::new();
        if let Some(arn) = &self.source_arn {
            source.insert(
                "ArnEquals".to_owned(),
                serde_json::json!({"aws:SourceArn": arn}),
            );
        }
        let free = free.into_iter().map(action).collect();
        let bound = bound.into_iter().map(action).collect();
        let mut constrained = source.clone();
        self.constrain(&mut constrained);
        add("Grantee", &self.grantee, bound, constrained.into());
        add("GranteeUnconstrained", &self.grantee, free, source.into());
        if let Some(retiring) = &self.retiring {
            let actions = vec!["kms:RetireGrant".to_owned()];
            add("Retiring", retiring, actions, serde_json::json!({}));
        }
        // No version: what stands in an encryption context is text, never a variable.
        Ok(serde_json::json!({"Statement": statements}).to_string())
    }

    /// Compiles it, or says what is wrong with it.
    pub(super) fn compile(&self) -> Result<CompiledGrant, GrantError> {
        let document = Document::parse(&self.as_policy()?)
            .map_err(|error| self.wrong(format!("{}: {}", error.path, error.reason)))?;
        Ok(CompiledGrant {
            policy: AttachedPolicy::new(format!("grant:{}", self.id), document),
            issuing_account: self.issuing_account.clone(),
        })
    }

    fn wrong(&self, reason: String) -> GrantError {
        GrantError {
            id: self.id.clone(),
            reason,
        }
    }

    fn constrain(&self, condition: &mut serde_json::Map<String, serde_json::Value>) {
        let (pairs, exactly) = match &self.constraint {
            GrantConstraint::None => return,
            GrantConstraint::Equals(pairs) => (pairs, true),
            GrantConstraint::Subset(pairs) => (pairs, false),
        };
        let tests: serde_json::Map<String, serde_json::Value> = pairs
            .iter()
            .map(|(key, value)| {
                let key = format!("kms:EncryptionContext:{key}");
                (key, serde_json::Value::String(value.clone()))
            })
            .collect();
        if !tests.is_empty() {
            condition.insert("StringEquals".to_owned(), tests.into());
        }
        if exactly {
            let keys: Vec<&String> = pairs.keys().collect();
            condition.insert(
                "ForAllValues:StringEquals".to_owned(),
                serde_json::json!({"kms:EncryptionContextKeys": keys}),
            );
        }
    }
}

impl TryFrom<&CaseGrant> for KmsGrant {
    type Error = GrantError;

    fn try_from(grant: &CaseGrant) -> Result<Self, GrantError> {
        let wrong = |reason: &str| GrantError {
            id: grant.grant_id.clone(),
            reason: reason.to_owned(),
        };
        let grantee = match (&grant.grantee_principal, &grant.grantee_service_principal) {
            (Some(grantee), None) | (None, Some(grantee)) => grantee.clone(),
            _ => return Err(wrong("it has not one grantee")),
        };
        let constraints = &grant.constraints;
        let constraint = match (
            &constraints.encryption_context_equals,
            &constraints.encryption_context_subset,
        ) {
            (None, None) => GrantConstraint::None,
            (Some(pairs), None) => GrantConstraint::Equals(pairs.clone()),
            (None, Some(pairs)) => GrantConstraint::Subset(pairs.clone()),
            (Some(_), Some(_)) => return Err(wrong("it has two constraints of one kind")),
        };
        let account = |text: &String| {
            let number = text.split(':').nth(4).unwrap_or(text);
            number.to_owned()
        };
        Ok(KmsGrant {
            id: grant.grant_id.clone(),
            grantee,
            operations: grant.operations.clone(),
            constraint,
            source_arn: constraints.source_arn.clone(),
            retiring: grant.retiring_principal.clone(),
            issuing_account: grant.issuing_account.as_ref().map(account),
        })
    }
}

fn principal(who: &str) -> serde_json::Value {
    if !who.contains(':') && who.contains(".amazonaws.com") {
        serde_json::json!({"Service": who})
    } else {
        serde_json::json!({"AWS": who})
    }
}
