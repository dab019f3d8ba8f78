//! What every request about one incident begins with: who asks, and which incident it is.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use portreeve_incident::Incident;
use serde::Deserialize;

use super::{apart, shown};
use crate::access::Caller;
use crate::app::App;
use crate::error::Refused;
use crate::extract::Path;
use crate::viewed::Viewed;

/// A request about an incident.
pub(crate) struct About {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) named: Named,
}

/// What the path names.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    /// One finding of it.
    pub(crate) finding: Option<String>,
    /// One decision about it.
    pub(crate) number: Option<u64>,
}

impl FromRequestParts<Arc<App>> for About {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let Path(named) = Path::from_request_parts(parts, app).await?;
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self {
            app: app.clone(),
            caller: caller.ok_or_else(Refused::unknown)?,
            headers: parts.headers.clone(),
            named,
        })
    }
}

/// The incident that a request is about, as it is shown now.
pub(crate) struct Told<'t> {
    pub(crate) about: &'t About,
    pub(crate) shown: &'t Viewed,
    pub(crate) incident: &'t Incident,
}

impl About {
    /// Works something out of the incident on a thread that may wait.
    pub(crate) async fn told<T: Send + 'static>(
        self,
        tell: impl FnOnce(&Told<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        apart(move || {
            let shown = &*shown(&self.app)?;
            let incident = find(&self.app, shown, &self.named.id)?;
            let about = &self;
            tell(&Told {
                about,
                shown,
                incident,
            })
        })
        .await
    }
}

/// An incident by any id that it was called by.
fn find<'v>(app: &App, shown: &'v Viewed, id: &str) -> Result<&'v Incident, Refused> {
    let found = match shown.incident(id) {
        Some(incident) => Some(incident),
        None => shown.incident(&app.store(|store| store.incident_id(id))?),
    };
    found.ok_or_else(|| Refused::missing("incident"))
}

impl Told<'_> {
    /// Another incident, likewise by any id.
    pub(crate) fn other(&self, id: &str) -> Result<&Incident, Refused> {
        find(&self.about.app, self.shown, id)
    }
}
