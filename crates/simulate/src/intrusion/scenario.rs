use include_dir::{Dir, include_dir};
use portreeve_model::Technique;
use serde::Deserialize;

use crate::SimulateError;

/// Every file here is a scenario, named by its file name.
static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");

/// The names of the scenarios, in order.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<_> = SCENARIOS
        .files()
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// An intrusion as its file declares it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it is, for readers.
    #[allow(dead_code)]
    pub(crate) title: String,
    /// How many days it takes, from the Monday of the foothold.
    pub(crate) days: u32,
    /// What is done, in any order.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

/// One step: calls by one actor from one network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) technique: Technique,
    /// The chain of credentials that the step belongs to.
    pub(crate) lineage: String,
    pub(crate) day: u32,
    pub(crate) time: String,
    /// With `until_time` and `per_day`: every working day up to this one, calls drawn from `calls`
    /// and spread over the time between.
    pub(crate) until_day: Option<u32>,
    pub(crate) until_time: Option<String>,
    pub(crate) per_day: Option<(i64, i64)>,
    /// Seconds between two calls.
    #[serde(default = "usual_pause")]
    pub(crate) pause: (i64, i64),
    pub(crate) actor: Actor,
    pub(crate) network: Network,
    pub(crate) client: ClientKind,
    pub(crate) calls: Vec<StepCall>,
}

fn usual_pause() -> (i64, i64) {
    (3, 30)
}

fn once() -> u32 {
    1
}

/// A call of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepCall {
    /// Service and operation: `s3:GetBucketPolicy`.
    pub(crate) call: String,
    /// What it is done to.
    pub(crate) on: Option<On>,
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// Whether it is refused.
    #[serde(default)]
    pub(crate) denied: bool,
    /// How much an object write transfers.
    pub(crate) bytes: Option<i64>,
}

/// Whose credential is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Actor {
    /// The developer's own session of that day.
    Developer,
    /// The long-lived key of the developer's IAM user.
    DeveloperKey,
    /// The console session of the developer's IAM user of that day.
    DeveloperConsole,
    /// A pipeline's token, which mints the session.
    PipelineToken,
    /// The session minted from it.
    Pipeline,
    /// The session of an instance of the production cluster.
    Node,
}

/// Where from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Network {
    #[serde(rename = "vpn-1")]
    Vpn1,
    #[serde(rename = "vpn-2")]
    Vpn2,
    #[serde(rename = "vpn-3")]
    Vpn3,
    #[serde(rename = "vpn-4")]
    Vpn4,
    VpnAny,
    Hosting,
    Runner,
    Cluster,
}

/// With what program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientKind {
    Kali,
    Browser,
    Docker,
    Runner,
    Node,
}

/// The landmarks that calls are done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum On {
    WebOrigin,
    WebBundle,
    WebBundles,
    Distribution,
    Image,
    PipelineRole,
    Person,
    PersonRole,
    SecondFactor,
    WalletSecrets,
    OtherSecrets,
}

impl Scenario {
    /// The scenario with this name.
    pub(crate) fn load(name: &str) -> Result<Self, SimulateError> {
        let unknown = || SimulateError::UnknownIntrusion {
            name: name.to_owned(),
            known: names().join(", "),
        };
        let file = SCENARIOS
            .get_file(format!("{name}.toml"))
            .ok_or_else(unknown)?;
        let text = file.contents_utf8().ok_or_else(unknown)?;
        let scenario: Self = toml::from_str(text).map_err(|error| SimulateError::Scenario {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        scenario.check().map_err(|reason| SimulateError::Scenario {
            name: name.to_owned(),
            reason,
        })?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        for step in &self.steps {
            if step.day.max(step.until_day.unwrap_or(0)) >= self.days {
                return Err(format!(
                    "step {} lies after the last of {} days",
                    step.id, self.days
                ));
            }
            let times = [Some(&step.time), step.until_time.as_ref()];
            if times
                .into_iter()
                .flatten()
                .any(|time| seconds(time).is_none())
            {
                return Err(format!("step {} has a time that is not HH:MM:SS", step.id));
            }
            if step.calls.is_empty() || step.calls.iter().any(|call| !call.call.contains(':')) {
                return Err(format!(
                    "step {} has no call, or one that is not SERVICE:OPERATION",
                    step.id
                ));
            }
        }
        Ok(())
    }
}

/// Seconds since midnight of a time written `HH:MM:SS`.
pub(crate) fn seconds(time: &str) -> Option<i64> {
    let time: jiff::civil::Time = time.parse().ok()?;
    Some(i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_reads() {
        assert!(names().contains(&"main".to_owned()));
        for name in names() {
            let scenario = Scenario::load(&name).unwrap();
            assert!(
                !scenario.title.is_empty() && !scenario.steps.is_empty(),
                "{name}"
            );
        }
        assert!(matches!(
            Scenario::load("no-such"),
            Err(SimulateError::UnknownIntrusion { .. })
        ));
    }
}
