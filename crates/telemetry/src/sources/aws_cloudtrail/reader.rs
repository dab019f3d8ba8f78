use std::borrow::Cow;
use std::net::IpAddr;

use portreeve_model::{Activity, CredentialKind, Origin, OriginKind, Outcome, Timestamp};
use portreeve_record::{FieldId, Fields, MintedFields, Occasion, Record, SessionFields};

use super::policy_change::PolicyParameters;
use super::targets::Targets;
use super::unwrap::Unwrapper;
use super::wanted::{INSIGHT, Native, Wanted, text, truth};
use super::{effects, identity, mint, outcome, revoke, time};
use crate::{Brief, Reader, Unwrapped};

/// Reads CloudTrail's own records.
#[derive(Debug)]
pub(super) struct CloudTrailReader {
    native: Native,
    wanted: Wanted,
    targets: Targets,
    policies: PolicyParameters,
    unwrapper: Unwrapper,
}

impl CloudTrailReader {
    pub(super) fn new(fields: &mut Fields) -> Self {
        Self {
            native: Native::new(fields),
            wanted: Wanted::new(fields),
            targets: Targets::new(fields),
            policies: PolicyParameters::new(fields),
            unwrapper: Unwrapper::new(),
        }
    }
}

impl Reader for CloudTrailReader {
    fn is_native(&self, record: &dyn Record) -> bool {
        self.native.holds(record)
    }

    fn native_fields(&self) -> Vec<FieldId> {
        self.native.fields()
    }

    fn unwrap(&self, record: &[u8]) -> Unwrapped {
        self.unwrapper.unwrap(record)
    }

    fn activity<'a>(&self, record: &'a dyn Record) -> Activity<'a> {
        let wanted = &self.wanted;
        let get = |field| text(record, field);
        let (insight, operation) = wanted.operation(record);
        let source = if insight {
            get(wanted.insight_source)
        } else {
            get(wanted.event_source)
        };
        let service = source.map_or("", service_name);
        let (actor, credential) = identity::read(wanted, record, operation);
        let account = get(wanted.recipient)
            .map(Cow::Borrowed)
            .or_else(|| actor.account.clone());
        let minted = mint::read(wanted, record, operation, &actor);
        let outcome = outcome::read(wanted, record, operation);
        let targets = self
            .targets
            .read(wanted, record, service, account.as_deref());
        // What was refused, or only read, changes nothing.
        let changes = outcome == Outcome::Success && truth(record, wanted.read_only) != Some(true);
        let policy_change = changes
            .then(|| self.policies.read(record, service, operation, &targets))
            .flatten()
            .map(Box::new);
        let effects = if changes && !insight {
            let region = get(wanted.region).unwrap_or_default();
            effects::read(
                record.text(),
                service,
                operation,
                account.as_deref(),
                region,
            )
        } else {
            Vec::new()
        };
        let revoked = revoke::read(wanted, record, operation, &actor);
        Activity {
            source: super::ID,
            event_id: get(wanted.event_id).map(Cow::Borrowed),
            time: time::of(record, wanted.event_time),
            service: service.into(),
            operation: operation.into(),
            read_only: truth(record, wanted.read_only),
            region: get(wanted.region).map(Cow::Borrowed),
            targets,
            account,
            actor,
            credential,
            origin: origin(
                get(wanted.address).unwrap_or_default(),
                get(wanted.vpc_endpoint),
            ),
            client: get(wanted.user_agent).map(Cow::Borrowed),
            outcome,
            minted,
            policy_change,
            effects,
            revoked,
        }
    }

    fn brief<'a>(&self, record: &'a dyn Record) -> Brief<'a> {
        let (_, operation) = self.wanted.operation(record);
        let (actor, _) = identity::read(&self.wanted, record, operation);
        Brief {
            event_id: text(record, self.wanted.event_id).map(Cow::Borrowed),
            principal: actor.principal,
            operation: operation.into(),
        }
    }

    fn brief_fields(&self) -> Vec<FieldId> {
        self.wanted.of_identity()
    }

    fn event_kind<'a>(&self, record: &'a dyn Record) -> &'a str {
        let wanted = &self.wanted;
        if let Some(category) = text(record, wanted.event_category) {
            return category;
        }
        if text(record, wanted.event_type) == Some(INSIGHT) {
            return "Insight";
        }
        // Before eventCategory came (version 1.07), managementEvent alone told.
        match truth(record, wanted.management_event) {
            Some(false) => "Data",
            _ => "Management",
        }
    }

    fn occasion(&self) -> Option<Occasion> {
        Some(Occasion {
            event_id: self.wanted.event_id,
            time: self.wanted.event_time,
            session: Some(SessionFields {
                credential: self.wanted.identity_key,
                created: self.wanted.session_created,
            }),
            minted: Some(MintedFields {
                credential: self.wanted.minted_key,
                expires: self.wanted.minted_expiration,
            }),
            // What S3 calls its extended request id, too; the stream that each run of a function writes its own
            // log to; and the token that belongs to a minted key.
            others: vec![
                self.wanted.request_id,
                self.wanted.host_id,
                self.wanted.asked_log_stream,
                self.wanted.minted_token,
            ],
        })
    }

    fn time(&self, text: &str) -> Option<Timestamp> {
        time::read(text)
    }

    fn credential_kind(&self, id: &str) -> CredentialKind {
        identity::key_kind(id)
    }
}

/// `s3.amazonaws.com` → `s3`.
fn service_name(source: &str) -> &str {
    // Few names go on behind the domain, and looking for it anywhere costs more.
    source.strip_suffix(".amazonaws.com").unwrap_or_else(|| {
        source
            .split_once(".amazonaws.com")
            .map_or(source, |(service, _)| service)
    })
}

fn origin<'a>(address: &'a str, vpc_endpoint: Option<&'a str>) -> Origin<'a> {
    Origin {
        address: address.into(),
        kind: origin_kind(address),
        vpc_endpoint: vpc_endpoint.map(Cow::Borrowed),
    }
}

fn origin_kind(address: &str) -> OriginKind {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            // 100.64.0.0/10 is shared between a provider and its customers, not routed publicly.
            let shared = a == 100 && (64..128).contains(&b);
            if ip.is_private() || ip.is_link_local() || ip.is_loopback() || shared {
                OriginKind::Private
            } else {
                OriginKind::Public
            }
        }
        Ok(IpAddr::V6(ip)) => {
            if ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback() {
                OriginKind::Private
            } else {
                OriginKind::Public
            }
        }
        Err(_) if address == "AWS Internal" || address.contains(".amazonaws.com") => {
            OriginKind::Service
        }
        Err(_) => OriginKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_kinds() {
        assert_eq!(origin_kind("192.0.2.41"), OriginKind::Public);
        assert_eq!(origin_kind("10.0.0.1"), OriginKind::Private);
        assert_eq!(origin_kind("100.64.1.1"), OriginKind::Private);
        assert_eq!(origin_kind("2001:db8::1"), OriginKind::Public);
        assert_eq!(origin_kind("fd00::1"), OriginKind::Private);
        assert_eq!(origin_kind("cloudtrail.amazonaws.com"), OriginKind::Service);
        assert_eq!(origin_kind("AWS Internal"), OriginKind::Service);
        assert_eq!(origin_kind(""), OriginKind::Unknown);
    }

    #[test]
    fn services_lose_their_domain() {
        assert_eq!(service_name("s3.amazonaws.com"), "s3");
        assert_eq!(service_name("s3.amazonaws.com.cn"), "s3");
        assert_eq!(service_name("sso"), "sso");
    }
}
