use foldhash::fast::FixedState;
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
    table: Table,
}

impl Strings {
    /// The symbol of a text, new or known.
    pub fn intern(&mut self, text: &str) -> Symbol {
        self.intern_hashed(text, hash(text))
    }

    /// The symbols of texts that may be absent. Each is first compared with what stood in its place
    /// shortly before (`near`): records come in runs, and comparing costs less than looking up.
    ///
    /// Of a million records most texts are in no cache any more. Asked for together, they are
    /// fetched together: that takes a third of the time of one after the other.
    pub fn intern_all<const N: usize>(
        &mut self,
        texts: [Option<&str>; N],
        near: [Symbol; N],
    ) -> [Symbol; N] {
        let mut symbols = [Symbol::NONE; N];
        let mut hashes = [0; N];
        for (((symbol, hashed), text), near) in
            symbols.iter_mut().zip(&mut hashes).zip(texts).zip(near)
        {
            match text {
                Some(text) if near.is_some() && self.is(near, text) => *symbol = near,
                Some(text) => *hashed = hash(text),
                None => {}
            }
        }
        self.fetch(&hashes);
        for ((symbol, text), hash) in symbols.iter_mut().zip(texts).zip(hashes) {
            if let Some(text) = text
                && !symbol.is_some()
            {
                *symbol = self.intern_hashed(text, hash);
            }
        }
        symbols
    }

    /// Whether a symbol is that of a text.
    fn is(&self, symbol: Symbol, text: &str) -> bool {
        let range = self.range(symbol.index());
        range.len() == text.len() && self.text.as_bytes().get(range) == Some(text.as_bytes())
    }

    /// Reads what comparing with the most likely texts will read, and forgets it: none of these
    /// reads waits for another.
    fn fetch(&self, hashes: &[u32]) {
        let likely = || {
            hashes.iter().filter_map(|hash| {
                let entry = self.table.first(*hash)?;
                (entry.hash == *hash).then_some(entry.symbol as usize)
            })
        };
        let places = hashes
            .iter()
            .map(|hash| self.table.first(*hash).map_or(0, |entry| entry.symbol))
            .fold(0, |all, symbol| all ^ symbol);
        let ends = likely().fold(0, |all, symbol| all ^ self.ends[symbol]);
        let bytes = self.text.as_bytes();
        let texts = likely().fold(0, |all, symbol| {
            all ^ bytes.get(self.start(symbol)).copied().unwrap_or(0)
        });
        std::hint::black_box((places, ends, texts));
    }

    fn intern_hashed(&mut self, text: &str, hash: u32) -> Symbol {
        match self.lookup(text, hash) {
            Ok(symbol) => symbol,
            Err(place) => {
                let symbol = self.ends.len() as u32;
                self.text.push_str(text);
                self.ends.push(self.text.len());
                self.table.insert(place, Entry { hash, symbol });
                Symbol(symbol)
            }
        }
    }

    /// The symbol of a text, or the place in the table where it belongs.
    fn lookup(&self, text: &str, hash: u32) -> Result<Symbol, usize> {
        let is_equal = |symbol: u32| self.is(Symbol(symbol), text);
        self.table.find(hash, is_equal).map(Symbol)
    }

    /// The symbol of a text that may be absent.
    pub fn intern_option(&mut self, text: Option<&str>) -> Symbol {
        text.map_or(Symbol::NONE, |text| self.intern(text))
    }

    /// The symbol of a text that was interned before.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.lookup(text, hash(text)).ok()
    }

    /// The text of a symbol; `None` for [`Symbol::NONE`].
    pub fn get(&self, symbol: Symbol) -> Option<&str> {
        symbol.is_some().then(|| self.slice(symbol.index()))
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
        (0..self.ends.len()).map(|index| (Symbol(index as u32), self.slice(index)))
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }

    fn range(&self, index: usize) -> std::ops::Range<usize> {
        self.start(index)..self.ends[index]
    }

    fn slice(&self, index: usize) -> &str {
        &self.text[self.range(index)]
    }
}

fn hash(text: &str) -> u32 {
    FixedState::default().hash_one(text) as u32
}

/// A part of a text's hash, and its symbol: with the hash at hand neither a probe that misses nor
/// the table's growth has to look at the texts.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    symbol: u32,
}

const FREE: Entry = Entry {
    hash: 0,
    symbol: u32::MAX,
};

/// Open addressing with linear probes over eight bytes an entry, so that a lookup reads one line of
/// memory. Entries stand in the order of their hashes, so that growth reads and writes in order.
#[derive(Clone, Debug, Default)]
struct Table {
    /// A power of two of entries, or none.
    entries: Vec<Entry>,
    used: usize,
}

impl Table {
    const SMALLEST: usize = 64;

    fn place(&self, hash: u32) -> usize {
        // The upper bits, scaled to the table.
        ((u64::from(hash) * self.entries.len() as u64) >> 32) as usize
    }

    /// The entry where a hash belongs, which may be another's.
    fn first(&self, hash: u32) -> Option<Entry> {
        self.entries
            .get(self.place(hash))
            .copied()
            .filter(|entry| entry.symbol != FREE.symbol)
    }

    /// The symbol with a hash of which `is_equal` holds, or the place where it belongs.
    fn find(&self, hash: u32, is_equal: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mut place = self.place(hash);
        loop {
            match self.entries.get(place) {
                None if self.entries.is_empty() => return Err(0),
                None => place = 0,
                Some(entry) if entry.symbol == FREE.symbol => return Err(place),
                Some(entry) if entry.hash == hash && is_equal(entry.symbol) => {
                    return Ok(entry.symbol);
                }
                Some(_) => place += 1,
            }
        }
    }

    /// Inserts an entry at the place that [`Table::find`] told.
    fn insert(&mut self, place: usize, entry: Entry) {
        match self.entries.get_mut(place) {
            Some(free) => *free = entry,
            None => {
                self.entries = vec![FREE; Self::SMALLEST];
                let place = self.place(entry.hash);
                self.entries[place] = entry;
            }
        }
        self.used += 1;
        // Beyond three quarters linear probes grow long.
        if self.used * 4 > self.entries.len() * 3 {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let larger = vec![FREE; self.entries.len() * 2];
        for entry in std::mem::replace(&mut self.entries, larger) {
            if entry.symbol != FREE.symbol
                && let Err(place) = self.find(entry.hash, |_| false)
            {
                self.entries[place] = entry;
            }
        }
    }
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

    #[test]
    fn many_texts_are_found_again_however_they_were_interned() {
        let mut strings = Strings::default();
        assert_eq!(strings.find("0"), None);
        let texts: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        let mut near = [Symbol::NONE; 4];
        for pair in texts.chunks(2) {
            let asked = [Some(&*pair[0]), None, Some(&*pair[1]), Some(&*pair[0])];
            let symbols = strings.intern_all(asked, near);
            near = symbols;
            assert_eq!(strings.intern_all(asked, near), symbols);
            assert_eq!(symbols[0], symbols[3]);
            assert_eq!(symbols[1], Symbol::NONE);
        }
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(strings.intern(text).index(), number);
            assert_eq!(strings.find(text).map(Symbol::index), Some(number));
        }
        assert_eq!(strings.len(), texts.len());
        assert_eq!(
            strings.iter().map(|(_, text)| text).collect::<Vec<_>>(),
            texts
        );
    }
}
