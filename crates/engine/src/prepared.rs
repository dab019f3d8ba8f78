//! Everything that both stages look things up in, made ready once for a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use portreeve_detect::behaviour::Correlations;
use portreeve_detect::{
    AtOnce, Batch, Folded, Known, Networks, Sealing, Settings, Sign, Snapshot, StageOne, StageTwo,
};
use portreeve_evidence::Verification;
use portreeve_graph::{Catalogue, Changes, Graph, Jewel};
use portreeve_incident::Summary;
use portreeve_model::{DeadLetter, Estate, Finding, Input};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Matcher, Rule};
use portreeve_telemetry::{Reader, Source};

use crate::config::Config;
use crate::content::{RuleSet, built_in_profiles, is_for};
use crate::gathered::Gathered;
use crate::networks;
use crate::reader::LogReader;
use crate::run::{deploy_note, known_good_note, unrecognised_note};
use crate::seam::Seam;
use crate::survey::Knowledge;
use crate::wallets::Wallets;

/// The rules compiled, the estate drawn as a graph, the networks known.
pub(crate) struct Prepared {
    pub(crate) config: Config,
    pub(crate) estate: Arc<Estate>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) catalogue: Arc<Catalogue>,
    networks: Arc<Networks>,
    wallets: Option<Arc<Wallets>>,
    jewels: Vec<Jewel>,
    settings: Settings,
    snapshot: Snapshot,
    rules: Vec<Rule>,
    rules_sha256: String,
    rule_files: BTreeMap<String, String>,
    in_use: u64,
    fields: Fields,
    extractor: Extractor,
    matcher: Matcher,
    correlations: Correlations,
    sources: Vec<(&'static dyn Source, Box<dyn Reader>)>,
    signs: Vec<Sign>,
    /// Inventory and data of networks that were read.
    pub(crate) inputs: Vec<Input>,
    /// What of those could not be read.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// What the user should know before anything was read.
    pub(crate) notes: Vec<String>,
}

/// What reading the logs gave beside activities.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) inputs: Vec<Input>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) dead_letters_omitted: u64,
    pub(crate) verification: Option<Verification>,
    pub(crate) notes: Vec<String>,
    pub(crate) summary: Summary,
}

impl Prepared {
    pub(crate) fn new(
        knowledge: Knowledge,
        config: Config,
        rules: RuleSet,
        signs: Vec<Sign>,
    ) -> Self {
        let Knowledge {
            estate,
            graph,
            catalogue,
            networks: found_networks,
            wallets,
            mut inputs,
            mut dead_letters,
            mut notes,
        } = knowledge;
        let mut fields = Fields::default();
        let sources = portreeve_telemetry::sources()
            .iter()
            .map(|source| (*source, source.prepare(&mut fields)))
            .collect();
        let (mut matcher, problems) = Matcher::new(&rules.rules, &mut fields);
        notes.extend(
            rules
                .diagnostics
                .iter()
                .chain(&problems)
                .map(ToString::to_string),
        );
        let rule_files = rules
            .rules
            .iter()
            .filter_map(|rule| {
                let stem = Path::new(&*rule.file).file_stem()?;
                Some((rule.id.clone()?, stem.to_string_lossy().into_owned()))
            })
            .chain(rules.correlations.iter().filter_map(|correlation| {
                let stem = Path::new(&*correlation.file).file_stem()?;
                Some((correlation.id.clone()?, stem.to_string_lossy().into_owned()))
            }))
            .collect();
        let in_use = rules
            .rules
            .iter()
            .filter(|rule| !rules.is_part(rule))
            .count();
        let in_use = (in_use + rules.correlations.len()) as u64;
        let (correlations, problems) = Correlations::new(
            rules.correlations,
            &rules.rules,
            &rules.left_out,
            &mut fields,
        );
        notes.extend(problems.iter().map(ToString::to_string));
        matcher.leave_out(|rule| correlations.is_merged(rule));
        let settings = config.settings();
        let gathered = networks::gather(&config, found_networks);
        inputs.extend(gathered.inputs);
        dead_letters.extend(gathered.dead_letters);
        let networks = Arc::new(Networks::new(&settings, gathered.data));
        notes.push(networks::note(&networks, &settings));
        let jewels = graph.jewels();
        let (estate, graph) = (Arc::new(estate), Arc::new(graph));
        let catalogue = Arc::new(catalogue);
        let snapshot = Snapshot::new(
            &estate,
            settings.clone(),
            jewels
                .iter()
                .map(|jewel| (jewel.id.as_str(), jewel.kind.as_str())),
        )
        .with_changes(Changes::new(
            estate.clone(),
            graph.clone(),
            catalogue.clone(),
            config.jewels.clone(),
        ))
        .with_networks(networks.clone());
        Self {
            config,
            estate,
            graph,
            catalogue,
            networks,
            wallets: wallets.map(Arc::new),
            jewels,
            settings,
            snapshot,
            rules: rules.rules,
            rules_sha256: rules.sha256,
            rule_files,
            in_use,
            extractor: Extractor::new(&fields),
            fields,
            matcher,
            correlations,
            sources,
            signs,
            inputs,
            dead_letters,
            notes,
        }
    }

