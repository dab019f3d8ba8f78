#[cfg(feature = "aws")]
mod bucket;
mod case;
mod demo;
mod log;
mod settings;
mod tend;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use portreeve_engine::case::Inputs;
use portreeve_engine::serve::{
    Board, DataFolder, Health, Segments, Stop, Watch, WatchRequest, below,
};
use portreeve_engine::{Config, Progress, RuleSet};
use portreeve_server::{App, Archive, Listen, RuleLine, ServerError};
use portreeve_store::{Sqlite, Store};

use self::log::{Level, Log};
use self::settings::Settings;
use super::stop::interrupted;
use super::{investigate, rule_files};
use crate::Ending;
use crate::arguments::{Input, Serve};
use crate::failure;
use crate::progress::Bar;

pub(crate) use tend::{doctor, token};

/// Watches: follows what arrives, and shows what it finds.
pub(crate) fn run(options: &Serve) -> Result<Ending> {
    if options.demo {
        return demo::run(options);
    }
    if let Some(folder) = &options.case {
        return case::show(options, folder);
    }
    let input = Input {
        paths: options.paths.clone(),
        config: options.config.clone(),
    };
    let (config, skip) = super::settings(&input)?;
    watch(
        options,
        options.paths.clone(),
        config,
        skip,
        options.data.data.clone(),
    )
}

/// Watches these paths with what is kept in a folder.
fn watch(
    options: &Serve,
    paths: Vec<PathBuf>,
    config: Config,
    mut skip: Vec<PathBuf>,
    data: PathBuf,
) -> Result<Ending> {
    let settings = match Settings::new(options, &config.serve) {
        Ok(settings) => settings,
        Err(error) => {
            failure::tell(&error);
            return Ok(Ending::Usage);
        }
    };
    let log = Log::new(settings.log_format);
    let is_bucket = |path: &PathBuf| path.to_str().is_some_and(|path| path.starts_with("s3://"));
    let (buckets, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(is_bucket);
    if !buckets.is_empty() && cfg!(not(feature = "aws")) {
        say!("portreeve: this build does not read buckets; `full` builds do");
        return Ok(Ending::Usage);
    }
    let rules = rule_files(&options.rules)?;
    let parsed = RuleSet::parse(&rules, &config.rules);
    investigate::show_diagnostics(&parsed, &rules);
    let lines = rule_lines(&parsed);
    let posture = config.posture.clone();
    let folder = DataFolder::take(data.clone())?;
    // For whoever packs the case.
    let inputs = Inputs {
        paths: buckets.iter().chain(&paths).cloned().collect(),
        config: skip.first().cloned(),
        rules: options.rules.rules.clone(),
        no_built_in_rules: options.rules.no_built_in_rules,
        hold: Some(settings.hold),
    };
    inputs.set_down(&data)?;
    skip.extend(below(folder.path(), &paths));
    if let Some((archive, _)) = &settings.archive {
        skip.extend(below(archive, &paths));
    }
    let open = || Sqlite::open(&folder.database()).context("cannot open the database");
    let store = open()?;
    let tokens = store.tokens()?.len();
    let listen = settings.listen;
    if !options.catch_up
        && let Err(error) = portreeve_server::may_listen(listen, tokens)
    {
        say!("portreeve: {error}");
        return Ok(Ending::Usage);
    }
    let records = Segments::open(&folder.log(), store.segments()?)
        .with_context(|| format!("cannot open the event log {}", folder.log().display()))?;
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
    #[cfg_attr(not(any(feature = "aws", feature = "parquet")), allow(unused_mut))]
    let mut watch = watch?;
    #[cfg(feature = "parquet")]
    if let Some((archive, keep)) = settings.archive {
        let archive =
            portreeve_engine::serve::Archive::new(archive, folder.log(), keep, Box::new(open()?));
        watch.archive(archive?);
    }
    #[cfg(feature = "aws")]
    bucket::follow(
        &mut watch,
        &buckets,
        settings.queue.as_deref(),
        settings.bucket_every,
    )?;
    for damage in board.figures().damage {
        log.say(Level::Warning, "damage", &damage, &[]);
    }
    log.follow(&board);
    if options.catch_up {
        bar.begin("Taking in what there is", 0);
        let result = watch.catch_up();
        bar.clear();
        result?;
        say(log, &board);
        return Ok(Ending::Clean);
    }
    let app = App::new(
        board.clone(),
        watch.intake(),
        Box::new(open()?),
        lines,
        posture,
        Archive::new(folder.log()),
    );
    #[cfg(feature = "notify")]
    if !settings.notify.targets.is_empty() {
        let ended = board.clone();
        portreeve_server::notify::start(
            settings.notify,
            board.clone(),
            Box::new(open()?),
            portreeve_server::notify::by_http(),
            move || matches!(ended.health(), Health::Ended | Health::Failed(_)),
            move |words| log.say(Level::Warning, "notify", words, &[]),
        )?;
    }
    let stop = watch.stopper();
    let watching = std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch.run())?;
    let served = serve(app, listen, log, &board, &stop, move || {
        watching.is_finished()
    });
    stop.stop();
    served?;
    // The thread ends soon after it was told to; what it holds is committed first.
    while !matches!(board.health(), Health::Ended | Health::Failed(_)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    if let Health::Failed(why) = board.health() {
        anyhow::bail!("{why}");
    }
    say(log, &board);
    Ok(Ending::Clean)
}

/// Serves until someone interrupts, or the watch ends by itself.
fn serve(
    app: App,
    listen: Listen,
    log: Log,
    board: &Arc<Board>,
    stop: &Stop,
    has_ended: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let (stop, board) = (stop.clone(), board.clone());
    runtime.block_on(portreeve_server::serve(
        app,
        listen,
        |address| {
            let words = format!("watching; the page is at http://{address}/ (Ctrl-C ends)");
            log.say(
                Level::Info,
                "listening",
                &words,
                &[("address", address.to_string().into())],
            );
        },
        async move {
            let ended = async {
                let mut before = board.health();
                while !has_ended() {
                    let now = board.health();
                    if now != before {
                        log.tell_health(&before, &now);
                        before = now;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            tokio::select! {
                () = interrupted() => {}
                () = ended => {}
            }
            stop.stop();
        },
    ))
}

fn say(log: Log, board: &Board) {
    let figures = board.figures();
    let (findings, incidents) = board.shown().map_or((0, 0), |shown| {
        (shown.report.findings.len(), shown.report.incidents.len())
    });
    let words = format!(
        "took in {} records; {incidents} incidents, {findings} findings, {} parts not readable",
        portreeve_view::text::count(figures.records),
        figures.dead_letters
    );
    let fields = [
        ("records", figures.records.into()),
        ("incidents", incidents.into()),
        ("findings", findings.into()),
        ("dead_letters", figures.dead_letters.into()),
    ];
    log.say(Level::Info, "ended", &words, &fields);
}

fn rule_lines(rules: &RuleSet) -> Vec<RuleLine> {
    let line = |id: &Option<String>, title: &str, severity: &str, file: &str| RuleLine {
        id: id.clone().unwrap_or_else(|| file.to_owned()),
        title: title.to_owned(),
        severity: severity.to_owned(),
        file: file.to_owned(),
    };
    let single = rules
        .rules
        .iter()
        .filter(|rule| !rules.is_part(rule))
        .map(|rule| line(&rule.id, &rule.title, rule.level.as_str(), &rule.file));
    let joined = rules
        .correlations
        .iter()
        .map(|it| line(&it.id, &it.title, it.level.as_str(), &it.file));
    single.chain(joined).collect()
}
