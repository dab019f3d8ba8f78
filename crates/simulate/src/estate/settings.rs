use std::fmt::Write;

use crate::network;
use crate::organisation::ACCOUNTS;

/// What the organisation declares about itself.
pub(crate) fn text() -> String {
    let mut text = String::from(
        "# Simulated: what the fictional organisation Halyard declares about itself.\nsimulated = true\n\n[accounts]\n",
    );
    for account in ACCOUNTS {
        let _ = writeln!(text, "\"{}\" = \"{}\"", account.id, account.name);
    }
    text.push_str("\n[networks]\n");
    for (range, class, whose) in network::DECLARED {
        let _ = writeln!(text, "\"{range}\" = \"{class}\" # {whose}");
    }
    text
}
