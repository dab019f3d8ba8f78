//! Sessions, role chaining and the tags that travel with them.
//!
//! Follows "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed
//! roles" (IAM User Guide,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html>).

use std::collections::BTreeMap;

use thiserror::Error;

use super::keys::{last_part, resource_part};
use super::request::{Caller, CallerKind, Context};

/// How many session tags one request may pass.
const MAX_TAGS: usize = 50;

/// One call of `AssumeRole`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumption {
    /// The role's ARN.
    pub role: String,
    /// The name that the caller gives the session.
    pub session_name: String,
    /// The role's own tags.
    pub role_tags: BTreeMap<String, String>,
    /// The tags that the caller passes.
    pub session_tags: BTreeMap<String, String>,
    /// Which of the session's tags go along into sessions of further roles.
    pub transitive_tag_keys: Vec<String>,
    /// The source identity that the caller sets.
    pub source_identity: Option<String>,
}

/// Why AWS would refuse an assumption, whatever policies say.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The role's ARN is none.
    #[error("{0:?} is not the ARN of a role")]
    NoRole(String),
    /// A passed tag has the key of an inherited transitive one, which cannot be replaced.
    #[error("the session tag {0:?} would replace one inherited from the calling session")]
    Inherited(String),
    /// The same tag key twice, case disregarded.
    #[error("the session tag {0:?} is passed twice")]
    Repeated(String),
    /// A transitive key that names no tag of the session.
    #[error("the transitive key {0:?} is not among the tags of the session")]
    NotATag(String),
    /// Keys that begin with `aws:` are AWS's own.
    #[error("the session tag {0:?} has a reserved prefix")]
    Reserved(String),
    /// More tags than a request may pass.
    #[error("{0} session tags are passed, where 50 may be")]
    TooMany(usize),
    /// The source identity is set once and stays.
    #[error("the source identity is {set:?} already and cannot become {asked:?}")]
    SourceIdentity {
        /// The one that is set.
        set: String,
        /// The one that is asked for.
        asked: String,
    },
}

/// A caller with what its session hands on.
#[derive(Clone, Debug)]
pub struct Session {
    /// The caller, its tags those of the session laid over the role's.
    pub caller: Caller,
    /// The tags that go along into sessions of further roles.
    pub transitive_tags: BTreeMap<String, String>,
    /// The source identity, once set.
    pub source_identity: Option<String>,
}

impl Session {
    /// The beginning of a chain: a user, or any other caller.
    pub fn start(caller: Caller) -> Self {
        Self {
            caller,
            transitive_tags: BTreeMap::new(),
            source_identity: None,
        }
    }

    /// The session of a role that this caller assumes. Tags passed replace the role's of the same
    /// key; transitive tags that come along replace both, and go on. Case of keys does not matter.
    ///
    /// This is what the new session *is*; whether the caller may assume the role and may pass the
    /// tags (`sts:TagSession`) is a question for [`evaluate`](super::evaluate), on the context
    /// that [`Assumption::add_to`] gives.
    ///
    /// # Errors
    ///
    /// What AWS refuses whatever policies say; see [`SessionError`].
    pub fn assume(&self, assumption: &Assumption) -> Result<Session, SessionError> {
        let no_role = || SessionError::NoRole(assumption.role.clone());
        let role = Caller::from_arn(&assumption.role)
            .filter(|caller| caller.kind == CallerKind::Role)
            .ok_or_else(no_role)?;
        check(&assumption.session_tags)?;
        let held = |tags: &BTreeMap<String, String>, key: &str| {
            tags.keys().any(|other| other.eq_ignore_ascii_case(key))
        };
        let passed = &assumption.session_tags;
        if let Some(key) = passed.keys().find(|key| held(&self.transitive_tags, key)) {
            return Err(SessionError::Inherited(key.clone()));
        }
        let source_identity = match (&self.source_identity, &assumption.source_identity) {
            (Some(set), Some(asked)) if set != asked => {
                return Err(SessionError::SourceIdentity {
                    set: set.clone(),
                    asked: asked.clone(),
                });
            }
            (set, asked) => set.clone().or_else(|| asked.clone()),
        };
        let mut transitive_tags = self.transitive_tags.clone();
        for key in &assumption.transitive_tag_keys {
            let tag = passed
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(key));
            match tag {
                Some((key, value)) => {
                    transitive_tags.insert(key.clone(), value.clone());
                }
                None if held(&transitive_tags, key) => {}
                None => return Err(SessionError::NotATag(key.clone())),
            }
        }
        let mut tags = assumption.role_tags.clone();
        for (key, value) in passed.iter().chain(&self.transitive_tags) {
            tags.retain(|other, _| !other.eq_ignore_ascii_case(key));
            tags.insert(key.clone(), value.clone());
        }
        let partition = assumption.role.split(':').nth(1).unwrap_or("aws");
        let arn = format!(
            "arn:{partition}:sts::{}:assumed-role/{}/{}",
            role.account,
            last_part(resource_part(&assumption.role)),
            assumption.session_name
        );
        let mut caller = Caller::new(CallerKind::Session, arn);
        caller.issuer = Some(assumption.role.clone());
        caller.tags = tags;
        caller.all_tags_known = true;
        Ok(Session {
            caller,
            transitive_tags,
            source_identity,
        })
    }

    /// Adds the keys that every request of the session carries.
    pub fn add_to(&self, context: &mut Context) {
        if let Some(identity) = &self.source_identity {
            context.set("aws:SourceIdentity", identity.clone());
        }
    }
}

