//! At which addresses each actor works, and since when: there may be as many of these as records.

use portreeve_detect::{ActorId, Symbol};

/// On how many days an actor must have worked from an address for it to be ordinary.
const ORDINARY_DAYS: u8 = 3;

/// Stands for "never" where times are compared.
pub(crate) const NEVER: i64 = i64::MAX;

/// The use of one address by one actor; times in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    pub(crate) first: i64,
    /// When the last of [`ORDINARY_DAYS`] days began.
    pub(crate) settled: i64,
    last_day: i32,
    pub(crate) rows: u32,
    /// Rows with a grave finding.
    pub(crate) found: u32,
    days: u8,
}

impl Use {
    pub(crate) fn new(first: i64) -> Self {
        Self {
            first,
            settled: NEVER,
            last_day: i32::MIN,
            rows: 0,
            found: 0,
            days: 0,
        }
    }

    /// Takes in a row, which is not before those that were taken.
    pub(crate) fn add(&mut self, time: i64) {
        let day = time.div_euclid(86_400) as i32;
        self.rows += 1;
        if self.last_day != day {
            self.last_day = day;
            self.days = self.days.saturating_add(1);
            if self.days == ORDINARY_DAYS {
                self.settled = time;
            }
        }
    }
}

/// The number of one actor at one address in [`Places`].
pub(crate) type PlaceId = u32;

/// One actor at one address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) address: Symbol,
    /// Absent where the address is not public.
    pub(crate) used: Option<Use>,
}

/// Where each actor works: the places of one actor stand together, in order of their addresses.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    /// Where the places of each actor end.
    ends: Vec<PlaceId>,
}

impl Places {
    /// Ends the places of all actors before this one: what is added from now on is of it, or of one
    /// behind it.
    pub(crate) fn end_before(&mut self, actor: ActorId) {
        self.ends
            .resize(actor as usize, self.places.len() as PlaceId);
    }

    /// The number that the next place will have.
    pub(crate) fn next(&self) -> PlaceId {
        self.places.len() as PlaceId
    }

    /// Adds a place behind the others of its actor, whose addresses are lower.
    pub(crate) fn add(&mut self, place: Place) {
        self.places.push(place);
    }

    /// The places of an actor.
    pub(crate) fn of_mut(&mut self, actor: ActorId) -> &mut [Place] {
        let range = self.range(actor);
        &mut self.places[range]
    }

    fn range(&self, actor: ActorId) -> std::ops::Range<usize> {
        let end = |actor: usize| self.ends.get(actor).map_or(0, |end| *end as usize);
        let start = (actor as usize).checked_sub(1).map_or(0, end);
        start..end(actor as usize)
    }

    pub(crate) fn find(&self, actor: ActorId, address: Symbol) -> Option<PlaceId> {
        let range = self.range(actor);
        let found = self.places[range.clone()].binary_search_by_key(&address, |it| it.address);
        Some((range.start + found.ok()?) as PlaceId)
    }

    pub(crate) fn at(&self, place: PlaceId) -> &Place {
        &self.places[place as usize]
    }

    pub(crate) fn get(&self, actor: ActorId, address: Symbol) -> Option<&Use> {
        self.at(self.find(actor, address)?).used.as_ref()
    }

    pub(crate) fn get_mut(&mut self, actor: ActorId, address: Symbol) -> Option<&mut Use> {
        let place = self.find(actor, address)? as usize;
        self.places[place].used.as_mut()
    }

    /// All uses of public addresses, actor by actor.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ActorId, Symbol, &Use)> {
        (0..self.ends.len() as ActorId).flat_map(|actor| {
            let places = self.places[self.range(actor)].iter();
            places.filter_map(move |it| Some((actor, it.address, it.used.as_ref()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use portreeve_detect::Strings;

    use super::*;

    #[test]
    fn places_are_found_by_actor_and_address() {
        let mut strings = Strings::default();
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|address| strings.intern(address));
        let mut places = Places::default();
        for (actor, address, first) in [(0, a, Some(1)), (0, b, None), (2, b, Some(7))] {
            places.end_before(actor);
            let used = first.map(Use::new);
            places.add(Place { address, used });
        }
        places.end_before(4);
        let first = |actor, address| places.get(actor, address).map(|used| used.first);
        assert_eq!(first(0, a), Some(1));
        assert_eq!(first(0, b), None);
        assert_eq!(first(1, b), None);
        assert_eq!(first(2, b), Some(7));
        assert_eq!(first(3, a), None);
        assert_eq!(places.find(0, b), Some(1));
        let all: Vec<(ActorId, Symbol)> = places.iter().map(|it| (it.0, it.1)).collect();
        assert_eq!(all, [(0, a), (2, b)]);
    }

    #[test]
    fn an_address_is_settled_on_the_third_day() {
        let mut used = Use::new(0);
        for time in [0, 10, 86_400, 86_500] {
            used.add(time);
        }
        assert_eq!((used.days, used.settled), (2, NEVER));
        used.add(3 * 86_400);
        assert_eq!((used.rows, used.settled), (5, 3 * 86_400));
    }
}
