//! What a command says beside its output, on standard error.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Says something, as `eprintln!` does, but for one thing: who has closed standard error (`2>&1 | head`, a log
/// that went away) does not want to know, and the command goes on.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say::to_standard_error(format_args!($($words)*))
    };
}

pub(crate) fn to_standard_error(words: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{words}");
}
