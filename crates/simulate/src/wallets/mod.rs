//! What the organisation's money does: blocks of a chain, the queues of its Safes, and the wallet policy,
//! over the days of the plan and through an intrusion's theft. Records alone: contracts of the intruder
//! have no code that does anything.

mod abi;
mod chain;
mod everyday;
mod keys;
mod policy;
mod safe;
mod theft;
mod treasury;

use alloy_primitives::U256;

use crate::dice::Seeds;
use crate::intrusion::Scenario;
use crate::stage::Stage;
use crate::{SimulateError, Sink, Written, second};

use treasury::Treasury;

/// What was written of wallets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) blocks: usize,
    pub(crate) filed: usize,
}

/// A Safe of the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vault {
    Cold,
    Warm,
}

/// What owners of a Safe are asked to confirm.
#[derive(Clone, Debug)]
enum Proposal {
    /// Coin for the next wallet: the cold Safe fills the warm one, that one the hot wallet.
    Refill(U256),
    /// The same in dollars.
    RefillUsd(U256),
    /// Several payments at once.
    Partners(Vec<U256>),
    /// Another key takes the spare's place.
    ReplaceSpare,
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Deed {
    /// A customer is paid: dollars, or thousandths of the coin.
    Withdrawal {
        in_usd: bool,
        amount: u64,
    },
    Proposed {
        vault: Vault,
        proposal: Proposal,
    },
    Confirmed {
        vault: Vault,
        owner: usize,
        as_message: bool,
    },
    Executed {
        vault: Vault,
    },
}

/// A part of a file, when it is there.
struct Part {
    at: i64,
    path: &'static str,
    written: Written,
}

/// The public key of the hot wallet, which a key management service has: DER.
pub(crate) fn hot_public_key(seeds: Seeds) -> Vec<u8> {
    keys::Key::of(seeds, HOT).public_der()
}

/// What the simulation calls the hot wallet's key.
const HOT: &str = "hot";

/// Writes the wallets of a plan.
pub(crate) fn write(
    stage: &Stage,
    scenario: Option<&Scenario>,
    foothold: i64,
    sink: &mut dyn Sink,
) -> Result<Counts, SimulateError> {
    let mut treasury = Treasury::new(stage);
    let theft = scenario.map_or_else(Vec::new, |scenario| theft::plan(stage, scenario, foothold));
    let mut theft = theft.into_iter().peekable();
    let mut thief = theft::Thief::new(stage.seeds);
    for (at, deed) in everyday::plan(stage) {
        while let Some(step) = theft.next_if(|step| step.at <= at) {
            thief.acts(&step, &mut treasury);
        }
        treasury.happens(at, &deed);
    }
    theft.for_each(|step| thief.acts(&step, &mut treasury));
    let text = policy::text(&treasury, &stage.organisation);
    sink.wallets(
        second(stage.start),
        "wallets/wallets.toml",
        &Written::Whole(text.into_bytes()),
    )?;
    for part in &treasury.written {
        sink.wallets(second(part.at), part.path, &part.written)?;
    }
    Ok(Counts {
        blocks: treasury.blocks,
        filed: treasury.filed,
    })
}