impl Assumption {
    /// Adds the keys that the call of `AssumeRole` itself carries: `aws:RequestTag/…`,
    /// `aws:TagKeys`, `sts:TransitiveTagKeys`, `sts:RoleSessionName`, `sts:SourceIdentity`.
    pub fn add_to(&self, context: &mut Context) {
        for (key, value) in &self.session_tags {
            context.set(&format!("aws:RequestTag/{key}"), value.clone());
        }
        if !self.session_tags.is_empty() {
            let keys: Vec<String> = self.session_tags.keys().cloned().collect();
            context.set("aws:TagKeys", keys);
        }
        if !self.transitive_tag_keys.is_empty() {
            context.set("sts:TransitiveTagKeys", self.transitive_tag_keys.clone());
        }
        context.set("sts:RoleSessionName", self.session_name.clone());
        if let Some(identity) = &self.source_identity {
            context.set("sts:SourceIdentity", identity.clone());
        }
    }
}

fn check(tags: &BTreeMap<String, String>) -> Result<(), SessionError> {
    if tags.len() > MAX_TAGS {
        return Err(SessionError::TooMany(tags.len()));
    }
    let mut seen = std::collections::BTreeSet::new();
    for key in tags.keys() {
        let lower = key.to_ascii_lowercase();
        if lower.starts_with("aws:") {
            return Err(SessionError::Reserved(key.clone()));
        }
        if !seen.insert(lower) {
            return Err(SessionError::Repeated(key.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    fn assumption(role: &str, passed: &[(&str, &str)], transitive: &[&str]) -> Assumption {
        Assumption {
            role: format!("arn:aws:iam::111122223333:role/ci/{role}"),
            session_name: "s".into(),
            role_tags: tags(&[("team", "role"), ("own", role)]),
            session_tags: tags(passed),
            transitive_tag_keys: transitive.iter().map(|key| (*key).to_owned()).collect(),
            source_identity: None,
        }
    }

    fn anna() -> Session {
        Session::start(Caller::from_arn("arn:aws:iam::111122223333:user/anna").unwrap())
    }

    #[test]
    fn transitive_tags_go_along_and_others_stay_behind() {
        let first = anna()
            .assume(&assumption(
                "one",
                &[("Team", "web"), ("cost", "7")],
                &["team"],
            ))
            .unwrap();
        assert_eq!(
            first.caller.arn,
            "arn:aws:sts::111122223333:assumed-role/one/s"
        );
        assert_eq!(
            first.caller.tags,
            tags(&[("Team", "web"), ("cost", "7"), ("own", "one")])
        );
        let second = first.assume(&assumption("two", &[], &[])).unwrap();
        assert_eq!(second.caller.tags, tags(&[("Team", "web"), ("own", "two")]));
        let third = second
            .assume(&assumption("three", &[("cost", "9")], &[]))
            .unwrap();
        assert_eq!(
            third.caller.tags,
            tags(&[("Team", "web"), ("cost", "9"), ("own", "three")])
        );
    }

    #[test]
    fn what_aws_refuses_is_an_error() {
        let first = anna()
            .assume(&assumption("one", &[("team", "web")], &["team"]))
            .unwrap();
        let replaced = first.assume(&assumption("two", &[("TEAM", "ops")], &[]));
        assert_eq!(
            replaced.unwrap_err(),
            SessionError::Inherited("TEAM".into())
        );
        let reserved = anna().assume(&assumption("one", &[("aws:x", "1")], &[]));
        assert_eq!(
            reserved.unwrap_err(),
            SessionError::Reserved("aws:x".into())
        );
        let repeated = anna().assume(&assumption("one", &[("A", "1"), ("a", "2")], &[]));
        assert_eq!(repeated.unwrap_err(), SessionError::Repeated("a".into()));
        let none = anna().assume(&assumption("one", &[], &["team"]));
        assert_eq!(none.unwrap_err(), SessionError::NotATag("team".into()));
        let mut named = assumption("one", &[], &[]);
        named.source_identity = Some("anna".into());
        let first = anna().assume(&named).unwrap();
        named.source_identity = Some("eve".into());
        assert!(matches!(
            first.assume(&named),
            Err(SessionError::SourceIdentity { .. })
        ));
        let kept = first.assume(&assumption("two", &[], &[])).unwrap();
        assert_eq!(kept.source_identity.as_deref(), Some("anna"));
    }
}
