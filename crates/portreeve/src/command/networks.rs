use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use portreeve_engine::{
    Config, Explanation, StoredData, default_network_folder, networks, stored_data,
    update_from_files, update_from_open_set,
};
use portreeve_model::Timestamp;
use portreeve_view::text::{clean, count, size};
use serde_json::{Value, json};

use crate::Ending;
use crate::arguments::{Networks, NetworksFolder, NetworksTask, PathsFormat};

/// After how many days data are called old: blocks of addresses are sold and announced anew all the
/// time, and those that VPNs rent the most.
const OLD_DAYS: i64 = 90;

pub(crate) fn run(options: &Networks) -> Result<Ending> {
    match &options.task {
        NetworksTask::Update { from, npm, folder } => update(from, npm, &place(folder)?),
        NetworksTask::Show { folder, format } => show(&place(folder)?, *format),
        NetworksTask::Lookup {
            addresses,
            config,
            data,
            folder,
            format,
        } => {
            let mut settings = match config {
                Some(path) => Config::read(path)?,
                None => Config::find(&[])?.0,
            };
            settings.network_data.splice(0..0, data.iter().cloned());
            settings.network_folder = folder.path.clone().or_else(default_network_folder);
            lookup(addresses, &settings, *format)
        }
    }
}

fn place(folder: &NetworksFolder) -> Result<PathBuf> {
    folder.path.clone().or_else(default_network_folder).context(
        "there is no data folder for this user: give one with --folder, or set PORTREEVE_DATA_DIR",
    )
}

fn update(from: &[PathBuf], npm: &OsStr, folder: &Path) -> Result<Ending> {
    let stored = if from.is_empty() {
        say!(
            "portreeve: fetching the open set with {}",
            npm.to_string_lossy()
        );
        update_from_open_set(folder, npm)?
    } else {
        update_from_files(folder, from)?
    };
    let mut out = std::io::stdout().lock();
    out.write_all(listed(&stored).as_bytes())?;
    let old: Vec<String> = stored
        .iter()
        .filter_map(|data| {
            let origin = &data.content.as_ref().ok()?.origin;
            let days = age(&origin.date).filter(|days| *days > OLD_DAYS)?;
            Some(format!("{} is {days} days old", origin.name))
        })
        .collect();
    if !old.is_empty() {
        say!(
            "portreeve: {}: what has moved since is told wrongly. Newer files are taken with \
             `--from`; the publishers of the open set have announced to stop its packages and to \
             publish at github.com/sapics/ip-location-db/releases instead",
            old.join(", ")
        );
    }
    Ok(Ending::Clean)
}

/// How many days ago a date was, by this machine's clock.
fn age(date: &str) -> Option<i64> {
    let then: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(Timestamp::now().duration_since(then).as_hours() / 24)
}

fn show(folder: &Path, format: PathsFormat) -> Result<Ending> {
    let stored = stored_data(folder);
    let mut out = std::io::stdout().lock();
    match format {
        PathsFormat::Json => {
            let data: Vec<Value> = stored.iter().map(stored_json).collect();
            let document = json!({"folder": folder.to_string_lossy(), "data": data});
            writeln!(out, "{document:#}")?;
        }
        PathsFormat::Terminal if stored.is_empty() => {
            writeln!(
                out,
                "No data of networks in {}. `portreeve networks update` fetches an open set.",
                clean(&folder.to_string_lossy())
            )?;
        }
        PathsFormat::Terminal => out.write_all(listed(&stored).as_bytes())?,
    }
    Ok(Ending::Clean)
}

fn stored_json(stored: &StoredData) -> Value {
    let mut value = json!({"file": stored.path.to_string_lossy(), "bytes": stored.bytes});
    match &stored.content {
        Err(error) => value["error"] = error.as_str().into(),
        Ok(content) => {
            let origin = &content.origin;
            value["name"] = origin.name.as_str().into();
            value["version"] = origin.version.as_str().into();
            value["date"] = origin.date.as_str().into();
            value["licence"] = origin.licence.as_str().into();
            value["attribution"] = origin.attribution.as_str().into();
            value["ranges"] = content.ranges.into();
            value["tells"] = tells(content.tells_asn, content.tells_country).into();
        }
    }
    value
}

fn tells(asn: bool, country: bool) -> Vec<&'static str> {
    [(asn, "operators"), (country, "countries")]
        .into_iter()
        .filter_map(|(tells, word)| tells.then_some(word))
        .collect()
}

