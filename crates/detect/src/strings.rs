use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// The number of an interned string. [`Symbol::NONE`] stands for "not told".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// No string.
    pub const NONE: Symbol = Symbol(u32::MAX);

    /// Whether there is a string.
    pub fn is_some(self) -> bool {
        self != Symbol::NONE
    }

    /// The number; see [`Strings::len`].
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn from_index(index: usize) -> Self {
        Symbol(index as u32)
    }
}

/// Interned strings: each distinct text is kept once, in one block.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
    /// With a part of the hash at hand, neither a probe that misses nor the table's growth has to
    /// look at the texts. Entries are small, for a table of millions is read from memory.
    table: HashTable<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    symbol: u32,
}

fn hash(text: &str) -> u32 {
    FixedState::default().hash_one(text) as u32
}

/// The table takes its bucket from the lower bits of a hash, and its tag from the upper ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Strings {
    /// The symbol of a text, new or known.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let Self {
            text: block,
            ends,
            table,
        } = self;
        let own = hash(text);
        let found = table.entry(
            spread(own),
            |known| known.hash == own && slice(block, ends, known.symbol as usize) == text,
            |known| spread(known.hash),
        );
        let entry = found.or_insert_with(|| {
            let symbol = ends.len() as u32;
            block.push_str(text);
            ends.push(block.len());
            Entry { hash: own, symbol }
        });
        Symbol(entry.get().symbol)
    }

    /// The symbol of a text that may be absent.
    pub fn intern_option(&mut self, text: Option<&str>) -> Symbol {
        text.map_or(Symbol::NONE, |text| self.intern(text))
    }

    /// The symbol of a text that was interned before.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        let own = hash(text);
        let equal = |known: &Entry| {
            known.hash == own && slice(&self.text, &self.ends, known.symbol as usize) == text
        };
        self.table
            .find(spread(own), equal)
            .map(|known| Symbol(known.symbol))
    }

    /// The text of a symbol; `None` for [`Symbol::NONE`].
    pub fn get(&self, symbol: Symbol) -> Option<&str> {
        symbol
            .is_some()
            .then(|| slice(&self.text, &self.ends, symbol.index()))
    }

    /// How many distinct texts there are. Symbols count up to this from 0.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing was interned.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All symbols with their texts, in order of interning.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..self.ends.len())
            .map(|index| (Symbol(index as u32), slice(&self.text, &self.ends, index)))
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], index: usize) -> &'a str {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &text[start..ends[index]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_symbol() {
        let mut strings = Strings::default();
        let first = strings.intern("alpha");
        let second = strings.intern("");
        assert_eq!(strings.intern("alpha"), first);
        assert_ne!(first, second);
        assert_eq!(strings.get(first), Some("alpha"));
        assert_eq!(strings.get(second), Some(""));
        assert_eq!(strings.get(Symbol::NONE), None);
        assert_eq!(strings.find("beta"), None);
        assert_eq!(strings.len(), 2);
    }
}
