//! Tells others of incidents as people see them: a message to each target when one is found, and when it
//! grows graver. One that people joined of others, or took out of another, is told where it is graver than
//! what was told of those.
//!
//! What was told is kept in the store, by target and incident, so that neither a restart nor the next commit
//! tells it again. A target that cannot be reached, or asks to wait, is tried again, each time after twice as
//! long; what it is told then is how things stand then. One that refuses a message for good is not asked
//! again for the same.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portreeve_engine::serve::{Board, Shown};
use portreeve_incident::{Incident, Report};
use portreeve_model::Severity;
use portreeve_store::{Store, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::decisions::Decisions;
use crate::viewed::Viewed;

/// How long is waited after a first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What a message looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What Slack's incoming webhooks take, and many others: a text, and blocks that show it better.
    Slack,
    /// An OCSF Incident Finding and the Detection Findings that it is made of, as a JSON array.
    Ocsf,
}

/// Who is told, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// What messages look like.
    pub form: Form,
    /// Where they go; it may hold a secret, and is never shown.
    address: String,
}

/// A text that names no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected slack=URL or ocsf=URL with a URL that begins with https:// or http://")]
pub struct TargetError;

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (form, address) = text.split_once('=').ok_or(TargetError)?;
        let form = match form {
            "slack" => Form::Slack,
            "ocsf" => Form::Ocsf,
            _ => return Err(TargetError),
        };
        let rest = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"));
        match rest {
            Some(rest) if !rest.is_empty() => Ok(Self {
                form,
                address: address.to_owned(),
            }),
            _ => Err(TargetError),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} at {}", self.form, self.host())
    }
}

impl Target {
    /// The host, which is no secret.
    pub fn host(&self) -> &str {
        let rest = self.address.split("://").nth(1).unwrap_or_default();
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        host.rsplit('@').next().unwrap_or_default()
    }

    /// What it is called in the store: nothing of the address can be read from it.
    fn key(&self) -> String {
        let digest = Sha256::digest(&self.address);
        let hex: String = digest[..8].iter().map(|it| format!("{it:02x}")).collect();
        format!("{:?}:{hex}", self.form)
    }

