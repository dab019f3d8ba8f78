//! Settings of correlations whose type is somebody's own.

use std::collections::BTreeSet;

use portreeve_model::Severity;

use crate::correlation::{Correlation, Setting, duration, number, problem, texts};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Problem};
use crate::yaml::Node;

/// Reads the settings of an extension, one by one, and tells what is wrong with them.
#[derive(Debug)]
pub struct SettingsReader<'c> {
    correlation: &'c Correlation,
    used: BTreeSet<&'static str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'c> SettingsReader<'c> {
    pub(crate) fn new(correlation: &'c Correlation) -> Self {
        Self {
            correlation,
            used: BTreeSet::new(),
            diagnostics: Vec::new(),
        }
    }

    fn setting(&mut self, key: &'static str) -> Option<&'c Setting> {
        self.used.insert(key);
        self.correlation
            .settings
            .iter()
            .find(|setting| setting.key == key)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Node) -> Result<T, Problem>,
    ) -> Option<T> {
        let setting = self.setting(key)?;
        match read(&setting.value) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.tell(setting, problem);
                None
            }
        }
    }

    fn tell(&mut self, setting: &Setting, problem: Problem) {
        self.diagnostics.push(Diagnostic {
            file: self.correlation.file.clone(),
            line: setting.place.0,
            column: setting.place.1,
            span: problem.span,
            severity: problem.severity,
            kind: problem.kind,
            message: format!("`{}`: {}", setting.key, problem.message),
            help: problem.help,
        });
    }

    /// Tells of something that is missing or cannot be, for the correlation as a whole.
    pub fn refuse(&mut self, message: impl Into<String>) {
        self.diagnostics.push(
            self.correlation
                .diagnostic(DiagnosticSeverity::Error, message),
        );
    }

    /// A time span in seconds.
    pub fn duration(&mut self, key: &'static str) -> Option<u64> {
        self.read(key, duration)
    }

    /// A number.
    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        self.read(key, number)
    }

    /// A whole number from one up.
    pub fn count(&mut self, key: &'static str) -> Option<usize> {
        self.read(key, |node| {
            let number = number(node)?;
            if number < 1.0 || number.fract() != 0.0 || number > 1e6 {
                return Err(problem(&node.span, "not a whole number from 1 to 1000000"));
            }
            Ok(number as usize)
        })
    }

    /// A part of a whole, from 0 to 1.
    pub fn share(&mut self, key: &'static str) -> Option<f64> {
        self.read(key, |node| {
            let number = number(node)?;
            if !(0.0..=1.0).contains(&number) {
                return Err(problem(&node.span, "a share is 0 to 1"));
            }
            Ok(number)
        })
    }

    /// A string.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, |node| {
            node.text().map(str::to_owned).ok_or_else(|| {
                problem(
                    &node.span,
                    format!("{} where a string is expected", node.noun()),
                )
            })
        })
    }

    /// A list of strings; empty where it is not set.
    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.read(key, |node| texts(node, key)).unwrap_or_default()
    }

    /// Yes or no; no where it is not set.
    pub fn flag(&mut self, key: &'static str) -> bool {
        self.read(key, |node| match node.text() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(problem(&node.span, "neither true nor false")),
        })
        .unwrap_or(false)
    }

    /// One of a few words.
    pub fn severity(&mut self, key: &'static str) -> Option<Severity> {
        self.read(key, |node| {
            node.text()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| {
                    problem(
                        &node.span,
                        "not a level: use informational, low, medium, high or critical",
                    )
                })
        })
    }

    /// What is to be said: what was read wrongly, and what was set and is not known.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let unknown: Vec<&Setting> = self
            .correlation
            .settings
            .iter()
            .filter(|setting| !self.used.contains(setting.key.as_str()))
            .collect();
        for setting in unknown {
            self.tell(
                setting,
                problem(&setting.key_span, "this type knows no such setting"),
            );
        }
        self.diagnostics
    }
}
