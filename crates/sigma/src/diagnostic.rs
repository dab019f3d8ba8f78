use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

/// How bad what a diagnostic tells is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticSeverity {
    /// Worth knowing.
    Note,
    /// The rule runs, and may not do what its author meant.
    Warning,
    /// The document or rule is not used.
    Error,
}

/// What a diagnostic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticKind {
    /// The text is not YAML, or YAML of a form that is not accepted.
    Yaml,
    /// A bound on size, depth or number was reached.
    Limit,
    /// A field of the rule's head: title, level, log source.
    Head,
    /// A search identifier, a field, a value or a modifier.
    Detection,
    /// The condition.
    Condition,
    /// A placeholder without values.
    Placeholder,
    /// The `correlation` section of a document.
    Correlation,
    /// The `filter` section of a document.
    Filter,
    /// A processing pipeline.
    Pipeline,
    /// A document that is understood, and is not evaluated.
    NotEvaluated,
    /// Something that rule collections are used to, and this file does not have.
    Habit,
    /// A field that the log does not have.
    UnknownField,
    /// A condition that no record can meet.
    NeverMatches,
    /// A condition that every record meets.
    AlwaysMatches,
}

impl DiagnosticKind {
    /// The id shown to the reader; it does not change between versions.
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosticKind::Yaml => "sigma-yaml",
            DiagnosticKind::Limit => "sigma-limit",
            DiagnosticKind::Head => "sigma-head",
            DiagnosticKind::Detection => "sigma-detection",
            DiagnosticKind::Condition => "sigma-condition",
            DiagnosticKind::Placeholder => "sigma-placeholder",
            DiagnosticKind::Correlation => "sigma-correlation",
            DiagnosticKind::Filter => "sigma-filter",
            DiagnosticKind::Pipeline => "sigma-pipeline",
            DiagnosticKind::NotEvaluated => "sigma-not-evaluated",
            DiagnosticKind::Habit => "sigma-habit",
            DiagnosticKind::UnknownField => "sigma-unknown-field",
            DiagnosticKind::NeverMatches => "sigma-never-matches",
            DiagnosticKind::AlwaysMatches => "sigma-always-matches",
        }
    }
}

/// Something to tell the author or the user of a rule file, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as named by the caller.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the file that it points to.
    pub span: Range<usize>,
    /// How bad it is.
    pub severity: DiagnosticSeverity,
    /// What it is about.
    pub kind: DiagnosticKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The diagnostic as an editor takes it: a range of lines and columns, both from 1, the end
    /// behind the last character; columns count characters.
    ///
    /// `source_text` is the text that was given to [`parse`](crate::parse).
    pub fn located(&self, source_text: &str) -> Located {
        let source = Source::new(&self.file, source_text);
        let end = self.span.end.min(source_text.len());
        let (end_line, end_column) = if self.span.is_empty() {
            (self.line, self.column)
        } else {
            source.locate(end)
        };
        Located {
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            end_line,
            end_column,
            severity: match self.severity {
                DiagnosticSeverity::Error => "error",
                DiagnosticSeverity::Warning => "warning",
                DiagnosticSeverity::Note => "note",
            },
            code: self.kind.as_str(),
            message: self.message.clone(),
            help: self.help.clone(),
        }
    }

    /// The diagnostic with the lines of the file that it points to, for a terminal.
    ///
    /// `source_text` is the text that was given to [`parse`](crate::parse).
    pub fn render(&self, source_text: &str, colour: bool) -> String {
        let level = match self.severity {
            DiagnosticSeverity::Error => Level::ERROR,
            DiagnosticSeverity::Warning => Level::WARNING,
            DiagnosticSeverity::Note => Level::NOTE,
        };
        let boundary = |mut at: usize| {
            at = at.min(source_text.len());
            while !source_text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(self.span.start);
        let end = boundary(self.span.end).max(start);
        let mut group = level
            .primary_title(&self.message)
            .id(self.kind.as_str())
            .element(
                Snippet::source(source_text)
                    .path(&*self.file)
                    .annotation(AnnotationKind::Primary.span(start..end)),
            );
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

/// A diagnostic with the range that it is about, for editors and other tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The file, as named by the caller.
    pub file: String,
    /// Its first line, from 1.
    pub line: usize,
    /// Its first column, in characters, from 1.
    pub column: usize,
    /// Its last line.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// What it is about: [`DiagnosticKind::as_str`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

/// A diagnostic that does not know its file yet.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) severity: DiagnosticSeverity,
    pub(crate) kind: DiagnosticKind,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn error(
        kind: DiagnosticKind,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: DiagnosticSeverity::Error,
            kind,
            span: span.clone(),
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn warning(
        kind: DiagnosticKind,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: DiagnosticSeverity::Warning,
            ..Self::error(kind, span, message)
        }
    }

    pub(crate) fn note(
        kind: DiagnosticKind,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: DiagnosticSeverity::Note,
            ..Self::error(kind, span, message)
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A rule file, and where its lines begin.
pub(crate) struct Source<'a> {
    pub(crate) file: Arc<str>,
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &str, text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            file: file.into(),
            text,
            line_starts,
        }
    }

    /// Line and column, from 1.
    pub(crate) fn locate(&self, offset: usize) -> (usize, usize) {
        let line = self
            .line_starts
            .partition_point(|start| *start <= offset)
            .max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    pub(crate) fn diagnostic(&self, problem: Problem) -> Diagnostic {
        let (line, column) = self.locate(problem.span.start);
        Diagnostic {
            file: self.file.clone(),
            line,
            column,
            span: problem.span,
            severity: problem.severity,
            kind: problem.kind,
            message: problem.message,
            help: problem.help,
        }
    }
}
