//! Being told to stop: by Ctrl-C, or as service managers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Until the process is told to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a way to hear of it the process ends as the system ends it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A flag that is set once the process is told to end. Who is told a second time does not wait: the
/// process ends.
pub(crate) fn asked() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
        else {
            return;
        };
        runtime.block_on(async {
            interrupted().await;
            set.store(true, Ordering::Relaxed);
            interrupted().await;
            std::process::exit(INTERRUPTED);
        });
    });
    flag
}

/// What shells take for the end by Ctrl-C.
const INTERRUPTED: i32 = 130;
