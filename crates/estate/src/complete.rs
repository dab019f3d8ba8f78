//! What follows from all files together.

use portreeve_model::Estate;

/// Draws the conclusions that need all files, and names what is missing. Call it once, after the
/// last file.
pub fn complete(estate: &mut Estate) {
    estate.finish();
}
