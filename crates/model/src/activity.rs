use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{Effect, PolicyChange};

/// One thing that happened, in one shape for all log sources. Borrows from the record that it was
/// read from; ids follow the table on this crate's front page.
#[derive(Clone, Debug)]
pub struct Activity<'r> {
    /// The log source's id, as `aws.cloudtrail`.
    pub source: &'static str,
    /// The source's own id of the event: what duplicates are told by.
    pub event_id: Option<Cow<'r, str>>,
    /// Event time in UTC. An activity without one is kept and matched, and takes no part in state.
    pub time: Option<Timestamp>,
    /// The service called, without domain: `s3`, `sts`.
    pub service: Cow<'r, str>,
    /// The operation as the source names it: `GetObject`.
    pub operation: Cow<'r, str>,
    /// Whether the operation only reads, where the source says so.
    pub read_only: Option<bool>,
    /// The account in which it happened (the record's recipient).
    pub account: Option<Cow<'r, str>>,
    /// The region in which it happened.
    pub region: Option<Cow<'r, str>>,
    /// Who acted.
    pub actor: Actor<'r>,
    /// What proved the actor.
    pub credential: Option<CredentialRef<'r>>,
    /// What was acted on: resource ids.
    pub targets: SmallVec<[Cow<'r, str>; 2]>,
    /// Where the call came from.
    pub origin: Origin<'r>,
    /// The client's user agent.
    pub client: Option<Cow<'r, str>>,
    /// How it ended.
    pub outcome: Outcome<'r>,
    /// The credential that this activity created, if it did.
    pub minted: Option<Minted<'r>>,
    /// What this activity changed of who may do what, if it did and its record tells the whole.
    pub policy_change: Option<Box<PolicyChange<'r>>>,
    /// What this activity made of the estate, as far as it bears on who may do what: all of one
    /// call hold from the same instant.
    pub effects: Vec<Effect>,
    /// What this activity took away from whoever holds it, if it did.
    pub revoked: Option<Revoked<'r>>,
}

/// What an activity takes away, so that a credential no longer works; or gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked<'r> {
    /// A key or password was deleted or deactivated: its id.
    Credential(Cow<'r, str>),
    /// A key that was deactivated works again: its id.
    Restored(Cow<'r, str>),
    /// All sessions of a principal that were issued before a time are refused.
    Sessions {
        /// The principal's id, as far as the record tells it: a role's path may be missing.
        principal: Cow<'r, str>,
        /// Sessions issued before this are refused.
        before: Timestamp,
    },
}

/// Who acted: the principal, and the person or workload that its session names.
#[derive(Clone, Debug, Default)]
pub struct Actor<'r> {
    /// The principal's id: for an assumed role the role's ARN, never the session's. Empty where
    /// the record does not tell.
    pub principal: Cow<'r, str>,
    /// What kind of principal, as far as the record alone tells.
    pub kind: PrincipalKind,
    /// The account that the principal belongs to.
    pub account: Option<Cow<'r, str>>,
    /// The name of the session: for people's roles the person, for instances the instance id.
    pub session: Option<Cow<'r, str>>,
    /// `sourceIdentity`, or the Identity Center user on whose behalf the session acts.
    pub on_behalf_of: Option<Cow<'r, str>>,
    /// The Identity Center user behind the session, by their id in the identity store.
    pub person: Option<Cow<'r, str>>,
    /// `sourceIdentity`: set where the first role of a chain was taken, and kept by all that follow.
    pub source_identity: Option<Cow<'r, str>>,
    /// The session of Identity Center's access portal under which the call is made.
    pub portal: Option<Cow<'r, str>>,
    /// Whether the record says that the session was delivered to an instance by its metadata
    /// service.
    pub delivered: bool,
    /// For web identities the token's provider and `sub`.
    pub subject: Option<Cow<'r, str>>,
    /// The service that made the call for the actor (`cloudformation.amazonaws.com`).
    pub invoked_by: Option<Cow<'r, str>>,
}

/// Who a principal is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person.
    Human,
    /// A program that runs in the estate: instance, function, task.
    Workload,
    /// A build or deployment pipeline.
    Pipeline,
    /// The provider's own service, or a vendor's.
    Service,
    /// Not to be told from what is known.
    #[default]
    Unknown,
}

