use std::collections::BTreeMap;
use std::sync::Arc;

use super::Document;
use super::access::ResourceAccess;

/// A policy where it is attached.
#[derive(Clone, Debug)]
pub struct AttachedPolicy {
    /// What to call it in answers: the policy's name, or `inline:NAME`.
    pub name: String,
    /// What it says. Shared, since one managed policy is attached to many.
    pub document: Arc<Document>,
}

impl AttachedPolicy {
    /// A policy of a name and a document.
    pub fn new(name: impl Into<String>, document: impl Into<Arc<Document>>) -> Self {
        Self {
            name: name.into(),
            document: document.into(),
        }
    }
}

/// All policies on the caller's side.
///
/// A policy that is attached but whose text is not at hand belongs in its place with
/// [`Document::unseen`]: answers that it could change become *depends*.
#[derive(Clone, Debug, Default)]
pub struct PrincipalPolicies {
    /// The principal's own policies, inline and managed, and its groups'.
    pub identity: Vec<AttachedPolicy>,
    /// Its permissions boundary.
    pub boundary: Option<AttachedPolicy>,
    /// Policies given when the session was made. Empty: none were given.
    pub session: Vec<AttachedPolicy>,
    /// Service control policies from the organization's root down to the account, a level each;
    /// each level must allow. Empty: the account is in no organization, or its SCPs are off.
    pub scps: Vec<Vec<AttachedPolicy>>,
    /// Policies of the VPC endpoint that the request comes through; one of them must allow. Empty:
    /// it comes through none, or through one whose policy is open.
    pub endpoint: Vec<AttachedPolicy>,
    /// Whether SCPs have no effect on it: principals of the management account, and
    /// service-linked roles. Service-linked roles known by their ARN are seen without it.
    pub exempt_from_scp: bool,
}

/// How a resource's policy combines with the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourcePolicyKind {
    /// Within one account either side's allow is enough.
    #[default]
    Ordinary,
    /// A role's trust policy: it must allow; the caller's side must too, unless it names the
    /// caller itself in the same account.
    RoleTrust,
    /// A KMS key policy: it must allow; the caller's policies count only where it delegates to
    /// the account.
    KmsKey,
}

/// All policies on the resource's side.
#[derive(Clone, Debug, Default)]
pub struct ResourcePolicies {
    /// The resource's own policy. `None`: it is known to have none. A role or a key always has
    /// one, so there `None` means that it was not seen, and it is taken that it may delegate to
    /// its account; with [`Document::unseen`] it may say anything at all.
    pub policy: Option<AttachedPolicy>,
    /// How it combines with the caller's side.
    pub kind: ResourcePolicyKind,
    /// The account that owns the resource; where it is not given, the one in the resource's ARN,
    /// else the caller's.
    pub account: Option<String>,
    /// Resource control policies from the root down to the account, a level each.
    pub rcps: Vec<Vec<AttachedPolicy>>,
    /// What opens or closes it beside policies.
    pub access: ResourceAccess,
}

/// What kind of caller asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerKind {
    /// An IAM user.
    User,
    /// A role, in a session whose name is not known. The caller's ARN is the role's.
    Role,
    /// A session of a role or of `GetFederationToken`. The caller's ARN is the session's;
    /// [`Caller::issuer`] says whose session it is.
    Session,
    /// The root user of an account.
    Root,
    /// An AWS service; the caller's ARN is its principal name, `lambda.amazonaws.com`.
    Service,
    /// An identity from an OIDC or SAML provider; the caller's ARN is the provider's ARN, or its
    /// host name (`accounts.google.com`).
    Federated,
    /// Anyone, without credentials.
    Anonymous,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its ARN, or its name where [`CallerKind`] says so.
    pub arn: String,
    /// The account that it belongs to; empty for services and for anonymous callers.
    pub account: String,
    /// What it is.
    pub kind: CallerKind,
    /// Its tags (`aws:PrincipalTag/…`); for a session the session's tags laid over the role's.
    pub tags: BTreeMap<String, String>,
    /// Whether `tags` are all its tags. Where they are not, and absent keys are unknown, a tag
    /// that is not among them is unknown too.
    pub all_tags_known: bool,
    /// For a session the ARN of the role, or of the user for `GetFederationToken`. Where it is
    /// missing, the role is taken to have no path.
    pub issuer: Option<String>,
}