fn listed(stored: &[StoredData]) -> String {
    let mut text = String::new();
    for data in stored {
        text.push_str(&clean(&data.path.to_string_lossy()));
        text.push_str(&format!(" ({})\n", size(data.bytes)));
        match &data.content {
            Err(error) => text.push_str(&format!("  cannot be used: {}\n", clean(error))),
            Ok(content) => {
                text.push_str(&format!("  {}\n", clean(&content.origin.to_string())));
                let told = tells(content.tells_asn, content.tells_country).join(" and ");
                let ranges = content.ranges.map_or_else(String::new, |ranges| {
                    format!(" of {} ranges", count(ranges as u64))
                });
                text.push_str(&format!("  tells {told}{ranges}\n"));
            }
        }
    }
    text
}

fn lookup(addresses: &[String], config: &Config, format: PathsFormat) -> Result<Ending> {
    if let Some(wrong) = addresses
        .iter()
        .find(|address| address.parse::<std::net::IpAddr>().is_err())
    {
        say!("portreeve: `{}` is no address", clean(wrong));
        return Ok(Ending::Usage);
    }
    let (networks, dead) = networks(config);
    for letter in &dead {
        say!(
            "portreeve: {}: {}",
            clean(&letter.file),
            clean(&letter.reason)
        );
    }
    if networks.data().is_empty() {
        say!(
            "portreeve: there are no data of networks; `portreeve networks update` fetches an open set"
        );
    }
    let mut out = std::io::stdout().lock();
    let explained = addresses
        .iter()
        .filter_map(|address| Some((address, networks.explain(address)?)));
    match format {
        PathsFormat::Json => {
            let found: Vec<Value> = explained
                .map(|(address, why)| explained_json(address, &why))
                .collect();
            writeln!(out, "{:#}", json!({"addresses": found}))?;
        }
        PathsFormat::Terminal => {
            for (address, why) in explained {
                out.write_all(explained_text(address, &why).as_bytes())?;
            }
        }
    }
    if dead.is_empty() {
        Ok(Ending::Clean)
    } else {
        bail!("not all data of networks could be used")
    }
}

fn explained_json(address: &str, why: &Explanation<'_>) -> Value {
    let network = &why.network;
    let classes: Vec<Value> = why
        .classes
        .iter()
        .map(|(class, certainty)| json!({"class": class, "certainty": rounded(*certainty)}))
        .collect();
    let signs: Vec<Value> = why
        .signs
        .iter()
        .map(|sign| {
            json!({
                "class": sign.class,
                "weight": sign.weight,
                "reason": sign.reason,
                "source": sign.source,
            })
        })
        .collect();
    let told_by: Vec<String> = why.told_by.iter().map(ToString::to_string).collect();
    json!({
        "address": address,
        "asn": network.asn,
        "organisation": network.organisation,
        "country": network.country,
        "class": network.class,
        "certainty": network.class.map(|_| rounded(network.certainty)),
        "declared": network.declared,
        "declaration": why.declaration,
        "name": network.name(),
        "own": network.own,
        "classes": classes,
        "signs": signs,
        "told_by": told_by,
    })
}

/// Hundredths, cut as rules see them.
fn rounded(certainty: f64) -> f64 {
    (certainty * 100.0).floor() / 100.0
}

fn explained_text(address: &str, why: &Explanation<'_>) -> String {
    let network = &why.network;
    let mut text = format!("{address}\n");
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("  {name:<12} {}\n", clean(value)));
    };
    let operator: Vec<String> = network
        .asn
        .map(|asn| format!("AS{asn}"))
        .into_iter()
        .chain(network.organisation.map(str::to_owned))
        .collect();
    line(
        "operator",
        if operator.is_empty() {
            "not known".to_owned()
        } else {
            operator.join(" ")
        }
        .as_str(),
    );
    line("country", network.country.unwrap_or("not known"));
    let class = match network.class {
        Some(class) if network.declared => format!("{class}, declared"),
        Some(class) => format!("{class}, sure to {:.2}", rounded(network.certainty)),
        None => "not known".to_owned(),
    };
    line("kind", &class);
    line("called", network.name().as_deref().unwrap_or_default());
    if let Some(declaration) = &why.declaration {
        line("declared", declaration);
    }
    for sign in &why.signs {
        let source = sign
            .source
            .as_ref()
            .map_or_else(String::new, |source| format!(" [{source}]"));
        line(
            "sign",
            &format!("{} {:.2}: {}{source}", sign.class, sign.weight, sign.reason),
        );
    }
    for origin in &why.told_by {
        line("by", &origin.to_string());
    }
    text
}
