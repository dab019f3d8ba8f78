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

    pub(crate) fn get(&self, symbol: Symbol) -> Option<&T> {
        let place = *self.places.get(symbol.index())?;
        Some(&self.values.get((place as usize).checked_sub(1)?)?.1)
    }

    /// The symbol's value, inserted where there is none. The symbol must stand for a text.
    pub(crate) fn get_or_insert(&mut self, symbol: Symbol, value: T) -> &mut T {
        if self.places.len() <= symbol.index() {
            self.places.resize(symbol.index() + 1, 0);
        }
        let place = &mut self.places[symbol.index()];
        if *place == 0 {
            self.values.push((symbol, value));
            *place = self.values.len() as u32;
        }
        &mut self.values[*place as usize - 1].1
    }
}

impl<T> IntoIterator for SymbolMap<T> {
    type Item = (Symbol, T);
    type IntoIter = std::vec::IntoIter<(Symbol, T)>;

    /// In order of insertion.
    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_symbol() {
        let mut map = SymbolMap::default();
        assert_eq!(map.get(Symbol::NONE), None);
        *map.get_or_insert(Symbol::from_index(7), 1) += 1;
        *map.get_or_insert(Symbol::from_index(2), 5) += 1;
        *map.get_or_insert(Symbol::from_index(7), 9) += 1;
        assert_eq!(map.get(Symbol::from_index(7)), Some(&3));
        assert_eq!(map.get(Symbol::from_index(3)), None);
        assert_eq!(map.get(Symbol::from_index(8)), None);
        assert_eq!(map.len(), 2);
        let inserted: Vec<usize> = map.into_iter().map(|(symbol, _)| symbol.index()).collect();
        assert_eq!(inserted, [7, 2]);
    }
}
