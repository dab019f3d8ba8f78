use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_detect::ActivityRow;
use portreeve_graph::JewelKind;
use portreeve_model::{Coverage, CoverageCell, EntityKind, Hole};

use super::Surveyed;
use crate::names;

/// The source whose kinds, regions and services are known here.
pub(super) const CLOUDTRAIL: &str = "aws.cloudtrail";

/// Fewer records than these are an extract, of which nothing can be called missing.
const FEWEST_RECORDS: u64 = 200;

/// What the logs and the estate show of what there is to be logged.
pub(super) struct Seen<'a> {
    pub(super) surveyed: Surveyed<'a>,
    /// CloudTrail's coverage, where any of its records were read.
    pub(super) trail: Option<&'a Coverage>,
    /// Accounts of the estate and the settings, and those seen.
    pub(super) accounts: BTreeSet<String>,
    /// Resources of the estate by account and region.
    pub(super) resources: BTreeMap<(String, String), u64>,
    /// Buckets among the crown jewels on whose objects calls were recorded.
    object_buckets: BTreeSet<&'a str>,
    role_sessions: bool,
    console: bool,
    identity_center: bool,
    /// Whether any call that only reads was seen, those on objects aside.
    reads: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn new(surveyed: &Surveyed<'a>) -> Self {
        let surveyed = *surveyed;
        let coverage = &surveyed.folded.coverage;
        let trail = coverage.iter().find(|it| it.source == CLOUDTRAIL);
        let mut accounts: BTreeSet<String> = surveyed.settings.accounts.keys().cloned().collect();
        let mut resources = BTreeMap::<(String, String), u64>::new();
        for entity in surveyed.estate.entities() {
            if entity.inferred {
                continue;
            }
            if entity.kind == EntityKind::Account
                && let Some(account) = entity.id.aws_account()
            {
                accounts.insert(account.to_owned());
            }
            let mut parts = entity.id.as_str().splitn(6, ':').skip(3);
            if let (Some(region), Some(account)) = (parts.next(), parts.next())
                && !region.is_empty()
                && !account.is_empty()
            {
                *resources
                    .entry((account.to_owned(), region.to_owned()))
                    .or_default() += 1;
            }
        }
        let mut seen = Self {
            surveyed,
            trail,
            accounts,
            resources,
            object_buckets: BTreeSet::new(),
            role_sessions: false,
            console: false,
            identity_center: false,
            reads: false,
        };
        seen.read_rows();
        seen
    }

    fn read_rows(&mut self) {
        let activities = &self.surveyed.folded.activities;
        let mut unseen_buckets: BTreeSet<&str> = (self.surveyed.jewels.iter())
            .map(|jewel| jewel.id.as_str())
            .filter(|id| names::is_s3(id))
            .collect();
        // What a symbol's text says is looked up once, not for each of millions of rows.
        let mut on_objects = HashMap::<_, _, FixedState>::default();
        let mut from_portal = HashMap::<_, _, FixedState>::default();
        for row in activities.iter().filter(|row| row.source() == CLOUDTRAIL) {
            self.console |= row.console();
            self.role_sessions |= row.session_symbol().is_some();
            self.identity_center = self.identity_center
                || *from_portal
                    .entry(row.principal_symbol())
                    .or_insert_with(|| row.principal().contains("/AWSReservedSSO_"));
            let is_on_object = *on_objects
                .entry(row.action_symbol())
                .or_insert_with(|| is_on_object(row));
            self.reads |= row.read_only() == Some(true) && !is_on_object;
            if is_on_object
                && !unseen_buckets.is_empty()
                && let Some(bucket) = row.targets().find_map(|id| Some(names::object(id)?.0))
            {
                self.object_buckets.extend(unseen_buckets.take(bucket));
            }
        }
    }

    /// Whether CloudTrail's records are enough to call something missing from them.
    pub(super) fn is_enough(&self) -> bool {
        self.trail.is_some_and(|it| it.records >= FEWEST_RECORDS)
    }

    /// Whether any event of a kind was read.
    pub(super) fn has_kind(&self, kind: &str) -> bool {
        self.trail
            .is_some_and(|trail| trail.event_kinds.contains_key(kind))
    }

    fn cells(&self) -> impl Iterator<Item = &'a CoverageCell> {
        self.trail.into_iter().flat_map(|trail| &trail.cells)
    }

    /// Whether an account has events of a kind; any kind where none is given.
    pub(super) fn account_has(&self, account: &str, kind: Option<&str>) -> bool {
        match kind {
            None => self
                .trail
                .is_some_and(|trail| trail.accounts.contains(account)),
            Some(kind) => self
                .cells()
                .any(|cell| cell.account == account && cell.kind == kind),
        }
    }

    /// Whether an account has records of a region.
    pub(super) fn region_has(&self, account: &str, region: &str) -> bool {
        self.cells()
            .any(|cell| cell.account == account && cell.region == region)
    }

    /// The region in which global services write their events, by the partition of the regions
    /// that were seen.
    pub(super) fn global_region(&self) -> &'static str {
        let regions = self.trail.map(|trail| &trail.regions);
        let all = |prefix: &str| {
            regions.is_some_and(|regions| {
                !regions.is_empty() && regions.iter().all(|it| it.starts_with(prefix))
            })
        };
        if all("us-gov-") {
            "us-gov-west-1"
        } else if all("cn-") {
            "cn-north-1"
        } else {
            "us-east-1"
        }
    }

    /// Whether the calls that only read should be there and are not: every estate makes them all
    /// day. Reads of objects are events of data, and tell nothing of the others.
    pub(super) fn misses_reads(&self) -> bool {
        self.is_enough() && self.has_kind("Management") && !self.reads
    }

    /// Whether any call to a service was read.
    fn has_service(&self, service: &str) -> bool {
        self.trail.is_some_and(|trail| {
            trail
                .services
                .values()
                .any(|services| services.contains_key(service))
        })
    }

    /// Why the events of a service should be there and are not; `None` where they are, or where
    /// nothing shows that they should be.
    pub(super) fn missing_service(&self, service: &str) -> Option<&'static str> {
        if !self.is_enough() || self.has_service(service) {
            return None;
        }
        match service {
            "sts" if self.role_sessions => {
                Some("sessions of roles are used, and no call that issues one is in the logs")
            }
            "signin" if self.console => {
                Some("people work in the console, and no sign-in is in the logs")
            }
            "sso" if self.identity_center => Some(
                "people work with permission sets of Identity Center, and no event of its portal \
                 is in the logs",
            ),
            _ => None,
        }
    }

    /// The holes of an account's events, of one kind with its region where a kind is given; and,
    /// without an account, of the whole source.
    pub(super) fn holes(&self, account: &str, kind: Option<&str>) -> Vec<(&'a str, Hole)> {
        let mut holes: Vec<(&str, Hole)> = self
            .cells()
            .filter(|cell| cell.account == account && cell.kind == kind.unwrap_or_default())
            .flat_map(|cell| cell.holes.iter().map(|hole| (cell.region.as_str(), *hole)))
            .collect();
        holes.sort();
        holes.dedup();
        holes
    }

    /// Whether the whole source is silent while an account is.
    pub(super) fn is_silent(&self, hole: &Hole) -> bool {
        self.holes("", None)
            .iter()
            .any(|(_, whole)| whole.from <= hole.from && whole.until >= hole.until)
    }

    /// Buckets that are crown jewels of a kind, with their account where that is known.
    pub(super) fn jewel_buckets(&self, kind: JewelKind) -> Vec<(&'a str, Option<&'a str>)> {
        self.jewels(kind)
            .filter(|(id, _)| names::is_s3(id))
            .collect()
    }

    /// Crown jewels of a kind, with their account where that is known.
    pub(super) fn jewels(
        &self,
        kind: JewelKind,
    ) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let estate = self.surveyed.estate;
        self.surveyed
            .jewels
            .iter()
            .filter(move |jewel| jewel.kind == kind)
            .map(move |jewel| {
                let entity = estate.get(jewel.id.as_str());
                let account = entity
                    .and_then(|entity| entity.account.as_deref())
                    .or(jewel.id.aws_account());
                (jewel.id.as_str(), account)
            })
    }

    /// Whether any call on an object of a bucket, which is a crown jewel, was recorded.
    pub(super) fn has_objects_of(&self, bucket: &str) -> bool {
        self.object_buckets.contains(bucket)
    }

    /// An account by the name that people use.
    pub(super) fn account_name(&self, account: &str) -> String {
        match self.surveyed.settings.accounts.get(account) {
            Some(name) => format!("{account} ({name})"),
            None => account.to_owned(),
        }
    }
}

/// Whether a call is one of those that only data events show.
fn is_on_object(row: ActivityRow<'_>) -> bool {
    matches!(
        row.action(),
        "s3:GetObject"
            | "s3:HeadObject"
            | "s3:PutObject"
            | "s3:CopyObject"
            | "s3:DeleteObject"
            | "s3:DeleteObjects"
            | "s3:CompleteMultipartUpload"
            | "s3:CreateMultipartUpload"
            | "s3:UploadPart"
            | "s3:RestoreObject"
            | "s3:SelectObjectContent"
    )
}