    fn message(&self, report: &Report, incident: &Incident, page: Option<&str>) -> String {
        match self.form {
            Form::Slack => slack(incident, page).to_string(),
            Form::Ocsf => {
                Value::from(portreeve_view::ocsf::of_incident(report, incident)).to_string()
            }
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Taken,
    /// It was refused for good, with this status.
    Refused(u16),
    /// Not now; perhaps later, at least after so long.
    Later(Duration),
}

impl Sent {
    /// By an HTTP status, and for how many seconds the answer asks to wait.
    pub fn by(status: u16, retry_after: Option<u64>) -> Self {
        match status {
            200..=299 => Self::Taken,
            // "Request Timeout", "Too Early", "Too Many Requests" (RFC 9110, 8470, 6585), and whatever is
            // the receiver's own fault.
            408 | 425 | 429 | 500..=599 => {
                Self::Later(Duration::from_secs(retry_after.unwrap_or(0)))
            }
            _ => Self::Refused(status),
        }
    }
}

/// Sends a message to an address.
pub type Send = dyn Fn(&str, &str) -> Sent + std::marker::Send;

/// Whether a target is to be told of an incident: one that is grave enough, and graver than when it was told
/// last of it, or of what it was made of.
fn is_due(incident: &Incident, at_least: Severity, told: &BTreeMap<String, Severity>) -> bool {
    let by_people = incident.by_people.iter();
    let made_of = by_people.flat_map(|it| it.joined.iter().chain(&it.part_of));
    let ids = made_of.chain([&incident.id]);
    let known = ids.filter_map(|id| told.get(id)).max();
    incident.severity >= at_least && known.is_none_or(|known| incident.severity > *known)
}

/// What is shown, with what people decided of it.
fn viewed(shown: Arc<Shown>, store: &dyn Store) -> Result<Viewed, StoreError> {
    let decisions = Decisions::new(store.decisions()?, |id| store.incident_id(id))?;
    Ok(Viewed::new(shown, decisions, 0))
}

fn slack(incident: &Incident, page: Option<&str>) -> Value {
    let severity = incident.severity.as_str();
    let title = format!(
        "{} incident, score {}",
        severity.to_uppercase(),
        incident.score
    );
    let link = page.map(|page| format!("{page}/incidents/{}", incident.id));
    let mut context = vec![format!("id {}", incident.id)];
    context.extend(incident.first_sign.map(|time| format!("first sign {time}")));
    context.extend(
        incident
            .last_activity
            .map(|time| format!("last activity {time}")),
    );
    let mut words = plain(&incident.headline);
    if let Some(link) = &link {
        words.push_str(&format!("\n<{link}|Open the incident>"));
    }
    json!({
        "text": format!("{title}: {}", plain(&incident.headline)),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            {"type": "section", "text": {"type": "mrkdwn", "text": words}},
            {"type": "context", "elements": [
                {"type": "mrkdwn", "text": plain(&context.join(" · "))}
            ]}
        ]
    })
}

/// Text that Slack shows as it is: nothing of it is a link or calls anyone ("Escaping text", Slack API), and
/// no section is longer than its 3,000 characters.
fn plain(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    match escaped.char_indices().nth(2_000) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}

/// One target with what it was told, and when it may be asked again.
struct Told {
    target: Target,
    told: BTreeMap<String, Severity>,
    wait: Duration,
    not_before: Option<Instant>,
}

impl Told {
    fn load(target: Target, store: &dyn Store) -> Result<Self, StoreError> {
        let told = store.told(&target.key())?;
        Ok(Self {
            told: told
                .into_iter()
                .filter_map(|(id, state)| Some((id, state.parse().ok()?)))
                .collect(),
            target,
            wait: FIRST_WAIT,
            not_before: None,
        })
    }

    fn may_ask(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|time| now >= time)
    }

    /// Tells what is due. Gives what went wrong, in words.
    fn tell(
        &mut self,
        report: &Report,
        incidents: &[&Incident],
        at_least: Severity,
        page: Option<&str>,
        send: &Send,
        store: &mut dyn Store,
    ) -> Option<String> {
        for incident in incidents {
            if !is_due(incident, at_least, &self.told) {
                continue;
            }
            let message = self.target.message(report, incident, page);
            let refused = match send(&self.target.address, &message) {
                Sent::Taken => None,
                Sent::Refused(status) => Some(status),
                Sent::Later(asked) => {
                    let wait = self.wait.max(asked).min(LONGEST_WAIT);
                    self.wait = (self.wait * 2).min(LONGEST_WAIT);
                    self.not_before = Some(Instant::now() + wait);
                    return Some(format!(
                        "{:?} is not reached; tried again in {} s",
                        self.target,
                        wait.as_secs()
                    ));
                }
            };
            (self.wait, self.not_before) = (FIRST_WAIT, None);
            self.told.insert(incident.id.clone(), incident.severity);
            let state = incident.severity.as_str();
            if let Err(error) = store.set_told(&self.target.key(), &incident.id, state) {
                // Told again after a restart, rather than never.
                return Some(format!("what was told cannot be kept: {error}"));
            }
            if let Some(status) = refused {
                return Some(format!(
                    "{:?} refuses what it is told of incident {}: status {status}",
                    self.target, incident.id
                ));
            }
        }
        None
    }
}

/// Who is told of incidents, from which severity on, and by what address the page is known to them.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Who is told.
    pub targets: Vec<Target>,
    /// What is less grave is not told.
    pub at_least: Severity,
    /// The page's address, for links.
    pub page: Option<String>,
}

