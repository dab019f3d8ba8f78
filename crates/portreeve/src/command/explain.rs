use std::path::Path;

use anyhow::Result;
use portreeve_engine::{HuntRules, Placeholders, explain, record_named};
use portreeve_view::terminal;

use super::can::usage;
use crate::Ending;
use crate::arguments::Place;
use crate::output;

/// Why a rule matches a record, or does not.
pub(super) fn run(
    rule: &str,
    record: &str,
    rules: &HuntRules,
    placeholders: &Placeholders,
    place: &Place,
) -> Result<Ending> {
    let meant = rules.rules.iter().find(|one| {
        let stem = Path::new(&*one.file).file_stem();
        one.id.as_deref() == Some(rule)
            || one.title.eq_ignore_ascii_case(rule)
            || stem.is_some_and(|stem| stem == rule)
    });
    let Some(meant) = meant else {
        return Ok(usage(&format!(
            "no rule has the id, the title or the file name `{rule}`; give its file or folder with `-r`"
        )));
    };
    let record = match record_named(record) {
        Ok(record) => record,
        Err(error) => return Ok(usage(&error.to_string())),
    };
    let explained = match explain(meant, placeholders, &record) {
        Ok(explained) => explained,
        Err(error) => return Ok(usage(&format!("the record cannot be read: {error}"))),
    };
    output::answer(place, true, |layout, out| {
        out.write_all(terminal::explained(&meant.title, &explained, layout).as_bytes())?;
        Ok(())
    })?;
    Ok(Ending::Clean)
}
