use crate::dice::{Dice, Seeds};
use crate::organisation::Organisation;
use crate::time::{DAY, is_weekend};

/// Where everything happens: the organisation, and the days on which.
pub(crate) struct Stage {
    pub(crate) organisation: Organisation,
    pub(crate) seeds: Seeds,
    /// Midnight of the first day.
    pub(crate) start: i64,
    /// How many days.
    pub(crate) days: u32,
    /// How much of the usual background there is, in thousandths; more than 1,000 where a plan
    /// multiplies it.
    pub(crate) volume: u64,
}

/// One day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) midnight: i64,
    pub(crate) weekend: bool,
}

impl Day {
    /// The day's number since 1970, which its streams are told apart by.
    pub(crate) fn number(self) -> u64 {
        (self.midnight / DAY) as u64
    }

    /// The day that begins at `midnight`.
    pub(crate) fn at(midnight: i64) -> Self {
        Self {
            midnight,
            weekend: is_weekend(midnight),
        }
    }
}

impl Stage {
    /// The days in order.
    pub(crate) fn calendar(&self) -> impl Iterator<Item = Day> + '_ {
        (0..i64::from(self.days)).map(|day| Day::at(self.start + day * DAY))
    }

    /// The first second after the last day.
    pub(crate) fn end(&self) -> i64 {
        self.start + i64::from(self.days) * DAY
    }

    /// Which day of the plan this is, from 0.
    pub(crate) fn place_of(&self, day: Day) -> i64 {
        (day.midnight - self.start) / DAY
    }

    /// A concern's stream for one day.
    pub(crate) fn stream(&self, concern: &str, day: Day) -> Dice {
        self.seeds.stream(concern, day.number())
    }

    /// How many times `usual` there is of what a thin volume leaves alone and a multiplied one
    /// repeats.
    pub(crate) fn repeated(&self, usual: i64) -> i64 {
        usual * (self.volume.max(1000) / 1000) as i64
    }

    /// How many of something there are today, by the plan's volume.
    pub(crate) fn amount(&self, dice: &mut Dice, low: i64, high: i64) -> i64 {
        Self::share(dice, low, high, self.volume)
    }

    /// How long a sequence by one actor is: thinned with the volume, but not multiplied, for there
    /// are more such sequences then, not longer ones.
    pub(crate) fn length(&self, dice: &mut Dice, low: i64, high: i64) -> i64 {
        Self::share(dice, low, high, self.volume.min(1000))
    }

    fn share(dice: &mut Dice, low: i64, high: i64, volume: u64) -> i64 {
        let wanted = dice.between(low, high) as u64 * volume;
        let rest = dice.permille(wanted % 1000);
        (wanted / 1000) as i64 + i64::from(rest)
    }
}
