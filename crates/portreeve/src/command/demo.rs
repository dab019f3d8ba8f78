use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use portreeve_engine::{Config, Request, RuleSet, built_in_correlations, built_in_rules};
use portreeve_simulate::{Intrusion, Plan};
use portreeve_view::text::count;

use super::simulate::write;
use crate::Ending;
use crate::arguments::{Demo, Format};
use crate::output;
use crate::progress::Bar;

/// Marks a folder as one that the demo wrote, so that a second demo may write it anew and nothing
/// else is ever deleted.
const MARK: &str = "written-by-portreeve-demo";

pub(crate) fn run(options: &Demo) -> Result<Ending> {
    let intrusion: Intrusion = match options.intrusion.parse() {
        Ok(intrusion) => intrusion,
        Err(error) => {
            say!("portreeve: --intrusion: {error}");
            return Ok(Ending::Usage);
        }
    };
    let root = &options.out;
    clear(root)?;
    fs::create_dir_all(root).with_context(|| format!("cannot write {}", root.display()))?;
    fs::write(root.join(MARK), "")?;
    let halyard = root.join("halyard");
    let labels = root.join("labels.ndjson");

    say!(
        "Simulating an organisation and its logs (seed {}, intrusion {}) …",
        options.seed,
        options.intrusion
    );
    let start = Instant::now();
    let plan = Plan {
        seed: options.seed,
        intrusion,
        ..Plan::default()
    };
    let summary = write(&plan, &halyard, Some(&labels))?;
    say!(
        "  {} records in {} files, {:.1} s\nInvestigating them, as real ones …",
        count(summary.records as u64),
        count(summary.log_files as u64),
        start.elapsed().as_secs_f64()
    );

    let paths = vec![halyard.clone()];
    let (config, path) = Config::find(&paths)?;
    let mut files = built_in_rules();
    files.extend(built_in_correlations());
    let bar = Bar::default();
    let result = portreeve_engine::investigate(
        Request {
            paths,
            rules: RuleSet::parse(&files, &config.rules),
            config: Config {
                simulated: true,
                ..config
            },
            skip: path.into_iter().collect(),
            signs: Vec::new(),
            threads: 0,
        },
        &bar,
    );
    bar.clear();
    let report = result?;

    let colour = output::colours(options.colour);
    let layout = output::layout(colour, false);
    let page = root.join("report.html");
    let machine = root.join("report.json");
    output::to_file(&page, |file| {
        output::render(&report, Format::Html, &layout, file)
    })?;
    output::to_file(&machine, |file| {
        output::render(&report, Format::Json, &layout, file)
    })?;
    let mut out = std::io::stdout().lock();
    output::render(&report, Format::Terminal, &layout, &mut out)?;
    writeln!(
        out,
        "\nAll of this is simulated; no organisation, person or intrusion in it is real.\n\n\
         The story, drawn:       {}\n\
         The same for machines:  {}\n\
         What was planted:       {}\n\n\
         Try next:\n  \
           portreeve investigate {} --from ip=192.0.2.41\n  \
           portreeve paths {} --format json\n  \
           portreeve demo --seed {}\n  \
           portreeve investigate YOUR-LOGS YOUR-INVENTORY",
        page.display(),
        machine.display(),
        labels.display(),
        halyard.display(),
        halyard.join("estate").display(),
        options.seed + 1,
    )?;
    Ok(Ending::Clean)
}

/// Removes what a former demo wrote.
fn clear(root: &Path) -> Result<()> {
    if fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
        if !root.join(MARK).is_file() {
            bail!(
                "{} is not empty and no former demo; give another folder with --out",
                root.display()
            );
        }
        fs::remove_dir_all(root).with_context(|| format!("cannot replace {}", root.display()))?;
    }
    Ok(())
}
