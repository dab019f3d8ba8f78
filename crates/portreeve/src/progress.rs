use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use portreeve_engine::Progress;

/// Shows on standard error how far the run is; on anything but a terminal it shows nothing.
#[derive(Default)]
pub(crate) struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        let Ok(mut slot) = self.bar.lock() else {
            return;
        };
        if let Some(former) = slot.take() {
            former.finish_and_clear();
        }
        let (bar, template) = if total > 0 {
            (
                ProgressBar::new(total),
                "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
            )
        } else {
            (ProgressBar::new_spinner(), "{msg} {spinner}")
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        *slot = Some(bar);
    }

    fn advance(&self, bytes: u64) {
        if let Ok(slot) = self.bar.lock()
            && let Some(bar) = &*slot
        {
            bar.inc(bytes);
        }
    }
}

impl Bar {
    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(bar) = slot.take()
        {
            bar.finish_and_clear();
        }
    }
}
