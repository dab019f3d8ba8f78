//! The laws that every implementation of [`KeyedState`] keeps, as functions that its tests call.
//!
//! They panic where a law does not hold: they are for tests alone.

use std::collections::BTreeMap;

use super::{Change, KeyedState};

/// What a store holds after it has saved changes: each key with its latest value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    items: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Saved {
    /// Saves changes.
    pub fn save(&mut self, changes: Vec<Change>) {
        for (key, value) in changes {
            match value {
                Some(value) => {
                    self.items.insert(key, value);
                }
                None => {
                    self.items.remove(&key);
                }
            }
        }
    }

    /// Hands everything back to a new state.
    ///
    /// # Panics
    /// Where the state does not read what it wrote.
    pub fn hand_back(&self, state: &mut dyn KeyedState) {
        let mut items = self
            .items
            .iter()
            .rev()
            .map(|(key, value)| (key.clone(), value.clone()));
        state
            .restore(&mut items)
            .expect("a state reads what it wrote");
    }

    /// How many keys are saved.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many bytes keys and values take.
    pub fn bytes(&self) -> usize {
        self.items
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum()
    }
}

/// A state with everything around it that a law needs: how to make one, how to feed it, and what
/// comes out.
pub trait Subject {
    /// What it is fed with.
    type Input;
    /// What comes out of it.
    type Output: PartialEq + std::fmt::Debug;

    /// One that was never fed.
    fn make(&self) -> Box<dyn Fed<Self::Input, Self::Output>>;
}

/// A state that can be fed.
pub trait Fed<Input, Output>: KeyedState {
    /// Takes one input and gives what comes of it.
    fn feed(&mut self, input: &Input) -> Vec<Output>;

    /// The end of all input.
    fn end(&mut self) -> Vec<Output>;
}

/// Holds a state to all laws, over the given inputs, killed after each of the given numbers of
/// them.
///
/// # Panics
/// Where a law does not hold.
pub fn hold<S: Subject>(subject: &S, inputs: &[S::Input], kills: &[usize]) {
    let mut live = subject.make();
    let mut expected: Vec<S::Output> = Vec::new();
    for input in inputs {
        expected.extend(live.feed(input));
    }
    let mut all = Saved::default();
    all.save(live.take_changes());
    let lost = live.dropped();
    expected.extend(live.end());

    for kill in kills {
        resumed(subject, inputs, *kill, &expected, &all, &lost);
    }
    changes_are_minimal(subject, inputs);
    broken_values_are_errors(subject, &all);
}

/// A run that is killed and resumed gives the same output, and comes to the same state, as one
/// that is not; what had been done since the last commit is done again.
fn resumed<S: Subject>(
    subject: &S,
    inputs: &[S::Input],
    kill: usize,
    expected: &[S::Output],
    all: &Saved,
    lost: &[super::Dropped],
) {
    let kill = kill.min(inputs.len());
    let (before, after) = inputs.split_at(kill);
    let mut saved = Saved::default();
    let mut outputs = Vec::new();
    let mut first = subject.make();
    for (number, input) in before.iter().enumerate() {
        outputs.extend(first.feed(input));
        // Several commits: changes add up.
        if number % 7 == 3 {
            saved.save(first.take_changes());
        }
    }
    saved.save(first.take_changes());
    // What happens behind the last commit is lost with the process.
    for input in after.iter().take(3) {
        first.feed(input);
    }
    drop(first);
    let mut second = subject.make();
    saved.hand_back(&mut *second);
    assert_eq!(
        second.take_changes(),
        Vec::new(),
        "what is restored is no change"
    );
    for input in after {
        outputs.extend(second.feed(input));
    }
    saved.save(second.take_changes());
    assert!(
        saved == *all,
        "the state after a kill at {kill} is that of the run without one"
    );
    assert_eq!(second.dropped(), lost, "what was let go is remembered");
    outputs.extend(second.end());
    assert_eq!(outputs, expected, "killed at {kill}");
}

/// Changes hold each key once, in order, and nothing that did not change.
fn changes_are_minimal<S: Subject>(subject: &S, inputs: &[S::Input]) {
    let mut state = subject.make();
    let mut saved = Saved::default();
    for input in inputs {
        state.feed(input);
        let changes = state.take_changes();
        assert!(
            changes.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "keys rise and none is repeated"
        );
        for (key, value) in &changes {
            assert_ne!(
                saved.items.get(key),
                value.as_ref(),
                "a change is no repetition of what is saved"
            );
        }
        saved.save(changes);
        assert_eq!(
            state.take_changes(),
            Vec::new(),
            "nothing changed in between"
        );
    }
}

/// Cut and garbled values do not panic.
fn broken_values_are_errors<S: Subject>(subject: &S, all: &Saved) {
    let mut state = subject.make();
    let mut is_refused = |key: &[u8], value: &[u8]| {
        let item = (key.to_vec(), value.to_vec());
        state.restore(&mut std::iter::once(item)).is_err()
    };
    for (key, value) in all.items.iter().take(50) {
        for cut in 0..value.len() {
            let cut = value.get(..cut).unwrap_or_default();
            assert!(is_refused(key, cut), "a value that was cut is an error");
        }
        let longer = [value.as_slice(), &[0]].concat();
        assert!(
            is_refused(key, &longer),
            "a value with something behind it is an error"
        );
    }
    let foreign = (vec![1, 2, 3], vec![4]);
    assert!(
        subject
            .make()
            .restore(&mut std::iter::once(foreign))
            .is_err(),
        "a key of another form is an error"
    );
}
