use serde::{Deserialize, Serialize};

/// What an evaluation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The request is allowed whatever is not known.
    Allowed,
    /// The request is denied whatever is not known.
    Denied,
    /// It hangs on what is not known: see [`Answer::depends_on`].
    Depends,
}

impl Decision {
    /// The lower-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::Denied => "denied",
            Decision::Depends => "depends",
        }
    }
}

/// The layer of policy that an answer rests on. These are the layers of AWS; other providers add
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PolicyLayer {
    /// Service control policies: the organization's bound on principals.
    Scp,
    /// Resource control policies: the organization's bound on resources.
    Rcp,
    /// The policy of the resource itself; a key policy too.
    Resource,
    /// A role's trust policy.
    Trust,
    /// Policies of the principal and of its groups.
    Identity,
    /// The principal's permissions boundary.
    Boundary,
    /// Policies given when the session was made.
    Session,
    /// The policy of the VPC endpoint that the request came through.
    Endpoint,
}

impl PolicyLayer {
    /// The kebab-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyLayer::Scp => "scp",
            PolicyLayer::Rcp => "rcp",
            PolicyLayer::Resource => "resource",
            PolicyLayer::Trust => "trust",
            PolicyLayer::Identity => "identity",
            PolicyLayer::Boundary => "boundary",
            PolicyLayer::Session => "session",
            PolicyLayer::Endpoint => "endpoint",
        }
    }
}

/// A statement of a policy, for people to find it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StatementRef {
    /// The policy's name.
    pub policy: String,
    /// The statement's place in the policy, from 0.
    pub index: usize,
    /// The statement's own id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid: Option<String>,
}

impl std::fmt::Display for StatementRef {
    /// Policy name, `#`, statement id or place: `deploy#AllowUpload`, `deploy#0`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.sid {
            Some(sid) => write!(formatter, "{}#{sid}", self.policy),
            None => write!(formatter, "{}#{}", self.policy, self.index),
        }
    }
}

/// Who decides what a condition key's value will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyClass {
    /// The caller, by what it writes into the request: request tags, the service that a role is
    /// passed to, the session name. An intruder can meet such a condition at will.
    Settable,
    /// The circumstances of the request: source address, second factor, VPC endpoint, time.
    Surroundings,
    /// The estate as it stands: tags of principal and resource, the organization's id, token
    /// claims. It holds or it does not, and the caller cannot change it in the request.
    Fixed,
    /// Not a condition key: a policy or a statement that could not be seen or read.
    Unseen,
}

impl KeyClass {
    /// The lower-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyClass::Settable => "settable",
            KeyClass::Surroundings => "surroundings",
            KeyClass::Fixed => "fixed",
            KeyClass::Unseen => "unseen",
        }
    }
}

/// One test whose outcome is not known, and on which an answer hangs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Atom {
    /// The condition key, as the policy writes it: `aws:SourceIp`. For [`KeyClass::Unseen`] the
    /// policy or statement that is not known.
    pub key: String,
    /// The operator, as the policy writes it: `IpAddress`, `ForAnyValue:StringLike`. `Variable`
    /// where the key stands in a pattern as a policy variable, `Unseen` for what is not known.
    pub operator: String,
    /// What the key is compared with; for [`KeyClass::Unseen`] the reason.
    pub values: Vec<String>,
    /// Who decides the key's value.
    pub class: KeyClass,
    /// Whether the test must hold for the request to be allowed; `false` where it stands in a
    /// statement that denies, so that it must fail.
    pub must_hold: bool,
    /// The layer of the policy that it stands in.
    pub layer: PolicyLayer,
}

impl Atom {
    /// An atom of its parts.
    pub fn new(
        layer: PolicyLayer,
        operator: impl Into<String>,
        key: impl Into<String>,
        values: Vec<String>,
        class: KeyClass,
        must_hold: bool,
    ) -> Self {
        Self {
            key: key.into(),
            operator: operator.into(),
            values,
            class,
            must_hold,
            layer,
        }
    }
}

/// The answer to "may P do A on R in context C?".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// What it comes to.
    pub decision: Decision,
    /// The layer that it rests on. *Allowed*: the layer of `statement`. *Denied*: the layer whose
    /// statement denies, or that lacks a statement that allows. *Depends*: the layer of
    /// `statement`, or the first undecided layer where there is no statement.
    pub layer: Option<PolicyLayer>,
    /// *Allowed* and *depends*: the statement that allows, or would. *Denied*: the statement that
    /// denies; none where nothing allows.
    pub statement: Option<StatementRef>,
    /// For *depends* what it hangs on, sorted, without repeats; else empty.
    pub depends_on: Vec<Atom>,
}

impl Answer {
    /// An answer that is decided.
    pub fn decided(
        decision: Decision,
        layer: Option<PolicyLayer>,
        statement: Option<StatementRef>,
    ) -> Self {
        Self {
            decision,
            layer,
            statement,
            depends_on: Vec::new(),
        }
    }

    /// An answer that hangs on atoms.
    pub fn depends(
        layer: Option<PolicyLayer>,
        statement: Option<StatementRef>,
        mut atoms: Vec<Atom>,
    ) -> Self {
        atoms.sort_unstable();
        atoms.dedup();
        Self {
            decision: Decision::Depends,
            layer,
            statement,
            depends_on: atoms,
        }
    }

    /// Whether the request is allowed, or would be under conditions.
    pub fn is_possible(&self) -> bool {
        self.decision != Decision::Denied
    }

    /// The condition keys that the answer hangs on, sorted, without repeats. Unseen policies are
    /// not keys and are left out.
    pub fn condition_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .depends_on
            .iter()
            .filter(|atom| atom.class != KeyClass::Unseen)
            .map(|atom| atom.key.as_str())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
