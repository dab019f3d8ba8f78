use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use portreeve_engine::{LineNote, test_policies};
use portreeve_view::policy::{PolicyTests, TestedCase, UnreadLine};
use portreeve_view::{html, json, ndjson, terminal, text};

use crate::Ending;
use crate::arguments::{Policy, PolicyTask, PolicyTest, PolicyTestFormat};
use crate::output;

pub(crate) fn run(options: &Policy) -> Result<Ending> {
    match &options.task {
        PolicyTask::Test(options) => test(options),
    }
}

fn test(options: &PolicyTest) -> Result<Ending> {
    let start = Instant::now();
    let found = test_policies(&options.paths);
    let seconds = start.elapsed().as_secs_f64();
    let say = |text: &str| say!("portreeve: {}", text::clean_lines(text));
    for letter in &found.dead_letters {
        say(&format!("{}: {}", letter.file, letter.reason));
    }
    // On the terminal they are told among the failures.
    let told = options.format == PolicyTestFormat::Terminal && options.place.output.is_none();
    for note in found.unread.iter().filter(|_| !told) {
        say(&format!("{}:{}: {}", note.file, note.line, note.text));
    }
    // A name that every case has is told once.
    let mut odd: BTreeMap<&str, (&LineNote, usize)> = BTreeMap::new();
    for note in &found.odd {
        odd.entry(&note.text).or_insert((note, 0)).1 += 1;
    }
    for (note, count) in odd.into_values() {
        let more = match count - 1 {
            0 => String::new(),
            more => format!(
                " ({} too)",
                text::counted(more as u64, "more line", "more lines")
            ),
        };
        say(&format!("{}:{}: {}{more}", note.file, note.line, note.text));
    }
    if found.tests.is_empty() && found.unread.is_empty() {
        say("no case was found; expected files with one JSON case a line (docs/policy-test.md)");
        return Ok(Ending::NoInput);
    }
    let cases: Vec<TestedCase<'_>> = found
        .tests
        .iter()
        .map(|test| TestedCase {
            id: &test.outcome.id,
            decision: test.outcome.decision,
            layer: test.outcome.layer,
            statement: test.outcome.statement.as_ref(),
            depends_on: &test.outcome.depends_on,
            expected: test.expected,
            pass: test.outcome.pass,
            reason: test.outcome.reason.as_deref(),
            principal: &test.question[0],
            action: &test.question[1],
            resource: &test.question[2],
            file: &test.file,
            line: test.line,
        })
        .collect();
    let unread: Vec<UnreadLine<'_>> = found
        .unread
        .iter()
        .map(|note| UnreadLine {
            file: &note.file,
            line: note.line,
            reason: &note.text,
        })
        .collect();
    let tests = PolicyTests {
        cases: &cases,
        unread: &unread,
        seconds,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            PolicyTestFormat::Terminal => {
                out.write_all(terminal::policy_tests(&tests, layout).as_bytes())?;
            }
            PolicyTestFormat::Json => json::policy_tests(&tests, &mut out)?,
            PolicyTestFormat::Ndjson => ndjson::policy_tests(tests.cases, &mut out)?,
            PolicyTestFormat::Html => out.write_all(html::policy_tests(&tests).as_bytes())?,
        }
        Ok(())
    })?;
    // A file that cannot be read to its end may hold cases that fail.
    let held = found.failed() == 0 && unread.is_empty() && found.dead_letters.is_empty();
    Ok(if held {
        Ending::Clean
    } else {
        Ending::Findings
    })
}
