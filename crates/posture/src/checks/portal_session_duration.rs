//! A permission set's sessions last long.

use jiff::{Span, SpanRelativeTo, Unit};
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.portal-session-duration",
    title: "A permission set has long sessions",
    why: "The cookie that was stolen in the morning still works at night.",
    remedy: "Set the permission set's session duration to an hour or a few.",
    severity: Severity::Medium,
    posture: &["A04"],
    references: &[
        "https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html",
    ],
    needs: &["aws.identity-center"],
    limits: &[Limit {
        name: "hours",
        default: 4,
        meaning: "hours for which a session may last",
    }],
    judge: |scene, verdicts| {
        let hours = scene.limit(CHECK.id, "hours");
        verdicts.each(scene.of_kind(EntityKind::PermissionSet), |set| {
            let Some(text) = text(set, "SessionDuration") else {
                return Judged::unknown("aws sso-admin describe-permission-set");
            };
            let day = SpanRelativeTo::days_are_24_hours();
            let span = text.parse::<Span>().ok();
            let seconds = span.and_then(|span| span.total((Unit::Second, day)).ok());
            match seconds {
                None => Judged::unknown("a duration that can be read"),
                Some(seconds) if seconds <= (hours * 3600) as f64 => Judged::pass(),
                Some(_) => Judged::fail(format!("sessions last {text}")),
            }
        });
    },
    examples: &[
        fails(
            r#"{"PermissionSets": [{"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "Name": "Developer", "SessionDuration": "PT12H"}], "AccountAssignments": []}"#,
        ),
        passes(
            r#"{"PermissionSets": [{"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "Name": "Developer", "SessionDuration": "PT1H"}], "AccountAssignments": []}"#,
        ),
        unknown(
            r#"{"PermissionSets": [{"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "Name": "Developer"}], "AccountAssignments": []}"#,
        ),
    ],
    ..Check::DEFAULT
};
