use crate::strings::Symbol;

/// Values by symbol. Symbols count up as texts are first seen, so that looking up those of one
/// record after another walks through memory in order, where a hash table would jump.
#[derive(Clone, Debug)]
pub(crate) struct SymbolMap<T> {
    /// By the symbol's number, one more than the value's; 0 for none.
    places: Vec<u32>,
    values: Vec<(Symbol, T)>,
}

impl<T> Default for SymbolMap<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T> SymbolMap<T> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn contains(&self, symbol: Symbol) -> bool {
        self.get(symbol).is_some()
    }

    pub(crate) fn get(&self, symbol: Symbol) -> Option<&T> {
        let place = *self.places.get(symbol.index())?;
        Some(&self.values.get((place as usize).checked_sub(1)?)?.1)
    }

    /// The symbol's value, inserted where there is none; and whether it was there before. The
    /// symbol must stand for a text.
    pub(crate) fn get_or_insert(&mut self, symbol: Symbol, value: T) -> (&mut T, bool) {
        if self.places.len() <= symbol.index() {
            self.places.resize(symbol.index() + 1, 0);
        }
        let place = &mut self.places[symbol.index()];
        let is_known = *place != 0;
        if !is_known {
            self.values.push((symbol, value));
            *place = self.values.len() as u32;
        }
        (&mut self.values[*place as usize - 1].1, is_known)
    }

    /// In order of insertion.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Symbol, &T)> {
        self.values.iter().map(|(symbol, value)| (*symbol, value))
    }

    /// The values, in order of insertion.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.values.into_iter().map(|(_, value)| value)
    }
}

/// A set of symbols, one bit each.
#[derive(Clone, Debug, Default)]
pub(crate) struct SymbolSet {
    bits: Vec<u64>,
}

impl SymbolSet {
    /// Puts a symbol in, which must stand for a text.
    pub(crate) fn insert(&mut self, symbol: Symbol) {
        let word = symbol.index() / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (symbol.index() % 64);
    }

    pub(crate) fn contains(&self, symbol: Symbol) -> bool {
        let word = self.bits.get(symbol.index() / 64);
        word.is_some_and(|word| word >> (symbol.index() % 64) & 1 != 0)
    }
}

impl Extend<Symbol> for SymbolSet {
    fn extend<I: IntoIterator<Item = Symbol>>(&mut self, symbols: I) {
        for symbol in symbols {
            self.insert(symbol);
        }
    }
}

impl FromIterator<Symbol> for SymbolSet {
    fn from_iter<I: IntoIterator<Item = Symbol>>(symbols: I) -> Self {
        let mut set = Self::default();
        set.extend(symbols);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_symbol() {
        let mut map = SymbolMap::default();
        assert_eq!(map.get(Symbol::NONE), None);
        for (number, is_known) in [(7, false), (2, false), (7, true)] {
            let (value, known) = map.get_or_insert(Symbol::from_index(number), 0);
            *value += number;
            assert_eq!(known, is_known);
        }
        assert_eq!(map.get(Symbol::from_index(7)), Some(&14));
        assert!(!map.contains(Symbol::from_index(3)));
        assert!(!map.contains(Symbol::from_index(8)));
        let inserted: Vec<usize> = map.iter().map(|(symbol, _)| symbol.index()).collect();
        assert_eq!(inserted, [7, 2]);
        assert_eq!(map.len(), 2);
        assert_eq!(map.into_values().collect::<Vec<_>>(), [14, 2]);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let symbol = Symbol::from_index;
        let set: SymbolSet = [symbol(0), symbol(63), symbol(64), symbol(200)]
            .into_iter()
            .collect();
        let held: Vec<usize> = (0..300).filter(|at| set.contains(symbol(*at))).collect();
        assert_eq!(held, [0, 63, 64, 200]);
        assert!(!set.contains(Symbol::NONE));
    }
}
