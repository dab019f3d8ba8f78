//! Who a statement of a resource's policy speaks of.

use super::arn::is_account;
use super::keys::{last_part, resource_part, session_role_name};
use super::pattern::Tri;
use super::request::{Caller, CallerKind};

/// One principal that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PrincipalEntry {
    /// `*`.
    Everyone,
    /// Every principal of any account: what S3's lists call authenticated users. Policies cannot
    /// say it.
    Authenticated,
    /// An account, by its number or its root's ARN.
    Account(Box<str>),
    /// A user, role or session, by its ARN.
    Arn(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// An account by the id that S3 knows it by.
    Canonical(Box<str>),
    /// The unique id of a principal that was deleted: it is nobody any more.
    Deleted,
}

impl PrincipalEntry {
    /// Reads a principal of `AWS`, `Service`, `Federated` or `CanonicalUser`.
    pub(super) fn read(kind: &str, text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            // `{"Service": "*"}` speaks of services only; the same for providers.
            return Ok(match kind {
                "Service" => PrincipalEntry::Service("*".into()),
                "Federated" => PrincipalEntry::Federated("*".into()),
                _ => PrincipalEntry::Everyone,
            });
        }
        if text.contains(['*', '?']) {
            return Err("has a wildcard within a principal, where only `*` alone is one");
        }
        match kind {
            "Service" => Ok(PrincipalEntry::Service(text.into())),
            "Federated" => Ok(PrincipalEntry::Federated(text.into())),
            "CanonicalUser" => Ok(PrincipalEntry::Canonical(text.into())),
            "AWS" if is_account(text) => Ok(PrincipalEntry::Account(text.into())),
            "AWS" if is_unique_id(text) => Ok(PrincipalEntry::Deleted),
            "AWS" => {
                let parts: Vec<&str> = text.splitn(6, ':').collect();
                match parts.as_slice() {
                    ["arn", _, "iam", _, account, "root"] => {
                        Ok(PrincipalEntry::Account((*account).into()))
                    }
                    ["arn", _, "iam" | "sts", _, account, name]
                        if !account.is_empty() && !name.is_empty() =>
                    {
                        Ok(PrincipalEntry::Arn(text.into()))
                    }
                    _ => Err("is neither an account number nor the ARN of a principal"),
                }
            }
            _ => Err("is a kind of principal that is not known"),
        }
    }
}

/// Ids such as `AIDA…`, `AROA…`, in which AWS shows principals that are gone.
fn is_unique_id(text: &str) -> bool {
    text.len() >= 16
        && text.len() <= 128
        && text.starts_with('A')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PrincipalElement {
    pub(super) negated: bool,
    pub(super) entries: Box<[PrincipalEntry]>,
}

/// How directly a statement names a caller: this decides what an allow is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// The caller itself or everyone. Within an account nothing else is needed.
    pub(super) direct: Tri,
    /// The role that the caller is a session of. Boundary and session policies still bound it.
    pub(super) role: Tri,
    /// The caller's account, whose own policies must then allow.
    pub(super) account: Tri,
    /// What it hangs on, where it is not sure.
    pub(super) doubt: Option<Doubt>,
}

/// Why it is not sure that a statement names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It names a session, and the name of the caller's session is not known.
    SessionName,
    /// It names an account by its canonical id, which the estate does not hold.
    CanonicalId,
    /// `NotPrincipal` lists a part of what the caller is known by: AWS asks for account, role
    /// and session, and says of less that it "might" deny.
    PartlyListed,
}

impl Naming {
    const NOBODY: Self = Self {
        direct: Tri::No,
        role: Tri::No,
        account: Tri::No,
        doubt: None,
    };

    /// Whether it is named in any way.
    pub(super) fn any(self) -> Tri {
        self.direct.max(self.role).max(self.account)
    }
}

impl PrincipalElement {
    pub(super) fn naming(&self, caller: &Caller, denies: bool, has_boundary: bool) -> Naming {
        if self.negated {
            return self.naming_all_but(caller, denies, has_boundary);
        }
        self.entries.iter().fold(Naming::NOBODY, |naming, entry| {
            let next = entry.naming(caller);
            Naming {
                direct: naming.direct.max(next.direct),
                role: naming.role.max(next.role),
                account: naming.account.max(next.account),
                doubt: naming.doubt.or(next.doubt),
            }
        })
    }

