//! For machines that watch the watch: Prometheus text, health, readiness.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use portreeve_engine::serve::{Health, LATENCIES};

use crate::app::App;

/// Whether the process lives and has not failed.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
    match app.board.health() {
        Health::Failed(why) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("failed: {why}\n"),
        ),
        _ => (StatusCode::OK, "alive\n".to_owned()),
    }
    .into_response()
}

/// Whether records are taken in.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let (status, words) = match app.board.health() {
        Health::Watching => (StatusCode::OK, "ready".to_owned()),
        Health::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting".to_owned()),
        Health::Waiting(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("waiting: {why}")),
        Health::Failed(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("failed: {why}")),
        Health::Ended => (StatusCode::SERVICE_UNAVAILABLE, "ended".to_owned()),
    };
    (status, format!("{words}\n")).into_response()
}

/// All figures, in the text format of Prometheus.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let body = text(&app);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn text(app: &App) -> String {
    let figures = app.board.figures();
    let mut out = String::new();
    let mut put = |name: &str, kind: &str, help: &str, value: f64| {
        // Writing to a text cannot fail.
        let _ = writeln!(
            out,
            "# HELP portreeve_{name} {help}\n# TYPE portreeve_{name} {kind}\nportreeve_{name} {value}"
        );
    };
    let counter = "counter";
    put(
        "records_total",
        counter,
        "Records taken in.",
        figures.records as f64,
    );
    put(
        "bytes_total",
        counter,
        "Bytes of records taken in.",
        figures.bytes as f64,
    );
    put(
        "folds_total",
        counter,
        "How often everything was folded.",
        figures.folds as f64,
    );
    put(
        "fold_seconds_total",
        counter,
        "Seconds that folding took.",
        figures.fold_seconds,
    );
    put(
        "commit_seconds_total",
        counter,
        "Seconds that commits took.",
        figures.commit_seconds,
    );
    let gauge = "gauge";
    put(
        "fold_seconds",
        gauge,
        "Seconds that the last fold took.",
        figures.last_fold_seconds,
    );
    put(
        "rows",
        gauge,
        "Records that stage two holds.",
        figures.rows as f64,
    );
    put(
        "late_records",
        gauge,
        "Records that came later than what is held whole: correlations have not seen them.",
        figures.late as f64,
    );
    if let Some(time) = figures.sealed_until {
        put(
            "sealed_until_seconds",
            gauge,
            "The time since which records are held whole, in seconds since 1970.",
            time.as_second() as f64,
        );
    }
    put(
        "inputs_missing",
        gauge,
        "Inputs that are not to be had at the moment.",
        figures.troubles.len() as f64,
    );
    put(
        "dead_letters",
        gauge,
        "Parts that could not be read.",
        figures.dead_letters as f64,
    );
    put(
        "caught_up",
        gauge,
        "1 where all is read that there is.",
        f64::from(u8::from(figures.caught_up)),
    );
    put(
        "ready",
        gauge,
        "1 where records are taken in.",
        f64::from(u8::from(app.board.health().is_ready())),
    );
    if let Some(time) = figures.watermark {
        let behind = Timestamp::now().as_second() - time.as_second();
        put(
            "watermark_seconds",
            gauge,
            "The latest event time, in seconds since 1970.",
            time.as_second() as f64,
        );
        put(
            "behind_seconds",
            gauge,
            "How far the latest event is behind the clock.",
            behind as f64,
        );
    }
    if let Some(shown) = app.shown() {
        put(
            "findings",
            gauge,
            "Findings.",
            shown.report.findings.len() as f64,
        );
        put(
            "incidents",
            gauge,
            "Incidents.",
            shown.incidents().len() as f64,
        );
        put(
            "revision",
            gauge,
            "The number of the last commit.",
            shown.revision as f64,
        );
    }
    histogram(
        &mut out,
        "portreeve_arrival_to_judged_seconds",
        "Seconds from a record's arrival to the commit that keeps it, with the findings that need no other record.",
        &figures.judged,
    );
    histogram(
        &mut out,
        "portreeve_arrival_to_commit_seconds",
        "Seconds from a record's arrival to the commit with all that follows from it.",
        &figures.latency,
    );
    out
}

fn histogram(out: &mut String, name: &str, help: &str, counts: &[u64; LATENCIES.len()]) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
    let mut so_far = 0;
    for (bound, count) in LATENCIES.iter().zip(counts) {
        so_far += count;
        let bound = match *bound {
            u64::MAX => "+Inf".to_owned(),
            millis => (millis as f64 / 1_000.0).to_string(),
        };
        let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {so_far}");
    }
    let _ = writeln!(out, "{name}_count {so_far}");
}
