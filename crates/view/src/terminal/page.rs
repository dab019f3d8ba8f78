use anstyle::{AnsiColor, Color, Style};
use portreeve_model::Severity;
use unicode_width::UnicodeWidthChar;

use crate::text;

pub(super) const PLAIN: Style = Style::new();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const COMMAND: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
pub(super) const JEWEL: Style = Style::new()
    .bold()
    .fg_color(Some(Color::Ansi(AnsiColor::Magenta)));
pub(super) const SUSPECT: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));
pub(super) const GOOD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));

/// The narrowest page that is still laid out; a narrower terminal breaks the lines itself.
const NARROWEST: usize = 30;

/// How a severity looks.
pub(super) fn severity(severity: Severity) -> Style {
    let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
    match severity {
        Severity::Critical => Style::new()
            .bold()
            .fg_color(Some(Color::Ansi(AnsiColor::BrightWhite)))
            .bg_color(Some(Color::Ansi(AnsiColor::Red))),
        Severity::High => colour(AnsiColor::Red).bold(),
        Severity::Medium => colour(AnsiColor::Yellow).bold(),
        Severity::Low => colour(AnsiColor::Blue),
        Severity::Informational => FAINT,
    }
}

/// A piece of text with its style.
pub(super) struct Span(pub(super) Style, pub(super) String);

/// A plain piece.
pub(super) fn plain(text: impl Into<String>) -> Span {
    Span(PLAIN, text.into())
}

/// A faint piece.
pub(super) fn faint(text: impl Into<String>) -> Span {
    Span(FAINT, text.into())
}

/// Lines of text of a given width, with or without colour. Everything that goes in is cleaned.
pub(super) struct Page {
    out: String,
    width: usize,
    colour: bool,
}

impl Page {
    pub(super) fn new(width: usize, colour: bool) -> Self {
        Self {
            out: String::new(),
            width: width.max(NARROWEST),
            colour,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether there is room for two columns side by side.
    pub(super) fn is_wide(&self) -> bool {
        self.width >= 60
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// One empty line, never two.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A section's heading.
    pub(super) fn heading(&mut self, title: &str) {
        self.gap();
        self.spans(0, &[Span(STRONG, title.to_uppercase())]);
    }

    /// Words in several styles, wrapped; lines after the first begin at column `hang`. Spaces stay
    /// as they are, but for those at which a line is broken.
    pub(super) fn spans(&mut self, hang: usize, spans: &[Span]) {
        let hang = hang.min(self.width / 2);
        let mut column = 0;
        let mut spaces = 0;
        let mut piece = String::new();
        for Span(style, text) in spans {
            for (number, word) in text::clean(text).split(' ').enumerate() {
                spaces += usize::from(number > 0);
                if word.is_empty() {
                    continue;
                }
                let columns = text::width(word);
                if column > hang && column + spaces + columns > self.width {
                    self.paint(*style, &std::mem::take(&mut piece));
                    self.break_line(hang);
                    (column, spaces) = (hang, 0);
                }
                if piece.is_empty() {
                    self.out.push_str(&" ".repeat(spaces));
                } else {
                    piece.push_str(&" ".repeat(spaces));
                }
                column += spaces;
                spaces = 0;
                for character in word.chars() {
                    let columns = character.width().unwrap_or(0);
                    if column + columns > self.width {
                        self.paint(*style, &std::mem::take(&mut piece));
                        self.break_line(hang);
                        column = hang;
                    }
                    piece.push(character);
                    column += columns;
                }
            }
            self.paint(*style, &std::mem::take(&mut piece));
        }
        self.out.push('\n');
    }

    fn break_line(&mut self, hang: usize) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(hang));
    }

    /// A label and what it stands for: side by side where there is room.
    pub(super) fn field(&mut self, label: &str, spans: Vec<Span>) {
        const LABEL: usize = 16;
        if self.is_wide() {
            let mut all = vec![faint(format!("  {label:<width$}", width = LABEL - 2))];
            all.extend(spans);
            self.spans(LABEL, &all);
        } else {
            self.spans(2, &[faint(format!("  {label}"))]);
            let mut all = vec![plain("    ")];
            all.extend(spans);
            self.spans(4, &all);
        }
    }

    /// A command on lines of its own, never broken and never shortened: it is there to be copied.
    pub(super) fn command(&mut self, command: &str) {
        for line in text::clean_lines(command).lines() {
            self.out.push_str("     ");
            self.paint(COMMAND, line);
            self.out.push('\n');
        }
    }

    /// A rule across the page with a title in it.
    pub(super) fn rule(&mut self, lead: Span, tail: &str) {
        let lead_text = text::clean(&lead.1).into_owned();
        let tail = text::clean(tail);
        self.paint(lead.0, &lead_text);
        let used = text::width(&lead_text) + text::width(&tail);
        let line = self.width.saturating_sub(used + 2);
        if line > 2 && !tail.is_empty() {
            self.paint(FAINT, &format!(" {} {tail}", "─".repeat(line)));
        } else {
            self.paint(
                FAINT,
                &format!(
                    " {}",
                    "─".repeat(self.width.saturating_sub(text::width(&lead_text) + 1))
                ),
            );
        }
        self.out.push('\n');
    }

    fn paint(&mut self, style: Style, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.colour && style != PLAIN {
            self.out.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.out.push_str(text);
        }
    }
}
