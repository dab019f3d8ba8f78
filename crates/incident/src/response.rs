//! What to do first.

use crate::case::Case;
use crate::facts::Facts;
use crate::reach::Reach;
use crate::report::ResponseStep;

/// The first steps, most urgent first.
pub(crate) fn steps(
    case: &Case<'_>,
    facts: &Facts<'_>,
    reach: Option<&dyn Reach>,
) -> Vec<ResponseStep> {
    let _ = (case, facts, reach);
    Vec::new()
}
