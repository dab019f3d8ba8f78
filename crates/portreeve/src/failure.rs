//! How a command that failed says so.

use std::io;

/// Tells on standard error what failed.
pub(crate) fn tell(error: &anyhow::Error) {
    let told = portreeve_view::text::clean_lines(&words(error));
    say!("portreeve: {told}");
}

/// What failed, and behind it why. Many an error names its cause itself; that is not said twice.
fn words(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Whether it failed because who reads its output has seen enough (`| head`).
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use portreeve_engine::ConfigError;

    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
        let outer = Err::<(), _>(missing()).context("cannot read rules");
        assert_eq!(
            words(&outer.unwrap_err()),
            "cannot read rules: no such file"
        );
        // This one's own words end with its cause.
        let error = ConfigError::Read {
            path: "portreeve.toml".into(),
            source: missing(),
        };
        assert_eq!(
            words(&error.into()),
            "portreeve.toml: cannot read the configuration: no such file"
        );
    }
}