    /// A reader of each log source, for one thread.
    pub(crate) fn readers<'s>(&'s self, seam: &'s dyn Seam) -> Vec<LogReader<'s>> {
        self.sources
            .iter()
            .map(|(source, reader)| LogReader {
                source: *source,
                reader: &**reader,
                extractor: &self.extractor,
                stage: StageOne::new(
                    &self.rules,
                    &self.matcher,
                    &self.fields,
                    &self.snapshot,
                    &self.signs,
                )
                .for_correlations(&self.correlations)
                .limited_to(&self.rules, |rule| is_for(rule, *source))
                .with_repeats(reader.occasion(), &self.fields),
                seam,
                buffer: SlotBuffer::new(),
                batch: Batch::default(),
                room: Vec::new(),
            })
            .collect()
    }

    /// Stage two over all that stage one gave.
    pub(crate) fn fold(&self, stage_two: StageTwo) -> Folded {
        let known_good = self.config.known_good.map(|period| period.0);
        stage_two
            .with_correlations(self.correlations.clone(), known_good)
            .finish(
                &self.rules,
                &self.matcher,
                &self.fields,
                &self.snapshot,
                &self.signs,
            )
    }

    /// The same, and what is needed to seal the rows before a moment.
    pub(crate) fn fold_to_seal(
        &self,
        stage_two: StageTwo,
        until: Timestamp,
    ) -> (Folded, Option<Sealing>) {
        let known_good = self.config.known_good.map(|period| period.0);
        stage_two
            .with_correlations(self.correlations.clone(), known_good)
            .finish_and_seal(self.known(), until)
    }

    /// The findings that a batch makes without any other record, of those whose ids are new.
    pub(crate) fn at_once(
        &self,
        batch: &Batch,
        is_new: &mut dyn FnMut(&str) -> bool,
    ) -> Vec<Finding> {
        let at_once = AtOnce {
            known: self.known(),
            is_silent: &|rule| self.correlations.is_silent(rule),
            exceptions: &self.settings.exceptions,
            files: &self.rule_files,
        };
        at_once.findings(batch, is_new)
    }

    fn known(&self) -> Known<'_> {
        Known {
            rules: &self.rules,
            matcher: &self.matcher,
            fields: &self.fields,
            snapshot: &self.snapshot,
            signs: &self.signs,
        }
    }

    /// What was folded, with everything that incidents are told by.
    pub(crate) fn gathered(&self, folded: Folded, read: Read, start: Instant) -> Gathered {
        let Read {
            inputs,
            dead_letters,
            dead_letters_omitted,
            verification,
            mut notes,
            summary,
        } = read;
        notes.extend(deploy_note(&self.config, &folded.inferred_deployers));
        notes.extend(known_good_note(&self.config));
        notes.extend(folded.behaviour.notes());
        notes.extend(unrecognised_note(&inputs));
        if folded.changes_not_judged > 0 {
            notes.push(format!(
                "{} changes of policies, trusts and memberships were not judged by what they open, since there are many in a large estate; the first were.",
                folded.changes_not_judged
            ));
        }
        let (profiles, errors) = built_in_profiles();
        notes.extend(errors);
        Gathered {
            config: self.config.clone(),
            estate: self.estate.clone(),
            graph: self.graph.clone(),
            catalogue: self.catalogue.clone(),
            networks: self.networks.clone(),
            wallets: self.wallets.clone(),
            jewels: self.jewels.clone(),
            settings: self.settings.clone(),
            profiles,
            folded,
            rules_sha256: self.rules_sha256.clone(),
            rule_files: self.rule_files.clone(),
            rules: self.in_use,
            inputs,
            dead_letters,
            dead_letters_omitted,
            verification,
            notes,
            summary,
            start,
        }
    }
}