/// Tells of incidents in a thread of its own, from now on until the board is gone or `ended` says so. What
/// goes wrong is said by `say`, and tried again.
///
/// # Errors
/// Where what was told before cannot be read, or no thread be started.
pub fn start(
    notify: Notify,
    board: Arc<Board>,
    mut store: Box<dyn Store>,
    send: Box<Send>,
    ended: impl Fn() -> bool + std::marker::Send + 'static,
    say: impl Fn(&str) + std::marker::Send + 'static,
) -> Result<(), crate::ServerError> {
    let mut all = Vec::new();
    for target in notify.targets.clone() {
        all.push(Told::load(target, &*store)?);
    }
    let (wake, woken) = sync_channel(1);
    // One wake that waits is enough: it looks at everything.
    board.listen(move |_| {
        let _ = wake.try_send(());
    });
    std::thread::Builder::new()
        .name("notify".to_owned())
        .spawn(move || {
            while let Some(is_news) = wait(&woken) {
                if ended() {
                    return;
                }
                let now = Instant::now();
                let is_due = |it: &Told| it.may_ask(now) && (is_news || it.not_before.is_some());
                if !all.iter().any(is_due) {
                    continue;
                }
                let Some(shown) = board.shown() else { continue };
                let viewed = match viewed(shown, &*store) {
                    Ok(viewed) => viewed,
                    Err(error) => {
                        say(&format!("what people decided cannot be read: {error}"));
                        continue;
                    }
                };
                let (report, incidents) = (&viewed.report, viewed.incidents());
                for told in all.iter_mut().filter(|it| it.may_ask(now)) {
                    let page = notify.page.as_deref();
                    let at_least = notify.at_least;
                    let trouble =
                        told.tell(report, &incidents, at_least, page, &*send, &mut *store);
                    if let Some(trouble) = trouble {
                        say(&trouble);
                    }
                }
            }
        })?;
    Ok(())
}

