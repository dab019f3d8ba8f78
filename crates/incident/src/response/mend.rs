//! Undoing and checking what was changed.

use std::collections::BTreeSet;

use super::{Plan, STEPS_OF_A_KIND, commands};
use crate::behaviour::Behaviour;
use crate::facts::Facts;
use crate::names::{self, Principal};
use crate::text::{clean, counted, listed, minute};

impl Plan<'_, '_> {
    pub(super) fn resume_logging(&mut self, facts: &Facts<'_>) {
        let Some(targets) = facts.deeds.get(&Behaviour::ImpairsLogging) else {
            return;
        };
        let actions = listed(&facts.actions_of(Behaviour::ImpairsLogging), 4);
        let trails: Vec<&&str> = targets.keys().filter(|id| id.contains(":trail/")).collect();
        for trail in trails.iter().take(STEPS_OF_A_KIND) {
            self.add(
                format!("Log again to trail {} ({actions})", names::resource(trail)),
                commands::start_logging(trail),
                "A deleted trail must be made anew; compare its selectors with what they were."
                    .to_owned(),
            );
        }
        if trails.is_empty() {
            self.add(
                format!("Switch on again what was switched off ({actions})"),
                None,
                "What happened in between is not in these logs.".to_owned(),
            );
        }
    }

    pub(super) fn restore_objects(&mut self, facts: &Facts<'_>) {
        let mut written: Vec<(&str, Option<jiff::Timestamp>)> = facts
            .written
            .iter()
            .map(|(object, written)| (*object, written.times.iter().min().copied()))
            .collect();
        written.sort_by_key(|(object, time)| (time.is_none(), *time, *object));
        let omitted = written.len().saturating_sub(STEPS_OF_A_KIND);
        for (object, time) in written.into_iter().take(STEPS_OF_A_KIND) {
            let Some((bucket, key)) = names::object(object) else {
                continue;
            };
            let before = match time {
                Some(time) => format!("the version from before {}", minute(time)),
                None => "the version from before".to_owned(),
            };
            self.add(
                format!("Restore {}: find {before}", names::resource(object)),
                commands::list_versions(names::bucket_name(bucket), key),
                "Keep the changed version as evidence; copy the good one over it, or deploy from a \
                 build that you trust, then invalidate caches in front of the bucket. Without \
                 versioning only the build has it."
                    .to_owned(),
            );
        }
        if omitted > 0 {
            self.add(
                format!(
                    "Restore {} more, listed under what was touched",
                    counted(omitted as u64, "object")
                ),
                None,
                None,
            );
        }
    }

    pub(super) fn check_images(&mut self, facts: &Facts<'_>) {
        let pushed = facts
            .deeds
            .get(&Behaviour::PushesImage)
            .into_iter()
            .flatten();
        let pushed = pushed.filter(|(id, _)| id.contains(":repository/"));
        for (repository, time) in pushed.take(STEPS_OF_A_KIND) {
            let when = time
                .map(|time| format!(" since {}", minute(time)))
                .unwrap_or_default();
            self.add(
                format!(
                    "Compare the images pushed to {}{when} with your builds, by digest, and find what \
                     runs them",
                    names::resource(repository)
                ),
                commands::list_images(repository),
                "A tag may have moved: workloads that pull by tag get the pushed image at their next \
                 start."
                    .to_owned(),
            );
        }
    }

    pub(super) fn review_access(&mut self, facts: &Facts<'_>) {
        let Some(targets) = facts.deeds.get(&Behaviour::ChangesAccess) else {
            return;
        };
        let actions = listed(&facts.actions_of(Behaviour::ChangesAccess), 4);
        let commands: Vec<(String, String)> = targets
            .keys()
            .filter_map(|id| {
                let command = match Principal::parse(id) {
                    Principal::Role { name, .. } => commands::show_role_policies(name),
                    Principal::User { name, .. } => commands::show_user_policies(name),
                    _ if names::is_s3(id) && names::object(id).is_none() => {
                        commands::show_bucket_policy(names::bucket_name(id))
                    }
                    _ => None,
                };
                Some((names::resource(id), command?))
            })
            .take(STEPS_OF_A_KIND)
            .collect();
        if commands.is_empty() {
            let on = listed(&facts.targets(Behaviour::ChangesAccess), 5);
            let on = if on.is_empty() {
                String::new()
            } else {
                format!(" on {on}")
            };
            self.add(
                format!("Review the changes of permissions{on} ({actions})"),
                None,
                None,
            );
        }
        for (name, command) in commands {
            self.add(
                format!("Review and undo the changes of permissions on {name} ({actions})"),
                Some(command),
                "The command shows them as they are now; what they were is in your definitions or in \
                 AWS Config."
                    .to_owned(),
            );
        }
    }

    pub(super) fn review_made(&mut self, facts: &Facts<'_>) {
        let kinds = [Behaviour::Persists, Behaviour::ChangesCode];
        let actions: Vec<String> = kinds
            .iter()
            .flat_map(|kind| facts.actions_of(*kind))
            .collect();
        if actions.is_empty() {
            return;
        }
        let on: BTreeSet<String> = kinds.iter().flat_map(|kind| facts.targets(*kind)).collect();
        let on: Vec<String> = on.into_iter().collect();
        let on = if on.is_empty() {
            String::new()
        } else {
            format!(": {}", listed(&on, 6))
        };
        self.add(
            format!("Review what was made or changed to stay ({}){on}", listed(&actions, 5)),
            None,
            "Revoking credentials does not remove it: users, keys, second factors, schedules, code and \
             images go on working."
                .to_owned(),
        );
    }

    pub(super) fn rotate_secrets(&mut self, facts: &Facts<'_>) {
        let secrets = facts.targets(Behaviour::ReadsSecret);
        if !secrets.is_empty() {
            self.add(
                format!("Replace what {} held: {}", counted(secrets.len() as u64, "secret that was read"), listed(&secrets, 6)),
                None,
                "A new version of the secret alone is not enough: what it opens must refuse the old \
                 value."
                    .to_owned(),
            );
        }
    }

    pub(super) fn keep_evidence(&mut self) {
        let files: BTreeSet<&str> = self
            .case
            .findings()
            .flat_map(|it| &it.evidence)
            .map(|it| &*it.file)
            .collect();
        self.add(
            format!(
                "Keep the evidence: copy the {} that the findings point to, and deactivate rather than \
                 delete keys, users and roles",
                counted(files.len() as u64, "log file")
            ),
            None,
            files.first().map(|file| format!("The first of them is {}.", clean(file))),
        );
    }
}
