//! One correlation by itself: what it measures, over which time span, from where on it holds.

use std::sync::Arc;

use super::item::Moment;
use super::window::sequences;
use crate::correlation::{Bound, Correlation, CorrelationKind, RuleCondition, Threshold};
use crate::expression::Expression;

const MICROSECONDS: i64 = 1_000_000;

/// One correlation, ready to be folded.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) measure: Measure,
    pub(crate) condition: Threshold,
    pub(crate) timespan: Moment,
    /// Whether it is asked with each record. If not, it is decided when the time span is over.
    pub(crate) slides: bool,
    /// The count from which the condition holds, where it slides.
    pub(crate) needed: u64,
    /// 0 where it looks at rules alone, else one more than the deepest that it looks at.
    pub(crate) level: usize,
    /// Whether its matches are told, and not only to other correlations.
    pub(crate) shows: bool,
    pub(crate) group_by: Vec<Arc<str>>,
}

#[derive(Debug)]
pub(crate) enum Measure {
    Count,
    Distinct,
    Sum,
    Average,
    Percentile(f64),
    Temporal(Option<RuleCondition>),
    Ordered(Vec<Vec<u16>>),
}

impl Compiled {
    pub(crate) fn percentile(&self) -> f64 {
        match self.measure {
            Measure::Percentile(percentile) => percentile,
            _ => 50.0,
        }
    }

    /// Whether a record that several rules match counts once.
    pub(crate) fn counts_records(&self) -> bool {
        matches!(
            self.measure,
            Measure::Count | Measure::Sum | Measure::Average | Measure::Percentile(_)
        )
    }
}

/// Compiles a correlation by itself; its level and whether it shows are set afterwards.
pub(super) fn compile(one: &Correlation) -> Result<Compiled, String> {
    if let CorrelationKind::Extension(name) = &one.kind {
        return Err(format!(
            "a correlation of type `{name}` needs what only `investigate` knows"
        ));
    }
    let timespan = one
        .timespan
        .and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(MICROSECONDS))
        .ok_or("the correlation has no `timespan`")?;
    let rules = one.rules.len();
    let all = || Threshold {
        bounds: vec![(Bound::AtLeast, rules as f64)],
        ..Threshold::default()
    };
    let condition = one.condition.clone().unwrap_or_else(all);
    let measure = match &one.kind {
        CorrelationKind::EventCount => Measure::Count,
        CorrelationKind::ValueCount => Measure::Distinct,
        CorrelationKind::ValueSum => Measure::Sum,
        CorrelationKind::ValueAverage => Measure::Average,
        CorrelationKind::ValuePercentile => {
            Measure::Percentile(condition.percentile.unwrap_or(50.0))
        }
        CorrelationKind::Temporal => Measure::Temporal(one.rule_condition.clone()),
        CorrelationKind::TemporalOrdered => Measure::Ordered(ordered(one, &condition)?),
        CorrelationKind::Extension(name) => return Err(format!("`{name}` is no type of Sigma")),
    };
    let numeric = matches!(
        measure,
        Measure::Sum | Measure::Average | Measure::Percentile(_)
    );
    if numeric && condition.fields.len() > 1 {
        return Err("a sum, mean or percentile is one of a single field".to_owned());
    }
    let condition = Threshold {
        // What a count of records or rules names besides means nothing to it.
        fields: match measure {
            Measure::Count | Measure::Temporal(_) | Measure::Ordered(_) => Vec::new(),
            _ => condition.fields,
        },
        ..condition
    };
    if matches!(measure, Measure::Temporal(None))
        && !(0..=rules).any(|number| condition.holds(number as f64))
    {
        return Err(format!(
            "no number of the {rules} rules meets the condition"
        ));
    }
    let slides = match &measure {
        Measure::Temporal(Some(condition)) => condition.only_rises(),
        Measure::Ordered(_) => true,
        _ => condition.only_rises(),
    };
    let needed = condition.bounds.iter().map(|(bound, limit)| match bound {
        Bound::Above => limit.floor() + 1.0,
        _ => limit.ceil(),
    });
    Ok(Compiled {
        needed: needed.fold(1.0, f64::max) as u64,
        slides,
        measure,
        condition,
        timespan,
        level: 0,
        shows: true,
        group_by: one
            .group_by
            .iter()
            .map(|path| path.as_str().into())
            .collect(),
    })
}

/// The sequences of which one must be complete.
fn ordered(one: &Correlation, condition: &Threshold) -> Result<Vec<Vec<u16>>, String> {
    let rules = one.rules.len();
    let expression = match &one.rule_condition {
        Some(condition) => condition.expression.clone(),
        None => {
            let holds = |number: usize| condition.holds(number as f64);
            let least = (1..=rules)
                .find(|number| holds(*number))
                .ok_or_else(|| format!("no number of the {rules} rules meets the condition"))?;
            if !(least..=rules).all(holds) {
                return Err("a sequence cannot have an upper limit".to_owned());
            }
            Expression::AtLeast(least, (0..rules).map(Expression::Leaf).collect())
        }
    };
    sequences(&expression).ok_or_else(|| {
        "the condition asks for what must not be there, or stands for too many sequences".to_owned()
    })
}
