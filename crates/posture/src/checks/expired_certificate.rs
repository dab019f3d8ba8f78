//! A certificate in IAM has expired.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::scene::text;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.expired-certificate",
    title: "A certificate in IAM has expired",
    why: "An expired certificate that is deployed by accident teaches visitors to click warnings away.",
    remedy: "Delete the certificate; let ACM issue and renew certificates.",
    severity: Severity::Low,
    cis: &["1.19"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs_manage.html",
    ],
    needs: &["aws.server-certificates"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("iam", "server-certificate/"), |certificate| {
            let ends = text(certificate, "Expiration").and_then(|time| scene.days_since(time));
            match ends {
                None => Judged::unknown("`Expiration` of the certificate"),
                Some(ago) if ago < 0 => Judged::pass(),
                Some(ago) => Judged::fail(format!("expired {ago} days ago")),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "ServerCertificateMetadataList": [{"Arn": "arn:aws:iam::111122223333:server-certificate/old", "ServerCertificateName": "old", "Expiration": "2025-01-01T00:00:00+00:00"}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "ServerCertificateMetadataList": [{"Arn": "arn:aws:iam::111122223333:server-certificate/new", "ServerCertificateName": "new", "Expiration": "2027-01-01T00:00:00+00:00"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