/// Whether there is news; `None` where there will be none.
fn wait(woken: &Receiver<()>) -> Option<bool> {
    match woken.recv_timeout(Duration::from_millis(500)) {
        Ok(()) => Some(true),
        Err(RecvTimeoutError::Timeout) => Some(false),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

/// Sends by HTTP.
#[cfg(feature = "notify")]
pub fn by_http() -> Box<Send> {
    let web = portreeve_engine::Web::default();
    Box::new(move |address, body| match web.post_json(address, body) {
        Ok(answer) => Sent::by(answer.status, answer.retry_after),
        Err(_) => Sent::Later(Duration::ZERO),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::Mutex;

    use portreeve_incident::decide::ByPeople;
    use portreeve_store::Sqlite;

    fn report(severity: &str, ids: &[&str]) -> Report {
        let incidents = ids.iter().map(|id| {
            json!({
                "id": id, "severity": severity, "score": 80, "headline": "A <key> & more",
                "score_parts": [], "narrative": [], "first_sign": "2026-03-03T07:44:00Z",
                "last_activity": null, "principals": [], "credentials": [],
                "credential_stories": [], "techniques": [], "tactics": [], "findings": [],
                "timeline": [], "touched": [], "paths": [], "response": []
            })
        });
        serde_json::from_value(json!({
            "version": "0", "rules_sha256": "", "rules": 0, "simulated": false,
            "incidents": incidents.collect::<Vec<_>>(), "findings": [], "jewels": [],
            "coverage": [], "blind_spots": [], "dead_letters": [], "dead_letters_omitted": 0,
            "inputs": [], "notes": [], "summary": {"records": 0, "bytes": 0, "seconds": 0.0}
        }))
        .unwrap()
    }

    #[test]
    fn targets_are_read_and_keep_their_secret() {
        let target: Target = "slack=https://user:pw@hooks.example/T0/secret"
            .parse()
            .unwrap();
        let shown = format!("{target:?} {}", target.key());
        assert!(shown.starts_with("Slack at hooks.example "), "{shown}");
        assert!(
            !shown.contains("secret") && !shown.contains("pw"),
            "{shown}"
        );
        for bad in [
            "",
            "slack",
            "slack=",
            "slack=ftp://x",
            "teams=https://x",
            "ocsf=https://",
        ] {
            assert_eq!(bad.parse::<Target>(), Err(TargetError), "{bad}");
        }
    }

    #[test]
    fn statuses_say_whether_to_try_again() {
        assert_eq!(Sent::by(204, None), Sent::Taken);
        assert_eq!(Sent::by(429, Some(7)), Sent::Later(Duration::from_secs(7)));
        assert_eq!(Sent::by(503, None), Sent::Later(Duration::ZERO));
        assert_eq!(Sent::by(404, None), Sent::Refused(404));
    }

    #[test]
    fn slack_is_told_in_its_own_form() {
        let report = report("high", &["i1"]);
        let message = slack(&report.incidents[0], Some("https://watch.example"));
        assert_eq!(
            message["text"],
            "HIGH incident, score 80: A &lt;key&gt; &amp; more"
        );
        let words = message["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(words.ends_with("<https://watch.example/incidents/i1|Open the incident>"));
        assert!(plain(&"&".repeat(5_000)).chars().count() <= 2_001);
    }

    #[test]
    fn what_people_made_is_told_where_it_is_graver_than_what_it_was_made_of() {
        let told = BTreeMap::from([("i1".to_owned(), Severity::High)]);
        let due = |severity: &str, by_people: ByPeople| {
            let mut report = report(severity, &["i2"]);
            report.incidents[0].by_people = Some(by_people);
            is_due(&report.incidents[0], Severity::Medium, &told)
        };
        let joined = |id: &str| ByPeople {
            joined: vec![id.to_owned()],
            ..ByPeople::default()
        };
        assert!(!due("high", joined("i1")));
        assert!(due("critical", joined("i1")));
        assert!(due("high", joined("i3")));
        let part = ByPeople {
            part_of: vec!["i1".to_owned()],
            ..ByPeople::default()
        };
        assert!(!due("high", part));
    }

    #[test]
    fn each_is_told_once_again_when_graver_and_after_a_restart_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portreeve.db");
        let mut store = Sqlite::open(&path).unwrap();
        let target: Target = "ocsf=https://siem.example/in".parse().unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (kept, fails) = (sent.clone(), Mutex::new(RefCell::new(1)));
        let send: Box<Send> = Box::new(move |_, body| {
            let fails = fails.lock().unwrap();
            if *fails.borrow() > 0 {
                *fails.borrow_mut() -= 1;
                return Sent::Later(Duration::ZERO);
            }
            kept.lock().unwrap().push(body.to_owned());
            Sent::Taken
        });
        let mut told = Told::load(target.clone(), &store).unwrap();
        let tell = |told: &mut Told, store: &mut Sqlite, severity: &str| {
            let report = report(severity, &["i1", "i2"]);
            let incidents: Vec<&Incident> = report.incidents.iter().collect();
            told.tell(&report, &incidents, Severity::High, None, &*send, store)
        };
        assert_eq!(tell(&mut told, &mut store, "medium"), None);
        // The first time it is not reached, and waits.
        let trouble = tell(&mut told, &mut store, "high").unwrap();
        assert!(trouble.contains("siem.example"), "{trouble}");
        assert!(!told.may_ask(Instant::now()));
        assert_eq!(sent.lock().unwrap().len(), 0);
        assert_eq!(tell(&mut told, &mut store, "high"), None);
        assert_eq!(tell(&mut told, &mut store, "high"), None);
        assert_eq!(sent.lock().unwrap().len(), 2);
        assert_eq!(tell(&mut told, &mut store, "critical"), None);
        assert_eq!(sent.lock().unwrap().len(), 4);
        let mut again = Told::load(target, &store).unwrap();
        assert_eq!(tell(&mut again, &mut store, "critical"), None);
        assert_eq!(sent.lock().unwrap().len(), 4);
        let first: Value = serde_json::from_str(&sent.lock().unwrap()[0]).unwrap();
        assert_eq!(first[0]["class_uid"], 2005);
    }
}
