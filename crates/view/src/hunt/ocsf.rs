//! A match as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework, 1.6.0.

use std::io;

use portreeve_detect::hunt::{Known, Match};
use serde_json::{Value, json};

/// Writes a match as one line.
pub fn ocsf(found: &Match, known: &Known, out: &mut impl io::Write) -> io::Result<()> {
    let Some(head) = known.head(found) else {
        return Ok(());
    };
    // The schema requires a time; a record without one is told by it.
    let time = found.time.map_or(0, |time| time.as_millisecond());
    let place = found.records.first();
    let evidences: Vec<Value> = found
        .records
        .iter()
        .map(|place| {
            json!({"data": {
                "file": known.file(place), "index": place.index, "offset": place.offset,
                "event_id": place.event_id,
            }})
        })
        .collect();
    let uid = match place {
        Some(place) => format!(
            "{}@{}#{}",
            head.id.as_deref().unwrap_or(&head.title),
            known.file(place),
            place.index
        ),
        None => head.title.clone(),
    };
    let attacks: Vec<Value> = head
        .techniques
        .iter()
        .map(|technique| json!({"technique": {"uid": technique.as_str()}}))
        .collect();
    let actor = found
        .actor
        .as_deref()
        .map(|name| json!({"user": {"uid": name}}));
    let event = json!({
        "class_uid": 2004, "class_name": "Detection Finding",
        "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": 200_401,
        "severity_id": head.level.ocsf_id(), "severity": crate::ocsf::caption(head.level),
        "status_id": 1, "status": "New",
        "time": time, "message": head.title,
        "metadata": {"version": "1.6.0", "product": {"name": "Portreeve", "vendor_name": "Portreeve"}},
        "finding_info": {
            "uid": uid, "title": head.title,
            "analytic": {
                "uid": head.id, "name": head.title, "type_id": 1, "type": "Rule",
                "category": if head.correlation { "Sigma correlation" } else { "Sigma" },
            },
            "attacks": attacks,
        },
        "evidences": evidences,
        "actor": actor,
        "unmapped": {"rule_file": head.file, "action": found.action, "has_time": found.time.is_some()},
    });
    crate::ocsf::write(out, &event)
}
