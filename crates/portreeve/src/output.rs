use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use portreeve_incident::Report;
use portreeve_view::{html, json, ndjson, ocsf, stix, terminal};

use crate::arguments::{Colour, Format, Output, Place};

/// Whether to colour what goes to standard output.
pub(crate) fn colours(choice: Colour) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let plain = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            io::stdout().is_terminal() && !plain("NO_COLOR")
        }
    }
}

/// How the terminal's text is laid out.
pub(crate) fn layout(colour: bool, all: bool) -> terminal::Options {
    let width = terminal_size::terminal_size_of(io::stdout())
        .map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120));
    let mut options = terminal::Options {
        width,
        colour,
        ..terminal::Options::default()
    };
    if all {
        options.timeline = None;
        options.list = None;
    } else {
        options.see_all = "`--all` or `--format json` shows all".to_owned();
    }
    options
}

/// Reports of large logs are a hundred megabytes; each write of a piece is a call to the system.
const BUFFER: usize = 256 * 1024;

/// Writes a report where it should go.
pub(crate) fn report(report: &Report, output: &Output, all: bool) -> Result<()> {
    match &output.output {
        None => render(
            report,
            output.format,
            &layout(colours(output.colour), all),
            &mut io::stdout().lock(),
        ),
        Some(path) => {
            let layout = layout(output.colour == Colour::Always, all);
            to_file(path, |file| render(report, output.format, &layout, file))
        }
    }
}

/// Writes an answer where it should go. What it is made of gets the layout of a terminal.
pub(crate) fn answer(
    place: &Place,
    all: bool,
    render: impl FnOnce(&terminal::Options, &mut dyn Write) -> Result<()>,
) -> Result<()> {
    let buffered = |layout: &terminal::Options, out: &mut dyn Write| {
        let mut out = io::BufWriter::with_capacity(BUFFER, out);
        render(layout, &mut out)?;
        out.flush()?;
        Ok(())
    };
    match &place.output {
        None => buffered(
            &layout(colours(place.colour), all),
            &mut io::stdout().lock(),
        ),
        Some(path) => {
            let layout = layout(place.colour == Colour::Always, all);
            to_file(path, |file| buffered(&layout, file))
        }
    }
}

/// Renders a report in one of the formats.
pub(crate) fn render(
    report: &Report,
    format: Format,
    layout: &terminal::Options,
    out: &mut dyn Write,
) -> Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    match format {
        Format::Terminal => out.write_all(terminal::report(report, layout).as_bytes())?,
        Format::Html => out.write_all(html::report(report).as_bytes())?,
        Format::Json => json::report(report, &mut out)?,
        Format::Ndjson => ndjson::report(report, &mut out)?,
        Format::Ocsf => ocsf::report(report, &mut out)?,
        Format::Stix => stix::report(report, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

/// Writes a file whole, or leaves what was there. A link is followed; a device or a pipe is written to as it
/// is, since a file in the place of `/dev/null` would take it away from everyone.
pub(crate) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|known| !known.is_file() && !known.is_dir()) {
        let mut device = fs::OpenOptions::new()
            .write(true)
            .open(&target)
            .with_context(failed)?;
        return write(&mut device).with_context(failed);
    }
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = readable_file(folder.unwrap_or(Path::new("."))).with_context(failed)?;
    write(file.as_file_mut()).with_context(failed)?;
    file.persist(&target).with_context(failed)?;
    Ok(())
}

/// A new file with the permissions that any other file of the user's has.
fn readable_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::FileTypeExt;
    use std::process::Command;

    use super::*;

    fn put(path: &Path, text: &str) {
        to_file(path, |out| Ok(out.write_all(text.as_bytes())?)).unwrap();
    }

    #[test]
    fn a_pipe_stays_a_pipe_and_gets_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        put(&pipe, "report");
        assert_eq!(reader.join().unwrap(), "report");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_followed_and_what_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        put(&file, "before");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        put(&link, "after");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        let failing = to_file(&file, |out| {
            out.write_all(b"half")?;
            anyhow::bail!("broken off")
        });
        assert!(failing.is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
