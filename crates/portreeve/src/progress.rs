use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use portreeve_engine::Progress;

/// Shows on standard error how far the run is; on anything but a terminal it shows nothing.
#[derive(Default)]
pub(crate) struct Bar {
    bar: Mutex<Option<ProgressBar>>,
    matches: AtomicU64,
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        if total > 0 {
            let bytes = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            self.show(what, ProgressBar::new(total), bytes);
        } else {
            self.show(what, ProgressBar::new_spinner(), "{msg} {spinner}");
        }
    }

    fn advance(&self, bytes: u64) {
        if let Ok(slot) = self.bar.lock()
            && let Some(bar) = &*slot
        {
            bar.inc(bytes);
        }
    }

    fn found(&self, matches: u64) {
        if matches == 0 {
            return;
        }
        let all = self.matches.fetch_add(matches, Ordering::Relaxed) + matches;
        if let Ok(slot) = self.bar.lock()
            && let Some(bar) = &*slot
        {
            let matches = portreeve_view::text::counted(all, "match", "matches");
            bar.set_message(format!("Hunting, {matches}"));
        }
    }
}

impl Bar {
    /// A new part of the run begins, of so many pieces; each is one for `advance`.
    pub(crate) fn begin_pieces(&self, what: &str, pieces: usize) {
        let bar = ProgressBar::new(pieces as u64);
        self.show(what, bar, "{msg} {wide_bar} {pos}/{len} {eta}");
    }

    fn show(&self, what: &str, bar: ProgressBar, template: &str) {
        let Ok(mut slot) = self.bar.lock() else {
            return;
        };
        if let Some(former) = slot.take() {
            former.finish_and_clear();
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        *slot = Some(bar);
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(bar) = slot.take()
        {
            bar.finish_and_clear();
        }
    }
}
