//! The inventory, in the shapes in which the provider's command line prints it.

mod accounts;
mod iam;
mod identity_center;
mod organization;
mod permission_sets;
mod resources;
mod settings;

use serde_json::Value;

use crate::network;
use crate::organisation::ACCOUNTS;
use crate::stage::Stage;
use crate::without::Without;
use crate::{SimulateError, Sink};

/// Writes all files but those that are left out; says how many.
pub(crate) fn write(
    stage: &Stage,
    without: &[Without],
    sink: &mut dyn Sink,
) -> Result<usize, SimulateError> {
    let mut files = vec![
        (
            "estate/organization.json".to_owned(),
            pretty(&organization::organization(stage)),
        ),
        (
            "estate/identity-center.json".to_owned(),
            pretty(&identity_center::identity_center(stage)),
        ),
    ];
    for account in ACCOUNTS {
        let identities = accounts::identities(stage, account);
        let mut resources = resources::resources(stage, account);
        resources["AccessKeyMetadata"] = identities.keys;
        resources["VirtualMFADevices"] = identities.factors;
        files.push((
            format!("estate/iam-{}.json", account.id),
            pretty(&identities.details),
        ));
        files.push((
            format!("estate/resources-{}.json", account.id),
            pretty(&resources),
        ));
        let report = format!("estate/credentials-{}.csv", account.id);
        files.push((report, identities.report));
    }
    files.push(("networks.csv".to_owned(), network::table()));
    files.push(("portreeve.toml".to_owned(), settings::text()));
    files.retain(|(path, _)| !without.iter().any(|without| without.hides_file(path)));
    for (path, text) in &files {
        sink.estate(path, text.as_bytes())?;
    }
    Ok(files.len())
}

/// Indented as the command line does.
fn pretty(value: &Value) -> String {
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}
