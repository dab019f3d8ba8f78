use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use portreeve_engine::serve::{Board, Intake, News};
use portreeve_store::{AuditEntry, Store, StoreError, StoredToken};
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use utoipa::ToSchema;

use crate::archive::Archive;
use crate::decisions::Decisions;
use crate::rate::Rates;
use crate::viewed::Viewed;

/// How much of what is new is kept for a reader that is slow; one that is slower begins anew.
const NEWS: usize = 256;

/// A rule or correlation that is in use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleLine {
    /// Its id, or its file where it has none.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: String,
    /// The file that it is in.
    pub file: String,
}

/// What all routes share.
pub struct App {
    pub(crate) board: Arc<Board>,
    pub(crate) intake: Intake,
    pub(crate) rules: Vec<RuleLine>,
    pub(crate) rates: Rates,
    /// How posture checks are tuned.
    pub(crate) posture: portreeve_posture::Settings,
    /// What pages ask of the estate, for the inventory that it was made of.
    pub(crate) derived: Mutex<Option<Arc<crate::pages::Derived>>>,
    /// The records that were kept.
    pub(crate) archive: Archive,
    viewed: Mutex<Option<Arc<Viewed>>>,
    /// How often people decided something.
    changes: AtomicU64,
    store: Mutex<Box<dyn Store>>,
    news: broadcast::Sender<News>,
    ended: watch::Sender<bool>,
    pub(crate) address: OnceLock<SocketAddr>,
    pub(crate) behind_proxy: bool,
    /// Whether nothing may be written: it is a case that was opened.
    pub(crate) read_only: bool,
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("App").finish_non_exhaustive()
    }
}

impl App {
    /// Over a watch: what it puts up, where records are handed in, the store by a connection of its own, the
    /// rules in use, how posture checks are tuned, and the records that were kept.
    pub fn new(
        board: Arc<Board>,
        intake: Intake,
        store: Box<dyn Store>,
        rules: Vec<RuleLine>,
        posture: portreeve_posture::Settings,
        archive: Archive,
    ) -> Self {
        let (news, _) = broadcast::channel(NEWS);
        let sender = news.clone();
        // Nobody may be listening.
        board.listen(move |news| drop(sender.send(news.clone())));
        Self {
            board,
            intake,
            rules,
            rates: Rates::default(),
            posture,
            derived: Mutex::default(),
            archive,
            viewed: Mutex::default(),
            changes: AtomicU64::default(),
            store: Mutex::new(store),
            news,
            ended: watch::channel(false).0,
            address: OnceLock::new(),
            behind_proxy: false,
            read_only: false,
        }
    }

    /// Lets nobody write: neither people their words, nor anyone records.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(crate) fn at(mut self, address: SocketAddr, behind_proxy: bool) -> Self {
        self.address = OnceLock::from(address);
        self.behind_proxy = behind_proxy;
        self
    }

    /// Whether nobody has to log in: on loopback, without a proxy before it.
    pub(crate) fn is_open(&self) -> bool {
        let loopback = self.address.get().is_some_and(|it| it.ip().is_loopback());
        loopback && !self.behind_proxy
    }

    pub(crate) fn tokens(&self) -> Result<usize, StoreError> {
        Ok(self.store(|store| store.tokens())?.len())
    }

    pub(crate) fn store<T>(&self, ask: impl FnOnce(&mut dyn Store) -> T) -> T {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut **store)
    }

    pub(crate) fn token_of(&self, hash: &[u8; 32]) -> Result<Option<StoredToken>, StoreError> {
        let now = Timestamp::now();
        // All are compared, each in full: how long it takes tells nothing of any.
        let mut found = None;
        for token in self.store(|store| store.tokens())? {
            let differs = token
                .hash
                .iter()
                .zip(hash)
                .fold(0, |all, (one, other)| all | (one ^ other));
            if differs == 0 && token.expires.is_none_or(|expires| now < expires) {
                found = Some(token);
            }
        }
        Ok(found)
    }

    /// Writes to the audit log. What cannot be written must not be done.
    pub(crate) fn audit(&self, who: &str, did: &str, what: &str) -> Result<(), StoreError> {
        let entry = AuditEntry {
            time: Timestamp::now(),
            who: who.to_owned(),
            did: did.to_owned(),
            what: what.to_owned(),
        };
        self.store(|store| store.audit(&entry))
    }

    /// What is shown, where it can be made out what people decided of it.
    pub(crate) fn shown(&self) -> Option<Arc<Viewed>> {
        self.viewed().ok().flatten()
    }

    /// What is shown, with what people decided of it.
    pub(crate) fn viewed(&self) -> Result<Option<Arc<Viewed>>, StoreError> {
        let Some(shown) = self.board.shown() else {
            return Ok(None);
        };
        // Whoever asks meanwhile waits for the one who goes through it.
        let mut slot = self.viewed.lock().unwrap_or_else(PoisonError::into_inner);
        // Read first: what is decided meanwhile makes it be done again.
        let changes = self.changes.load(Ordering::Acquire);
        match &*slot {
            Some(known) if known.is_of(&shown, changes) => Ok(Some(known.clone())),
            _ => {
                let decisions = self.store(|store| {
                    Decisions::new(store.decisions()?, |id| store.incident_id(id))
                })?;
                let viewed = Arc::new(Viewed::new(shown, decisions, changes));
                *slot = Some(viewed.clone());
                Ok(Some(viewed))
            }
        }
    }

    /// Says that people decided something.
    pub(crate) fn decided(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    pub(crate) fn end(&self) {
        // Streams may all be closed already.
        let _ = self.ended.send(true);
    }

    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }
}
