//! The inventory, in the shapes in which the provider's command line prints it.

mod settings;

use crate::stage::Stage;
use crate::{SimulateError, Sink};

/// Writes all files; says how many.
pub(crate) fn write(stage: &Stage, sink: &mut dyn Sink) -> Result<usize, SimulateError> {
    sink.estate("portreeve.toml", settings::text(stage).as_bytes())?;
    Ok(1)
}
