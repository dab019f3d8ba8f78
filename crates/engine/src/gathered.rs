//! All that was read and found, and what is told of it.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;
use std::time::Instant;

use portreeve_detect::{Activities, Exception, Folded, Networks, Settings, Usage};
use portreeve_evidence::Verification;
use portreeve_graph::{Catalogue, Graph, Jewel};
use portreeve_incident::actor::Profile;
use portreeve_incident::exceptions::uses;
use portreeve_incident::sight::{Surveyed, sight};
use portreeve_incident::{Cuttable, Incident, Report, Summary};
use portreeve_model::{DeadLetter, Estate, Input};

use crate::config::Config;
use crate::wallets::Wallets;

/// All that was read and found, before incidents are told of it.
#[derive(Debug)]
pub struct Gathered {
    pub(crate) config: Config,
    pub(crate) estate: Arc<Estate>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) networks: Arc<Networks>,
    pub(crate) wallets: Option<Arc<Wallets>>,
    pub(crate) jewels: Vec<Jewel>,
    pub(crate) settings: Settings,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) folded: Folded,
    pub(crate) rules_sha256: String,
    /// Names of the rules' files, without folders and ending, by the rules' ids.
    pub(crate) rule_files: BTreeMap<String, String>,
    /// How many rules and correlations are in use.
    pub(crate) rules: u64,
    pub(crate) inputs: Vec<Input>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) dead_letters_omitted: u64,
    pub(crate) verification: Option<Verification>,
    pub(crate) notes: Vec<String>,
    pub(crate) summary: Summary,
    pub(crate) start: Instant,
}

impl Gathered {
    /// Everything that happened, in order of time.
    pub fn activities(&self) -> &Activities {
        &self.folded.activities
    }

    /// What the inventory says.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The graph of the estate.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Who used what, and when last.
    pub fn usage(&self) -> Usage {
        Usage::of(&self.folded.activities)
    }

    /// What could not be read.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.dead_letters
    }

    /// The exceptions that the settings declare.
    pub fn exceptions(&self) -> &[Exception] {
        &self.settings.exceptions
    }

    /// The incidents, with these exceptions and no others; and how many findings each muted.
    pub fn incidents(&mut self, exceptions: &[Exception]) -> (Vec<Incident>, Vec<u64>) {
        let muted = portreeve_detect::mute(&mut self.folded, exceptions, &self.rule_files);
        let cuttable = Cuttable {
            estate: &self.estate,
            graph: &self.graph,
            catalogue: &self.catalogue,
            declared: &self.config.jewels,
            costs: &self.config.cut.costs,
        };
        let incidents = portreeve_incident::incidents(&portreeve_incident::Context {
            folded: &self.folded,
            reach: Some(&cuttable),
            networks: &self.networks,
            settings: &self.settings,
            profiles: &self.profiles,
        });
        (incidents, muted)
    }

    /// The graph and the estate that it is of.
    pub(crate) fn into_graph(self) -> (Arc<Graph>, Arc<Estate>) {
        (self.graph, self.estate)
    }

    /// What the user should know of what was read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The report. It takes out what it holds of what was gathered: there is one report of a run.
    pub fn take_report(&mut self) -> Report {
        let exceptions = self.settings.exceptions.clone();
        let (mut incidents, muted) = self.incidents(&exceptions);
        let wallets = self.wallets.take();
        let apart = wallets.as_ref().map_or_else(Vec::new, |wallets| {
            portreeve_incident::join_wallets(&mut incidents, &self.estate, &wallets.on_chain())
        });
        let verification = self.verification.take();
        if let Some(verification) = &verification {
            portreeve_incident::verified(&mut incidents, verification);
        }
        let Self { folded, estate, .. } = self;
        let readable: Vec<&str> = portreeve_telemetry::sources()
            .iter()
            .map(|source| source.id())
            .collect();
        let (sight, missing) = sight(&Surveyed {
            folded,
            estate,
            jewels: &self.jewels,
            settings: &self.settings,
            profiles: &self.profiles,
            readable: &readable,
        });
        let mut blind_spots = estate.blind_spots.clone();
        blind_spots.extend(missing);
        blind_spots.extend(
            verification
                .iter()
                .flat_map(portreeve_incident::evidence_gaps),
        );
        let unseen = wallets.iter().flat_map(|wallets| wallets.blind_spots());
        self.notes.extend(unseen.cloned());
        let last = folded.coverage.iter().filter_map(|it| it.last).max();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_sha256: self.rules_sha256.clone(),
            rules: self.rules,
            simulated: self.config.simulated,
            exceptions: uses(&exceptions, &muted, &folded.findings, &incidents, last),
            incidents,
            wallets: apart,
            findings: take(&mut folded.findings),
            jewels: self.jewels.clone(),
            coverage: take(&mut folded.coverage),
            sight,
            blind_spots,
            dead_letters: take(&mut self.dead_letters),
            dead_letters_omitted: self.dead_letters_omitted,
            inputs: take(&mut self.inputs),
            // Each file's state stands beside it in the inputs.
            verification: verification.map(|verification| Verification {
                digests: Vec::new(),
                logs: Vec::new(),
                ..verification
            }),
            notes: take(&mut self.notes),
            summary: Summary {
                seconds: self.start.elapsed().as_secs_f64(),
                ..self.summary.clone()
            },
        }
    }
}
