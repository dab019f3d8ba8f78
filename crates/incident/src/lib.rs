//! Findings and graph to incidents: one story for each intrusion, with what it touched, how far
//! it could still go, and what to do first.

mod report;

pub use report::{
    CredentialStory, Incident, NetworkUse, Report, ResponseStep, ScorePart, Summary, TimelineEntry,
    TimelineRole, Touched,
};
