//! What to do first, most urgent first: take the credentials away where they come from, then what
//! was minted from them, then undo what was changed.

mod commands;
mod cut;
mod mend;

use portreeve_detect::Symbol;
use portreeve_graph::{Jewel, JewelKind};

use crate::case::Case;
use crate::facts::Facts;
use crate::report::ResponseStep;

/// How many steps of one kind are listed one by one.
const STEPS_OF_A_KIND: usize = 10;

/// The first steps, most urgent first.
pub(crate) fn steps(case: &Case<'_>, facts: &Facts<'_>, jewels: &[Jewel]) -> Vec<ResponseStep> {
    let management = jewels
        .iter()
        .find(|jewel| jewel.kind == JewelKind::ManagementAccount)
        .and_then(|jewel| jewel.id.aws_account());
    let mut plan = Plan {
        case,
        management,
        steps: Vec::new(),
    };
    let (made, taken): (Vec<Symbol>, Vec<Symbol>) = case
        .held
        .iter()
        .partition(|credential| case.made.contains(*credential));
    plan.ask_first();
    plan.cut(&taken, false);
    plan.cut(&made, true);
    plan.tell_ends();
    plan.look_up();
    plan.resume_logging(facts);
    plan.restore_objects(facts);
    plan.check_images(facts);
    plan.review_access(facts);
    plan.review_made(facts);
    plan.rotate_secrets(facts);
    plan.keep_evidence();
    plan.steps
}

struct Plan<'c, 'a> {
    case: &'c Case<'a>,
    management: Option<&'c str>,
    steps: Vec<ResponseStep>,
}

impl Plan<'_, '_> {
    fn add(&mut self, title: String, command: Option<String>, caveat: impl Into<Option<String>>) {
        self.steps.push(ResponseStep {
            title,
            command,
            caveat: caveat.into(),
        });
    }
}
