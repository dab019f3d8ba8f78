//! Python with one package of its own, for tests against what others made.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Runs a command to its end; what it says is the error where it fails.
pub fn run(command: &mut Command) -> Result<Output, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// The folder of the programs of a Python that has a package of this version (`moto[server]==5.2.5`),
/// installed below the target folder the first time.
pub fn with(package: &str) -> Result<PathBuf, String> {
    let folder: String = package.replace("==", "-").replace(
        |odd: char| !odd.is_ascii_alphanumeric() && !matches!(odd, '-' | '.'),
        "",
    );
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let programs = place.join("bin");
    let ready = place.join("ready");
    if !ready.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&place))?;
        let mut pip = Command::new(programs.join("python"));
        let quiet = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        pip.args(quiet).arg(package);
        // A registry may be busy: it is asked again, after a while.
        run(&mut pip).or_else(|_| {
            std::thread::sleep(Duration::from_secs(10));
            run(&mut pip)
        })?;
        std::fs::write(&ready, "").map_err(|error| error.to_string())?;
    }
    Ok(programs)
}
