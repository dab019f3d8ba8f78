/// The types of correlation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    /// So many matches.
    EventCount,
    /// So many different values of a field.
    ValueCount,
    /// The sum of a field.
    ValueSum,
    /// The mean of a field.
    ValueAverage,
    /// A percentile of a field.
    ValuePercentile,
    /// All rules, in any order.
    Temporal,
    /// All rules, in their order.
    TemporalOrdered,
    /// A type of somebody's own, with its prefix.
    Extension(String),
}

impl CorrelationKind {
    pub(super) fn new(word: &str) -> Option<Self> {
        Some(match word {
            "event_count" => Self::EventCount,
            "value_count" => Self::ValueCount,
            "value_sum" => Self::ValueSum,
            "value_avg" => Self::ValueAverage,
            // The median is the percentile that has a name.
            "value_percentile" | "value_median" => Self::ValuePercentile,
            "temporal" => Self::Temporal,
            "temporal_ordered" => Self::TemporalOrdered,
            _ if word.starts_with("portreeve.") => Self::Extension(word.to_owned()),
            _ => return None,
        })
    }

    pub(super) fn is_temporal(&self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    pub(super) fn measures(&self) -> bool {
        matches!(
            self,
            Self::ValueCount | Self::ValueSum | Self::ValueAverage | Self::ValuePercentile
        )
    }
}
