//! The inventory, in the shapes in which the provider's command line prints it.

mod accounts;
pub(crate) mod iam;
mod identity_center;
mod organization;
mod permission_sets;
mod resources;
mod settings;

use serde_json::Value;

use crate::network;
use crate::organisation::{ACCOUNTS, Account};
use crate::stage::Stage;
use crate::without::Without;
use crate::{SimulateError, Sink};

/// All that the command line prints of the organisation, before it is written.
pub(crate) struct Inventory {
    pub(crate) organization: Value,
    identity_center: Value,
    pub(crate) accounts: Vec<AccountInventory>,
}

/// What the command line prints of one account.
pub(crate) struct AccountInventory {
    pub(crate) account: Account,
    /// `get-account-authorization-details`.
    pub(crate) identities: Value,
    /// The credential report.
    pub(crate) report: String,
    /// The listings of everything else.
    pub(crate) resources: Value,
}

impl Inventory {
    /// The organisation as it is when the plan begins.
    pub(crate) fn new(stage: &Stage) -> Self {
        let accounts = ACCOUNTS.map(|account| {
            let identities = accounts::identities(stage, account);
            let mut resources = resources::resources(stage, account);
            resources["AccessKeyMetadata"] = identities.keys;
            resources["VirtualMFADevices"] = identities.factors;
            AccountInventory {
                account,
                identities: identities.details,
                report: identities.report,
                resources,
            }
        });
        Self {
            organization: organization::organization(stage),
            identity_center: identity_center::identity_center(stage),
            accounts: accounts.into(),
        }
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![
            (
                "estate/organization.json".to_owned(),
                pretty(&self.organization),
            ),
            (
                "estate/identity-center.json".to_owned(),
                pretty(&self.identity_center),
            ),
        ];
        for of in &self.accounts {
            let id = of.account.id;
            files.push((format!("estate/iam-{id}.json"), pretty(&of.identities)));
            files.push((format!("estate/resources-{id}.json"), pretty(&of.resources)));
            files.push((format!("estate/credentials-{id}.csv"), of.report.clone()));
        }
        files
    }
}

/// Writes all files but those that are left out; says how many.
pub(crate) fn write(
    inventory: &Inventory,
    without: &[Without],
    sink: &mut dyn Sink,
) -> Result<usize, SimulateError> {
    let mut files = inventory.files();
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
