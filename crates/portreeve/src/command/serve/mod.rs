mod demo;
mod tend;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use portreeve_engine::serve::{Board, DataFolder, Pace, Segments, Stop, Watch, WatchRequest};
use portreeve_engine::{Config, ContentFile, Progress, RuleSet};
use portreeve_server::{App, Archive, Listen, RuleLine, ServerError};
use portreeve_store::{Sqlite, Store};

use super::stop::interrupted;
use super::{investigate, rule_files, settings};
use crate::Ending;
use crate::arguments::{Input, Serve};
use crate::progress::Bar;

pub(crate) use tend::{doctor, token};

/// Watches: follows what arrives, and shows what it finds.
pub(crate) fn run(options: &Serve) -> Result<Ending> {
    if options.demo {
        return demo::run(options);
    }
    let input = Input {
        paths: options.paths.clone(),
        config: options.config.clone(),
    };
    let (config, skip) = settings(&input)?;
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
    let rules = rule_files(&options.rules)?;
    let parsed = RuleSet::parse(&rules, &config.rules);
    investigate::show_diagnostics(&parsed, &rules);
    let lines = rule_lines(&parsed);
    let posture = config.posture.clone();
    let folder = DataFolder::take(data)?;
    skip.extend(folder.below(&paths));
    let open = || Sqlite::open(&folder.database()).context("cannot open the database");
    let store = open()?;
    let tokens = store.tokens()?.len();
    let listen = Listen {
        address: options.listen,
        behind_proxy: options.behind_proxy,
    };
    if !options.catch_up
        && let Err(error) = portreeve_server::may_listen(listen, tokens)
    {
        eprintln!("portreeve: {error}");
        return Ok(Ending::Usage);
    }
    let log = Segments::open(&folder.log(), store.segments()?)
        .with_context(|| format!("cannot open the event log {}", folder.log().display()))?;
    let board = Arc::<Board>::default();
    let bar = Bar::default();
    let watch = Watch::begin(
        request(options, paths, config, skip, rules),
        Box::new(store),
        Box::new(log),
        board.clone(),
        &bar,
    );
    bar.clear();
    let watch = watch?;
    for damage in board.figures().damage {
        eprintln!("portreeve: {damage}");
    }
    if options.catch_up {
        bar.begin("Taking in what there is", 0);
        let result = watch.catch_up();
        bar.clear();
        result?;
        say(&board);
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
    let stop = watch.stopper();
    let watching = std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch.run())?;
    let served = serve(app, listen, &stop, move || watching.is_finished());
    stop.stop();
    served?;
    // The thread ends soon after it was told to; what it holds is committed first.
    while !matches!(
        board.health(),
        portreeve_engine::serve::Health::Ended | portreeve_engine::serve::Health::Failed(_)
    ) {
        std::thread::sleep(Duration::from_millis(10));
    }
    if let portreeve_engine::serve::Health::Failed(why) = board.health() {
        anyhow::bail!("{why}");
    }
    say(&board);
    Ok(Ending::Clean)
}

fn request(
    options: &Serve,
    paths: Vec<PathBuf>,
    config: Config,
    skip: Vec<PathBuf>,
    rules: Vec<ContentFile>,
) -> WatchRequest {
    WatchRequest {
        paths,
        config,
        skip,
        rules,
        signs: Vec::new(),
        pace: Pace {
            poll: Duration::from_millis(options.poll),
            settle: Duration::from_secs(options.settle),
            fold: Duration::from_millis(options.gather),
            inventory: Duration::from_secs(options.inventory_every),
        },
    }
}

/// Serves until someone interrupts, or the watch ends by itself.
fn serve(
    app: App,
    listen: Listen,
    stop: &Stop,
    has_ended: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let stop = stop.clone();
    runtime.block_on(portreeve_server::serve(
        app,
        listen,
        |address| eprintln!("portreeve: watching; the page is at http://{address}/ (Ctrl-C ends)"),
        async move {
            let ended = async {
                while !has_ended() {
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

fn say(board: &Board) {
    let figures = board.figures();
    let (findings, incidents) = board.shown().map_or((0, 0), |shown| {
        (shown.report.findings.len(), shown.report.incidents.len())
    });
    eprintln!(
        "portreeve: took in {} records; {incidents} incidents, {findings} findings, {} parts not readable",
        portreeve_view::text::count(figures.records),
        figures.dead_letters
    );
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