    /// `NotPrincipal` ("AWS JSON policy elements: NotPrincipal", IAM User Guide). With a deny it
    /// needs care: it always denies callers with a permissions boundary; it denies whoever is not
    /// listed itself, though its account or its role be; and who is listed must be so with account
    /// and role, else it "might" be denied.
    fn naming_all_but(&self, caller: &Caller, denies: bool, has_boundary: bool) -> Naming {
        let everyone = Naming {
            direct: Tri::Yes,
            ..Naming::NOBODY
        };
        if denies && has_boundary {
            return everyone;
        }
        let mut listed = Naming::NOBODY;
        for entry in &self.entries {
            let next = entry.naming(caller);
            listed.direct = listed.direct.max(next.direct);
            listed.role = listed.role.max(next.role);
            listed.account = listed.account.max(next.account);
        }
        let everyone_listed = self.entries.contains(&PrincipalEntry::Everyone);
        let itself = if caller.kind == CallerKind::Root {
            listed.direct.max(listed.account)
        } else {
            listed.direct
        };
        if listed.any() == Tri::No || (denies && itself == Tri::No) {
            return everyone;
        }
        let wholly = match caller.kind {
            CallerKind::User => listed.direct.min(listed.account),
            CallerKind::Role | CallerKind::Session => {
                listed.direct.min(listed.role).min(listed.account)
            }
            _ => listed.direct,
        };
        if everyone_listed || (wholly == Tri::Yes) || (!denies && listed.any() == Tri::Yes) {
            return Naming::NOBODY;
        }
        let doubt = Some(Doubt::PartlyListed);
        Naming {
            direct: Tri::Maybe,
            doubt,
            ..Naming::NOBODY
        }
    }
}

impl PrincipalEntry {
    fn naming(&self, caller: &Caller) -> Naming {
        let direct = Naming {
            direct: Tri::Yes,
            ..Naming::NOBODY
        };
        let role = Naming {
            role: Tri::Yes,
            ..Naming::NOBODY
        };
        match self {
            PrincipalEntry::Everyone => direct,
            PrincipalEntry::Authenticated => match caller.kind {
                CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => {
                    Naming::NOBODY
                }
                _ => direct,
            },
            PrincipalEntry::Service(name) => {
                let named =
                    caller.kind == CallerKind::Service && (**name == *"*" || **name == *caller.arn);
                if named { direct } else { Naming::NOBODY }
            }
            PrincipalEntry::Federated(provider) => {
                let named = caller.kind == CallerKind::Federated
                    && (**provider == *"*" || same_provider(provider, &caller.arn));
                if named { direct } else { Naming::NOBODY }
            }
            PrincipalEntry::Account(account) => match caller.kind {
                CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => {
                    Naming::NOBODY
                }
                _ if **account != *caller.account => Naming::NOBODY,
                CallerKind::Root => direct,
                _ => Naming {
                    account: Tri::Yes,
                    ..Naming::NOBODY
                },
            },
            PrincipalEntry::Canonical(_) => match caller.kind {
                CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => {
                    Naming::NOBODY
                }
                _ => Naming {
                    account: Tri::Maybe,
                    doubt: Some(Doubt::CanonicalId),
                    ..Naming::NOBODY
                },
            },
            PrincipalEntry::Arn(arn) => match caller.kind {
                CallerKind::User if **arn == *caller.arn => direct,
                CallerKind::Session if **arn == *caller.arn => direct,
                CallerKind::Role if **arn == *caller.arn => role,
                CallerKind::Session if names_issuer(arn, caller) => role,
                CallerKind::Role if names_session_of(arn, caller) => Naming {
                    direct: Tri::Maybe,
                    doubt: Some(Doubt::SessionName),
                    ..Naming::NOBODY
                },
                _ => Naming::NOBODY,
            },
            PrincipalEntry::Deleted => Naming::NOBODY,
        }
    }
}

/// Providers are named by ARN or, the built-in ones, by host name.
fn same_provider(named: &str, caller: &str) -> bool {
    named == caller
        || resource_part(caller).strip_prefix("oidc-provider/") == Some(named)
        || resource_part(named).strip_prefix("oidc-provider/") == Some(caller)
}

/// Whether an ARN is that of the role, or user, whose session the caller is. Where the session
/// does not say, its role is told by account and name: names are unique whatever the path.
fn names_issuer(arn: &str, caller: &Caller) -> bool {
    if let Some(issuer) = &caller.issuer {
        return arn == issuer;
    }
    resource_part(arn).starts_with("role/")
        && arn.split(':').nth(4) == Some(&caller.account)
        && session_role_name(caller) == Some(last_part(arn))
}

/// Whether an ARN is that of some session of the role that the caller is.
fn names_session_of(arn: &str, caller: &Caller) -> bool {
    let mut session = resource_part(arn).split('/');
    session.next() == Some("assumed-role")
        && session.next() == Some(last_part(&caller.arn))
        && arn.split(':').nth(4) == Some(&caller.account)
}
