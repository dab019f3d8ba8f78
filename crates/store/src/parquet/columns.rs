//! Which columns there are. Adding one is adding a line.

use std::borrow::Cow;
use std::fmt::Write;

use portreeve_model::{Actor, CredentialRef, OriginKind, Outcome};

use super::Archived;

/// The schema's version that the columns follow.
const VERSION: &str = "1.6.0";

type Text<'a> = Option<Cow<'a, str>>;

/// What a column holds, and how it is read of an activity.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text(for<'a> fn(&Archived<'a, '_>) -> Text<'a>),
    /// Texts in any number.
    Texts(for<'a> fn(&Archived<'a, '_>) -> Vec<&'a str>),
    Bytes(for<'a> fn(&Archived<'a, '_>) -> &'a [u8]),
    Integer(fn(&Archived<'_, '_>) -> Option<i32>),
    Long(fn(&Archived<'_, '_>) -> Option<i64>),
    /// Microseconds since 1970.
    Instant(fn(&Archived<'_, '_>) -> Option<i64>),
    Flag(fn(&Archived<'_, '_>) -> Option<bool>),
}

use Kind::{Bytes, Flag, Instant, Integer, Long, Text as T, Texts};

/// The column of the record as it arrived.
pub(super) const RAW: &str = "raw_data";

/// Columns by their path in the schema, in the order in which they stand in a file; those of one group
/// together. `[]` marks an array of objects.
pub(super) const COLUMNS: &[(&str, Kind)] = &[
    ("class_uid", Integer(|it| Some(it.class.class_uid as i32))),
    ("class_name", T(|it| fixed(class(it).0))),
    ("category_uid", Integer(|it| Some(category(it)))),
    ("category_name", T(|it| fixed(class(it).1))),
    (
        "activity_id",
        Integer(|it| Some(it.class.activity_id.into())),
    ),
    ("activity_name", T(|it| fixed(it.class.activity_name))),
    (
        "type_uid",
        Long(|it| Some(i64::from(it.class.class_uid) * 100 + i64::from(it.class.activity_id))),
    ),
    // An activity is no alert: informational.
    ("severity_id", Integer(|_| Some(1))),
    ("severity", T(|_| fixed("Informational"))),
    (
        "status_id",
        Integer(|it| Some(if is_success(it) { 1 } else { 2 })),
    ),
    (
        "status",
        T(|it| fixed(if is_success(it) { "Success" } else { "Failure" })),
    ),
    ("status_code", T(error)),
    // Milliseconds since 1970, as the schema's `timestamp_t` is.
    (
        "time",
        Long(|it| it.activity.time.map(|time| time.as_millisecond())),
    ),
    (
        "time_dt",
        Instant(|it| it.activity.time.map(|time| time.as_microsecond())),
    ),
    ("metadata.version", T(|_| fixed(VERSION))),
    ("metadata.uid", T(|it| lent(&it.activity.event_id))),
    (
        "metadata.log_name",
        T(|it| Some(Cow::Borrowed(it.activity.source))),
    ),
    (
        "metadata.product.name",
        T(|it| Some(Cow::Borrowed(it.product))),
    ),
    (
        "metadata.product.vendor_name",
        T(|it| Some(Cow::Borrowed(provider(it)))),
    ),
    ("cloud.provider", T(|it| Some(Cow::Borrowed(provider(it))))),
    ("cloud.region", T(|it| lent(&it.activity.region))),
    ("cloud.account.uid", T(|it| lent(&it.activity.account))),
    ("api.operation", T(|it| told(&it.activity.operation))),
    ("api.service.name", T(|it| told(&it.activity.service))),
    ("api.response.error", T(error)),
    (
        "actor.user.type",
        T(|it| fixed(it.activity.actor.kind.as_str())),
    ),
    ("actor.user.uid", T(|it| told(&actor(it).principal))),
    ("actor.user.name", T(|it| lent(&actor(it).session))),
    ("actor.user.account.uid", T(|it| lent(&actor(it).account))),
    (
        "actor.user.credential_uid",
        T(|it| credential(it).and_then(|it| told(&it.id))),
    ),
    (
        "actor.session.uid",
        T(|it| credential(it).and_then(|it| told(&it.id))),
    ),
    (
        "actor.session.created_time_dt",
        Instant(|it| Some(credential(it)?.created?.as_microsecond())),
    ),
    ("actor.session.is_mfa", Flag(|it| credential(it)?.mfa)),
    ("actor.invoked_by", T(|it| lent(&actor(it).invoked_by))),
    ("actor.idp.uid", T(|it| lent(&actor(it).subject))),
    // Of the class Authentication: who signed in.
    (
        "user.uid",
        T(|it| told(&actor(it).principal).filter(|_| is_authentication(it))),
    ),
    (
        "src_endpoint.ip",
        T(|it| told(&it.activity.origin.address).filter(|_| has_address(it))),
    ),
    (
        "src_endpoint.domain",
        T(|it| told(&it.activity.origin.address).filter(|_| !has_address(it))),
    ),
    (
        "src_endpoint.interface_uid",
        T(|it| lent(&it.activity.origin.vpc_endpoint)),
    ),
    ("http_request.user_agent", T(|it| lent(&it.activity.client))),
    (
        "resources[].uid",
        Texts(|it| it.activity.targets.iter().map(|id| &**id).collect()),
    ),
    // What the schema has no attribute for.
    ("unmapped.read_only", Flag(|it| it.activity.read_only)),
    ("unmapped.file", T(|it| Some(Cow::Borrowed(it.file)))),
    ("unmapped.index", Long(|it| Some(it.index as i64))),
    ("unmapped.offset", Long(|it| Some(it.offset as i64))),
    (RAW, Bytes(|it| it.raw)),
];

