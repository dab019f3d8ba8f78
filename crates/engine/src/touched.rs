//! Whether something was touched, asked of all that was gathered.

use portreeve_incident::touch::{Question, Subject, Touch, touch};

use crate::gathered::Gathered;

/// A question about a touch that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TouchError {
    /// No incident has the id.
    #[error(
        "no incident is called `{asked}`; {}",
        match known.as_slice() {
            [] => "none was found in these logs".to_owned(),
            known => format!("there are {}", known.join(", ")),
        }
    )]
    NoIncident {
        /// The id.
        asked: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Nothing has the name.
    #[error(
        "nothing in the inventory or the logs is called `{0}`; give an ARN, s3://BUCKET/KEY, an access \
         key id, or the name of a resource or principal"
    )]
    NothingCalled(String),
}

impl Gathered {
    /// Whether a resource was touched, or what a principal touched: by anyone, or by the credentials of
    /// one incident, whose id may be cut short.
    pub fn touched(
        &mut self,
        asked: &str,
        by: Option<&str>,
        subject: Option<Subject>,
    ) -> Result<Touch, TouchError> {
        let incidents = match by {
            Some(_) => {
                let exceptions = self.settings.exceptions.clone();
                self.incidents(&exceptions).0
            }
            None => Vec::new(),
        };
        let incident = match by {
            Some(id) => Some(
                incidents
                    .iter()
                    .find(|incident| incident.id == id)
                    .or_else(|| {
                        incidents
                            .iter()
                            .find(|incident| incident.id.starts_with(id))
                    })
                    .ok_or_else(|| TouchError::NoIncident {
                        asked: id.to_owned(),
                        known: incidents.iter().map(|it| it.id.clone()).collect(),
                    })?,
            ),
            None => None,
        };
        let known = self.graph.lookup(asked);
        touch(&Question {
            asked,
            known: &known,
            subject,
            by: incident,
            folded: &self.folded,
            networks: &self.networks,
            estate: &self.estate,
            verification: self.verification.as_ref(),
        })
        .ok_or_else(|| TouchError::NothingCalled(asked.to_owned()))
    }
}
