use include_dir::{Dir, include_dir};
use portreeve_model::Technique;
use serde::Deserialize;

use crate::SimulateError;
use crate::organisation::REGIONS;

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

/// An intrusion, ready to be played.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The scenario whose streams of draws it uses: its own name, or that of the one that it
    /// extends, so that both happen at the same times.
    pub(crate) base: String,
    /// How many days it takes, from the Monday of the foothold.
    pub(crate) days: u32,
    pub(crate) knobs: Knobs,
    /// What is done, in any order.
    pub(crate) steps: Vec<Step>,
    /// What is done on the chain, in any order.
    pub(crate) chain: Vec<ChainStep>,
}

/// An intrusion as its file declares it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What it is, for readers.
    title: String,
    /// Another scenario whose days and steps are this one's too. That one extends none.
    extends: Option<String>,
    days: Option<u32>,
    #[serde(default)]
    knobs: Knobs,
    #[serde(default, rename = "step")]
    steps: Vec<Step>,
    #[serde(default)]
    chain: Vec<ChainStep>,
}

/// In what an intrusion differs from the one that it extends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Knobs {
    /// The intruder's own system.
    pub(crate) client: System,
    /// Where the intruder comes from.
    pub(crate) network: Region,
    /// Steps that are not done.
    leave_out: Vec<String>,
}

/// The intruder's own system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum System {
    /// A distribution made for testers, which the client string names.
    #[default]
    Kali,
    /// An ordinary Ubuntu, as some of the organisation's own people have.
    Plain,
}

/// Where the intruder comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Region {
    /// VPN providers' exits and a rented server in other countries.
    #[default]
    Abroad,
    /// Providers of the organisation's own country.
    HomeCountry,
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
    /// In place of a pause: the seconds over which all calls are spread evenly.
    pub(crate) within: Option<i64>,
    /// The regions that calls go to in turn, in place of the usual one.
    #[serde(default)]
    pub(crate) regions: Vec<String>,
    /// Whether others do it because of what the intruder did: it happens and has no label.
    #[serde(default)]
    pub(crate) collateral: bool,
    pub(crate) actor: Actor,
    pub(crate) network: Network,
    pub(crate) client: ClientKind,
    pub(crate) calls: Vec<StepCall>,
}

/// A step on the chain, or in the queue of a Safe.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChainStep {
    pub(crate) id: String,
    pub(crate) day: u32,
    pub(crate) time: String,
    /// The seconds from its beginning to its end.
    #[serde(default)]
    pub(crate) within: i64,
    pub(crate) deed: ChainDeed,
}

/// What is done on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChainDeed {
    /// A fresh account makes contracts near the cold Safe.
    Stage,
    /// Owners of the cold Safe are shown a refill and sign something else.
    Mislead,
    /// What they signed is sent: the Safe's implementation is another.
    Takeover,
    /// A little leaves the Safe.
    Probe,
    /// All leaves it.
    Drain,
    /// What left is spread over fresh addresses.
    Spread,
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
    /// How much an object's read or write transfers.
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
    /// The long-lived key of the machine that tests the development account's load.
    LoadTestKey,
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

/// With what program. `kali` is the command line of the intruder's own system, whichever that is.
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
    /// The layers of the image that the intruder put.
    ImageLayers,
    PipelineRole,
    Person,
    PersonRole,
    SecondFactor,
    WalletSecrets,
    OtherSecrets,
    Machines,
    /// Large objects of the development account.
    Archive,
}

impl Scenario {
    /// The scenario with this name.
    pub(crate) fn load(name: &str) -> Result<Self, SimulateError> {
        let wrong = |reason: String| SimulateError::Scenario {
            name: name.to_owned(),
            reason,
        };
        let file = File::load(name)?;
        let scenario = match file.extends.clone() {
            None => file.alone(name),
            Some(base) => {
                let base_file = File::load(&base)?;
                if base_file.extends.is_some() {
                    return Err(wrong(format!("'{base}' extends another scenario itself")));
                }
                file.extend(&base, base_file)
            }
        };
        let scenario = scenario.map_err(wrong)?;
        scenario.check().map_err(wrong)?;
        Ok(scenario)
    }

    /// No more records than this come of it, duplicates counted.
    pub(crate) fn most_records(&self) -> usize {
        let calls: usize = self
            .steps
            .iter()
            .map(|step| match (step.per_day, step.until_day) {
                (Some((_, most)), Some(last)) => {
                    most.max(0) as usize * (last.saturating_sub(step.day) as usize + 1)
                }
                _ => step.calls.iter().map(|call| call.times as usize).sum(),
            })
            .sum();
        calls + calls / 50
    }

