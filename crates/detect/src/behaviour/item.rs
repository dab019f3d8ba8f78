use portreeve_model::state::{Reader, StateError, Writer};

/// Microseconds since 1970, as rows keep them.
pub(crate) type Moment = i64;

pub(crate) const SECOND: Moment = 1_000_000;
pub(crate) const DAY: Moment = 86_400 * SECOND;

/// The number of a day since 1970. Days that no log of ours can show are brought into range.
pub(crate) fn day_of(time: Moment) -> u16 {
    time.div_euclid(DAY).clamp(0, i64::from(u16::MAX)) as u16
}

/// The farthest moments that a log can name lie within; times beyond are no times, and reckoning
/// with them could overflow.
const FARTHEST: Moment = 400_000_000_000 * SECOND;

/// Reads a moment that was saved.
pub(crate) fn moment(reader: &mut Reader<'_>) -> Result<Moment, StateError> {
    let moment = reader.signed()?;
    if (-FARTHEST..=FARTHEST).contains(&moment) {
        Ok(moment)
    } else {
        Err(StateError::Value("a time is beyond all calendars"))
    }
}

/// What one record says to one correlation: the small keyed item that is folded. Texts are hashes
/// here, so that an item means the same in any run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// When, in microseconds since 1970.
    pub time: i64,
    /// The record's number, as the caller counts. Of two at one moment the lower comes first.
    pub record: u64,
    /// The correlation that it is for.
    pub correlation: u32,
    /// Which of the correlation's rules matched.
    pub leg: u8,
    /// The correlation that must have fired on this very record, where one correlation is a rule
    /// of another; [`Item::ALWAYS`] otherwise.
    pub after: u32,
    /// Whether a hole in the logs makes "never seen before" a guess.
    pub doubt: bool,
    /// The group: what `group-by` comes to.
    pub key: u64,
    /// The value that is counted or compared; 0 where the record has none.
    pub value: u64,
    /// Two further values, whose meaning is the type's own; 0 where the record has none.
    pub extra: [u64; 2],
    /// The number that is summed or measured.
    pub number: f64,
}

impl Item {
    /// No other correlation needs to have fired.
    pub const ALWAYS: u32 = u32::MAX;

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer
            .signed(self.time)
            .number(self.record)
            .number(self.correlation.into())
            .number(self.leg.into())
            .number(self.after.into())
            .flag(self.doubt)
            .hash(self.key)
            .hash(self.value)
            .hash(self.extra[0])
            .hash(self.extra[1])
            .float(self.number);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            time: moment(reader)?,
            record: reader.number()?,
            correlation: reader.narrow()?,
            leg: reader.narrow()?,
            after: reader.narrow()?,
            doubt: reader.flag()?,
            key: reader.hash()?,
            value: reader.hash()?,
            extra: [reader.hash()?, reader.hash()?],
            number: reader.float()?,
        })
    }
}

/// A correlation that fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// Its number.
    pub correlation: u32,
    /// The group.
    pub key: u64,
    /// When it was decided, in event time.
    pub time: i64,
    /// The records that show it, in order of time, the first hundred.
    pub records: Vec<u64>,
    /// The record that speaks for all: whose actor and credential the finding names.
    pub lead: u64,
    /// The values that made it fire, to be named.
    pub values: Vec<u64>,
    /// The number that made it fire.
    pub number: Option<f64>,
    /// Whether it was decided in hindsight by how rare a value is, for lack of a history.
    pub rare: bool,
    /// Whether it is graver than its level says.
    pub raised: bool,
}
