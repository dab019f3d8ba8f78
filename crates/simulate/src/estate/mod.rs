//! The inventory, in the shapes in which the provider's command line prints it.

mod accounts;
mod iam;
mod identity_center;
mod organization;
mod permission_sets;
mod resources;
mod settings;

use serde_json::Value;

use crate::organisation::ACCOUNTS;
use crate::stage::Stage;
use crate::{SimulateError, Sink};

/// Writes all files; says how many.
pub(crate) fn write(stage: &Stage, sink: &mut dyn Sink) -> Result<usize, SimulateError> {
    let mut files = vec![
        (
            "estate/organization.json".to_owned(),
            organization::organization(stage),
        ),
        (
            "estate/identity-center.json".to_owned(),
            identity_center::identity_center(stage),
        ),
    ];
    for account in ACCOUNTS {
        let identities = accounts::identities(stage, account);
        let mut resources = resources::resources(stage, account);
        resources["AccessKeyMetadata"] = identities.keys;
        resources["VirtualMFADevices"] = identities.factors;
        files.push((
            format!("estate/iam-{}.json", account.id),
            identities.details,
        ));
        files.push((format!("estate/resources-{}.json", account.id), resources));
        let report = format!("estate/credentials-{}.csv", account.id);
        sink.estate(&report, identities.report.as_bytes())?;
    }
    for (path, value) in &files {
        sink.estate(path, pretty(value).as_bytes())?;
    }
    sink.estate("portreeve.toml", settings::text().as_bytes())?;
    Ok(files.len() + ACCOUNTS.len() + 1)
}

/// Indented as the command line does.
fn pretty(value: &Value) -> String {
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}
