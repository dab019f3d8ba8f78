//! Taking credentials away.

use std::collections::BTreeSet;

use portreeve_detect::Symbol;
use portreeve_model::{CredentialKind, MintMethod};

use super::{Plan, STEPS_OF_A_KIND, commands};
use crate::lifetime::{self, End};
use crate::names::{self, Principal};
use crate::text::{clean, counted, listed, minute, second};

/// How many ends of sessions, and keys to look up, are listed.
const LISTED: usize = 3;

/// What is taken away in one go: all sessions of a role, one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target<'t> {
    Person {
        name: &'t str,
        set: &'t str,
        account: &'t str,
    },
    Role {
        name: &'t str,
        account: &'t str,
        subject: Option<&'t str>,
        is_linked: bool,
    },
    UserSessions {
        name: &'t str,
        account: &'t str,
    },
    Key {
        key: &'t str,
        user: Option<&'t str>,
        account: &'t str,
    },
    Password {
        user: &'t str,
        account: &'t str,
    },
    Root {
        account: &'t str,
    },
}

impl<'a> Plan<'_, 'a> {
    /// Where nothing shows a credential in other hands, its owner is asked first.
    pub(super) fn ask_first(&mut self) {
        if self.case.group.is_strange() || self.case.group.named {
            return;
        }
        let who: BTreeSet<String> = self
            .case
            .deeds()
            .map(|row| names::actor(row.principal(), row.session()))
            .collect();
        let who: Vec<String> = who.into_iter().collect();
        self.add(
            format!(
                "Ask {} whether this was their work; go on only if it was not",
                listed(&who, LISTED)
            ),
            None,
            "Ask over a channel that does not depend on the credential in question.".to_owned(),
        );
    }

    /// Takes credentials away; `made` tells that the intruder minted them.
    pub(super) fn cut(&mut self, credentials: &[Symbol], made: bool) {
        let mut seen = BTreeSet::new();
        let mut targets: Vec<Target<'a>> = credentials
            .iter()
            .filter_map(|credential| self.target(*credential))
            .filter(|target| seen.insert(*target))
            .collect();
        // Keys and passwords outlive everything else that was minted.
        if made {
            targets.sort_by_key(|target| {
                !matches!(target, Target::Key { .. } | Target::Password { .. })
            });
        }
        let omitted = targets.len().saturating_sub(STEPS_OF_A_KIND);
        for target in targets.into_iter().take(STEPS_OF_A_KIND) {
            self.cut_one(target, made);
        }
        if omitted > 0 {
            let others = counted(omitted as u64, "other principal or key");
            self.add(
                format!("Do the same for the {others} of this incident"),
                None,
                None,
            );
        }
    }

    fn target(&self, credential: Symbol) -> Option<Target<'a>> {
        let case = self.case;
        let link = case.folded.lineage.mint(credential);
        let persona = case.survey.actors.of_credential(credential).first();
        let (principal, session) = match (persona, link) {
            (Some(persona), _) => {
                let who = case.survey.actors.persona(*persona);
                (case.text(who.principal), case.text(who.session))
            }
            (None, Some(link)) => (case.text(link.principal), case.text(link.session)),
            (None, None) => return None,
        };
        let key = case.text(credential);
        let kind = lifetime::kind(case.folded, credential);
        let root = case.text(case.folded.lineage.root(credential));
        let is_web = link.is_some_and(|link| link.method == MintMethod::AssumeRoleWithWebIdentity);
        Some(match (Principal::parse(principal), kind) {
            (Principal::Root { account }, CredentialKind::AccessKey) => Target::Key {
                key,
                user: None,
                account,
            },
            (Principal::Root { account }, _) => Target::Root { account },
            (Principal::User { account, name }, CredentialKind::AccessKey) => Target::Key {
                key,
                user: Some(name),
                account,
            },
            (Principal::User { account, name }, CredentialKind::Password) => Target::Password {
                user: name,
                account,
            },
            (Principal::User { account, name }, _) => Target::UserSessions { name, account },
            (Principal::PermissionSet { account, name: set }, _) => Target::Person {
                name: session,
                set,
                account,
            },
            (Principal::Role { account, name }, _) => Target::Role {
                name,
                account,
                subject: is_web.then_some(root),
                is_linked: principal.contains(":role/aws-service-role/"),
            },
            (Principal::Other(_), _) => return None,
        })
    }

    fn cut_one(&mut self, target: Target<'a>, made: bool) {
        let by = if made { ", minted by the intruder" } else { "" };
        match target {
            Target::Person { name, set, account } => self.cut_person(name, set, account, by),
            Target::Role { name, account, subject, is_linked } => {
                self.cut_role(name, account, subject, is_linked, by);
            }
            Target::UserSessions { name, account } => self.add(
                format!("Deny all sessions of user {} in {account} issued before now{by}", clean(name)),
                commands::revoke_user_sessions(name),
                "Sessions taken with GetSessionToken or GetFederationToken outlive the key that they \
                 were taken with. The policy does not deny the user's keys."
                    .to_owned(),
            ),
            Target::Key { key, user, account } => {
                let whose = match user {
                    Some(user) => format!("user {}", clean(user)),
                    None => "the root user".to_owned(),
                };
                let caveat = if user.is_none() {
                    "Run it as that root user. "
                } else {
                    ""
                };
                self.add(
                    format!("Deactivate access key {} of {whose} in {account}{by}", clean(key)),
                    commands::deactivate_key(user, key),
                    format!(
                        "{caveat}Whatever else works with this key stops. Sessions that were taken with \
                         it live on: revoke them too."
                    ),
                );
            }
            Target::Password { user, account } => self.add(
                format!("Take the console password from user {} in {account}{by}", clean(user)),
                commands::delete_login_profile(user),
                "Console sessions that are open live on for up to 12 hours: deny the user's sessions \
                 too."
                    .to_owned(),
            ),
            Target::Root { account } => self.add(
                format!("Change the password and second factor of the root user of {account}{by}"),
                None,
                "Only the root user itself can do this, or the management account through \
                 centralized root access. No policy in a management account binds its root user."
                    .to_owned(),
            ),
        }
    }

    fn cut_person(&mut self, name: &str, set: &str, account: &str, by: &str) {
        let person = clean(name);
        self.add(
            format!("Disable {person} in Identity Center and end the active sessions there{by}"),
            commands::find_person(name),
            "There is no command for it: use the console (Users, Disable user access; Active \
             sessions, Delete). It stops new role sessions; those that exist live on for up to 12 \
             hours. The command finds the USER_ID that the next steps need."
                .to_owned(),
        );
        self.add(
            format!(
                "Deny {person}'s live sessions through permission set {}, used in {account}",
                clean(set)
            ),
            Some(commands::deny_person_in_permission_set()),
            "The set's roles cannot be edited in the accounts, so that the deny goes into the set. \
             The command replaces the set's inline policy: read it first with \
             get-inline-policy-for-permission-set and merge. Do it for each set that is assigned to \
             the person."
                .to_owned(),
        );
        let binds = match self.management {
            Some(management) if management == account => {
                format!("It does not help here: {account} is the management account, which service \
                         control policies do not bind.")
            }
            _ => "Attach it to the accounts or units concerned. Service control policies do not bind \
                  the management account."
                .to_owned(),
        };
        self.add(
            format!("Or deny {person} in whole accounts by a service control policy"),
            Some(commands::deny_person_by_control_policy()),
            binds,
        );
    }

    fn cut_role(
        &mut self,
        name: &str,
        account: &str,
        subject: Option<&str>,
        is_linked: bool,
        by: &str,
    ) {
        let role = clean(name);
        if is_linked {
            self.add(
                format!("Stop the service behind the service-linked role {role} in {account}{by}"),
                None,
                "Service-linked roles cannot be edited, nor their sessions revoked.".to_owned(),
            );
            return;
        }
        self.add(
            format!("Revoke all sessions of role {role} in {account} issued before now{by}"),
            commands::revoke_role_sessions(name),
            "It denies every session of the role issued before now, of others and of workloads too, \
             until they fetch new ones. Whoever can still assume the role gets a new session."
                .to_owned(),
        );
        if let Some(subject) = subject {
            self.add(
                format!(
                    "Tighten the trust of role {role} in {account}: accept only the `sub` values that \
                     must have it, not {}",
                    clean(subject)
                ),
                commands::show_trust(name),
                "The command shows the trust policy as it is; a pattern in `sub` that ends in `*` \
                 lets any branch or pull request in. Change it with update-assume-role-policy."
                    .to_owned(),
            );
        }
    }

    /// When sessions die by themselves.
    pub(super) fn tell_ends(&mut self) {
        let mut ends: Vec<(End, &str)> = self
            .case
            .held
            .iter()
            .filter_map(|credential| {
                Some((
                    lifetime::end(self.case.folded, *credential)?,
                    self.case.text(*credential),
                ))
            })
            .collect();
        if ends.is_empty() {
            return;
        }
        ends.sort_by(|(a, left), (b, right)| b.time().cmp(&a.time()).then(left.cmp(right)));
        let logged = self.logs_end();
        let over = ends
            .iter()
            .filter(|(end, _)| logged.is_some_and(|last| end.time() <= last))
            .count();
        let words: Vec<String> = ends
            .iter()
            .map(|(end, key)| match end {
                End::Known(time) => format!("{} at {}", clean(key), minute(*time)),
                End::AtLatest(time) => format!("{} at {} at the latest", clean(key), minute(*time)),
            })
            .collect();
        let past = if over > 0 {
            format!("; {over} of {} had ended when the logs end", ends.len())
        } else {
            String::new()
        };
        self.add(
            format!(
                "Know when sessions end by themselves: {}{past}",
                listed(&words, LISTED)
            ),
            None,
            "\"At the latest\" is the bound that AWS sets: 12 hours for sessions of roles, 36 for \
             sessions of users. It does not stop new ones."
                .to_owned(),
        );
    }

    fn logs_end(&self) -> Option<jiff::Timestamp> {
        let coverage = &self.case.folded.coverage;
        coverage.iter().filter_map(|coverage| coverage.last).max()
    }

    /// What the credentials that outlive the logs did after these end.
    pub(super) fn look_up(&mut self) {
        let logged = self.logs_end();
        let since = self
            .case
            .deeds()
            .filter_map(|row| row.time())
            .max()
            .map(second);
        let mut keys: Vec<(Option<jiff::Timestamp>, &str)> = self
            .case
            .held
            .iter()
            .filter(|credential| {
                let end = lifetime::end(self.case.folded, **credential);
                end.is_none_or(|end| logged.is_none_or(|last| end.time() > last))
            })
            .map(|credential| {
                let last = self
                    .case
                    .rows_of_credential(*credential)
                    .filter_map(|row| row.time())
                    .max();
                (last, self.case.text(*credential))
            })
            .collect();
        keys.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let commands: Vec<(String, String)> = keys
            .iter()
            .filter_map(|(_, key)| Some((clean(key), commands::look_up(key, since.as_deref())?)))
            .take(LISTED)
            .collect();
        for (key, command) in commands {
            self.add(
                format!("See what {key} has done since these logs end"),
                Some(command),
                "It shows management events of one region and 90 days; reads and writes of objects \
                 are only in a trail that logs data events."
                    .to_owned(),
            );
        }
    }
}
