//! A picture of terminal output, for pages that show what a command prints.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use crate::text;

const COLUMN: f64 = 8.43;
const LINE: f64 = 19.0;
const MARGIN: f64 = 22.0;
const TITLE_BAR: f64 = 34.0;

/// Draws what a terminal would show of text with ANSI colours (SGR sequences): one SVG file that
/// needs no font file and no network. Other escape sequences are left out.
pub fn terminal(ansi: &str) -> String {
    titled(ansi, "")
}

/// As [`terminal`], with the command in the window's title bar.
pub fn titled(ansi: &str, title: &str) -> String {
    let lines: Vec<Vec<Run>> = read(ansi);
    let columns = lines
        .iter()
        .map(|runs| runs.iter().map(|run| text::width(&run.text)).sum::<usize>())
        .max()
        .unwrap_or(0)
        .max(40);
    let width = (columns as f64 * COLUMN + 2.0 * MARGIN).ceil();
    let height = (lines.len() as f64 * LINE + TITLE_BAR + MARGIN + 6.0).ceil();
    let mut svg = String::new();
    // Writing to a `String` cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"Terminal: {}\">\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\
         monospace;fill:#d5dbe3;white-space:pre}}.b{{font-weight:700}}.d{{fill:#8b96a5}}\
         .c1{{fill:#ff7b72}}.c2{{fill:#7ee2a0}}.c3{{fill:#f2c265}}.c4{{fill:#79b8ff}}\
         .c5{{fill:#d2a8ff}}.c6{{fill:#76d9e6}}.c0{{fill:#8b96a5}}.c7{{fill:#f0f3f6}}\
         .i{{fill:#161b22}}.t{{fill:#8b96a5;font-size:13px}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"#161b22\"/>\n\
         <circle cx=\"20\" cy=\"17\" r=\"5\" fill=\"#3a4350\"/>\
         <circle cx=\"37\" cy=\"17\" r=\"5\" fill=\"#3a4350\"/>\
         <circle cx=\"54\" cy=\"17\" r=\"5\" fill=\"#3a4350\"/>\n",
        escape(title)
    );
    if !title.is_empty() {
        let _ = writeln!(
            svg,
            "<text class=\"t\" x=\"76\" y=\"21.5\">{}</text>",
            escape(title)
        );
    }
    for (number, runs) in lines.iter().enumerate() {
        let baseline = TITLE_BAR + 18.0 + number as f64 * LINE;
        let mut column = 0;
        for run in runs {
            let columns = text::width(&run.text);
            let x = MARGIN + column as f64 * COLUMN;
            let length = columns as f64 * COLUMN;
            column += columns;
            if let Some(colour) = run.style.background {
                let _ = write!(
                    svg,
                    "<rect x=\"{x:.2}\" y=\"{:.1}\" width=\"{length:.2}\" height=\"{LINE}\" rx=\"2\" class=\"c{colour}\"/>",
                    baseline - 14.0
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let _ = write!(
                svg,
                "<text x=\"{x:.2}\" y=\"{baseline:.1}\" textLength=\"{length:.2}\"{}>{}</text>",
                run.style.class(),
                escape(&run.text)
            );
        }
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    svg
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Style {
    bold: bool,
    dim: bool,
    colour: Option<u8>,
    background: Option<u8>,
}

impl Style {
    fn class(self) -> String {
        let mut names = Vec::new();
        if self.bold {
            names.push("b".to_owned());
        }
        if self.background.is_some() {
            names.push("i".to_owned());
        } else if self.dim {
            names.push("d".to_owned());
        } else if let Some(colour) = self.colour {
            names.push(format!("c{colour}"));
        }
        match names.is_empty() {
            true => String::new(),
            false => format!(" class=\"{}\"", names.join(" ")),
        }
    }

    fn apply(&mut self, code: u16) {
        match code {
            0 => *self = Style::default(),
            1 => self.bold = true,
            2 => self.dim = true,
            22 => (self.bold, self.dim) = (false, false),
            30..=37 => self.colour = Some((code - 30) as u8),
            39 => self.colour = None,
            40..=47 => self.background = Some((code - 40) as u8),
            49 => self.background = None,
            90..=97 => self.colour = Some((code - 90) as u8),
            100..=107 => self.background = Some((code - 100) as u8),
            _ => {}
        }
    }
}

struct Run {
    text: String,
    style: Style,
}

fn read(ansi: &str) -> Vec<Vec<Run>> {
    let mut style = Style::default();
    let mut lines = Vec::new();
    for line in ansi.lines() {
        let mut runs: Vec<Run> = Vec::new();
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            if character == '\u{1b}' {
                if characters.next_if_eq(&'[').is_none() {
                    continue;
                }
                let mut parameters = String::new();
                let last = loop {
                    match characters.next() {
                        Some(next) if next.is_ascii_digit() || next == ';' => parameters.push(next),
                        other => break other,
                    }
                };
                if last == Some('m') {
                    for code in parameters.split(';') {
                        style.apply(if code.is_empty() {
                            0
                        } else {
                            code.parse().unwrap_or(u16::MAX)
                        });
                    }
                }
                continue;
            }
            if character.width().is_none() {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.style == style => run.text.push(character),
                _ => runs.push(Run {
                    text: character.to_string(),
                    style,
                }),
            }
        }
        lines.push(runs);
    }
    lines
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_text_is_escaped() {
        let svg = titled(
            "\u{1b}[1m\u{1b}[31mHIGH\u{1b}[0m <b> & c\nplain",
            "run \"x\"",
        );
        assert!(svg.contains("class=\"b c1\">HIGH</text>"), "{svg}");
        assert!(svg.contains("&lt;b&gt; &amp; c</text>"));
        assert!(svg.contains("run &quot;x&quot;"));
        assert!(!svg.contains('\u{1b}'));
    }

    #[test]
    fn broken_sequences_do_no_harm() {
        for broken in [
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}[999999m",
            "\u{1b}[1;;m",
            "\u{1b}]0;x",
        ] {
            assert!(terminal(broken).ends_with("</svg>\n"));
        }
    }
}
