use std::cmp::Ordering;

/// A number in a rule or a record. A value without fraction is an integer however it is written,
/// so that `5`, `5.0` and `5e0` are equal, and large integers are compared exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Fraction(f64),
}

impl Number {
    /// Reads a decimal number as JSON and YAML write it; `None` for anything else, infinities and
    /// "not a number" included.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 400 {
            return None;
        }
        if let Ok(integer) = text.parse::<i128>() {
            return Some(Number::Integer(integer));
        }
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        {
            return None;
        }
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
        Some(if value.fract() == 0.0 && value.abs() < 1e38 {
            Number::Integer(value as i128)
        } else {
            Number::Fraction(value)
        })
    }

    /// The text that all spellings of this number share.
    pub(crate) fn canonical(self) -> String {
        match self {
            Number::Integer(integer) => integer.to_string(),
            Number::Fraction(value) => value.to_string(),
        }
    }

    fn as_float(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Fraction(value) => value,
        }
    }

    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => left.cmp(&right),
            _ => self.as_float().total_cmp(&other.as_float()),
        }
    }
}

/// How a field's number is to stand to the rule's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn holds(self, field: Number, value: Number) -> bool {
        match self {
            Comparison::Equal => field == value,
            Comparison::Less => field.order(value).is_lt(),
            Comparison::LessOrEqual => field.order(value).is_le(),
            Comparison::Greater => field.order(value).is_gt(),
            Comparison::GreaterOrEqual => field.order(value).is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_equal() {
        let number = |text: &str| Number::parse(text).unwrap();
        assert_eq!(number("5"), number("5.0"));
        assert_eq!(number("5e0"), number("5"));
        assert_eq!(number("-0"), number("0"));
        assert_eq!(number("5.0").canonical(), "5");
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_eq!(number("0.5").canonical(), "0.5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "abc", "nan", "inf", "1e999", "0x10", "1_000", " 1", "1 ",
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn comparisons_hold_at_their_borders() {
        let number = |text: &str| Number::parse(text).unwrap();
        assert!(Comparison::LessOrEqual.holds(number("5"), number("5.0")));
        assert!(!Comparison::Less.holds(number("5"), number("5.0")));
        assert!(Comparison::Greater.holds(number("5.5"), number("5")));
        assert!(Comparison::GreaterOrEqual.holds(number("-1"), number("-1")));
    }
}
