//! A Safe's storage: what rules it, whatever events say.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, b256, keccak256};

/// Slot 0: the implementation that the proxy runs.
pub const IMPLEMENTATION_SLOT: B256 = B256::ZERO;
/// `keccak256("guard_manager.guard.address")`: the guard, from 1.3.
pub const GUARD_SLOT: B256 =
    b256!("4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8");
/// `keccak256("fallback_manager.handler.address")`: the fallback handler, from 1.1.
pub const FALLBACK_HANDLER_SLOT: B256 =
    b256!("6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5");
/// The slots of the list of modules, the list of owners, and the threshold (`SafeStorage.sol`).
const MODULES: u8 = 1;
const OWNERS: u8 = 2;
const THRESHOLD: u8 = 4;
/// The most entries of one list that are followed; a list that is a circle ends here.
const MOST: usize = 512;

/// What rules a Safe, as far as its storage was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeStorage {
    /// The implementation.
    pub implementation: Option<Address>,
    /// How many owners must sign.
    pub threshold: Option<U256>,
    /// The owners.
    pub owners: Option<BTreeSet<Address>>,
    /// The modules.
    pub modules: Option<BTreeSet<Address>>,
    /// The guard; zero for none.
    pub guard: Option<Address>,
    /// The fallback handler; zero for none.
    pub fallback_handler: Option<Address>,
}

impl SafeStorage {
    /// From slots and their values. What was not read is absent.
    pub fn of(slots: &BTreeMap<B256, B256>) -> Self {
        let read = |slot: B256| slots.get(&slot).copied();
        let address = |slot| read(slot).map(Address::from_word);
        Self {
            implementation: address(IMPLEMENTATION_SLOT),
            threshold: read(slot(THRESHOLD)).map(Into::into),
            owners: list(OWNERS, &read).ok(),
            modules: list(MODULES, &read).ok(),
            guard: address(GUARD_SLOT),
            fallback_handler: address(FALLBACK_HANDLER_SLOT),
        }
    }

    /// The slots to read next, given those that were read: lists are chains, in which each value
    /// names the next slot. Empty where all is read.
    pub fn wanted(slots: &BTreeMap<B256, B256>) -> Vec<B256> {
        let read = |slot: B256| slots.get(&slot).copied();
        let fixed = [
            IMPLEMENTATION_SLOT,
            slot(THRESHOLD),
            GUARD_SLOT,
            FALLBACK_HANDLER_SLOT,
        ];
        let mut wanted: Vec<B256> = fixed
            .into_iter()
            .filter(|slot| !slots.contains_key(slot))
            .collect();
        wanted.extend(
            [OWNERS, MODULES]
                .into_iter()
                .filter_map(|mapping| list(mapping, &read).err().flatten()),
        );
        wanted
    }
}

fn slot(number: u8) -> B256 {
    B256::with_last_byte(number)
}

/// Where a mapping keeps the value of an address (Solidity's layout of storage).
pub(crate) fn entry(mapping: u8, key: Address) -> B256 {
    let mut bytes = [0; 64];
    bytes[12..32].copy_from_slice(key.as_slice());
    bytes[63] = mapping;
    keccak256(bytes)
}

/// Follows a list from its sentinel, the address 1, until it comes back to it. An error names the
/// slot that was not read; none where the list is broken.
fn list(
    mapping: u8,
    read: &dyn Fn(B256) -> Option<B256>,
) -> Result<BTreeSet<Address>, Option<B256>> {
    let sentinel = Address::with_last_byte(1);
    let mut found = BTreeSet::new();
    let mut at = sentinel;
    for _ in 0..MOST {
        let place = entry(mapping, at);
        at = Address::from_word(read(place).ok_or(Some(place))?);
        if at == sentinel || at.is_zero() && found.is_empty() {
            return Ok(found);
        }
        if at.is_zero() || !found.insert(at) {
            return Err(None);
        }
    }
    Err(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Storage of a Safe with these owners and modules.
    fn storage(owners: &[Address], modules: &[Address]) -> BTreeMap<B256, B256> {
        let mut slots = BTreeMap::new();
        for (mapping, list) in [(OWNERS, owners), (MODULES, modules)] {
            let sentinel = Address::with_last_byte(1);
            let mut before = sentinel;
            for one in list {
                slots.insert(entry(mapping, before), one.into_word());
                before = *one;
            }
            slots.insert(entry(mapping, before), sentinel.into_word());
        }
        slots.insert(IMPLEMENTATION_SLOT, Address::repeat_byte(9).into_word());
        slots.insert(slot(THRESHOLD), B256::with_last_byte(2));
        slots.insert(GUARD_SLOT, B256::ZERO);
        slots.insert(FALLBACK_HANDLER_SLOT, B256::ZERO);
        slots
    }

    #[test]
    fn a_reader_that_asks_for_what_is_wanted_reads_all() {
        let owners: Vec<Address> = (10..15).map(Address::repeat_byte).collect();
        let whole = storage(&owners, &[Address::repeat_byte(20)]);
        let mut read = BTreeMap::new();
        let mut rounds = 0;
        loop {
            let wanted = SafeStorage::wanted(&read);
            if wanted.is_empty() {
                break;
            }
            read.extend(wanted.into_iter().map(|slot| (slot, whole[&slot])));
            rounds += 1;
        }
        assert_eq!(rounds, 6);
        let found = SafeStorage::of(&read);
        assert_eq!(found.owners, Some(owners.into_iter().collect()));
        assert_eq!(found.modules, Some([Address::repeat_byte(20)].into()));
        assert_eq!(found.threshold, Some(U256::from(2)));
        assert_eq!(found.implementation, Some(Address::repeat_byte(9)));
        assert_eq!(found.guard, Some(Address::ZERO));
    }

    #[test]
    fn lists_that_are_broken_or_circles_are_not_known() {
        let owners = [Address::repeat_byte(10), Address::repeat_byte(11)];
        let mut circle = storage(&owners, &[]);
        circle.insert(entry(OWNERS, owners[1]), owners[0].into_word());
        assert_eq!(SafeStorage::of(&circle).owners, None);
        assert!(SafeStorage::wanted(&circle).is_empty());
        let mut broken = storage(&owners, &[]);
        broken.insert(entry(OWNERS, owners[0]), B256::ZERO);
        assert_eq!(SafeStorage::of(&broken).owners, None);
        assert_eq!(SafeStorage::of(&BTreeMap::new()), SafeStorage::default());
    }
}
