//! Reading a chain from nodes that lag, err, lie, break off and refuse.

mod after;
mod agree;
mod provider;
mod reader;
#[cfg(test)]
mod tests;

pub use provider::{Provider, ProviderError};
pub use reader::{Cursor, Fault, FaultKind, Reader, ReaderError, Step};
