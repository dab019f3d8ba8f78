//! Blocks: as nodes give them, and what they mean for money.

mod block;
mod movement;
mod storage;

pub use block::{
    Block, BlockError, InternalCall, Log, Receipt, Transaction, Withdrawal, read_block,
};
pub use movement::{Asset, Movement, movements};
pub use storage::{FALLBACK_HANDLER_SLOT, GUARD_SLOT, IMPLEMENTATION_SLOT, SafeStorage};