impl PrincipalKind {
    /// The lower-case name used in rules and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            PrincipalKind::Human => "human",
            PrincipalKind::Workload => "workload",
            PrincipalKind::Pipeline => "pipeline",
            PrincipalKind::Service => "service",
            PrincipalKind::Unknown => "unknown",
        }
    }
}

/// The credential that an activity was done with.
#[derive(Clone, Debug)]
pub struct CredentialRef<'r> {
    /// Its id.
    pub id: Cow<'r, str>,
    /// What it is.
    pub kind: CredentialKind,
    /// When the session was created, as the record says.
    pub created: Option<Timestamp>,
    /// Whether the session says that it was made with a second factor. `false` proves little: a
    /// session from an identity provider says so even where the provider asked for one.
    pub mfa: Option<bool>,
    /// Whether the console forwarded the call.
    pub console: bool,
}

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A key that lives until it is deleted (`AKIA…`).
    AccessKey,
    /// A session that ends by itself (`ASIA…`).
    Session,
    /// A console password.
    Password,
    /// A token of an identity provider.
    Token,
    /// None of these, or not told.
    Other,
}

impl CredentialKind {
    /// The kebab-case name used in rules and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            CredentialKind::AccessKey => "access-key",
            CredentialKind::Session => "session",
            CredentialKind::Password => "password",
            CredentialKind::Token => "token",
            CredentialKind::Other => "other",
        }
    }
}

/// Where a call came from.
#[derive(Clone, Debug, Default)]
pub struct Origin<'r> {
    /// The address as recorded: an IP address, or a service's name.
    pub address: Cow<'r, str>,
    /// What kind of address it is.
    pub kind: OriginKind,
    /// The VPC endpoint that the call came through.
    pub vpc_endpoint: Option<Cow<'r, str>>,
}

/// What kind of address a call came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A public address.
    Public,
    /// A private or link-local address.
    Private,
    /// The provider's own service.
    Service,
    /// Not told.
    #[default]
    Unknown,
}

/// How an activity ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'r> {
    /// It was done.
    Success,
    /// It was refused for lack of permission. Carries the source's error code.
    Denied(Cow<'r, str>),
    /// It failed for another reason. Carries the source's error code.
    Failed(Cow<'r, str>),
}

/// A credential created by an activity.
#[derive(Clone, Debug)]
pub struct Minted<'r> {
    /// The new credential's id; empty where the record does not tell it, as those of Identity
    /// Center's portal and of console sign-ins do not.
    pub credential: Cow<'r, str>,
    /// What it is.
    pub kind: CredentialKind,
    /// The principal that it proves; of a role that Identity Center made for a permission set
    /// without the random ending of its name, where the record names only the permission set.
    pub principal: Cow<'r, str>,
    /// The session name asked for.
    pub session: Option<Cow<'r, str>>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// By which operation.
    pub method: MintMethod,
}

/// The operations that make a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum MintMethod {
    AssumeRole,
    AssumeRoleWithWebIdentity,
    AssumeRoleWithSaml,
    AssumeRoot,
    GetSessionToken,
    GetFederationToken,
    CreateAccessKey,
    CreateLoginProfile,
    ConsoleLogin,
    /// The console's switch to another role.
    SwitchRole,
    /// A session handed over to the console by the federation endpoint.
    GetSigninToken,
    /// Identity Center's portal gave a role's keys to a command line or program.
    GetRoleCredentials,
    /// Identity Center's portal opened the console.
    Federate,
    /// The provider delivered a role's session to an instance, task or function.
    Workload,
    Other,
}

impl MintMethod {
    /// The operation's name, kebab-case.
    pub fn as_str(self) -> &'static str {
        match self {
            MintMethod::AssumeRole => "assume-role",
            MintMethod::AssumeRoleWithWebIdentity => "assume-role-with-web-identity",
            MintMethod::AssumeRoleWithSaml => "assume-role-with-saml",
            MintMethod::AssumeRoot => "assume-root",
            MintMethod::GetSessionToken => "get-session-token",
            MintMethod::GetFederationToken => "get-federation-token",
            MintMethod::CreateAccessKey => "create-access-key",
            MintMethod::CreateLoginProfile => "create-login-profile",
            MintMethod::ConsoleLogin => "console-login",
            MintMethod::SwitchRole => "switch-role",
            MintMethod::GetSigninToken => "get-signin-token",
            MintMethod::GetRoleCredentials => "get-role-credentials",
            MintMethod::Federate => "federate",
            MintMethod::Workload => "workload",
            MintMethod::Other => "other",
        }
    }
}
