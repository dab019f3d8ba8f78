//! Shows a case that was opened: what was found, to be read alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use portreeve_engine::RuleSet;
use portreeve_engine::case::CaseFolder;
use portreeve_engine::serve::{Board, Health, Segments, Watch, WatchRequest};
use portreeve_server::{App, Archive};
use portreeve_store::{Sqlite, Store};

use super::log::{Level, Log};
use super::settings::Settings;
use super::{rule_lines, serve};
use crate::Ending;
use crate::arguments::{Input, RuleSources, Serve};
use crate::command::{investigate, rule_files, settings};
use crate::failure;
use crate::progress::Bar;

pub(super) fn show(options: &Serve, folder: &Path) -> Result<Ending> {
    let case = CaseFolder::read(folder)?;
    let paths = vec![case.inputs()];
    let (mut config, skip) = settings(&Input {
        paths: paths.clone(),
        config: Some(case.settings()),
    })?;
    // What was known of networks came with the case.
    config.network_folder = None;
    let settings = match Settings::new(options, &config.serve) {
        Ok(settings) => settings,
        Err(error) => {
            failure::tell(&error);
            return Ok(Ending::Usage);
        }
    };
    let log = Log::new(settings.log_format);
    let (own, packed) = (env!("CARGO_PKG_VERSION"), &case.manifest.portreeve);
    if own != packed {
        let words = format!("version {packed} packed this case; {own} may tell it otherwise");
        log.say(Level::Warning, "version", &words, &[]);
    }
    let rules = rule_files(&RuleSources {
        rules: case.rules().into_iter().collect(),
        no_built_in_rules: !case.manifest.built_in_rules,
    })?;
    let parsed = RuleSet::parse(&rules, &config.rules);
    investigate::show_diagnostics(&parsed, &rules);
    let posture = config.posture.clone();
    let (database, log_folder) = (case.data().join("portreeve.db"), case.data().join("log"));
    let open = || Sqlite::open_sealed(&database).context("cannot open the database");
    let store = open()?;
    if let Err(error) = portreeve_server::may_listen(settings.listen, store.tokens()?.len()) {
        say!("portreeve: {error}");
        return Ok(Ending::Usage);
    }
    let records = Segments::read_only(&log_folder, store.segments()?);
    let board = Arc::<Board>::default();
    let bar = Bar::default();
    let watch = Watch::begin(
        WatchRequest {
            paths,
            config,
            skip,
            rules,
            signs: Vec::new(),
            pace: settings.pace,
            hold: settings.hold,
            keep: settings.keep,
        },
        Box::new(store),
        Box::new(records),
        board.clone(),
        &bar,
    );
    bar.clear();
    let watch = watch?;
    for damage in board.figures().damage {
        log.say(Level::Warning, "damage", &damage, &[]);
    }
    let app = App::new(
        board.clone(),
        watch.intake(),
        Box::new(open()?),
        rule_lines(&parsed),
        posture,
        Archive::new(log_folder),
    )
    .read_only();
    let stop = watch.stopper();
    let standing = std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch.stand())?;
    let served = serve(app, settings.listen, log, &board, &stop, move || {
        standing.is_finished()
    });
    stop.stop();
    served?;
    while !matches!(board.health(), Health::Ended | Health::Failed(_)) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(Ending::Clean)
}
