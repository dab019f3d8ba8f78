//! What CloudTrail's trails select.

use portreeve_model::Entity;
use serde_json::Value;

use crate::policy::strings;
use crate::scene::{Scene, flag, items, json};

/// All trails that the inventory lists.
pub(crate) fn trails<'e>(scene: &Scene<'e>) -> impl Iterator<Item = &'e Entity> {
    scene.of_type("cloudtrail", "trail/")
}

/// Whether a trail is known to log, or not. One of which no status was asked is taken to.
pub(crate) fn is_logging(trail: &Entity) -> bool {
    flag(trail, "Status.IsLogging") != Some(false)
}

/// Whether a trail's events are those of an account: its own, or of its organization.
pub(crate) fn covers(scene: &Scene<'_>, trail: &Entity, account: &Entity) -> bool {
    if trail.account == account.account {
        return true;
    }
    // An organization's trail logs every account of it, and the inventory is of one organization.
    flag(trail, "IsOrganizationTrail") == Some(true) && scene.is_in_organization(account)
}

/// Whether a trail selects management events of both kinds, reading and writing. Nothing where the
/// selectors are not known.
pub(crate) fn selects_management(trail: &Entity) -> Option<bool> {
    let basic = json(trail, "EventSelectors");
    let advanced = json(trail, "AdvancedEventSelectors");
    if basic.is_none() && advanced.is_none() {
        return None;
    }
    let basic = basic.unwrap_or_default();
    let by_basic = items(&basic).iter().any(|selector| {
        let management = selector
            .get("IncludeManagementEvents")
            .and_then(Value::as_bool);
        let kind = selector.get("ReadWriteType").and_then(Value::as_str);
        management != Some(false) && kind.is_none_or(|kind| kind == "All")
    });
    let advanced = advanced.unwrap_or_default();
    let by_advanced = items(&advanced).iter().any(|selector| {
        let of = |name: &str| field(selector, name);
        of("eventCategory").contains(&"Management".to_owned()) && of("readOnly").is_empty()
    });
    // Without any selector a trail logs management events.
    let none = items(&basic).is_empty() && items(&advanced).is_empty();
    Some(by_basic || by_advanced || none)
}

/// Whether a trail selects the data events of a bucket's objects: those that write, or those that
/// read. Nothing where the selectors are not known.
fn selects_objects(trail: &Entity, bucket: &str, writes: bool) -> Option<bool> {
    let basic = json(trail, "EventSelectors");
    let advanced = json(trail, "AdvancedEventSelectors");
    if basic.is_none() && advanced.is_none() {
        return None;
    }
    let wanted = if writes { "WriteOnly" } else { "ReadOnly" };
    let basic = basic.unwrap_or_default();
    let by_basic = items(&basic).iter().any(|selector| {
        let kind = selector.get("ReadWriteType").and_then(Value::as_str);
        let resources = selector
            .get("DataResources")
            .map_or(&[][..], |list| items(list));
        kind.is_none_or(|kind| kind == "All" || kind == wanted)
            && resources.iter().any(|resource| {
                let of_objects = resource.get("Type").and_then(Value::as_str);
                let values = strings(resource.get("Values"));
                of_objects == Some("AWS::S3::Object")
                    && values.iter().any(|value| is_whole(value, bucket))
            })
    });
    let advanced = advanced.unwrap_or_default();
    let by_advanced = items(&advanced).iter().any(|selector| {
        let of = |name: &str| field(selector, name);
        let read_only = of("readOnly");
        let fits = read_only
            .first()
            .is_none_or(|only| (only == "true") != writes);
        let resources = of("resources.ARN");
        of("eventCategory").contains(&"Data".to_owned())
            && of("resources.type").contains(&"AWS::S3::Object".to_owned())
            && fits
            && of("eventName").is_empty()
            && (!has(selector, "resources.ARN")
                || resources.iter().any(|value| is_whole(value, bucket)))
    });
    Some(by_basic || by_advanced)
}

/// Whether any trail that logs selects the events of a bucket's objects, those that write or those
/// that read. Nothing where trails of the bucket's account, or what they select, are not known.
pub(crate) fn are_objects_selected(
    scene: &Scene<'_>,
    bucket: &Entity,
    writes: bool,
) -> Option<bool> {
    let logging = trails(scene).filter(|trail| is_logging(trail));
    let known: Vec<Option<bool>> = logging
        .map(|trail| selects_objects(trail, bucket.id.as_str(), writes))
        .collect();
    let account = scene.account_of(bucket);
    let read = account.is_some_and(|account| scene.was_read(account, "aws.trails"));
    if known.contains(&Some(true)) {
        Some(true)
    } else if known.contains(&None) || (!read && known.is_empty()) {
        None
    } else {
        Some(false)
    }
}

/// Whether a selector's value covers all objects of a bucket: all of S3, or the bucket.
fn is_whole(value: &str, bucket: &str) -> bool {
    let all = [
        "arn:aws:s3",
        "arn:aws:s3:::",
        "arn:aws-cn:s3",
        "arn:aws-us-gov:s3",
    ];
    all.contains(&value) || value.trim_end_matches('/') == bucket
}

fn has(selector: &Value, name: &str) -> bool {
    let fields = selector
        .get("FieldSelectors")
        .map_or(&[][..], |list| items(list));
    fields
        .iter()
        .any(|own| own.get("Field").and_then(Value::as_str) == Some(name))
}

/// What an advanced selector asks of a field, by `Equals` or `StartsWith`.
fn field(selector: &Value, name: &str) -> Vec<String> {
    let fields = selector
        .get("FieldSelectors")
        .map_or(&[][..], |list| items(list));
    fields
        .iter()
        .filter(|own| own.get("Field").and_then(Value::as_str) == Some(name))
        .flat_map(|own| {
            let mut values = strings(own.get("Equals"));
            values.extend(strings(own.get("StartsWith")));
            values
        })
        .collect()
}