    fn check(&self) -> Result<(), String> {
        let mut ids = std::collections::BTreeSet::new();
        let calls = self.steps.iter().map(|step| {
            let last = step.day.max(step.until_day.unwrap_or(0));
            let times = [Some(&step.time), step.until_time.as_ref()];
            (&step.id, last, times)
        });
        let chain = self.chain.iter();
        let chain = chain.map(|step| (&step.id, step.day, [Some(&step.time), None]));
        for (id, last, times) in calls.chain(chain) {
            if !ids.insert(id) {
                return Err(format!("two steps are called {id}"));
            }
            if last >= self.days {
                return Err(format!(
                    "step {id} lies after the last of {} days",
                    self.days
                ));
            }
            if times
                .into_iter()
                .flatten()
                .any(|time| seconds(time).is_none())
            {
                return Err(format!("step {id} has a time that is not HH:MM:SS"));
            }
        }
        if let Some(step) = self.chain.iter().find(|step| step.within < 0) {
            return Err(format!("step {} ends before it begins", step.id));
        }
        for step in &self.steps {
            if let Some(unknown) = step
                .regions
                .iter()
                .find(|region| region_named(region).is_none())
            {
                return Err(format!("step {} names no region with {unknown}", step.id));
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

impl File {
    fn load(name: &str) -> Result<Self, SimulateError> {
        let unknown = || SimulateError::UnknownIntrusion {
            name: name.to_owned(),
            known: names().join(", "),
        };
        let file = SCENARIOS
            .get_file(format!("{name}.toml"))
            .ok_or_else(unknown)?;
        let text = file.contents_utf8().ok_or_else(unknown)?;
        let file: Self = toml::from_str(text).map_err(|error| SimulateError::Scenario {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        if file.title.is_empty() {
            return Err(SimulateError::Scenario {
                name: name.to_owned(),
                reason: "it has no title".to_owned(),
            });
        }
        Ok(file)
    }

    /// The scenario of a file that extends none.
    fn alone(self, name: &str) -> Result<Scenario, String> {
        if let Some(step) = self.knobs.leave_out.first() {
            return Err(format!(
                "it extends nothing that step {step} could be left out of"
            ));
        }
        Ok(Scenario {
            base: name.to_owned(),
            days: self.days.ok_or("it does not say how many days it takes")?,
            knobs: self.knobs,
            steps: self.steps,
            chain: self.chain,
        })
    }

    /// The scenario of a file that extends `base`.
    fn extend(self, name: &str, base: Self) -> Result<Scenario, String> {
        let (mut steps, mut chain) = (base.steps, base.chain);
        for left_out in &self.knobs.leave_out {
            let before = steps.len() + chain.len();
            steps.retain(|step| step.id != *left_out);
            chain.retain(|step| step.id != *left_out);
            if steps.len() + chain.len() == before {
                return Err(format!("'{name}' has no step {left_out} to leave out"));
            }
        }
        steps.extend(self.steps);
        chain.extend(self.chain);
        Ok(Scenario {
            base: name.to_owned(),
            days: self
                .days
                .or(base.days)
                .ok_or("it does not say how many days it takes")?,
            knobs: self.knobs,
            steps,
            chain,
        })
    }
}

/// The region with this name.
pub(crate) fn region_named(name: &str) -> Option<&'static str> {
    REGIONS.into_iter().find(|known| *known == name)
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
            assert!(!scenario.steps.is_empty(), "{name}");
        }
        assert!(matches!(
            Scenario::load("no-such"),
            Err(SimulateError::UnknownIntrusion { .. })
        ));
    }

    fn extended(text: &str) -> Result<Scenario, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        file.extend("main", File::load("main").unwrap())
    }

    #[test]
    fn knobs_change_what_is_extended_and_nothing_else() {
        let main = Scenario::load("main").unwrap();
        let quiet = extended(
            "title = 'x'\nextends = 'main'\n[knobs]\nclient = 'plain'\n\
             network = 'home-country'\nleave-out = ['S09', 'S10']\n",
        )
        .unwrap();
        assert_eq!((quiet.days, quiet.base.as_str()), (main.days, "main"));
        assert_eq!(quiet.knobs.client, System::Plain);
        assert_eq!(quiet.knobs.network, Region::HomeCountry);
        let left: Vec<_> = main
            .steps
            .iter()
            .map(|step| step.id.as_str())
            .filter(|id| !["S09", "S10"].contains(id))
            .collect();
        assert_eq!(
            quiet
                .steps
                .iter()
                .map(|step| step.id.as_str())
                .collect::<Vec<_>>(),
            left
        );
        for wrong in [
            "title = 'x'\n[knobs]\nleave-out = ['S99']",
            "title = 'x'\n[knobs]\nclient = 'other'",
            "title = 'x'\nstep-before = 3",
        ] {
            assert!(extended(wrong).is_err(), "{wrong}");
        }
    }
}