impl Caller {
    /// A caller of whose tags nothing is known. The account is read from the ARN.
    pub fn new(kind: CallerKind, arn: impl Into<String>) -> Self {
        let arn = arn.into();
        let account = match kind {
            CallerKind::Service | CallerKind::Anonymous => String::new(),
            _ => arn.split(':').nth(4).unwrap_or_default().to_owned(),
        };
        let tags = BTreeMap::new();
        Self {
            arn,
            account,
            kind,
            tags,
            all_tags_known: false,
            issuer: None,
        }
    }

    /// A caller of the kind that its ARN tells: user, role, session, root, an identity provider,
    /// a service (`…amazonaws.com`), or anonymous (`*`). `None` for anything else.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let kind = if arn == "*" {
            CallerKind::Anonymous
        } else if !arn.contains(':') && arn.contains(".amazonaws.com") {
            CallerKind::Service
        } else {
            let mut parts = arn.splitn(6, ':');
            if parts.next() != Some("arn") {
                return None;
            }
            let service = parts.nth(1)?;
            let account = parts.nth(1)?;
            let resource = parts.next()?;
            if account.is_empty() {
                return None;
            }
            let name_follows = |prefix: &str| {
                resource
                    .strip_prefix(prefix)
                    .is_some_and(|name| !name.is_empty())
            };
            match service {
                "iam" if resource == "root" => CallerKind::Root,
                "iam" if name_follows("user/") => CallerKind::User,
                "iam" if name_follows("role/") => CallerKind::Role,
                "iam" if name_follows("oidc-provider/") || name_follows("saml-provider/") => {
                    CallerKind::Federated
                }
                "sts" if name_follows("assumed-role/") || name_follows("federated-user/") => {
                    CallerKind::Session
                }
                _ => return None,
            }
        };
        Some(Self::new(kind, arn))
    }
}

/// What is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// One resource, by its ARN; `*` for actions that name no resource (`ec2:DescribeInstances`).
    Exact(&'a str),
    /// Some resource among those that a pattern covers (`arn:aws:s3:::web-prod/*`): is there one
    /// on which the request is allowed? See [`evaluate`](super::evaluate) for how near the answer
    /// comes.
    Within(&'a str),
    /// Some resource at all: for resources that do not exist yet. The same as `Within("*")`.
    Any,
}

/// The value of a condition key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextValue {
    /// It has one value.
    One(String),
    /// It has several values, or a list of one or none.
    Many(Vec<String>),
    /// The request does not carry the key.
    Absent,
    /// Nothing is known of it.
    Unknown,
}

impl From<&str> for ContextValue {
    fn from(text: &str) -> Self {
        ContextValue::One(text.to_owned())
    }
}

impl From<String> for ContextValue {
    fn from(text: String) -> Self {
        ContextValue::One(text)
    }
}

impl From<Vec<String>> for ContextValue {
    fn from(values: Vec<String>) -> Self {
        ContextValue::Many(values)
    }
}

/// What it means that a context does not hold a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Absent {
    /// It is not known whether the request carries it.
    #[default]
    Unknown,
    /// The request does not carry it.
    Absent,
}

/// What is known of the circumstances of a request.
///
/// Keys that follow from the caller and the resource are filled in by the evaluator where the
/// context does not hold them: `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`,
/// `aws:username`, `aws:PrincipalTag/…`, `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`,
/// `aws:ResourceAccount`, `kms:CallerAccount`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    values: BTreeMap<String, ContextValue>,
    /// What it means that a key is not among them.
    pub absent: Absent,
}

impl Context {
    /// A context that holds nothing.
    pub fn new(absent: Absent) -> Self {
        Self {
            values: BTreeMap::new(),
            absent,
        }
    }

    /// Sets a key. Names of keys are compared without regard to case.
    pub fn set(&mut self, key: &str, value: impl Into<ContextValue>) -> &mut Self {
        self.values.insert(key.to_ascii_lowercase(), value.into());
        self
    }

    /// The same context with a key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<ContextValue>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets all that another context holds, over what this one does.
    pub fn extend(&mut self, other: &Context) -> &mut Self {
        for (key, value) in &other.values {
            self.values.insert(key.clone(), value.clone());
        }
        self
    }

    /// The value of a key, if it was set. The key in lower case.
    pub fn get(&self, lower_case_key: &str) -> Option<&ContextValue> {
        self.values.get(lower_case_key)
    }
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who.
    pub principal: &'a Caller,
    /// Does what: `s3:GetObject`. Case does not matter.
    pub action: &'a str,
    /// On what.
    pub target: Target<'a>,
    /// In which circumstances.
    pub context: &'a Context,
}