fn fixed(text: &'static str) -> Text<'static> {
    Some(Cow::Borrowed(text))
}

/// A text that is absent where it is empty.
fn told<'a>(text: &'a str) -> Text<'a> {
    Some(text)
        .filter(|text| !text.is_empty())
        .map(Cow::Borrowed)
}

fn lent<'a>(text: &'a Option<Cow<'_, str>>) -> Text<'a> {
    text.as_deref().and_then(told)
}

fn actor<'a, 'r>(it: &Archived<'a, 'r>) -> &'a Actor<'r> {
    &it.activity.actor
}

fn credential<'a, 'r>(it: &Archived<'a, 'r>) -> Option<&'a CredentialRef<'r>> {
    it.activity.credential.as_ref()
}

/// The names of class and category.
fn class(it: &Archived<'_, '_>) -> (&'static str, &'static str) {
    if is_authentication(it) {
        ("Authentication", "Identity & Access Management")
    } else {
        ("API Activity", "Application Activity")
    }
}

/// A class's number begins with its category's.
fn category(it: &Archived<'_, '_>) -> i32 {
    (it.class.class_uid / 1000) as i32
}

fn is_authentication(it: &Archived<'_, '_>) -> bool {
    it.class.class_uid == 3002
}

fn is_success(it: &Archived<'_, '_>) -> bool {
    it.activity.outcome == Outcome::Success
}

fn error<'a>(it: &Archived<'a, '_>) -> Text<'a> {
    match &it.activity.outcome {
        Outcome::Success => None,
        Outcome::Denied(code) | Outcome::Failed(code) => told(code),
    }
}

/// Who runs the cloud: log sources are named after them.
fn provider(it: &Archived<'_, '_>) -> &'static str {
    match it.activity.source.split('.').next() {
        Some("aws") => "AWS",
        _ => "Unknown",
    }
}

/// Whether what is recorded of the origin is an address, and not a service's name.
fn has_address(it: &Archived<'_, '_>) -> bool {
    matches!(
        it.activity.origin.kind,
        OriginKind::Public | OriginKind::Private
    )
}

/// The schema of a file, in Parquet's own notation.
pub(super) fn schema() -> String {
    let mut text = String::from("message activity {\n");
    let mut open: Vec<&str> = Vec::new();
    for (path, kind) in COLUMNS {
        let mut groups: Vec<&str> = path.split('.').collect();
        let leaf = groups.pop().unwrap_or_default();
        let shared = open
            .iter()
            .zip(&groups)
            .take_while(|(open, group)| open == group)
            .count();
        for closed in open.drain(shared..).rev() {
            text.push_str(if closed.ends_with("[]") {
                "}}}\n"
            } else {
                "}\n"
            });
        }
        for group in &groups[shared..] {
            let _ = match group.strip_suffix("[]") {
                Some(name) => writeln!(
                    text,
                    "required group {name} (LIST) {{ repeated group list {{ required group element {{"
                ),
                None => writeln!(text, "required group {group} {{"),
            };
            open.push(group);
        }
        let _ = match kind {
            Kind::Text(_) => writeln!(text, "optional binary {leaf} (STRING);"),
            Kind::Texts(_) => writeln!(text, "required binary {leaf} (STRING);"),
            Kind::Bytes(_) => writeln!(text, "required binary {leaf} (STRING);"),
            Kind::Integer(_) => writeln!(text, "optional int32 {leaf};"),
            Kind::Long(_) => writeln!(text, "optional int64 {leaf};"),
            Kind::Instant(_) => writeln!(text, "optional int64 {leaf} (TIMESTAMP(MICROS,true));"),
            Kind::Flag(_) => writeln!(text, "optional boolean {leaf};"),
        };
    }
    text.push('}');
    text
}
