use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of anything in the estate: the provider's own string, by the table on this crate's
/// front page. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(Arc<str>);

impl EntityId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account number in an AWS ARN (its fifth part), where there is one.
    pub fn aws_account(&self) -> Option<&str> {
        let account = self.0.split(':').nth(4)?;
        (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(account)
    }

    /// The address of a wallet on an EVM chain, where this is the id of one.
    pub fn evm_address(&self) -> Option<&str> {
        let (chain, address) = self.0.strip_prefix("eip155:")?.split_once(':')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(chain) && address.len() == 42 && address.starts_with("0x")).then_some(address)
    }

    /// What a reader calls it: the part of an ARN after the resource type and path, a wallet's address, else
    /// the id.
    pub fn short_name(&self) -> &str {
        if let Some(address) = self.evm_address() {
            return address;
        }
        if !self.0.starts_with("arn:") {
            return &self.0;
        }
        let resource = self.0.splitn(6, ':').nth(5).unwrap_or(&self.0);
        if self.0.split(':').nth(2) == Some("s3") {
            return resource;
        }
        let last = resource.rsplit('/').next().unwrap_or(resource);
        if last.is_empty() { resource } else { last }
    }

    /// What reports call it: the part of an ARN after the resource type, with the path, else the id.
    pub fn full_name(&self) -> &str {
        let mut parts = self.0.splitn(6, ':');
        match (parts.nth(2), parts.nth(2)) {
            // Of an object the first part is no type.
            (Some("s3"), _) | (_, None) => self.short_name(),
            (_, Some(resource)) => resource
                .split_once([':', '/'])
                .map_or(resource, |(_, name)| name),
        }
    }

    /// Whether a reader may mean it by a name: its short or its full one, in any case of letters.
    pub fn is_called(&self, name: &str) -> bool {
        self.short_name().eq_ignore_ascii_case(name) || self.full_name().eq_ignore_ascii_case(name)
    }
}

impl From<&str> for EntityId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for EntityId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for EntityId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// What an entity is. Kinds that only one provider has carry the provider's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    // Containers
    /// An AWS organization (its root in the tree).
    Organization,
    /// An organizational unit.
    OrganizationalUnit,
    /// An account.
    Account,

    // Principals
    /// An IAM user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A person in the identity provider (Identity Center user).
    Person,
    /// A group of people in the identity provider.
    PersonGroup,
    /// An Identity Center permission set.
    PermissionSet,
    /// A provider's service as principal.
    Service,
    /// An identity from outside: OIDC or SAML provider, foreign account, `*`.
    External,

    // Credentials
    /// A long-lived access key.
    AccessKey,
    /// A console password.
    Password,
    /// A second factor.
    MfaDevice,

    // Resources
    /// A customer-managed policy, a thing that can be edited.
    Policy,
    /// An object store's bucket.
    Bucket,
    /// A key of a key-management service.
    Key,
    /// A secret in a secrets store.
    Secret,
    /// A configuration parameter.
    Parameter,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A function.
    Function,
    /// A virtual machine.
    Instance,
    /// A launch template.
    LaunchTemplate,
    /// A container task or task definition.
    Task,
    /// A container service that runs tasks.
    ContainerService,
    /// A cluster.
    Cluster,
    /// A build project.
    BuildProject,
    /// An infrastructure-as-code stack.
    Stack,
    /// A data-processing job or endpoint (Glue, SageMaker, Data Pipeline, EMR).
    DataJob,
    /// A managed web application (App Runner).
    Application,
    /// A container-image repository.
    ImageRepository,
    /// A content distribution (CloudFront).
    Distribution,
    /// A table or database.
    Database,
    /// An address on a chain: what an outside account's key signs for, a Safe, a contract.
    Wallet,
    /// Anything else that a policy can name.
    Other,
}

impl EntityKind {
    /// Whether it can act.
    pub fn is_principal(self) -> bool {
        matches!(
            self,
            EntityKind::User
                | EntityKind::Role
                | EntityKind::Person
                | EntityKind::Service
                | EntityKind::External
        )
    }

    /// Whether it proves a principal.
    pub fn is_credential(self) -> bool {
        matches!(
            self,
            EntityKind::AccessKey | EntityKind::Password | EntityKind::MfaDevice
        )
    }

    /// Whether a role can be attached to it, so that whoever controls it acts as that role.
    pub fn is_workload(self) -> bool {
        matches!(
            self,
            EntityKind::Function
                | EntityKind::Instance
                | EntityKind::LaunchTemplate
                | EntityKind::Task
                | EntityKind::ContainerService
                | EntityKind::BuildProject
                | EntityKind::Stack
                | EntityKind::DataJob
                | EntityKind::Application
        )
    }
}

/// One principal, credential or resource of the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id.
    pub id: EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// The account that it is in.
    pub account: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What else the inventory says of it, by the provider's own attribute names: `KeySpec`,
    /// `KeyUsage`, `PasswordLastUsed`, `ImageUri`. Free text, for jewels and reports.
    pub attributes: BTreeMap<String, String>,
    /// Whether it is known only because a policy or a log names it.
    pub inferred: bool,
}

impl Entity {
    /// An entity of which nothing else is known. The account is read from an ARN.
    pub fn new(id: impl Into<EntityId>, kind: EntityKind) -> Self {
        let id = id.into();
        let account = id.aws_account().map(str::to_owned);
        Self {
            id,
            kind,
            account,
            tags: BTreeMap::new(),
            attributes: BTreeMap::new(),
            inferred: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_what_people_say() {
        let short = |id: &str| EntityId::from(id).short_name().to_owned();
        assert_eq!(
            short("arn:aws:iam::111122223333:role/path/deploy"),
            "deploy"
        );
        assert_eq!(
            short("arn:aws:s3:::web-prod/_next/app.js"),
            "web-prod/_next/app.js"
        );
        assert_eq!(short("ASIAEXAMPLE"), "ASIAEXAMPLE");
        let address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4";
        assert_eq!(short(&format!("eip155:1:{address}")), address);
        assert_eq!(short("eip155:x:0x1"), "eip155:x:0x1");
        assert_eq!(short("arn:aws:iam::111122223333:root"), "root");
    }

    #[test]
    fn full_names_hold_the_path() {
        let full = |id: &str| EntityId::from(id).full_name().to_owned();
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet/relayer-a1";
        assert_eq!(full(secret), "wallet/relayer-a1");
        assert_eq!(
            full("arn:aws:iam::111122223333:role/ci/deploy"),
            "ci/deploy"
        );
        assert_eq!(full("arn:aws:s3:::web-prod/app.js"), "web-prod/app.js");
        assert_eq!(full("arn:aws:sns:eu-west-1:111122223333:alerts"), "alerts");
        assert_eq!(full("vendor.example"), "vendor.example");
    }

    #[test]
    fn accounts_are_read_from_arns_only() {
        assert_eq!(
            EntityId::from("arn:aws:iam::111122223333:root").aws_account(),
            Some("111122223333")
        );
        assert_eq!(EntityId::from("arn:aws:s3:::bucket").aws_account(), None);
        assert_eq!(EntityId::from("a:b:c:d:not-digits:f").aws_account(), None);
    }
}
