use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use portreeve_engine::{Seen, each_activity, file_sha256, files_below};
use portreeve_model::Outcome;
use portreeve_view::{html, json, terminal, text};
use portreeve_wallet::bundle::{Served, Statement, Trace, Write, compare};

use super::wallet;
use crate::Ending;
use crate::arguments::{Attest, Bundle, BundleTask, VerifyBundle};

pub(crate) fn run(options: &Bundle) -> Result<Ending> {
    match &options.task {
        BundleTask::Attest(options) => attest(options),
        BundleTask::Verify(options) => verify(options),
    }
}

/// States what a folder holds.
fn attest(options: &Attest) -> Result<Ending> {
    let mut files = BTreeMap::new();
    let mut bytes = 0;
    for (name, path) in below(&options.folder)? {
        let (digest, size) =
            file_sha256(&path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes += size;
        files.insert(name, digest);
    }
    if files.is_empty() {
        say!("portreeve: {} holds no file", options.folder.display());
        return Ok(Ending::NoInput);
    }
    let statement = Statement::of(&files, bytes);
    let mut out: Box<dyn io::Write> = match &options.output {
        Some(path) => Box::new(
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => Box::new(io::stdout().lock()),
    };
    json::answer(&statement, &mut out)?;
    out.flush()?;
    Ok(Ending::Clean)
}

/// Compares what is served with what was built.
fn verify(options: &VerifyBundle) -> Result<Ending> {
    let manifest = statement(&options.manifest)?;
    let earlier = options
        .earlier
        .iter()
        .map(|path| statement(path))
        .collect::<Result<Vec<_>>>()?;
    let is_address =
        options.served.starts_with("https://") || options.served.starts_with("http://");
    let served = if is_address {
        fetched(&options.served, &manifest)?
    } else {
        folder(Path::new(&options.served))?
    };
    let writes = options
        .bucket
        .as_deref()
        .map(|bucket| writes(&options.logs, bucket));
    let report = compare(&manifest, &served, !is_address, &earlier, writes.as_deref());
    let gravest = report.findings.iter().map(|finding| finding.severity).max();
    wallet::tell(
        &options.outcome,
        &report,
        gravest,
        terminal::bundle,
        html::bundle,
    )
}

fn statement(path: &Path) -> Result<Statement> {
    Statement::read(&wallet::read(path)?).with_context(|| format!("in {}", path.display()))
}

/// The files below a folder, by their names in the bundle.
fn below(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !folder.is_dir() {
        bail!("{} is no folder", folder.display());
    }
    files_below(folder)
        .map_err(|letter| anyhow::anyhow!("{}: {}", letter.file, letter.reason))?
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder)?;
            let parts: Option<Vec<&str>> = name.iter().map(|part| part.to_str()).collect();
            let name =
                parts.with_context(|| format!("{} has a name that is no text", path.display()))?;
            Ok((name.join("/"), path))
        })
        .collect()
}

fn folder(folder: &Path) -> Result<Served> {
    let mut served = Served::new();
    for (name, path) in below(folder)? {
        let digest = match file_sha256(&path) {
            Ok((digest, _)) => Some(digest),
            Err(error) => {
                say!("portreeve: {}: {error}", path.display());
                None
            }
        };
        served.insert(name, digest);
    }
    Ok(served)
}

#[cfg(not(feature = "chain"))]
fn fetched(_: &str, _: &Statement) -> Result<Served> {
    bail!(
        "this binary was built without the feature `chain` and fetches nothing; copy what is served \
         into a folder (`wget --mirror`, `aws s3 sync`) and give that"
    )
}

#[cfg(feature = "chain")]
fn fetched(root: &str, manifest: &Statement) -> Result<Served> {
    let web = portreeve_engine::Web::default();
    let root = root.trim_end_matches('/');
    let mut served = Served::new();
    for subject in &manifest.subject {
        match web.sha256(&format!("{root}/{}", subject.name)) {
            Ok(Some(digest)) => {
                served.insert(subject.name.clone(), Some(digest));
            }
            Ok(None) => {}
            Err(error) => {
                say!("portreeve: {}: {error}", text::clean(&subject.name));
                served.insert(subject.name.clone(), None);
            }
        }
    }
    Ok(served)
}

/// The writes to the objects below a bucket's prefix.
fn writes(logs: &[PathBuf], bucket: &str) -> Vec<Write> {
    let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
    let prefix = match prefix.trim_end_matches('/') {
        "" => format!("arn:aws:s3:::{bucket}/"),
        prefix => format!("arn:aws:s3:::{bucket}/{prefix}/"),
    };
    let mut writes = Vec::new();
    let dead = each_activity(logs, &mut |seen| writes.extend(write(seen, &prefix)));
    for letter in dead {
        say!(
            "portreeve: {}, at byte {}: {}",
            text::clean(&letter.file),
            letter.offset,
            text::clean(&letter.reason)
        );
    }
    writes.sort_by(|one: &Write, other| {
        (one.time, &one.event_id).cmp(&(other.time, &other.event_id))
    });
    writes.dedup_by(|one, other| {
        one.event_id.is_some() && one.event_id == other.event_id && one.name == other.name
    });
    writes
}

/// The write that a record tells of, if it does.
fn write(seen: &Seen<'_, '_>, prefix: &str) -> Option<Write> {
    const WRITES: &[&str] = &[
        "PutObject",
        "CopyObject",
        "CompleteMultipartUpload",
        "PostObject",
        "RestoreObject",
        "DeleteObject",
        "DeleteObjects",
    ];
    let activity = seen.activity;
    let wrote = activity.service == "s3"
        && WRITES.contains(&&*activity.operation)
        && matches!(activity.outcome, Outcome::Success);
    let name = activity
        .targets
        .iter()
        .find_map(|target| target.strip_prefix(prefix))
        .filter(|_| wrote)?;
    let session = activity
        .actor
        .session
        .as_deref()
        .map_or_else(String::new, |session| format!("/{session}"));
    Some(Write {
        time: activity.time?,
        name: name.to_owned(),
        operation: activity.operation.to_string(),
        principal: format!("{}{session}", activity.actor.principal),
        from: Some(activity.origin.address.to_string()).filter(|address| !address.is_empty()),
        client: activity.client.as_deref().map(str::to_owned),
        event_id: activity.event_id.as_deref().map(str::to_owned),
        place: format!("{} {}", seen.file, seen.index),
        content: Trace::of(seen.record),
    })
}
